"""
Whether two iterations of a nest may touch the same element.

The test is one dimension at a time: if some dimension's index grows by c from one step of a loop to
the next, and all else that varies in that dimension spans less than c, then different steps touch
different elements. What the test cannot show, it calls a conflict.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from xdsl.ir import SSAValue

from lamina.dialects.expr import Expr, make, var
from lamina.dialects.loop import ForOp
from lamina.dialects.vector import (
    LoadSplatOp,
    LoadStridedOp,
    MemoryOp,
    StoreOp,
    StoreStridedOp,
    shape_of,
)
from lamina.passes._aliasing import may_alias, reads, root_of, unknown_effect
from lamina.passes.loop._nests import extent_of, is_inside, names_of


def conflict(loop: ForOp, k: int) -> str | None:
    """Why iterations with different k-th indices may not change places; None if they may."""
    if loop.mapping.data == "parallel":
        return None
    for op in loop.body.walk():
        if unknown_effect(op):
            return f"{op.name} may touch any memory"
    accesses = [op for op in loop.body.walk() if isinstance(op, MemoryOp)]
    for store in accesses:
        if reads(store) or is_inside(root_of(store.ref), loop):
            continue
        partners = [op for op in accesses if may_alias(op.ref, store.ref)]
        if any(op.ref is not store.ref for op in partners):
            return f"{store.name} writes what is also used under another type than {store.memref}"
        if not any(_separates(loop, k, d, partners) for d in range(len(store.index.data))):
            return (
                f"steps of '{names_of(loop)[k]}' may touch the same elements of "
                f"{store.memref}, which {store.name} writes"
            )
    return None


def _separates(loop: ForOp, k: int, d: int, accesses: Sequence[MemoryOp]) -> bool:
    """Whether the index of dimension `d` is different in different steps of the k-th index."""
    own = loop.indices[k]
    names: dict[SSAValue, str] = {own: "own"}
    for op in accesses:
        for v in op.indices:
            names.setdefault(v, f"v{len(names)}")
    ranges = {name: n for v, name in names.items() if (n := extent_of(v)) is not None}
    outside = {name for v, name in names.items() if not is_inside(v, loop)}
    steps, fixed = set[int](), set[Expr]()
    low: list[int] = []
    high: list[int] = []
    for op in accesses:
        e = op.index.data[d].substitute({str(j): var(names[v]) for j, v in enumerate(op.indices)})
        if not (step := e.coefficient("own")) or (behind := _spill(op, d)) is None:
            return False
        # what stands still while the nest runs must be the same everywhere; then it cancels
        still = make({a: c for a, c in e.terms if Expr(((a, c),)).names() <= outside}, 0)
        if (limits := (e - still - var("own") * step).bounds(ranges)) is None:
            return False
        steps.add(step)
        fixed.add(still)
        low.append(limits[0])
        high.append(limits[1] + behind)
    return len(steps) == len(fixed) == 1 and max(high) - min(low) < abs(steps.pop())


def _spill(op: MemoryOp, d: int) -> int | None:
    """How far behind its index in dimension `d` the last element of `op` is; None if unknown."""
    if (elements := _extent(op)) == 1:
        return 0
    strides, shape = op.strides[d:], op.memref.get_shape()[d:]
    rows = zip(strides, strides[1:], shape[1:], strict=False)
    if any(outer < n * inner for outer, inner, n in rows):
        return None  # rows overlap, or lie in another order
    trailing = Expr()
    for e, s in zip(op.index.data[d + 1 :], strides[1:], strict=True):
        trailing = trailing + e * s
    ranges = {str(j): n for j, v in enumerate(op.indices) if (n := extent_of(v)) is not None}
    limits = trailing.bounds(ranges)
    # an index is inside its dimension, if nothing better is known
    inside = sum((n - 1) * s for n, s in zip(shape[1:], strides[1:], strict=True))
    return ((inside if limits is None else min(inside, limits[1])) + elements - 1) // strides[0]


def _extent(op: MemoryOp) -> int:
    """From the first element of `op` to behind its last, in elements."""
    type = op.value.type if isinstance(op, StoreOp | StoreStridedOp) else op.results[0].type
    shape = shape_of(type)
    if isinstance(op, LoadStridedOp | StoreStridedOp):
        return (shape[0] - 1) * op.stride.data + prod(shape[1:])
    return prod(shape[1:] if isinstance(op, LoadSplatOp) else shape)
