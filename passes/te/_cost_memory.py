"""
Cycles that a nest of loops around a register tile spends on moving data between caches.

How fast each cache and memory are when they are read in order is the machine's. The second cache is
half as fast for the rows that a tile reads, and nearly all of it is hidden behind arithmetic. From
the third comes what streams through a reduction at nearly its rate, and what is read and written
once faster, because it runs ahead. Of these more is hidden the fewer loads a tile needs: loads that
wait in line cannot run ahead. Nothing is slower than all of it in turn. What comes from memory is
asked for long before, and takes its time beside everything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lamina.backends.machine import Machine
from lamina.passes.te._candidates_nest import LINE, Buffer, Nest, Part
from lamina.passes.te._cost_arithmetic import Tile
from lamina.passes.te._homes import USABLE

NEAR = 0.53
"""of the rate of the second cache, for the rows of a tile"""
STREAMED, ONCE = 0.87, 1.45
"""of the rate of the third cache, for what streams through a reduction and for the rest"""
BESIDE = 0.1
"""of the time that memory and the rest take together is lost to the other"""


@dataclass(frozen=True)
class Loop:
    """A loop over `count` steps of a part, after which `covered` of its steps are done."""

    part: Part
    count: int
    covered: int


@dataclass(frozen=True)
class _Inside:
    """What fits in a cache at once: extents of parts, bytes of each buffer; or what did not."""

    capacity: float
    line: int
    """bytes that come together; the second-level cache fetches lines in pairs"""
    extents: dict[str, int]
    sizes: list[int]
    outside: Sequence[Loop]


class Memory:
    """What the orders of loops around one tile cost."""

    def __init__(
        self,
        nest: Nest,
        tile: Tile,
        inner: Sequence[Loop],
        machine: Machine,
        compute: float,
        load_ports: float,
    ) -> None:
        self.compute = compute
        self.rates = machine.rates
        self.buffers = [*nest.inputs, nest.output]  # what the epilogue reads is small
        l3 = self.rates.l3
        self.far_rates = [(STREAMED if _streams(b, tile) else ONCE) * l3 for b in self.buffers]
        self.exposed = 0.4 + 0.6 * load_ports**4
        everything = {p.name: p.extent for p in nest.parts}
        self.whole = [b.bytes(everything, LINE) for b in self.buffers]
        # what a line is fetched for is written back later
        self.first = [
            size * (2 if b.role == "output" else 1) if b.home == "dram" else 0
            for b, size in zip(self.buffers, self.whole, strict=True)
        ]
        extents = tile.extents()
        sizes = [(machine.l1, LINE), (machine.l2, 2 * LINE)]
        if sum(self.whole) > USABLE * machine.l3:
            sizes.append((machine.l3, 2 * LINE))
        # the loops of the reduction are the same in every order: see once how far they fit
        self.caches = [
            self._widen(
                _Inside(
                    USABLE * size, line, extents, [b.bytes(extents, line) for b in self.buffers], ()
                ),
                inner,
            )
            for size, line in sizes
        ]

    def cycles(self, loops: Sequence[Loop], share: float = 1, of: Part | None = None) -> float:
        """
        Cycles of the nest with these loops, outermost first, around tile and reduction; they do
        this share of all its arithmetic, and need as much of the buffers that part `of` moves.
        """
        near, far, *memory = (self._traffic(cache, loops) for cache in self.caches)
        compute = share * self.compute
        b12 = sum(near) / (NEAR * self.rates.l2)
        parts = [share if of is None or of.name in b.uses else 1 for b in self.buffers]
        whole = [part * n for part, n in zip(parts, self.whole, strict=True)]
        b3 = moved = 0.0
        for b, n, rate, least in zip(self.buffers, far, self.far_rates, whole, strict=True):
            n = n if b.home == "l3" else max(0, n - least)
            b3, moved = b3 + n / rate, moved + n
        hidden = max(compute, 0.9 * b12) + 0.15 * b12 + self.exposed * b3
        in_turn = compute + max(sum(near) / self.rates.l2, moved / self.rates.l3)
        cached = min(hidden, in_turn)
        again = sum(max(0, sum(m) - sum(whole)) for m in memory)
        first = sum(part * n for part, n in zip(parts, self.first, strict=True))
        dram = (first + again) / self.rates.dram
        return max(cached, dram) + BESIDE * min(cached, dram)

    def _traffic(self, inside: _Inside, loops: Sequence[Loop]) -> list[float]:
        """Bytes of each buffer that come into a cache, by what fits in it at once."""
        if inside.outside:
            outside = [*loops, *inside.outside]
        else:
            inside = self._widen(inside, loops)
            outside = inside.outside
        buffers = zip(self.buffers, inside.sizes, strict=True)
        return [_refetched(b, n, inside, outside) for b, n in buffers]

    def _widen(self, inside: _Inside, loops: Sequence[Loop]) -> _Inside:
        """Take in loops, the innermost first, as long as all they touch still fits."""
        extents, sizes = dict(inside.extents), inside.sizes
        for depth in range(len(loops), 0, -1):
            loop = loops[depth - 1]
            name = loop.part.name
            before = extents.get(name, 1)
            extents[name] = loop.covered
            buffers = zip(self.buffers, sizes, strict=True)
            grown = [
                b.bytes(extents, inside.line) if name in b.uses else size for b, size in buffers
            ]
            if sum(grown) > inside.capacity:
                extents[name] = before
                return replace(inside, extents=extents, sizes=sizes, outside=loops[:depth])
            sizes = grown
        return replace(inside, extents=extents, sizes=sizes, outside=())


def _streams(b: Buffer, tile: Tile) -> bool:
    """Whether every lane has a value of its own in every step of the reduction."""
    return b.role == "input" and tile.vector is not None and tile.vector.name in b.uses


def _refetched(b: Buffer, size: float, inside: _Inside, outside: Sequence[Loop]) -> float:
    """
    Bytes fetched over all of the loops outside of what fits.

    Loops next to it that do not move the buffer find it still there; the first one that moves it
    brings only what is new; every other one brings all of it again.
    """
    moved = False
    for loop in reversed(outside):
        if moved:
            size *= loop.count
        elif loop.part.name in b.uses:
            size = b.bytes({**inside.extents, loop.part.name: loop.covered}, inside.line)
            moved = True
    return size
