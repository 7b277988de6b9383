"""Put what regions hand on in buffers that their devices and the host take turns to use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func, memref
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from lamina.dialects.graph import DeviceCopyOp, MapOp, RunOp, UnmapOp
from lamina.passes.graph._devices import is_host, last_of, networks
from lamina.passes.graph._formula import storage_type
from lamina.passes.graph._lower_network import Network, output_names
from lamina.passes.graph._regions import original
from lamina.passes.graph.outline_regions import ON


def region_devices(module: ModuleOp) -> dict[str, str]:
    """The device of each region, by its name."""
    marks = {
        f.sym_name.data: f.attributes.get(ON) for f in module.ops if isinstance(f, func.FuncOp)
    }
    return {name: mark.data for name, mark in marks.items() if isinstance(mark, StringAttr)}


class Sharing:
    """Builds the function on buffers of one network that calls regions."""

    def __init__(self, f: func.FuncOp, devices: dict[str, str]) -> None:
        self.f, self.devices = f, devices
        self.network = Network(f)
        self.homes: dict[SSAValue, SSAValue] = {}
        """tensor -> the buffer that holds it first"""
        self.twins: dict[tuple[SSAValue, str], SSAValue] = {}
        """(tensor, device) -> the buffer of a device that cannot use the first one"""
        self.owner: dict[SSAValue, str] = {}
        """buffer -> the one device, beside the host, that uses it"""
        self.away: set[SSAValue] = set()
        """the buffers that are in the hands of their owners, not the host's"""

    def device(self, call: func.CallOp) -> str:
        """Which device runs a region."""
        return self.devices[call.callee.string_value()]

    def build(self) -> func.FuncOp:
        """The function on buffers: inputs, then outputs."""
        last = last_of(self.f)
        outputs = self.arguments(last)
        for op in self.f.body.block.ops:
            if isinstance(op, func.CallOp):
                self.run(op)
        for value, out in zip(last.operands, outputs, strict=True):
            if (home := self.homes[original(value)]) is not out:
                self.copy(home, out)
        for buffer in self.network.block.args:
            self.hand(buffer, None)
        return self.network.finish()

    def arguments(self, last: func.ReturnOp) -> list[SSAValue]:
        """Make buffers of inputs and of results, which regions write directly; the latter."""
        outputs = list[SSAValue]()
        self.network.inputs()
        for value in self.f.body.block.args:
            self.homes[value] = self.network.buffers[value]
        names = output_names(self.f)
        for i, value in enumerate(last.operands):
            type, name = storage_type(value.type), names[i] if names else f"output{i}"
            out = self.network.argument(type, "lamina.output", name, value.name_hint)
            if isinstance(original(value).owner, Operation):
                self.homes.setdefault(original(value), out)
            outputs.append(out)
        for value, home in self.homes.items():
            self.own(home, self.users(value))
        return outputs

    def users(self, value: SSAValue) -> Iterable[str]:
        """The devices that use a tensor, who makes it first."""
        if isinstance(value.owner, func.CallOp):
            yield self.device(value.owner)
        for use in value.uses:
            if isinstance(use.operation, func.CallOp):
                yield self.device(use.operation)
            elif isinstance(use.operation, DeviceCopyOp):
                yield from self.users(use.operation.y)

    def own(self, buffer: SSAValue, users: Iterable[str]) -> None:
        """Let the first of these devices that is not the host own a buffer."""
        if device := next((d for d in users if not is_host(d)), None):
            self.owner[buffer] = device

    def run(self, call: func.CallOp) -> None:
        """A region, on buffers that were handed to its device."""
        device = self.device(call)
        for y in call.res:
            if y not in self.homes:
                self.homes[y] = self.allocate(y, self.users(y))
        buffers = [self.buffer(original(x), device) for x in (*call.arguments, *call.res)]
        for buffer in buffers:
            self.hand(buffer, None if is_host(device) else device)
        run = self.network.builder.insert(RunOp(call.callee.string_value(), buffers))
        run.attributes |= call.attributes

    def buffer(self, value: SSAValue, device: str) -> SSAValue:
        """Where `device` finds a tensor; that is copied if another one made it."""
        home = self.homes[value]
        if is_host(device) or self.owner.get(home) == device:
            return home
        if (value, device) not in self.twins:
            self.twins[value, device] = twin = self.allocate(value, [device])
            self.copy(home, twin)
        return self.twins[value, device]

    def allocate(self, value: SSAValue, users: Iterable[str]) -> SSAValue:
        """A buffer, which is first in the hands of the device that owns it."""
        buffer = self.network.allocate(value)
        self.own(buffer, users)
        if buffer in self.owner:
            self.away.add(buffer)
        return buffer

    def copy(self, source: SSAValue, to: SSAValue) -> None:
        """By the host."""
        self.hand(source, None)
        self.hand(to, None)
        self.network.builder.insert(memref.CopyOp(source, to))

    def hand(self, buffer: SSAValue, device: str | None) -> None:
        """Let a buffer be in the hands of its owner, or of the host if no device is given."""
        if device is None and buffer in self.away:
            self.away.remove(buffer)
            self.network.builder.insert(MapOp(buffer, self.owner[buffer]))
        elif device is not None and buffer not in self.away:
            self.away.add(buffer)
            self.network.builder.insert(UnmapOp(buffer, device))


class ShareDeviceMemoryPass(ModulePass):
    """
    Let regions write and read buffers that the host and a device take turns to use.

    %c = graph.device_copy %y {A to cpu}; func.call @region1_cpu(%c)
    ->  graph.map %b {device = A}; graph.run @region1_cpu(%b, ..)

    The network's function is then on buffers: inputs and outputs, which are in the host's hands
    before and after, and a memref.alloc for what lies between regions, which begins in the hands of
    its device. Nothing is copied but what two devices beside the host use, and results that are
    inputs or other results.
    """

    name = "share-device-memory"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        devices = region_devices(op)
        for f in networks(op):
            calls = (
                o.callee.string_value() for o in f.body.block.ops if isinstance(o, func.CallOp)
            )
            if any(name in devices for name in calls):
                Rewriter.replace_op(f, Sharing(f, devices).build(), [])
