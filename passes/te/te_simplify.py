"""Simplify tensor expressions by the ranges of their axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, ModuleOp
from xdsl.passes import ModulePass

from lamina.dialects.expr import Ranges, constant
from lamina.dialects.te import AccessAttr, AxesAttr, Axis, Bound, BoundsAttr, ComputeOp
from lamina.passes.te._directives import computes
from lamina.passes.te._limits import inside


def simplify(op: ComputeOp) -> None:
    """
    axes(n: 1, c: 20) where c < 16 ins(%x[n, c floordiv 16, c] pad 0.0)
    ->  axes(c: 16) ins(%x[0, 0, c])

    An axis of one step stays if the op's schedule names it.
    """
    if op.bounds.data:
        extents = op.ranges
        op.axes = AxesAttr(tuple(_within_bounds(a, op.bounds.data, extents) for a in op.axes.data))
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


def _within_bounds(a: Axis, bounds: Sequence[Bound], ranges: Ranges) -> Axis:
    """i: 8, j: 4 where i * 2 + j + 1 < 12  ->  i: 6, j: 4"""
    extent = a.extent
    for e, n in bounds:
        if (c := e.coefficient(a.name)) and c > 0:
            rest = e.substitute({a.name: constant(0)}).bounds(ranges)
            extent = min(extent, (n - 1 - rest[0]) // c + 1) if rest is not None else extent
    return replace(a, extent=extent) if 0 < extent < a.extent else a


def _always(bound: Bound, ranges: Ranges) -> bool:
    limits = bound[0].bounds(ranges)
    return limits is not None and limits[1] < bound[1]


def _unpadded(op: ComputeOp, k: int, access: AccessAttr) -> AccessAttr:
    if access.pad is not None and inside(access.index, op.shape(k), op.ranges, op.bounds.data):
        return AccessAttr.of(access.index, None, access.binds)
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
