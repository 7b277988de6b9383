"""
What a register tile costs on a graphics processor, where a vector is a subgroup.

Cycles are those of one pipe of four lanes, as `lamina inspect-opencl` counts them in the code that
Intel's compiler makes: an instruction on floats takes as many as a subgroup has lanes, by four; a
message that reads or writes memory two, and one for its address. What messages wait for is hidden
behind other threads of the unit, so a tile is as good as the share of its cycles that compute.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from lamina.backends.machine import Machine
from lamina.passes.te._candidates_nest import LINE, Buffer, Nest, Part
from lamina.passes.te._cost_arithmetic import Tile

PIPE = 4
"""lanes"""
PIPES = 2
"""of a unit, which its threads share"""
HIDING = 4
"""subgroups that a unit needs to compute while messages are on their way"""
MESSAGE, OUTSIDE = 3, 6
"""in a rolled loop, and outside of one, where its header is written anew"""
SCATTERED = 8
"""times as much if each lane has an address"""
AT_ONCE = 2
"""vectors that a message brings, if they are neighbours"""
LOOP, THREAD = 6, 60
"""a step of a rolled loop; a thread begins, computes its addresses, and ends"""
LONG = 1024
"""sums of so many terms are sums of sums, and have twice the accumulators"""
RESERVED = 6
"""vectors for addresses, and for what a message is about to bring"""


@dataclass(frozen=True)
class SubgroupCost:
    """What the tiles of one nest with one vector part cost."""

    nest: Nest
    vector: Part | None
    machine: Machine

    @property
    def lanes(self) -> int:
        """Of a subgroup, whether the vector has as many or not."""
        return self.machine.lanes(4)

    def seconds(self, tile: Tile) -> float:
        """How long the nest takes: all it touches is read or written once, beside arithmetic."""
        everything = {p.name: p.extent for p in self.nest.parts}
        moved = sum(b.bytes(everything, LINE) for b in self.nest.buffers)
        memory = moved / (self.machine.rates.dram * self.machine.units)
        return self.machine.seconds(max(self.device_cycles(tile), memory))

    def device_cycles(self, tile: Tile) -> float:
        """Units share out the subgroups; one with few of them waits for their messages."""
        turns = max(HIDING, -(-self.subgroups(tile) // self.machine.units))
        return turns * self.cycles(tile) / PIPES

    def subgroups(self, tile: Tile) -> int:
        """How many there are: one for each tile."""
        sizes = dict((p.name, t) for p, t in tile.spatial)
        spatial = [p for p in self.nest.parts if not p.reduce and p != self.vector]
        return prod([-(-p.extent // sizes.get(p.name, 1)) for p in spatial])

    def cycles(self, tile: Tile) -> float:
        """Of one subgroup, from its beginning to its end."""
        rolled = prod([p.extent for p in self.nest.reduction if p not in tile.reduce])
        ends = sum(self._messages(b, tile.extents()) for b in self.nest.extras)
        ends += tile.accumulators * self._messages(self.nest.output, {})
        ends = OUTSIDE * ends + tile.accumulators * self.nest.epilogue_ops * self._arithmetic()
        return THREAD + rolled * self.step(tile) + ends

    def step(self, tile: Tile) -> float:
        """Of one step of the rolled reduction: the hot block; of all there is, without a loop."""
        read = sum(self._messages(b, tile.extents()) for b in self.nest.inputs)
        if len(tile.reduce) == len(self.nest.reduction):
            return self.busy(tile) + OUTSIDE * read
        return self.busy(tile) + MESSAGE * read + LOOP

    def busy(self, tile: Tile) -> float:
        """That a step computes."""
        return tile.copies * self.nest.body_ops * self._arithmetic()

    def _arithmetic(self) -> float:
        return self.lanes / PIPE

    def _messages(self, b: Buffer, extents: dict[str, int]) -> float:
        """That read what a step needs of a buffer, or write one vector."""
        if self.vector is None or self.vector.name not in b.uses:
            return self._joined(b, self._rows(b, extents), extents)
        of = {name: n for name, n in extents.items() if name != self.vector.name}
        vectors = b.elements(of)
        near = b.stride(self.vector.name) == 1
        return self._joined(b, vectors, of) if near else SCATTERED * vectors

    def _rows(self, b: Buffer, extents: dict[str, int]) -> int:
        """Vectors that hold all elements that are the same in all lanes."""
        if not b.shape or b.strides[-1] != 1:
            return b.elements(extents)
        last = {p: n for p, n in extents.items() if p in b.moves[-1]}
        others = {p: n for p, n in extents.items() if p not in last}
        reached = b.elements(last)
        return b.elements(others) * -(-reached // self.lanes)

    def _joined(self, b: Buffer, vectors: int, extents: dict[str, int]) -> int:
        """How many messages bring so many vectors: neighbours come together."""
        steps = {abs(b.stride(p)) for p, n in extents.items() if n > 1 and p in b.uses}
        return -(-vectors // AT_ONCE) if self.lanes in steps else vectors

    def registers(self, tile: Tile) -> int:
        """How many vectors are alive at once."""
        rolled = len(tile.reduce) < len(self.nest.reduction)
        terms = prod([p.extent for p in self.nest.reduction])
        sums = tile.accumulators * (2 if rolled and terms >= LONG else 1)
        return sums + sum(self._kept(b, tile) for b in self.nest.inputs) + RESERVED

    def _kept(self, b: Buffer, tile: Tile) -> int:
        """Of an input: rows whose lanes are splat, all of them; else what one step reads."""
        if self.vector is None or self.vector.name not in b.uses:
            return self._rows(b, tile.extents())
        return b.elements({p.name: t for p, t in tile.spatial})
