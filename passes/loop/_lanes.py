"""Which accesses of vectors and scalars may meet in different lanes, or in different launches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import prod

from xdsl.ir import Operation

from lamina.dialects.loop import ForOp, IfOp
from lamina.dialects.vector import (
    LoadOp,
    LoadRunOp,
    LoadStridedOp,
    MemoryOp,
    StoreOp,
    StoreStridedOp,
    shape_of,
)
from lamina.passes._aliasing import may_alias, reads
from lamina.passes.loop._dependence import conflict, extent, span
from lamina.passes.vector._memory import distance


def accesses(ops: Iterable[Operation]) -> list[MemoryOp]:
    """What touches memory in `ops`."""
    return [op for outer in ops for op in outer.walk() if isinstance(op, MemoryOp)]


def collide(first: Sequence[Operation], second: Sequence[Operation]) -> bool:
    """Whether something in `first` and something in `second` may touch one element, and write."""
    after = accesses(second)
    return any(
        not (reads(a) and reads(b)) and may_alias(a.ref, b.ref) and _overlap(span(a), span(b))
        for a in accesses(first)
        for b in after
    )


def _overlap(a: tuple[int, int] | None, b: tuple[int, int] | None) -> bool:
    """Whether two spans have an element in common; None is a span that nobody knows."""
    return a is None or b is None or (a[0] <= b[1] and b[0] <= a[1])


def crossing(nest: ForOp) -> MemoryOp | None:
    """
    What reads in a step of `nest` an element that another lane may write; None if nothing does.

    Buffers of which an argument says that they may be the same are, in each step, read only where
    the same lane writes afterwards: that is when plan-memory lets them share.
    """
    found = accesses([nest])
    for load, store in ((a, b) for a in found for b in found if reads(a) and not reads(b)):
        if load.ref is not store.ref:
            continue
        apart = distance(load, store)
        same_lane = apart is not None and apart % _period(load) == 0
        same_lane &= _lanes(load) == _lanes(store)
        disjoint = apart is not None and (apart >= extent(load) or -apart >= extent(store))
        disjoint |= _exclusive(load, store)
        if not (same_lane or disjoint) or not all(map(_is_independent, _loops(load, nest))):
            return load
    return None


def _exclusive(a: Operation, b: Operation) -> bool:
    """Whether a step does one of two ops at most, as they are in two branches of a choice."""
    branches = dict(_branches(a))
    return any(branches.get(choice, first) != first for choice, first in _branches(b))


def _branches(op: Operation) -> Iterator[tuple[IfOp, bool]]:
    """The choices around `op`, and whether it is in the first branch of each."""
    while (parent := op.parent_op()) is not None:
        if isinstance(parent, IfOp):
            yield parent, op.parent_region() is parent.below
        op = parent


def _lanes(op: MemoryOp) -> object:
    """Equal for accesses whose lanes have the same elements, if they begin at the same one."""
    match op:
        case LoadOp() | LoadRunOp():
            return op.results[0].type
        case StoreOp():
            return op.value.type
        case LoadStridedOp():
            return op.res.type, op.stride.data
        case StoreStridedOp():
            return op.value.type, op.stride.data
        case _:
            return op  # as no other


def _period(load: MemoryOp) -> int:
    """After how many elements the same lane has one again: vectors lie one behind the other."""
    if isinstance(load, LoadOp | LoadRunOp) and (shape := shape_of(load.results[0].type)):
        return prod(shape)
    return extent(load)


def _loops(op: Operation, nest: ForOp) -> Iterator[ForOp]:
    """The loops around `op` inside of `nest`."""
    parent = op.parent_op()
    while parent is not nest and parent is not None:
        if isinstance(parent, ForOp):
            yield parent
        parent = parent.parent_op()


def _is_independent(loop: ForOp) -> bool:
    return all(conflict(loop, k) is None for k in range(len(loop.extents)))
