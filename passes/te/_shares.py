"""
Sharing out the steps of a loop among threads: each takes one run of neighbouring steps.

Nothing is balanced at run time. What a thread writes, no other one touches, and it does so with the
schedule that one thread would have: results do not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

from lamina.dialects.te import ComputeOp
from lamina.passes.te._candidates_nest import LINE, Nest
from lamina.passes.te._cost_arithmetic import Tile
from lamina.passes.te._cost_memory import Loop, Memory
from lamina.passes.te.te_mark import mark
from lamina.passes.te.te_order import order
from lamina.passes.te.te_split import split

WORTH = 10_000
"""cycles, about 3 microseconds: what takes less is done before another thread has begun"""
FORK = 1_200
"""cycles until all threads have begun and the last one has said that it is done"""
BORDER, TORN = 60, 200
"""cycles for each place where a share begins in the middle of the result: prefetching begins anew;
and for a line of the result that two threads write"""


def steps_of(extent: int, threads: int) -> int:
    """How many steps the longest share has."""
    return -(-extent // threads)


def worth_dividing(cycles: float) -> bool:
    """Whether other threads are of any use."""
    return cycles >= WORTH


def divide(op: ComputeOp, axis: str, threads: int) -> None:
    """axes(.., i: n, ..)  ->  axes(it: threads parallel, .., ii: steps_of(n, threads), ..)"""
    steps = steps_of(op.extents[axis], threads)
    outer, inner = f"{axis}t", f"{axis}i"
    split(op, axis, steps, outer, inner)
    order(op, outer, *(a.name for a in op.axes.data if a.name != outer))
    mark(op, "parallel", outer)


@dataclass(frozen=True)
class Shares:
    """One of the loops around a tile, shared out."""

    depth: int
    """its place among the loops"""
    steps: int
    """of the longest share"""
    cycles: float
    """that the longest share takes"""


def best_shares(
    nest: Nest, tile: Tile, memory: Memory, loops: Sequence[Loop], threads: int
) -> Shares | None:
    """
    The loop whose division makes the longest share shortest; None if one thread is as fast.

    A share is the same nest with fewer steps of that loop. So what is decided here is how even the
    shares are, and what each of them has to read that others read too.
    """
    if threads == 1 or not worth_dividing(cycles := memory.cycles(loops)):
        return None
    found: list[Shares] = []
    sizes = tile.extents()
    for depth, loop in enumerate(loops):
        steps = steps_of(loop.count, threads)
        blocks = any(x.part == loop.part for x in loops[:depth])  # the last one may be smaller
        if steps == loop.count or blocks:
            continue
        finer = [x.covered for x in loops[depth + 1 :] if x.part == loop.part]  # it is in blocks
        size = finer[0] if finer else sizes.get(loop.part.name, 1)
        share = replace(loop, count=steps, covered=min(loop.covered, steps * size))
        shared = [*loops[:depth], share, *loops[depth + 1 :]]
        longest = memory.cycles(shared, share.covered / loop.covered, loop.part)
        found.append(Shares(depth, steps, longest + _borders(nest, share) + FORK))
    best = min(found, key=lambda s: s.cycles, default=None)
    return best if best is not None and best.cycles < cycles else None


def _borders(nest: Nest, share: Loop) -> int:
    """Cycles for where a share ends in the result and the next one begins."""
    out, name = nest.output, share.part.name
    far = out.stride(name)
    borders = prod(p.extent for p in nest.parts if abs(out.stride(p.name)) > abs(far))
    return borders * (TORN if far * share.covered * out.element_bytes % LINE else BORDER)
