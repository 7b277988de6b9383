"""Simplify tensor expressions by the ranges of their axes."""

from __future__ import annotations

from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, ModuleOp
from xdsl.passes import ModulePass

from lamina.dialects.expr import Ranges
from lamina.dialects.te import AccessAttr, AxesAttr, Bound, BoundsAttr, ComputeOp
from lamina.passes.te._directives import computes
from lamina.passes.te._limits import inside


def simplify(op: ComputeOp) -> None:
    """
    axes(n: 1, c: 16) where c < 20 ins(%x[n, c floordiv 16, c] pad 0.0)
    ->  axes(c: 16) ins(%x[0, 0, c])

    An axis of one step stays if the op's schedule names it.
    """
    ranges = op.ranges
    op.rewrite(lambda e: e.simplify(ranges))
    if op.bounds.data:
        op.bounds = BoundsAttr(tuple(b for b in op.bounds.data if not _always(b, ranges)))
    if any(a.pad is not None for a in op.accesses.data):
        op.accesses = ArrayAttr(
            [_unpadded(op, k, access) for k, access in enumerate(op.accesses.data)]
        )
    if any(n == 1 for n in ranges.values()):
        named = {word for words in (op.schedule.data if op.schedule else ()) for word in words}
        op.axes = AxesAttr(tuple(a for a in op.axes.data if a.extent > 1 or a.name in named))


def _always(bound: Bound, ranges: Ranges) -> bool:
    limits = bound[0].bounds(ranges)
    return limits is not None and limits[1] < bound[1]


def _unpadded(op: ComputeOp, k: int, access: AccessAttr) -> AccessAttr:
    if access.pad is not None and inside(access.index, op.shape(k), op.ranges, op.bounds.data):
        return AccessAttr((access.index, None))
    return access


class TeSimplifyPass(ModulePass):
    """
    Drop every floordiv, mod, padding, bound and axis that the extents of the axes make trivial.

    axes(c: 16) ins(%x[c floordiv 16, c mod 16])  ->  axes(c: 16) ins(%x[0, c])
    """

    name = "te-simplify"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for te in computes(op):
            simplify(te)
