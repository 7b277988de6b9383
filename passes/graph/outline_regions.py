"""Make a function of all that one device runs in one go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ArrayAttr, ModuleOp, StringAttr
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.graph import DEVICE, PLACED, DeviceCopyOp
from lamina.passes.graph._devices import (
    device_of,
    from_constants,
    host_of,
    is_host,
    last_of,
    needed_by,
    networks,
)
from lamina.passes.graph._regions import Disagreement, Part, devices_of, parts

ON = "lamina.device"
"""Discardable attribute of a function: the target that runs it."""
WHY = "lamina.placed"
"""The same: the reasons why its ops run there, each with the number of ops."""


def describe(device: str, ops: Iterable[Operation]) -> dict[str, Attribute]:
    """The attributes of a function of these ops, which lose theirs: equal kernels look equal."""
    why = Counter[str]()
    for op in ops:
        op.attributes.pop(DEVICE, None)
        if isinstance(reason := op.attributes.pop(PLACED, None), StringAttr):
            why[reason.data] += 1
    texts = (StringAttr(f"{count} x {reason}") for reason, count in why.most_common())
    return {ON: StringAttr(device), WHY: ArrayAttr(texts)}


class Outlining:
    """Builds what is left of one network: calls of regions, copies and the return."""

    def __init__(self, f: func.FuncOp, taken: set[str]) -> None:
        self.f, self.taken = f, taken
        self.constant = from_constants(f)
        self.devices = devices_of(f, self.constant)
        self.host = host_of([*self.devices.values()])
        self.block = Block(arg_types=f.function_type.inputs)
        self.values: dict[SSAValue, SSAValue] = {}
        for old, new in zip(f.body.block.args, self.block.args, strict=True):
            new.name_hint = old.name_hint
            self.values[old] = new

    def outline(self) -> list[func.FuncOp]:
        """Replace the body of the network; the functions that it calls."""
        last, found = last_of(self.f), parts(self.devices, self.constant)
        numbers = [x for x in dict.fromkeys(last.operands) if x.owner in self.constant]
        regions = [self.region(part, []) for part in found[:-1]]
        regions.append(self.region(found[-1], numbers))
        results = [self.value(x) for x in last.operands]
        self.block.add_op(func.ReturnOp(*results))
        old = self.f.body.detach_block(self.f.body.block)
        self.f.body.add_block(self.block)
        old.erase()
        return regions

    def region(self, part: Part, numbers: Sequence[SSAValue]) -> func.FuncOp:
        """One part as a function that is called; it hands out these constants, too."""
        inside = dict.fromkeys(part.ops)
        made: list[SSAValue] = [y for op in part.ops for y in op.results]
        results = [y for y in made if any(use.operation not in inside for use in y.uses)]
        reads = dict.fromkeys(x for op in part.ops for x in op.operands)
        inputs = [x for x in reads if x.owner not in self.constant and x.owner not in inside]
        results += numbers
        call = func.CallOp(
            self.name(part.device), [self.value(x) for x in inputs], [y.type for y in results]
        )
        self.block.add_op(call)
        for old, new in zip(results, call.res, strict=True):
            self.values[old] = new
            new.name_hint = old.name_hint
        if not is_host(part.device):
            for old in numbers:
                copy = self.copied(self.values[old], part.device, self.host, old.name_hint)
                self.values[old] = copy
        return self.function(call.callee.string_value(), part, inputs, results)

    def function(
        self, name: str, part: Part, inputs: Sequence[SSAValue], results: Sequence[SSAValue]
    ) -> func.FuncOp:
        """The ops of a part, and those from constants that they need."""
        block = Block(arg_types=[x.type for x in inputs])
        inside: dict[SSAValue, SSAValue] = dict(zip(inputs, block.args, strict=True))
        for old, new in inside.items():
            new.name_hint = old.name_hint
        roots = [*part.ops, *(y.owner for y in results if isinstance(y.owner, Operation))]
        needed = {o for op in roots for o in needed_by(op, self.constant)}
        for op in self.f.body.block.ops:
            if op in needed:
                block.add_op(op.clone(inside))
        attributes = describe(part.device, block.ops)
        block.add_op(func.ReturnOp(*(inside[y] for y in results)))
        type = ([x.type for x in inputs], [y.type for y in results])
        new = func.FuncOp(name, type, Region(block), "private")
        new.attributes |= attributes
        return new

    def value(self, old: SSAValue) -> SSAValue:
        """A value in what is left of the network; copies are made before they are first read."""
        if old not in self.values:
            copy = old.owner
            assert isinstance(copy, DeviceCopyOp), copy
            x = self.value(copy.x)
            self.values[old] = self.copied(x, copy.source.data, copy.to.data, old.name_hint)
        return self.values[old]

    def copied(self, x: SSAValue, source: str, to: str, name: str | None) -> SSAValue:
        """A copy of `x` on another device."""
        copy = DeviceCopyOp(x, source, to)
        copy.y.name_hint = name
        self.block.add_op(copy)
        return copy.y

    def name(self, device: str) -> str:
        """What the next region is called."""
        number = 0
        while any(t.startswith(f"region{number}_") for t in self.taken):
            number += 1
        name = f"region{number}_{device.partition(':')[0]}"
        self.taken.add(name)
        return name


class OutlineRegionsPass(ModulePass):
    """
    Make each part of a network that a device runs in one go a function of tensors, a region.

    func.func @main { conv2d {device = A}; device_copy {A to B}; softmax {device = B} }
    ->  @main { call @region0_A; device_copy; call @region1_B }, @region0_A { conv2d } on A, ..

    Regions are in an order in which they can run. What is made of constants is in each region that
    reads it. Ops without a device are on that of their neighbours. A network on one device stays
    whole: its function has the device.
    """

    name = "outline-regions"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        taken = {f.sym_name.data for f in op.ops if isinstance(f, func.FuncOp)}
        for f in networks(op):
            ops = list(f.body.block.ops)
            devices = dict.fromkeys(device for o in ops if (device := device_of(o)))
            if any(isinstance(o, DeviceCopyOp) for o in ops):
                try:
                    op.body.block.add_ops(Outlining(f, taken).outline())
                except Disagreement as e:
                    raise PassFailedException(f"{self.name}: {e}") from e
            elif len(devices) == 1:
                f.attributes |= describe(next(iter(devices)), ops)
            elif devices:
                raise PassFailedException(
                    f"{self.name}: @{f.sym_name.data} is on {', '.join(devices)}, and no copy is "
                    "between them; run insert-device-copies first"
                )
