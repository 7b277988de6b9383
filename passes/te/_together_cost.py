"""
What it costs to run a chain of tensor expressions block by block.

Counted is what differs between ways to cut the chain: bytes of scratch that do not stay in a cache
between its writer and its readers, what every block fetches anew, registers and lanes that a small
block leaves idle. The constants were fitted to blocks of many sizes on a Zen 5 core.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from math import prod

from xdsl.ir import SSAValue

from lamina.backends.machine import Machine
from lamina.dialects.te import ConstantOp, memref_type
from lamina.passes.te._candidates_groups import takes_groups
from lamina.passes.te._tile_legality import memory_strides
from lamina.passes.te._together import Shared, Stage, edges_of, ratios, shared_axes

USABLE = 0.8
"""of a cache"""
NEAR, FAR, MEMORY = 32, 24, 8
"""bytes a cycle that stream from the second-level cache, the third, and memory"""
SPILLED, LOST = 8, 4
"""bytes a cycle that leave the second-level cache for the third or memory, or come back"""
SEEN, EXPOSED = 0.5, 0.3
"""of the time that the second-level cache and the third take, what arithmetic does not hide"""
CALL = 60
"""cycles to begin a te op"""
TAIL = 2000
"""cycles that a block of another size is worth not to have: its code is there once more"""
LATENCY = 4.4
OUTSIDE = -1
"""stands for the axes that loops around the chain have cut"""


class Touched:
    """One access of a stage: its buffer, and which axes decide what it touches."""

    def __init__(self, stage: Stage, k: int, buffer: SSAValue) -> None:
        type = memref_type(buffer)
        self.buffer, self.k = buffer, k
        self.element_bytes = -(-getattr(type.element_type, "bitwidth", 64) // 8)
        self.dimensions = [
            (e, n)
            for e, n in zip(stage.op.accesses.data[k].index, type.get_shape(), strict=True)
            if n > 1
        ]
        used = frozenset[str]().union(*(e.names() for e, _ in self.dimensions))
        self.axes = sorted(used & stage.extents.keys())
        running = {n for n, e in stage.extents.items() if e > 1} | stage.cut
        self.names = used & running
        self.known: dict[tuple[int, ...], int] = {}

    def bytes(self, stage: Stage) -> int:
        """Of the box around what the access touches with the extents of `stage`."""
        extents = tuple(stage.extents[n] for n in self.axes)
        if extents not in self.known:
            total = self.element_bytes
            for e, n in self.dimensions:
                limits = e.bounds(stage.ranges)
                total *= n if limits is None else min(n, limits[1] - limits[0] + 1)
            self.known[extents] = total
        return self.known[extents]


class Arithmetic:
    """What one stage computes with, whatever its extents."""

    def __init__(self, stage: Stage, touched: Sequence[Touched], machine: Machine) -> None:
        op = stage.op
        self.lanes, self.registers = machine.lanes(4), machine.registers
        self.vector = _contiguous(stage)
        self.steps = sum(o.name not in ("arith.constant", "te.yield") for o in op.body.block.ops)
        spatial = {a.name for a in op.axes.data if not a.reduce}
        reused = [spatial - t.names for t in touched if t.k < len(op.inputs)]
        sums = len(spatial) < len(op.axes.data) and len(reused) == 2 and all(reused)
        self.reused = sorted(reused, key=lambda names: self.vector in names) if sums else []
        """of a contraction, the axes along which each input is used again, the vector's last"""
        self.at_once = 4 if self.reused and takes_groups(op, machine) else 1
        """points of the reduction that are one product on lanes"""

    def cycles(self, stage: Stage) -> float:
        """Of one block, as good as it gets with its extents."""
        points = prod(stage.extents.values())
        if not self.reused:
            lanes = min(self.lanes, stage.extents.get(self.vector, 1))
            return points * self.steps / 2 / lanes
        across, along = (prod(stage.extents[n] for n in names) for names in self.reused)
        lanes = min(self.lanes, along)
        return points / self.at_once / lanes * self._per_product(along // lanes, across)

    def _per_product(self, vectors: int, others: int) -> float:
        """Cycles of one vector product in the best register tile of at most these sizes."""
        best = LATENCY
        for ob in range(1, min(vectors, 8) + 1):
            t = min(others, (self.registers - 2 - ob) // ob)
            if t >= 1:
                best = min(best, max(0.5, (ob + t) / (2 * ob * t), LATENCY / (ob * t)))
        return best


class Stages:
    """Some stages in turn: what they touch and compute, for all ways to cut them into blocks."""

    def __init__(self, stages: Sequence[Stage], machine: Machine) -> None:
        self.stages, self.machine = stages, machine
        self.touched = [_touched(s) for s in stages]
        self.arithmetic = [
            Arithmetic(s, t, machine) for s, t in zip(stages, self.touched, strict=True)
        ]
        self.scratch = {stages[e.writer].op.out for e in edges_of(stages)}
        self.whole = self.bytes(stages)
        self.folded = _folded(stages) if len(stages) > 2 else {}
        """scratch that two neighbours can hand on in small pieces, and bytes of such a piece"""

    def bytes(self, stages: Sequence[Stage]) -> dict[SSAValue, int]:
        """How much of each buffer the stages touch with these extents."""
        found: dict[SSAValue, int] = {}
        for stage, accesses in zip(stages, self.touched, strict=True):
            for t in accesses:
                found[t.buffer] = max(found.get(t.buffer, 0), t.bytes(stage))
        return found


class Chain:
    """Stages and the axes that they share, in the order of the loops over blocks."""

    def __init__(self, all: Stages, shared: Sequence[Shared]) -> None:
        self.all, self.shared, self.machine = all, shared, all.machine
        self.stages, self.whole = all.stages, all.whole

    def cycles(self, sizes: Sequence[int]) -> float:
        """Cycles beyond those that any way takes, if blocks have these sizes, one a shared axis."""
        inside = list(self.stages)
        for shared, size in zip(self.shared, sizes, strict=True):
            if size < shared.steps:
                inside = [s.inside(c, size) for s, c in zip(inside, shared.cuts, strict=True)]
        counts = [-(-s.steps // size) for s, size in zip(self.shared, sizes, strict=True)]
        block = self.all.bytes(inside)
        work = prod(counts) * sum(
            a.cycles(s) for a, s in zip(self.all.arithmetic, inside, strict=True)
        )
        ragged = [self._is_ragged(s, size) for s, size in zip(self.shared, sizes, strict=True)]
        begin = CALL * prod(counts) + TAIL * sum(ragged)
        return self._near(counts, block) + self._far(counts, block, work) + begin * len(inside)

    def _near(self, counts: Sequence[int], block: dict[SSAValue, int]) -> float:
        """Cycles for what does not stay in the first-level cache."""
        room = USABLE * self.machine.l1
        kept = self._at_once(counts, block, room) <= room
        fits = sum(block.values()) <= room
        total = 0.0
        for v, n in self.whole.items():
            if v in self.all.scratch:
                total += 0 if kept or v in self.all.folded else 2 * n
            else:
                total += self._fetches(v, counts, fits) * n
        return total / NEAR * SEEN

    def _far(self, counts: Sequence[int], block: dict[SSAValue, int], work: float) -> float:
        """Cycles of arithmetic, and for what does not stay in the second-level cache."""
        room, beyond = USABLE * self.machine.l2, USABLE * self.machine.l3
        at_once = self._at_once(counts, block, room)
        spilled = min(1.0, max(0.0, at_once / room - 1))
        rate = SPILLED if sum(block.values()) <= beyond else LOST
        fits = sum(block.values()) <= room
        fetched = waiting = 0.0
        for v, n in self.whole.items():
            if v in self.all.scratch:
                waiting += 0 if v in self.all.folded else 2 * n * spilled / rate
            elif n <= beyond:
                fetched += self._fetches(v, counts, fits) * n / FAR
            else:
                waiting += self._fetches(v, counts, fits) * n / MEMORY
        return max(work, fetched) + EXPOSED * min(work, fetched) + waiting

    def _at_once(self, counts: Sequence[int], block: dict[SSAValue, int], room: float) -> float:
        """
        Bytes that have to stay in a cache of this size for scratch to be there when it is read:
        what a block has to itself, and some of what all blocks stream through.
        """
        cut = {OUTSIDE, *(j for j, n in enumerate(counts) if n > 1)}
        needed = {v: min(n, self.all.folded.get(v, n)) for v, n in block.items()}
        own = sum(n for v, n in needed.items() if cut & self._moved_by[v])
        rest = sum(needed.values()) - own
        return own + (min(rest, room / 4) if own else rest)

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
        for stage, accesses in zip(self.stages, self.all.touched, strict=True):
            for t in accesses:
                if t.names & stage.cut:
                    found[t.buffer].add(OUTSIDE)
        for j, shared in enumerate(self.shared):
            for (axis, _), accesses in zip(shared.cuts, self.all.touched, strict=True):
                for t in accesses:
                    if axis in t.names:
                        found[t.buffer].add(j)
        return found


def _touched(stage: Stage) -> list[Touched]:
    """The accesses to everything but tables of constants."""
    operands = enumerate(stage.op.operands_in_order)
    return [Touched(stage, k, v) for k, v in operands if not isinstance(v.owner, ConstantOp)]


def _folded(stages: Sequence[Stage]) -> dict[SSAValue, int]:
    """
    What one stage writes and only the next one reads, neither of which gains by larger blocks:
    loops of their own inside a block will keep it small.
    """
    found: dict[SSAValue, int] = {}
    for pair in pairwise(stages):
        edges = edges_of(pair)
        out = pair[0].op.out
        touched = [_touched(s) for s in pair]
        alone = {use.operation for use in out.uses} == {pair[0].op, pair[1].op}
        if not edges or not alone or any(map(_reuses, pair, touched)):
            continue
        inside = pair[0]
        for shared in shared_axes(pair):
            inside = inside.inside(shared.cuts[0], 1)
        found[out] = touched[0][-1].bytes(inside)
    return found


def _reuses(stage: Stage, touched: Sequence[Touched]) -> bool:
    """Whether an input is used again along some spatial axis."""
    spatial = {a.name for a in stage.op.axes.data if not a.reduce and stage.extents[a.name] > 1}
    return any(t.k < len(stage.op.inputs) and spatial - t.names for t in touched)


def _contiguous(stage: Stage) -> str:
    """The axis along which the output is contiguous; `""` if there is none."""
    strides = memory_strides(stage.op.out)
    if not strides or strides[-1] != 1:
        return ""
    last = stage.indices[-1][-1]
    return next((n for n in stage.extents if (1, 1) in ratios(last, n)), "")
