"""
Check who may touch buffers that a device shares with the host: what runs on a processor of its own
memory does not notice a missing map or unmap, a graphics processor does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func, memref
from xdsl.dialects.builtin import MemRefType, ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.traits import SymbolTable
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.graph import MapOp, RunOp, UnmapOp
from lamina.passes._aliasing import VIEWS, root_of
from lamina.passes.graph._devices import is_host
from lamina.passes.graph.share_device_memory import region_devices

HOST = "the host"


class Hands:
    """In whose hands the buffers of one function are, from op to op."""

    def __init__(self, f: func.FuncOp, devices: dict[str, str]) -> None:
        self.f, self.devices = f, devices
        self.owner: dict[SSAValue, str] = {}
        """the device that a buffer is shared with"""
        self.now: dict[SSAValue, str] = {}
        self.written: set[SSAValue] = set()

    def violations(self) -> Iterator[str]:
        """Everything that is wrong, as messages."""
        ops = [op for op in self.f.body.block.ops if not isinstance(op, VIEWS)]
        for op in ops:
            if (device := self.uses(op)) is not None:
                yield from self.share(op, device)
        for arg in self.f.body.block.args:
            self.now[arg] = HOST
            self.written.add(arg)
        for op in ops:
            if isinstance(op, memref.AllocOp):
                self.now[op.memref] = self.owner.get(op.memref, HOST)
            else:
                yield from self.step(op)
        for arg in self.f.body.block.args:
            if self.now[arg] != HOST:
                yield f"{_show(arg)} needs to be in the host's hands in the end; map it"

    def uses(self, op: Operation) -> str | None:
        """The device beside the host that an op lets have its buffers, or takes them from."""
        if isinstance(op, MapOp | UnmapOp):
            return op.device.data
        device = self.devices.get(op.region.string_value()) if isinstance(op, RunOp) else None
        return None if device is None or is_host(device) else device

    def share(self, op: Operation, device: str) -> Iterator[str]:
        """Note that `op` lets a device use buffers; each has one such device."""
        for buffer in map(root_of, op.operands):
            if (owner := self.owner.setdefault(buffer, device)) != device:
                yield f"{_show(buffer)} is used by {owner} and by {device}; copy it for one of them"

    def step(self, op: Operation) -> Iterator[str]:
        """What is wrong with one op; what it does to its buffers."""
        buffers = [root_of(x) for x in op.operands if isinstance(x.type, MemRefType)]
        needed = HOST
        if isinstance(op, MapOp):
            needed = op.device.data
        elif isinstance(op, RunOp):
            needed = self.uses(op) or HOST
            yield from self.run(op)
        elif isinstance(op, memref.CopyOp):
            yield from self.read(op, op.source)
            self.written.add(root_of(op.destination))
        for buffer in buffers:
            if (now := self.now[buffer]) != needed:
                yield f"{_name(op)} needs {_show(buffer)} in the hands of {needed}, not of {now}"
            if isinstance(op, MapOp | UnmapOp):
                self.now[buffer] = HOST if isinstance(op, MapOp) else op.device.data

    def run(self, op: RunOp) -> Iterator[str]:
        """A region reads its arguments, and writes its results."""
        region = SymbolTable.lookup_symbol(op, op.region)
        assert isinstance(region, func.FuncOp), region  # or graph.run would not be valid
        count = len(region.function_type.inputs)
        for x in op.buffers[:count]:
            yield from self.read(op, x)
        self.written.update(map(root_of, op.buffers[count:]))

    def read(self, op: Operation, x: SSAValue) -> Iterator[str]:
        """That something was written before it is read."""
        if root_of(x) not in self.written:
            yield f"{_name(op)} reads {_show(root_of(x))}, to which nothing was written"


def _name(op: Operation) -> str:
    return f"{op.name} {op.region}" if isinstance(op, RunOp) else op.name


def _show(value: SSAValue) -> str:
    return f"%{value.name_hint}" if value.name_hint else f"a buffer {value.type}"


class VerifyMappingsPass(ModulePass):
    """
    Fail, naming op and buffer, if a region runs on a buffer that is not in the hands of its device.

    graph.map %b {device = A}; graph.run @region1_cpu(%b, ..)

    Arguments of a function are in the host's hands, at its beginning and at its end; a memref.alloc
    begins in the hands of the one device beside the host that uses it. Only the host copies. What
    is read was written before.
    """

    name = "verify-mappings"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        devices = region_devices(op)
        functions = (f for f in op.ops if isinstance(f, func.FuncOp) and not f.is_declaration)
        for f in functions:
            if not any(isinstance(o, MapOp | UnmapOp | RunOp) for o in f.body.block.ops):
                continue
            if found := list(Hands(f, devices).violations()):
                more = f"; and {len(found) - 1} more" if len(found) > 1 else ""
                raise PassFailedException(f"{self.name}: {found[0]} (in @{f.sym_name.data}){more}")
