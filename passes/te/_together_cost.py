"""
What it costs to run a chain of tensor expressions block by block.

Counted is what differs between ways to cut the chain: bytes of scratch that do not stay in a cache
between its writer and its readers, what every block fetches anew, registers and lanes that a small
block leaves idle. Bytes a cycle and their shares are those of `_cost_memory`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

from xdsl.ir import SSAValue

from lamina.backends.machine import Machine
from lamina.dialects.te import ConstantOp, memref_type
from lamina.passes.te._tile_legality import memory_strides
from lamina.passes.te._together import Shared, Stage, edges_of, ratios

USABLE = 0.8
"""of a cache"""
NEAR, FAR, MEMORY = 32, 24, 8
"""bytes a cycle from the second-level cache, the third, and memory"""
SEEN = 0.5
"""of the time that the second-level cache takes, what arithmetic does not hide"""
CALL = 60
"""cycles to begin a te op"""
TAIL = 2000
"""cycles that a block of another size is worth not to have: its code is there once more"""
LATENCY = 4.4
OUTSIDE = -1
"""stands for the axes that loops around the chain have cut"""


@dataclass(frozen=True)
class Touched:
    """One access of a stage: its buffer, and which axes decide what it touches."""

    buffer: SSAValue
    element_bytes: int
    shape: Sequence[int]
    k: int
    names: frozenset[str]


class Chain:
    """Some stages and the axes that they share."""

    def __init__(self, stages: Sequence[Stage], shared: Sequence[Shared], machine: Machine) -> None:
        self.stages, self.shared, self.machine = stages, shared, machine
        self.lanes = machine.lanes(4)
        self.touched = [_touched(s) for s in stages]
        self.vectors = [_contiguous(s) for s in stages]
        self.scratch = {stages[e.writer].op.out for e in edges_of(stages)}
        self.whole = self._bytes(stages)

    def _bytes(self, stages: Sequence[Stage]) -> dict[SSAValue, int]:
        """How much of each buffer the stages touch."""
        found: dict[SSAValue, int] = {}
        for stage, accesses in zip(stages, self.touched, strict=True):
            for t in accesses:
                found[t.buffer] = max(found.get(t.buffer, 0), _reached(stage, t))
        return found

    def cycles(self, sizes: Sequence[int]) -> float:
        """Cycles beyond those that any way takes, if blocks have these sizes, one a shared axis."""
        inside = list(self.stages)
        for shared, size in zip(self.shared, sizes, strict=True):
            if size < shared.steps:
                inside = [s.inside(c, size) for s, c in zip(inside, shared.cuts, strict=True)]
        counts = [-(-s.steps // size) for s, size in zip(self.shared, sizes, strict=True)]
        blocks = prod(counts)
        block = self._bytes(inside)
        cut = {OUTSIDE, *(j for j, n in enumerate(counts) if n > 1)}
        moving = sum(n for v, n in block.items() if cut & self._moved_by[v])
        total = 0.0
        for size, rate, share in (
            (self.machine.l1, NEAR, SEEN),
            (self.machine.l2, FAR, 1.0),
        ):
            room = USABLE * size
            all_fits = sum(block.values()) <= room
            rest = sum(block.values()) - moving
            stays = moving > 0 and moving + min(rest, room / 4) <= room
            for v, n in self.whole.items():
                far = MEMORY if rate == FAR and n > self.machine.l3 / 2 else rate
                if v in self.scratch:
                    total += 0 if stays or all_fits else 2 * n / far * share
                else:
                    total += self._fetches(v, counts, all_fits) * n / far * share
        work = sum(self._work(i, s) for i, s in enumerate(inside)) * blocks
        ragged = [self._is_ragged(s, size) for s, size in zip(self.shared, sizes, strict=True)]
        return total + work + CALL * blocks * len(inside) + TAIL * len(inside) * sum(ragged)

    def _is_ragged(self, shared: Shared, size: int) -> bool:
        """Whether the last block of this size is smaller than the others for some stage."""
        cuts = zip(self.stages, shared.cuts, strict=True)
        return size < shared.steps and any(s.extents[a] % (u * size) for s, (a, u) in cuts)

    def _fetches(self, v: SSAValue, counts: Sequence[int], all_fits: bool) -> int:
        """How often the blocks fetch all of buffer `v`, unless the last block has left it there."""
        times, kept = 1, all_fits
        for j in reversed(range(len(counts))):
            if j in self._moved_by[v]:
                kept = kept and counts[j] == 1
            elif not kept:
                times *= counts[j]
        return times

    @cached_property
    def _moved_by(self) -> dict[SSAValue, set[int]]:
        """The shared axes that decide which part of each buffer a block touches, or OUTSIDE."""
        found: dict[SSAValue, set[int]] = {v: set() for v in self.whole}
        for stage, accesses in zip(self.stages, self.touched, strict=True):
            for t in accesses:
                if t.names & stage.cut:
                    found[t.buffer].add(OUTSIDE)
        for j, shared in enumerate(self.shared):
            for (axis, _), accesses in zip(shared.cuts, self.touched, strict=True):
                for t in accesses:
                    if axis in t.names:
                        found[t.buffer].add(j)
        return found

    def _work(self, i: int, stage: Stage) -> float:
        """Cycles of the arithmetic of one block of a stage, as good as it gets with its extents."""
        op, points = stage.op, prod(stage.extents.values())
        spatial = {a.name for a in op.axes.data if not a.reduce}
        reused = [spatial - t.names for t in self.touched[i] if t.k < len(op.inputs)]
        vector = self.vectors[i]
        if len(spatial) == len(op.axes.data) or len(reused) != 2 or not all(reused):
            steps = sum(o.name not in ("arith.constant", "te.yield") for o in op.body.block.ops)
            return points * steps / 2 / min(self.lanes, stage.extents.get(vector, 1))
        across, along = (prod(stage.extents[n] for n in names) for names in reused)
        if vector in reused[0]:
            across, along = along, across
        lanes = min(self.lanes, along)
        return points / lanes * self._per_product(along // lanes, across)

    def _per_product(self, vectors: int, others: int) -> float:
        """Cycles of one vector product in the best register tile of at most these sizes."""
        best = LATENCY
        for ob in range(1, min(vectors, 8) + 1):
            t = min(others, (self.machine.registers - 2 - ob) // ob)
            if t >= 1:
                best = min(best, max(0.5, (ob + t) / (2 * ob * t), LATENCY / (ob * t)))
        return best


def _touched(stage: Stage) -> list[Touched]:
    """The accesses to everything but tables of constants."""
    found: list[Touched] = []
    running = {n for n, e in stage.extents.items() if e > 1} | stage.cut
    for k, (v, access) in enumerate(
        zip(stage.op.operands_in_order, stage.op.accesses.data, strict=True)
    ):
        if isinstance(v.owner, ConstantOp):
            continue
        type = memref_type(v)
        bits = getattr(type.element_type, "bitwidth", 64)
        names = frozenset[str]().union(*(e.names() for e in access.index)) & running
        found.append(Touched(v, -(-bits // 8), type.get_shape(), k, names))
    return found


def _reached(stage: Stage, t: Touched) -> int:
    """Bytes of the box around what an access touches."""
    total = t.element_bytes
    for e, n in zip(stage.op.accesses.data[t.k].index, t.shape, strict=True):
        limits = e.bounds(stage.ranges)
        total *= n if limits is None else min(n, limits[1] - limits[0] + 1)
    return total


def _contiguous(stage: Stage) -> str:
    """The axis along which the output is contiguous; `""` if there is none."""
    strides = memory_strides(stage.op.out)
    if not strides or strides[-1] != 1:
        return ""
    last = stage.indices[-1][-1]
    return next((n for n in stage.extents if (1, 1) in ratios(last, n)), "")
