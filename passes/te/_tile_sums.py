"""
What a sum begins with, and where a long one begins anew.

Added one after the other, n numbers lose about sqrt(n / 2) roundings of their sum. Summed up in
groups of m first, they lose about sqrt(m / 2) and sqrt(n / m / 2): 6 times less for n = 20000 and
m = 256. The sums of the groups wait on the stack, which a group is long enough to hide.
"""

from __future__ import annotations

from itertools import takewhile
from math import prod

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import Float32Type, Float64Type, IntegerAttr
from xdsl.rewriter import Rewriter

from lamina.dialects.int8 import Dot4Op
from lamina.dialects.te import Axis, ComputeOp, YieldOp
from lamina.passes.te.te_simplify import simplify
from lamina.passes.te.te_split import split

LONG = 4
"""A sum of so many groups or more is made of groups."""


def is_sum(op: ComputeOp) -> bool:
    """Whether the body adds something to the accumulator that does not depend on it."""
    block = op.body.block
    acc, end = block.args[-1], block.last_op
    if not isinstance(acc.type, Float32Type | Float64Type) or not isinstance(end, YieldOp):
        return False
    last = end.operands[0].owner
    if isinstance(last, math.FmaOp):
        return acc.has_one_use() and last.c is acc
    return isinstance(last, arith.AddfOp) and acc.has_one_use() and acc in (last.lhs, last.rhs)


def begin_with(op: ComputeOp) -> int | None:
    """
    The number of the extra that a sum of integers from 0 on begins with: one that the epilogue only
    adds to it. The addition is taken out of the epilogue.

    init 0 .. epilogue (%v: i32, %b: i32) { f(%v + %b) }  ->  f(%v), for sums that begin with %b
    """
    value, *extras = op.epilogue.block.args
    if not _adds_up_integers(op) or not value.has_one_use():
        return None
    add = next(iter(value.uses)).operation
    if not isinstance(add, arith.AddiOp):
        return None
    other = add.rhs if add.lhs is value else add.lhs
    found = next((k for k, extra in enumerate(extras) if extra is other), None)
    if found is None or not other.has_one_use():
        return None
    Rewriter.replace_op(add, [], [value])
    return found


def _adds_up_integers(op: ComputeOp) -> bool:
    """Whether the body adds something to an integer, 0 at first, that does not depend on it."""
    block, init = op.body.block, op.init
    acc, end = block.args[-1], block.last_op
    if not isinstance(init, IntegerAttr) or init.value.data or not acc.has_one_use():
        return False
    last = end.operands[0].owner if isinstance(end, YieldOp) else None
    if isinstance(last, Dot4Op):
        return last.acc is acc
    return isinstance(last, arith.AddiOp) and acc in (last.lhs, last.rhs)


def begin_anew(op: ComputeOp, terms: int) -> str | None:
    """
    The axis whose steps, with those of the reductions inside it, are groups of at most `terms`.

    axes(reduce k: 9216)  ->  'kt' of axes(reduce kg: 36, reduce kt: 256)

    None if the sum is short, or no sum. An axis is cut only where its extent leaves no rest.
    """
    reduction = [a for a in op.axes.data if a.reduce]
    if not terms or prod(a.extent for a in reduction) < LONG * terms or not is_sum(op):
        return None
    group, inside = 1, list[Axis]()
    for a in reversed(reduction):
        if not a.mark and group * a.extent > terms:
            return _cut(op, a, terms // group) or _first_rolled(inside)
        group *= a.extent
        inside.insert(0, a)
    return None  # all of it is unrolled


def _cut(op: ComputeOp, a: Axis, most: int) -> str | None:
    """`a` in groups of at most `most` steps; the name of the inner part, or None."""
    by = max(n for n in range(1, max(most, 1) + 1) if a.extent % n == 0)
    if by == 1:
        return None
    taken = {*op.ranges, *(n.data for n in op.outer.data)}
    outer, inner = (_fresh(f"{a.name}{end}", taken) for end in "gt")
    split(op, a.name, by, outer, inner)
    simplify(op)
    return inner


def _fresh(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _first_rolled(inside: list[Axis]) -> str | None:
    unrolled = [*takewhile(lambda a: a.mark, inside)]
    rolled = inside[len(unrolled) :]
    return rolled[0].name if rolled else None
