"""Cut tensor expressions at the borders of their inputs, so that no read leaves a buffer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.expr import Expr, constant, var
from lamina.dialects.te import ComputeOp
from lamina.passes.te._directives import carry_out, computes
from lamina.passes.te._padding import padded_indices, without_padding
from lamina.passes.te.te_simplify import simplify

MOST_PARTS = 1024
"""More parts than this are surely a mistake: a window far wider than what it slides over."""


def cuts(op: ComputeOp, name: str) -> list[int]:
    """Where to cut axis `name`: at the borders of buffers, and between any steps astride of one."""
    extent, found = op.axis(name).extent, set[int]()
    for k, e, n in padded_indices(op):
        if name not in e.names() or e.names() & op.binders.keys():
            continue  # no cut helps where an integer that is read decides
        c, rest = e.coefficient(name), e.substitute({name: constant(0)}).bounds(op.ranges)
        if c is None or rest is None:
            raise PassFailedException(
                f"'{e}' of {op.accesses.data[k]} may leave its {n} elements, and is not linear in"
                f" '{name}' or has the index of a loop outside; give the buffer a halo"
            )
        was = None
        for i in range(extent):
            low, high = c * i + rest[0], c * i + rest[1]
            astride = not ((low >= 0 and high < n) or high < 0 or low >= n)
            where = i if astride else (high < 0, low >= n)
            if i and where != was:
                found.add(i)
            was = where
    return [0, *sorted(found), extent]


def cut(op: ComputeOp, name: str) -> list[ComputeOp]:
    """te(i: n)  ->  te(i: a); te(i: n - a) with i + a for i; as often as needed"""
    at = cuts(op, name)
    if len(at) == 2:
        return [op]
    parts: list[ComputeOp] = []
    assert op.parent is not None
    for first, last in pairwise(at):
        axes = [replace(a, extent=last - first) if a.name == name else a for a in op.axes.data]
        part = op.replaced(axes=axes)
        part.substitute({name: var(name) + first})
        if _is_empty(part):
            continue
        op.parent.insert_op_before(part, op)
        parts.append(part)
    op.detach()
    op.erase()
    return parts


def _is_empty(op: ComputeOp) -> bool:
    """Whether no point is inside all bounds."""
    limits = ((e.bounds(op.ranges), n) for e, n in op.bounds.data)
    return any(limit is not None and limit[0] >= n for limit, n in limits)


def peel(op: ComputeOp, axes: tuple[str, ...] | None = None) -> None:
    """
    te(i: 8) with %x[i + k - 1] pad 0  ->  te(i: 1), te(i: 6), te(i: 1), none of which reads padding

    With `axes`, only these are cut, and padding that others read stays.
    """
    if next(padded_indices(op), None) is None:
        return simplify(op)
    parts = [op]
    for a in op.axes.data:
        if not a.reduce and (axes is None or a.name in axes):
            parts = [part for whole in parts for part in cut(whole, a.name)]
        if len(parts) > MOST_PARTS:
            raise PassFailedException(f"more than {MOST_PARTS} parts; give the buffer a halo")
    for part in parts:
        part = without_padding(part)
        simplify(part)
        if axes is None and (left := next(padded_indices(part), None)):
            raise PassFailedException(
                f"'{left[1]}' of {part.accesses.data[left[0]]} still may leave its {left[2]}"
                f" elements: {_decided_by(part, left[1])}; give the buffer a halo"
            )


def _decided_by(op: ComputeOp, e: Expr) -> str:
    if read := sorted(e.names() & op.binders.keys()):
        return f"integers that are read decide it ({', '.join(read)})"
    return "two reduce axes decide it together"


@dataclass(frozen=True)
class TePeelPaddingPass(ModulePass):
    """
    Cut the spatial axes of padded reads into border, inside and border, each an op of its own, so
    that no read leaves its buffer. Sums of products leave out padding of 0, which takes the other
    factor to be finite; maxima and minima leave out what cannot change init.

    axes(i: 8, reduce k: 3) ins(%x[i + k - 1] pad 0.0)  ->  axes(reduce k: 2) ins(%x[k]) ..;
    axes(i: 6, reduce k: 3) ins(%x[i + k]) ..; axes(reduce k: 2) ins(%x[k + 6]) ..
    """

    name = "te-peel-padding"
    numerics: ClassVar[str] = "exact"

    axes: tuple[str, ...] | None = None
    """cut only these, and let padding that depends on others stay"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for te in computes(op):
            carry_out(self.name, te, peel, self.axes)
