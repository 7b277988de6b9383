"""What values an index expression can take inside the domain of a tensor expression."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.dialects.expr import Expr, Ranges
from lamina.dialects.te import Bound


def limits(e: Expr, ranges: Ranges, bounds: Sequence[Bound]) -> tuple[int, int] | None:
    """
    A lower and an upper limit of `e`; None if a name has no range.

    `b < n` limits more than `b` itself: e = b + (e - b) <= n - 1 + (e - b).
    """
    found = e.bounds(ranges)
    if found is None:
        return None
    low, high = found
    for b, n in bounds:
        if (rest := (e - b).bounds(ranges)) is not None:
            high = min(high, n - 1 + rest[1])
    return low, high


def inside(
    index: Sequence[Expr], shape: Sequence[int], ranges: Ranges, bounds: Sequence[Bound]
) -> bool:
    """Whether `index` is surely an element of a buffer of this shape."""
    for e, n in zip(index, shape, strict=True):
        found = limits(e, ranges, bounds)
        if found is None or found[0] < 0 or found[1] >= n:
            return False
    return True
