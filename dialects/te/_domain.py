"""Counting the points that the axes and bounds of a `te.compute` leave."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod

from lamina.dialects.expr import Ranges
from lamina.dialects.te.attributes import Bound


def count_points(ranges: Ranges, bounds: Sequence[Bound]) -> int:
    """
    How many points of `ranges` are inside all bounds.

    A bound with a name that has no range (a loop outside the op) is taken as held.
    """
    todo = [(e.names(), (e, n)) for e, n in bounds if e.names() <= ranges.keys()]
    total, counted = 1, set[str]()
    while todo:
        names, bound = todo.pop()
        group = [bound]
        while more := [t for t in todo if t[0] & names]:
            names = names.union(*(t[0] for t in more))
            group += [t[1] for t in more]
            todo = [t for t in todo if t not in more]
        total *= _count_group({n: ranges[n] for n in names}, group)
        counted |= names
    return total * prod(n for name, n in ranges.items() if name not in counted)


def _count_group(ranges: Ranges, bounds: Sequence[Bound]) -> int:
    """Walk over all names but the longest that every bound is linear in; that one is solved."""
    linear = [x for x in ranges if all(e.coefficient(x) is not None for e, _ in bounds)]
    if not linear:
        points = (dict(zip(ranges, p, strict=True)) for p in product(*map(range, ranges.values())))
        return sum(all(e.evaluate(p) < n for e, n in bounds) for p in points)
    solved = max(linear, key=lambda x: ranges[x])
    steps = [e.coefficient(solved) or 0 for e, _ in bounds]
    rest = {x: n for x, n in ranges.items() if x != solved}
    total = 0
    for p in product(*map(range, rest.values())):
        at = dict(zip(rest, p, strict=True)) | {solved: 0}
        lo, hi = 0, ranges[solved] - 1
        for (e, n), c in zip(bounds, steps, strict=True):
            room = n - 1 - e.evaluate(at)  # c * x <= room
            if c > 0:
                hi = min(hi, room // c)
            elif c < 0:
                lo = max(lo, -(room // -c))
            elif room < 0:
                hi = -1
        total += max(0, hi - lo + 1)
    return total
