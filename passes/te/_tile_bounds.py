"""In which steps of an axis the bounds of a `te.compute` need no checking, and which do nothing."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.dialects import expr
from lamina.dialects.te import Axis, Bound


def full_steps(axis: Axis, axes: Sequence[Axis], bounds: Sequence[Bound]) -> int:
    """In how many of the first steps of `axis` every bound that mentions it surely holds."""
    inner = {a.name: a.extent for a in axes if a.name != axis.name}
    full = axis.extent
    for e, n in bounds:
        if axis.name not in e.names():
            continue
        c = e.coefficient(axis.name)
        limits = e.substitute({axis.name: expr.constant(0)}).bounds(inner)
        if c is None or c < 0 or limits is None:
            return 0
        full = min(full, max(0, (n - 1 - limits[1]) // c + 1))
    return full


def remaining_steps(
    axis: Axis, full: int, axes: Sequence[Axis], bounds: Sequence[Bound]
) -> list[int]:
    """The steps of `axis` after the `full` first ones in which some point is inside all bounds."""
    inner = {a.name: a.extent for a in axes if a.name != axis.name}
    about = [(e, n) for e, n in bounds if axis.name in e.names()]

    def some_point(i: int) -> bool:
        at = {axis.name: expr.constant(i)}
        limits = ((e.substitute(at).bounds(inner), n) for e, n in about)
        return all(limit is None or limit[0] < n for limit, n in limits)

    return [i for i in range(full, axis.extent) if some_point(i)]
