"""Let producers write into what a concat holds together, and readers of a slice read it there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, UnitAttr
from xdsl.ir import Block, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.graph import ConcatOp, SliceOp, layout_of, stored_as
from lamina.passes.graph._storage import Storages
from lamina.passes.graph._views import begins_at, is_part, origin, parts_of
from lamina.passes.graph.outline_kernels import is_network


def nest(block: Block) -> None:
    """concat(a, b, c) -> concat(concat(a, b), c), where the inner one is there already"""
    seen: list[ConcatOp] = []
    for op in [op for op in block.ops if isinstance(op, ConcatOp)]:
        for inner in sorted(seen, key=lambda c: -len(c.xs)):
            alike = layout_of(inner.y.type).text == layout_of(op.y.type).text
            if alike and inner.axis == op.axis and len(inner.xs) > 1:
                read_whole(op, inner)
        seen.append(op)


def read_whole(op: ConcatOp, inner: ConcatOp) -> None:
    """Let `op` read the result of `inner` where some of its operands are those of `inner`."""
    xs, run = list(op.xs), list(inner.xs)
    for i in range(len(xs) - len(run) + 1):
        if xs[i : i + len(run)] == run:
            op.operands = [*xs[:i], inner.y, *xs[i + len(run) :]]
            return


class Placement:
    """Which values of one network lie inside others."""

    def __init__(self, block: Block, alignment: int) -> None:
        self.alignment = alignment
        self.storages = Storages(block)
        self.placed: set[SSAValue] = set()

    def concat(self, op: ConcatOp) -> None:
        """Place the operands that can be; what lies between them is copied together."""
        firsts = [origin(x) for x in op.xs]
        able = [
            firsts[i] not in firsts[:i] and self.may_lie(*part)
            for i, part in enumerate(parts_of(op))
        ]
        self.align(op, able)
        found = iter(self.storages.place([x for x, a in zip(op.xs, able, strict=True) if a], op.y))
        inside = [a and next(found) for a in able]
        self.align(op, inside)
        if not any(inside):
            return
        operands: list[SSAValue] = []
        for placed, pairs in groupby(zip(inside, op.xs, strict=True), lambda pair: pair[0]):
            xs = [x for _, x in pairs]
            operands += xs if placed else [copy_before(op, xs)]
            self.placed |= {origin(x) for x in xs if placed}
        op.operands = operands
        op.in_place = UnitAttr()

    def align(self, op: ConcatOp, inside: list[bool]) -> None:
        """Take out of `inside` what begins at no multiple, or is before a copy that does not."""
        parts = parts_of(op)
        begins = [begins_at(whole, starts, self.alignment) for _, whole, starts in parts]
        for i in reversed(range(len(inside))):
            if inside[i]:
                inside[i] = begins[i] and (i + 1 == len(inside) or inside[i + 1] or begins[i + 1])

    def slices(self, x: SSAValue) -> None:
        """Read slices of `x` where they lie, if that is possible."""
        able = [
            op
            for op in dict.fromkeys(use.operation for use in x.uses)
            if isinstance(op, SliceOp)
            and any(self.may_lie(*part) for part in parts_of(op))
            and begins_at(x, op.starts.get_values(), self.alignment)
        ]
        found = self.storages.place([op.y for op in able], x)
        for op in [op for op, inside in zip(able, found, strict=True) if inside]:
            op.in_place = UnitAttr()

    def may_lie(self, part: SSAValue, whole: SSAValue, starts: Sequence[int]) -> bool:
        """Whether `part` may be bytes of `whole`, but for the memory that this takes."""
        free = origin(part) not in self.placed and self.storages.is_own(part)
        alike = layout_of(part.type) == layout_of(whole.type)
        return free and alike and is_part(part, whole, starts)


def copy_before(op: ConcatOp, xs: Sequence[SSAValue]) -> SSAValue:
    """Some operands of `op`, as one value that a kernel writes."""
    copy = ConcatOp(xs, op.axis.value.data)
    type = stored_as(copy.y.type, layout_of(op.y.type))
    Rewriter.replace_value_with_new_type(copy.y, type)
    copy.y.name_hint = xs[0].name_hint
    Rewriter.insert_op(copy, InsertPoint.before(op))
    return copy.y


@dataclass(frozen=True)
class PlaceConcatsPass(ModulePass):
    """
    Mark concats whose operands are written where they lie in the result, and slices that are read
    where they lie, as `in_place`: neither is then copied.

    That takes parts that are runs of bytes: along the outermost dimension of the storage, in whole
    blocks. What else is in such a concat is copied: inputs, constants and results of the network,
    what lies in another concat, and what has another halo. Nothing is placed where that would raise
    the peak of memory.
    """

    name = "place-concats"
    numerics: ClassVar[str] = "exact"

    alignment: int = 1
    """bytes of which a part must begin at a multiple, for devices that ask for it"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.alignment < 1:
            raise PassFailedException(f"{self.name}: needs an alignment, got {self.alignment}")
        for f in op.ops:
            if isinstance(f, func.FuncOp) and is_network(f):
                block = f.body.block
                nest(block)
                placement = Placement(block, self.alignment)
                for concat in [op for op in block.ops if isinstance(op, ConcatOp)]:
                    placement.concat(concat)
                slices = [op for op in block.ops if isinstance(op, SliceOp)]
                for x in dict.fromkeys(op.x for op in slices):
                    placement.slices(x)
