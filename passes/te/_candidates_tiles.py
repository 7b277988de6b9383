"""The register tiles worth a closer look, best first by arithmetic alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

from lamina.backends.machine import Machine
from lamina.passes.te._candidates_nest import Nest, Part
from lamina.passes.te._cost_arithmetic import Arithmetic, Tile, registers, shares

MOST_COPIES = 200
"""of the body; more take long to compile and crowd out other code"""
MOST_INSTRUCTIONS = 1000
"""in copies of the body: the time that LLVM takes grows faster than their number"""
MOST_UNROLLED = 32
"""steps of a reduction"""
PAGE = 4096
STREAMS = 8
"""far apart that prefetching follows at once"""
ENOUGH, MOST_IDLE = 8, 12
"""copies that keep the arithmetic units busy most of the time; more are good only for reuse"""


@dataclass(frozen=True)
class Ranked:
    """A tile, its cycles without waiting for memory, and what speaks against it as a factor."""

    tile: Tile
    cycles: float
    penalty: float
    load_ports: float
    """how much of the time loads take all there is for them"""


def best_tiles(
    nest: Nest,
    vector: Part | None,
    machine: Machine,
    most: int,
    few_sizes: bool = False,
    rows: Part | None = None,
) -> list[Ranked]:
    """
    The `most` cheapest tiles that fit the registers; `few_sizes`: of a sample of them. All of
    `rows` is in each.
    """
    registers_there = machine.registers - (0 if machine.fma else 1)  # for a product to be added
    fitting: list[tuple[float, int, Tile]] = []
    forced = [p for p in nest.parts if p == rows or p.name in _in_tables(nest)]
    arithmetic = Arithmetic(nest, vector, machine, rows)
    for reduce in _unrolled_reductions(nest, forced):
        of = _SpatialTiles(nest, vector, registers_there, forced, reduce, few_sizes)
        for tile in of.tiles():
            if reduce and not forced and not _worth_unrolling(nest, tile):
                continue
            over = registers(nest, tile) - registers_there
            fitting.append((arithmetic.cycles(tile), over, tile))
    fitting.sort(key=lambda f: f[0])
    ranked = [
        Ranked(
            tile,
            cycles,
            _penalty(nest, tile, over) * _far_apart(nest, tile, machine),
            arithmetic.load_ports(tile),
        )
        for cycles, over, tile in fitting[: 2 * most]
    ]
    ranked.sort(key=lambda r: r.cycles * r.penalty)
    return ranked[:most]


def _in_tables(nest: Nest) -> set[str]:
    return {name for b in nest.buffers if b.table for name in b.uses}


def _penalty(nest: Nest, tile: Tile, over: int) -> float:
    """
    For code size, tails, parts that no input is reused along, tiles far from contiguous, and
    registers that are not there.
    """
    tiled = [(p, t) for p, t in tile.spatial if t > 1]
    tails = sum(p.extent % t > 0 for p, t in tiled)
    idle = sum(all(p.name in b.uses for b in nest.inputs) for p, _ in tiled)
    far = sum(2 for k, (_, t) in enumerate(_apart(nest, tile)) if k and t > 1)
    small = 0.0002 * tile.copies + 0.004 * (tails + idle) + 0.002 * (len(tiled) + far)
    return (1 + small) * (1 + 0.02 * max(0, over))


def _far_apart(nest: Nest, tile: Tile, machine: Machine) -> float:
    """
    A penalty for many loads that lie pages apart.

    If the distance is whole pages, all want the same set of the cache, which has as many ways as
    the cache has pages, and one or two are needed for everything else. Of any distance, prefetching
    follows about 8 streams.
    """
    worst = 1.0
    for b in nest.inputs:
        steps = [(t, b.stride(p.name) * b.element_bytes) for p, t in tile.spatial if t > 1]
        streams = prod([t for t, far in steps if abs(far) >= PAGE])
        same_set = prod([t for t, far in steps if far and far % PAGE == 0])
        conflicts = 1.2 if same_set > 0.75 * machine.l1 / PAGE else 1
        worst = max(worst, conflicts, 1 + 0.025 * (streams - STREAMS))
    return worst


def _apart(nest: Nest, tile: Tile) -> list[tuple[Part, int]]:
    """The parts of the tile that are not of the vector's axis, as they lie in the output."""
    axis = tile.vector.axis if tile.vector else ""
    return sorted(
        [(p, t) for p, t in tile.spatial if p.axis != axis and p.extent > 1],
        key=lambda pt: nest.output.stride(pt[0].name),
    )


def _worth_unrolling(nest: Nest, tile: Tile) -> bool:
    """
    Whether neighbouring steps of the reduction share loads, or all of it is unrolled.

    Not if they share splats: LLVM then keeps all of them in registers, and accumulators in memory.
    """
    lanes = tile.vector.name if tile.vector else ""
    spatial = {p.name for p, t in tile.spatial if t > 1}
    if any(lanes not in b.uses and spatial & b.uses for b in nest.inputs):
        return False
    everything = len(tile.reduce) == sum(p.reduce for p in nest.parts)
    return everything or any(shares(b, tile) for b in nest.inputs)


def _unrolled_reductions(nest: Nest, forced: Sequence[Part]) -> Iterator[Sequence[Part]]:
    """No reduction unrolled, or as many as stay small, from the last one in their order."""
    order = nest.reduction
    yield [p for p in order if p in forced]
    if forced:
        return
    last: Sequence[Part] = []
    for k in range(1, len(order) + 1):
        parts = order[-k:]
        if prod(p.extent for p in parts) > MOST_UNROLLED:
            break
        if any(p.name not in nest.free or _ragged(nest, p) for p in parts):
            break
        last = parts
    if last:
        yield last


def _ragged(nest: Nest, part: Part) -> bool:
    """Whether the last step of a part is only partly inside its axis."""
    return nest.outermost(part) and part.step * part.extent != nest.extents[part.axis]


class _SpatialTiles:
    """
    Steps of the spatial parts that multiply to no more than the registers.

    A part is unrolled only after all finer parts of its axis are, and after a nearer one that moves
    the same inputs, so that a tile is compact.
    """

    def __init__(
        self,
        nest: Nest,
        vector: Part | None,
        registers_there: int,
        forced: Sequence[Part],
        reduce: Sequence[Part],
        few_sizes: bool,
    ) -> None:
        self.nest, self.vector, self.reduce = nest, vector, reduce
        self.registers_there = registers_there
        most = registers_there - 2 if nest.reduction else ENOUGH
        copies = min(MOST_COPIES, MOST_INSTRUCTIONS // max(1, nest.body_ops))
        self.most = max(1, min(most, copies // prod([p.extent for p in reduce])))
        self.fixed = {p: p.extent for p in forced if not p.reduce}
        self.parts = [
            p
            for p in sorted(nest.parts, key=lambda p: nest.output.stride(p.name))
            if not p.reduce and p != vector and p.name in nest.free and p not in forced
        ]
        self.sizes = {p: _sizes(nest, p, self.most) for p in self.parts}
        if few_sizes:
            self.sizes = {p: _sample(p, sizes) for p, sizes in self.sizes.items()}
        moved = {p: nest.moved_inputs(p) for p in nest.parts}
        self.beside = {
            p: [q for q in self.parts[:k] if q.axis != p.axis and moved[q] == moved[p]]
            for k, p in enumerate(self.parts)
        }
        self.finer = {
            p: [q for q in nest.parts if q.axis == p.axis and q.step < p.step and q != vector]
            for p in self.parts
        }
        self.useful = [p for p in self.parts if _reuses(nest, p)]

    def tiles(self) -> list[Tile]:
        """
        Tiles of parts along which inputs are reused, with enough copies; if there are none, tiles
        of any parts, and then of any size.
        """
        enough = min(ENOUGH, self.most)
        copies = prod(self.fixed.values())
        for parts, least, most in (
            (self.useful, enough, self.most),
            (self.parts, enough, MOST_IDLE),
            (self.parts, 1, MOST_IDLE),
        ):
            found = [
                Tile(self.vector, list(tile.items()), self.reduce)
                for tile, n in self._extended(parts, 0, self.fixed, copies)
                if n <= most and (n >= least or n * 2 > self.most)
            ]
            if found := [tile for tile in found if self._fits(tile)]:
                return found
        return [Tile(self.vector, list(self.fixed.items()), self.reduce)]

    def _fits(self, tile: Tile) -> bool:
        """Registers of an unrolled reduction are an estimate: a few too many are a penalty."""
        return bool(tile.reduce) or registers(self.nest, tile) <= self.registers_there

    def _extended(
        self, parts: Sequence[Part], k: int, tile: dict[Part, int], copies: int
    ) -> Iterator[tuple[dict[Part, int], int]]:
        """The tile with any steps of parts k, k + 1, ..., and how many copies that makes."""
        if k == len(parts):
            yield tile, copies
            return
        part = parts[k]
        yield from self._extended(parts, k + 1, {**tile, part: 1}, copies)
        compact = all(tile.get(q, 1) == q.extent for q in self.finer[part])
        beside = [tile.get(q, 1) for q in self.beside[part]]
        if compact and max(beside, default=2) > 1 and sum(t > 1 for t in tile.values()) < 3:
            for t in self.sizes[part]:
                if copies * t > self.most:
                    break
                yield from self._extended(parts, k + 1, {**tile, part: t}, copies * t)


def _reuses(nest: Nest, part: Part) -> bool:
    """Whether steps of `part` use some input elements in common."""
    reduced = {p.name for p in nest.reduction}
    for b in nest.inputs:
        if part.name not in b.uses:
            return True
        if any(part.name in dim and reduced & dim.keys() for dim in b.moves):
            return True
    return False


def _sizes(nest: Nest, part: Part, most: int) -> list[int]:
    """
    How many steps of a part to unroll: sizes that leave a small tail or none.

    For each number of tiles the smallest size that needs no more of them; divisors only where a
    coarser part of the axis is outside.
    """
    n = part.extent
    candidates = range(2, min(n, most) + 1)
    if not nest.outermost(part):
        return [t for t in candidates if n % t == 0]
    return [t for t in candidates if t == -(-n // -(-n // t))]


def _sample(part: Part, sizes: Sequence[int]) -> list[int]:
    """Of many sizes a few far from each other, each with the least tail near it."""

    def tail(t: int) -> int:
        return -part.extent % t

    ranges = ((2, 2), (3, 4), (5, 8), (9, 31))
    near = ([t for t in sizes if low <= t <= high] for low, high in ranges)
    return [min(some, key=lambda t: (tail(t), -t)) for some in near if some]
