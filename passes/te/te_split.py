"""Split an axis of a tensor expression in two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.expr import var
from lamina.dialects.te import AxesAttr, Axis, BoundsAttr, ComputeOp
from lamina.passes.te._directives import check_new_names, find_axis, on_every_op


def split(op: ComputeOp, name: str, by: int, outer: str, inner: str) -> None:
    """
    axes(i: n)  ->  axes(outer: ceil(n / by), inner: by) where inner + outer * by < n

    with `inner + outer * by` for `i`; the bound is left out if `by` divides n.
    """
    a = find_axis(op, name)
    if by < 1:
        raise PassFailedException(f"cannot split {name}: {a.extent} by {by}")
    if a.mark in ("unroll", "vector"):
        raise PassFailedException(f"cannot split '{a}': split it first, then mark the parts")
    check_new_names(op, (outer, inner), replaced=name)
    parts = (Axis(outer, -(-a.extent // by), a.reduce, a.mark), Axis(inner, by, a.reduce))
    op.axes = AxesAttr(tuple(x for b in op.axes.data for x in (parts if b is a else (b,))))
    whole = var(outer) * by + var(inner)
    op.substitute({name: whole})
    if a.extent % by:
        op.bounds = BoundsAttr((*op.bounds.data, (whole, a.extent)))


@dataclass(frozen=True)
class TeSplitPass(ModulePass):
    """
    Split an axis of every op that has it; a split that does not divide adds a bound, no tail.

    te-split{axis=ow by=14}: axes(ow: 56)  ->  axes(owo: 4, owi: 14)
    """

    name = "te-split"
    numerics: ClassVar[str] = "exact"

    axis: str
    """the axis to split"""
    by: int
    """the extent of the inner part"""
    outer: str | None = None
    """name of the outer part; without it, the axis followed by `o`"""
    inner: str | None = None
    """name of the inner part; without it, the axis followed by `i`"""
    function: str | None = None
    """only in this function"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        outer, inner = self.outer or f"{self.axis}o", self.inner or f"{self.axis}i"
        words = (self.axis, self.by, outer, inner)
        on_every_op(op, self.name, [self.axis], self.function, split, *words)
