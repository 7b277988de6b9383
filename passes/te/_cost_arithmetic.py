"""
Cycles of a register tile's arithmetic, as if all data were in the first-level cache.

How many vectors are multiplied and added in a cycle, and how many are loaded, is the machine's. The
rest of the formula was fitted to measured tiles on a Zen 5 core, with 32-byte and with 64-byte
vectors, within 3 %: one store a cycle, 7.5 instructions of all kinds. A result is there after 4
cycles, and 0.4 more go to instructions that find their unit busy; arithmetic hides that the better
the more accumulators there are: 8 of them reach 88 % of the peak, 10 reach 95 %, 14 reach 99 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod

from lamina.backends.machine import Machine
from lamina.passes.te._candidates_nest import Buffer, Nest, Part
from lamina.passes.te._candidates_vector import access_cost, pieces

LATENCY = 4.4
ISSUE = 7.5
OVERLAP = 8
"""how sharply waiting for results gives way to arithmetic (the exponent of a norm)"""
EXIT = 2
"""leaving the innermost loop"""
STORE = 1.2
"""where there is nothing to hide it behind"""
HIDDEN_STORE = 0.6
"""where a reduction goes on beside it"""
MIXED = 0.5
"""for each vector of a row that groups are made of: sums beside each other use the same group"""
CROWDED, CROWD = 24, 3.5
"""with more accumulators than this, each keeps the next reduction from starting that long"""


@dataclass(frozen=True)
class Tile:
    """What is unrolled: steps of spatial parts, and whole parts of the reduction."""

    vector: Part | None
    spatial: Sequence[tuple[Part, int]]
    reduce: Sequence[Part] = ()

    @cached_property
    def accumulators(self) -> int:
        """How many of them there are."""
        return prod([t for _, t in self.spatial])

    @cached_property
    def reductions(self) -> int:
        """How many steps of the reduction are unrolled."""
        return prod([p.extent for p in self.reduce])

    @property
    def copies(self) -> int:
        """How often the body is there."""
        return self.accumulators * self.reductions

    def extents(self) -> dict[str, int]:
        """How many steps of each part are inside the tile."""
        found = {p.name: t for p, t in self.spatial}
        found |= {p.name: p.extent for p in self.reduce}
        if self.vector:
            found[self.vector.name] = self.vector.extent
        return found


class Arithmetic:
    """What the tiles of one nest with one vector part cost."""

    def __init__(
        self, nest: Nest, vector: Part | None, machine: Machine, rows: Part | None = None
    ) -> None:
        self.units, self.ports = units(machine), load_ports(machine)
        width = vector.extent if vector else 1
        lanes = pieces(width)
        self.body = nest.body_ops * lanes
        self.inputs = [(b, access_cost(b, vector, width, rows)) for b in nest.inputs]
        extras = sum(access_cost(b, vector, width) for b in nest.extras)
        store = access_cost(nest.output, vector, width)
        work = extras / self.ports + nest.epilogue_ops * lanes / self.units
        hidden = max(HIDDEN_STORE * store, work / 2)
        self.finish = hidden if nest.reduction else max(STORE * store, work)
        self.apart = nest.groups.apart if nest.groups else 0
        self.row = nest.row
        self.lanes = lanes
        self.looked = nest.groups.looked if nest.groups else 0
        self.signed = nest.inputs[nest.groups.signed].uses if nest.groups else frozenset[str]()
        self.spatial = [p for p in nest.parts if not p.reduce and p != vector]
        self.reduction = [p for p in nest.parts if p.reduce]

    def cycles(self, tile: Tile) -> float:
        """Cycles of the whole nest, the smaller tiles at the ends of parts included."""
        rolled = [p.extent for p in self.reduction if p not in tile.reduce]
        steps, exits = prod(rolled), prod(rolled[:-1])
        inside = {p.name for p, _ in tile.spatial}
        outside = prod([p.extent for p in self.spatial if p.name not in inside])
        total = 0.0
        for count, sizes in _variants(tile):
            accs = prod(sizes.values())
            step = self._step(tile, sizes, accs)
            crowd = CROWD * max(0, accs - CROWDED) if rolled else 0
            total += count * (steps * step + accs * self.finish + EXIT * exits + crowd)
        return total * outside

    def _step(self, tile: Tile, sizes: Mapping[str, int], accs: int) -> float:
        """One step of the rolled reduction, or all of a tile that has none."""
        loads = self.loads(tile, sizes)
        looks = prod([t for name, t in sizes.items() if name in self.signed]) * tile.reductions
        work = accs * tile.reductions * self.body + loads * self.apart + looks * self.looked
        chain = LATENCY * tile.reductions if self.reduction else 0
        if (row := self.row) is not None and row.part in tile.reduce:
            products = tile.reductions // row.part.extent * row.products
            chain = LATENCY * products
            work = accs * products * row.body_ops * self.lanes + loads * MIXED
        busy = ((work / self.units) ** OVERLAP + chain**OVERLAP) ** (1 / OVERLAP)
        return max(busy, loads / self.ports, (work + loads) / ISSUE)

    def loads(self, tile: Tile, sizes: Mapping[str, int]) -> float:
        """The loads of one step, each different element once."""
        loads = 0.0
        if tile.reduce:
            extents = {**sizes, **{p.name: p.extent for p in tile.reduce}}
            for b, cost in self.inputs:
                loads += cost * b.elements(extents)
        else:
            for b, cost in self.inputs:
                loads += cost * prod([t for name, t in sizes.items() if name in b.uses])
        return loads

    def load_ports(self, tile: Tile) -> float:
        """How much of the time loads keep all load ports busy: 1 is always."""
        sizes = dict((p.name, t) for p, t in tile.spatial)
        step = self._step(tile, sizes, tile.accumulators)
        return self.loads(tile, sizes) / self.ports / step if step else 0.0  # a fill has no steps


def units(machine: Machine) -> float:
    """Vectors that are multiplied and added in a cycle."""
    return machine.rates.flops_per_cycle / 2 / machine.lanes(4)


def load_ports(machine: Machine) -> float:
    """Vectors loaded in a cycle: what streams through a loop comes close to that."""
    return max(1, round(2 * machine.rates.l1 / machine.vector_bytes)) / 2


def _variants(tile: Tile) -> list[tuple[int, dict[str, int]]]:
    """How often each size of the tile occurs: full ones, and what is left at the end of a part."""
    even: dict[str, int] = {}
    count = 1
    cut: list[list[tuple[int, str, int]]] = []
    for part, t in tile.spatial:
        full, tail = divmod(part.extent, t)
        if tail:
            cut.append([(n, part.name, size) for n, size in ((full, t), (1, tail)) if n])
        else:
            even[part.name] = t
            count *= full
    return [
        (count * prod([n for n, _, _ in c]), {**even, **{name: size for _, name, size in c}})
        for c in product(*cut)
    ]


def registers(nest: Nest, tile: Tile) -> int:
    """
    How many vectors are alive at once.

    Of one step's loads all but those of the busiest input are kept; that one passes through, except
    what neighbouring steps of an unrolled reduction share.
    """
    lanes = {tile.vector.name} if tile.vector else set[str]()
    vectors = [b for b in nest.inputs if not b.binds or lanes & b.uses]
    at_once = sorted([prod([t for p, t in tile.spatial if p.name in b.uses]) for b in vectors])
    kept = sum(at_once[:-1]) + 1 if at_once else 0
    if tile.reduce:
        last = {tile.reduce[-1].name: tile.reduce[-1].extent}
        window = last | {p.name: t for p, t in tile.spatial}
        shared = (b.elements(window) for b in nest.inputs if shares(b, tile))
        kept = max(kept, sum(shared) + 1)
    if (groups := nest.groups) is not None:
        kept = kept * groups.kept + groups.registers
    return tile.accumulators + kept


def shares(b: Buffer, tile: Tile) -> bool:
    """Whether neighbouring copies of an unrolled reduction read the same elements."""
    reduced = {p.name for p in tile.reduce}
    spatial = {p.name for p, t in tile.spatial if t > 1}
    return any(reduced & dim.keys() and spatial & dim.keys() for dim in b.moves)
