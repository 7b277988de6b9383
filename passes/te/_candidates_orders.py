"""In which order the loops around a register tile run, and which of them in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from lamina.backends.machine import Machine
from lamina.passes.te._candidates_nest import Nest
from lamina.passes.te._candidates_tiles import Ranked
from lamina.passes.te._cost_arithmetic import Tile
from lamina.passes.te._cost_memory import Loop, Memory

BLOCKS = (1, 2, 4, 8, 16, 32)
"""steps of a loop that run together while all of another loop passes"""
WORTH_REORDERING = 1 - 1e-3
WORTH_BLOCKING = 1.02
"""how much more than the arithmetic the best plain order costs before blocks are tried"""


@dataclass(frozen=True)
class Ordered:
    """A tile with loops around it, and the cycles of it all."""

    ranked: Ranked
    memory: Memory
    loops: Sequence[Loop]
    cycles: float

    @property
    def score(self) -> float:
        """Cycles, and what speaks against the tile."""
        return self.cycles * self.ranked.penalty


def plain_order(nest: Nest, ranked: Ranked, machine: Machine) -> Ordered:
    """The loops in the order of the output's memory."""
    inner = reduction_loops(nest, ranked.tile)
    memory = Memory(nest, ranked.tile, inner, machine, ranked.cycles, ranked.load_ports)
    loops = _spatial_loops(nest, ranked.tile)
    return Ordered(ranked, memory, loops, memory.cycles(loops))


def best_order(
    nest: Nest, plain: Ordered, cost: Callable[[Sequence[Loop]], float], threads: int = 1
) -> Ordered:
    """The order of these loops that costs least, one of them in blocks if that pays."""
    best, order = cost(plain.loops), plain.loops
    if not _order_matters(nest, order):
        return plain
    for loops in list(_interleaved(nest, order)):
        if (cycles := cost(loops)) < best * WORTH_REORDERING:
            best, order = cycles, loops
    if best > WORTH_BLOCKING * plain.ranked.cycles / threads:
        for loops in list(_blocked(nest, order)):
            if (cycles := cost(loops)) < best * WORTH_REORDERING:
                best, order = cycles, loops
    return replace(plain, loops=order, cycles=plain.memory.cycles(order))


def reduction_loops(nest: Nest, tile: Tile) -> list[Loop]:
    """The rolled part of the reduction, outermost first."""
    rolled = [p for p in nest.reduction if p not in tile.reduce]
    return [Loop(p, p.extent, p.extent) for p in rolled]


def _spatial_loops(nest: Nest, tile: Tile) -> list[Loop]:
    """The loops left around the tile, in the order of the output's memory."""
    sizes = {p.name: t for p, t in tile.spatial}
    found: list[Loop] = []
    for p in nest.parts:
        if p.reduce or p == tile.vector:
            continue
        t = sizes.get(p.name, 1)
        if (count := -(-p.extent // t)) > 1 or p.name not in sizes:
            found.append(Loop(p, count, p.extent))
    return sorted(found, key=lambda loop: -abs(nest.output.stride(loop.part.name)))


def _classes(nest: Nest, loops: Sequence[Loop]) -> list[frozenset[int]]:
    """For each loop, the inputs that it moves: loops that move the same ones stay in order."""
    return [nest.moved_inputs(loop.part) for loop in loops]


def _order_matters(nest: Nest, loops: Sequence[Loop]) -> bool:
    return len(set(_classes(nest, loops))) > 1


def _interleaved(nest: Nest, loops: Sequence[Loop]) -> Iterator[list[Loop]]:
    """Every order in which loops that move the same inputs keep theirs."""
    classes = _classes(nest, loops)
    queues = [
        [loop for loop, c in zip(loops, classes, strict=True) if c == kind]
        for kind in dict.fromkeys(classes)
    ]

    def merge(queues: Sequence[Sequence[Loop]], done: list[Loop]) -> Iterator[list[Loop]]:
        if not any(queues):
            yield done
        for k, queue in enumerate(queues):
            if queue:
                rest = [q[1:] if i == k else q for i, q in enumerate(queues)]
                yield from merge(rest, [*done, queue[0]])

    return merge(queues, [])


def _blocked(nest: Nest, loops: Sequence[Loop]) -> Iterator[list[Loop]]:
    """One loop in blocks: its blocks outermost, its steps where it was."""
    for k, loop in enumerate(loops):
        if k == 0 or loop.part.name not in nest.free:
            continue
        for steps in BLOCKS:
            if steps < loop.count and (nest.outermost(loop.part) or loop.count % steps == 0):
                size = -(-loop.covered // loop.count)
                outer = Loop(loop.part, -(-loop.count // steps), loop.covered)
                inner = Loop(loop.part, steps, min(loop.covered, steps * size))
                yield [outer, *loops[:k], *([inner] if steps > 1 else []), *loops[k + 1 :]]
