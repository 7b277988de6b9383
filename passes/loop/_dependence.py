"""
Whether two iterations of a nest may touch the same element.

The test is one dimension at a time: two accesses meet only if their indices are equal in every
dimension. For one dimension, the differences that the loops can make are enumerated, as if all
terms of the index varied independently. What the test cannot show, it calls a conflict.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import combinations_with_replacement
from math import prod

from xdsl.ir import SSAValue

from lamina.dialects.expr import Expr, Ranges, var
from lamina.dialects.loop import ForOp, extent_of
from lamina.dialects.vector import (
    GatherOp,
    LoadSplatOp,
    LoadStridedOp,
    MemoryOp,
    StoreOp,
    StoreStridedOp,
    shape_of,
)
from lamina.passes._aliasing import may_alias, reads, root_of, unknown_effect
from lamina.passes.loop._nests import is_inside, names_of

OWN = "own"
"""the name of the index in question"""
LIMIT = 1 << 16
"""how many differences are enumerated at most; real buffers have smaller dimensions"""
Span = tuple[int, int, int]
"""a coefficient, and the least and the largest number it is multiplied with"""


def conflict(loop: ForOp, k: int, fixed: int = 0) -> str | None:
    """
    Why iterations with different k-th indices may not change places; None if they may.

    Of two iterations, the first `fixed` indices are equal, as are those of loops around the nest.
    """
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
        dims = range(len(store.index.data))
        if not any(_separates(loop, k, fixed, d, partners) for d in dims):
            return (
                f"steps of '{names_of(loop)[k]}' may touch the same elements of "
                f"{store.memref}, which {store.name} writes"
            )
    return None


def _separates(loop: ForOp, k: int, fixed: int, d: int, accesses: Sequence[MemoryOp]) -> bool:
    """Whether the index of dimension `d` is different in different steps of the k-th index."""
    names: dict[SSAValue, str] = {loop.indices[k]: OWN}
    for op in accesses:
        for v in op.indices:
            names.setdefault(v, f"v{len(names)}")
    ranges = {name: n for v, name in names.items() if (n := extent_of(v)) is not None}
    same = {n for v, n in names.items() if v in loop.indices[:fixed] or not is_inside(v, loop)}
    forms: dict[Expr, tuple[int, int]] = {}  # without its constant: where it starts, where it ends
    for op in accesses:
        e = op.index.data[d].substitute({str(j): var(names[v]) for j, v in enumerate(op.indices)})
        if (behind := _spill(op, d)) is None:
            return False
        form, end = e - e.const, e.const + behind
        low, high = forms.get(form, (e.const, end))
        forms[form] = min(low, e.const), max(high, end)
    for (a, (low, high)), (b, (start, end)) in combinations_with_replacement(forms.items(), 2):
        own, spans = a.coefficient(OWN) or 0, _difference(a, b, ranges, same)
        # a + low .. a + high and b + start .. b + end meet if a - b is in start - high .. end - low
        if spans is None or _may_be(own, ranges[OWN], spans, start - high, end - low):
            return False
    return True


def _difference(a: Expr, b: Expr, ranges: Ranges, same: Iterable[str]) -> list[Span] | None:
    """What a - b adds up from in two iterations, less the own index; None if that is unknown."""
    first, second = dict(a.terms), dict(b.terms)
    if first.get(OWN, 0) != second.get(OWN, 0):
        return None
    spans: list[Span] = []
    for atom in dict.fromkeys([*first, *second]):
        c, e = first.get(atom, 0), second.get(atom, 0)
        one = Expr(((atom, 1),))
        if atom == OWN or (c == e and one.names() <= set(same)):
            continue
        if (limits := one.bounds(ranges)) is None:
            return None
        low, high = limits
        spans += [(c, low - high, high - low)] if c == e else [(c, low, high), (-e, low, high)]
    return [span for span in spans if span[0]]


def _may_be(own: int, extent: int, spans: Sequence[Span], low: int, high: int) -> bool:
    """Whether own * (any step but 0) + the sum of the spans can be in low..high."""
    sums = {0}
    for c, least, most in spans:
        if len(sums) * (most - least + 1) > LIMIT:
            return True
        sums = {s + c * x for s in sums for x in range(least, most + 1)}
    ordered = sorted(sums)
    for step in range(1 - extent, extent):
        at = bisect_left(ordered, low - own * step)
        if step and at < len(ordered) and ordered[at] <= high - own * step:
            return True
    return False


def _spill(op: MemoryOp, d: int) -> int | None:
    """How far behind its index in dimension `d` the last element of `op` is; None if unknown."""
    if isinstance(op, GatherOp):
        return None  # its lanes are anywhere
    if (elements := extent(op)) == 1:
        return 0
    strides, shape = op.strides[d:], op.memref.get_shape()[d:]
    rows = zip(strides, strides[1:], shape[1:], strict=False)
    if any(outer < n * inner for outer, inner, n in rows):
        return None  # rows overlap, or lie in another order
    trailing = Expr()
    for e, s in zip(op.index.data[d + 1 :], strides[1:], strict=True):
        trailing = trailing + e * s
    limits = trailing.bounds(_ranges(op))
    # an index is inside its dimension, if nothing better is known
    inside = sum((n - 1) * s for n, s in zip(shape[1:], strides[1:], strict=True))
    return ((inside if limits is None else min(inside, limits[1])) + elements - 1) // strides[0]


def span(op: MemoryOp) -> tuple[int, int] | None:
    """The first and last element of its buffer that `op` may touch in any step, if known."""
    if isinstance(op, GatherOp):
        return None
    limits = op.offset.bounds(_ranges(op))
    return None if limits is None else (limits[0], limits[1] + extent(op) - 1)


def _ranges(op: MemoryOp) -> dict[str, int]:
    return {str(j): n for j, v in enumerate(op.indices) if (n := extent_of(v)) is not None}


def extent(op: MemoryOp) -> int:
    """From the first element of `op` to behind its last, in elements."""
    type = op.value.type if isinstance(op, StoreOp | StoreStridedOp) else op.results[0].type
    shape = shape_of(type)
    if isinstance(op, LoadStridedOp | StoreStridedOp):
        return (shape[0] - 1) * op.stride.data + prod(shape[1:])
    return prod(shape[1:] if isinstance(op, LoadSplatOp) else shape) * max(1, len(op.results))
