"""Which axes of tensor expressions that feed each other can be cut into steps alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from xdsl.dialects import memref
from xdsl.ir import SSAValue

from lamina.dialects.expr import Div, Expr, var
from lamina.dialects.te import ComputeOp, ConstantOp
from lamina.passes.te._cover import Side, at_once, covers

STEP, INSIDE = "<step>", "<inside>"
"""names that no axis can have"""

Cut = tuple[str, int]
"""an axis, and how many of its steps make one of what is shared"""


@dataclass(frozen=True, eq=False)
class Stage:
    """One op of a chain, with the extents that its axes have inside of the loops chosen so far."""

    op: ComputeOp
    extents: Mapping[str, int]
    cut: frozenset[str] = frozenset()
    """the axes that those loops have cut"""
    known: dict[tuple[int, Cut], Side] = field(default_factory=dict[tuple[int, Cut], Side])
    """what `cut_index` has found"""

    @cached_property
    def ranges(self) -> Mapping[str, int]:
        """Extents of all names."""
        return {**self.op.ranges, **self.extents}

    @cached_property
    def indices(self) -> Sequence[Sequence[Expr]]:
        """The index of every access, simplified."""
        return [[e.simplify(self.ranges) for e in a.index] for a in self.op.accesses.data]

    @cached_property
    def padded(self) -> frozenset[str]:
        """Names that decide whether a read finds padding."""
        accesses = self.op.accesses.data
        return frozenset(
            n for a in accesses if a.pad is not None for e in a.index for n in e.names()
        )

    @cached_property
    def bounded(self) -> frozenset[str]:
        """Names that occur in bounds."""
        return frozenset(n for e, _ in self.op.bounds.data for n in e.names())

    def free_axes(self) -> list[str]:
        """The axes whose steps may be cut apart."""
        fixed = self.padded | self.bounded
        return [
            a.name
            for a in self.op.axes.data
            if not a.reduce and not a.mark and self.extents[a.name] > 1 and a.name not in fixed
        ]

    def inside(self, cut: Cut, size: int) -> Stage:
        """What is left for one step of `size` units."""
        axis, unit = cut
        extent = min(self.extents[axis], unit * size)
        return Stage(self.op, {**self.extents, axis: extent}, self.cut | {axis})

    def units(self, axis: str) -> list[int]:
        """How many steps of an axis may have to stay together: one, or a block of some buffer."""
        found = {n // by for index in self.indices for e in index for n, by in ratios(e, axis)}
        return [1, *sorted(found - {0, 1})]

    def keeps_tables(self, cut: Cut) -> bool:
        """Whether every step reads the same entries of tables, which unrolled code has in it."""
        refs = self.op.operands_in_order
        tables = [k for k, v in enumerate(refs) if isinstance(v.owner, ConstantOp)]
        indices = [self.cut_index(k, cut, cut[1]).index for k in tables]
        return not any(STEP in e.names() for index in indices for e in index)

    def cut_index(self, k: int, cut: Cut, extent: int) -> Side:
        """Access `k` with `STEP * unit + INSIDE` for the axis, in a step that has this extent."""
        if (k, cut) not in self.known:
            self.known[k, cut] = self._cut_index(k, cut)
        side = self.known[k, cut]
        return Side(side.index, {**side.ranges, INSIDE: extent})

    def _cut_index(self, k: int, cut: Cut) -> Side:
        axis, unit = cut
        ranges = {n: e for n, e in self.ranges.items() if n != axis}
        known = ranges | {STEP: -(-self.extents[axis] // unit), INSIDE: unit}
        env = {axis: var(STEP) * unit + var(INSIDE)}
        index = [
            e.substitute(env).simplify(known) if axis in e.names() else e for e in self.indices[k]
        ]
        return Side(index, ranges)


@dataclass(frozen=True, eq=False)
class Edge:
    """A scratch buffer that one stage writes and a later one reads by access `k`."""

    writer: int
    reader: int
    k: int


@dataclass(frozen=True)
class Shared:
    """One axis of each stage, which can be cut into `steps` alike."""

    cuts: Sequence[Cut]
    steps: int


def scratch_of(op: ComputeOp) -> SSAValue | None:
    """The buffer that `op` writes, if it is the function's own and no other op writes it."""
    if not isinstance(op.out.owner, memref.AllocOp | memref.AllocaOp):
        return None
    users = {use.operation for use in op.out.uses} - {op}
    apart = all(isinstance(u, ComputeOp) and u.out is not op.out for u in users)
    return op.out if apart and op.out not in op.operands_in_order[:-1] else None


def edges_of(stages: Sequence[Stage]) -> list[Edge]:
    """The scratch buffers that the stages hand on."""
    made = {out: i for i, s in enumerate(stages) if (out := scratch_of(s.op)) is not None}
    return [
        Edge(made[v], r, k)
        for r, s in enumerate(stages)
        for k, v in enumerate(s.op.operands_in_order[:-1])
        if v in made and made[v] < r
    ]


def shared_axes(stages: Sequence[Stage]) -> list[Shared]:
    """Every axis of the last stage that has its like in all the others, outermost first."""
    edges = edges_of(stages)
    found: list[Shared] = []
    last = len(stages) - 1
    blocks = {u for s in stages for a in s.free_axes() for u in s.units(a)}
    units = sorted({n for u in blocks for n in range(1, u + 1) if u % n == 0})
    for axis in stages[last].free_axes():
        for unit in units:
            cuts = _spread(stages, edges, {last: (axis, unit)})
            if cuts is not None and (shared := _agreed(stages, edges, cuts)) is not None:
                found.append(shared)
                break
    return found


def _spread(
    stages: Sequence[Stage], edges: Sequence[Edge], cuts: dict[int, Cut]
) -> Sequence[Cut] | None:
    """A cut for every stage, found along the buffers from those that have one."""
    while len(cuts) < len(stages):
        edge = next((e for e in edges if (e.writer in cuts) != (e.reader in cuts)), None)
        if edge is None:
            return None
        out = len(stages[edge.writer].op.accesses.data) - 1
        ends = ((edge.reader, edge.k), (edge.writer, out))
        (known, k), (new, j) = ends if edge.reader in cuts else ends[::-1]
        moves = _moves(stages[known], k, cuts[known])
        if moves is None or not any(moves):
            return None
        like = next((c for c in _candidates(stages[new], j, moves)), None)
        if like is None:
            return None
        cuts[new] = like
    return [cuts[i] for i in range(len(stages))]


def _moves(stage: Stage, k: int, cut: Cut) -> list[int] | None:
    """How far a step moves access `k` in each dimension; None if not by equal amounts."""
    index = stage.cut_index(k, cut, cut[1]).index
    found = [e.coefficient(STEP) for e in index]
    return None if None in found else [c or 0 for c in found]


def _candidates(stage: Stage, k: int, moves: Sequence[int]) -> Iterator[Cut]:
    """The cuts whose steps move access `k` so."""
    index = stage.indices[k]
    d = next(i for i, m in enumerate(moves) if m)
    for axis in stage.free_axes():
        for by in dict.fromkeys(ratios(index[d], axis)):
            unit, rest = divmod(moves[d] * by[0], by[1])
            if rest or unit < 1 or unit > stage.extents[axis]:
                continue
            if _moves(stage, k, (axis, unit)) == list(moves):
                yield axis, unit


def ratios(e: Expr, axis: str) -> Iterator[tuple[int, int]]:
    """After how many steps of `axis`, as a fraction, `e` may have grown by 1."""
    for atom, c in e.terms:
        if c < 0:
            continue
        if atom == axis:
            yield 1, c
        elif isinstance(atom, Div) and axis in atom.of.names():
            for n, inner in ratios(atom.of, axis):
                yield (n * atom.by, inner * c) if atom.kind == "floordiv" else (n, inner * c)


def _agreed(stages: Sequence[Stage], edges: Sequence[Edge], cuts: Sequence[Cut]) -> Shared | None:
    """The cuts as one, if every step reads only what the same step of the others has written."""
    counts = [-(-s.extents[axis] // unit) for s, (axis, unit) in zip(stages, cuts, strict=True)]
    handed_on = {e.writer for e in edges}
    steps = max((n for i, n in enumerate(counts) if i not in handed_on), default=0)
    if steps < 2 or min(counts) < steps:
        return None
    if not all(s.keeps_tables(cut) for s, cut in zip(stages, cuts, strict=True)):
        return None
    for i, n in enumerate(counts):
        if n > steps and not _read_here(stages, i):
            return None
    fits = all(_reads_own_step(stages, edge, cuts, steps) for edge in edges)
    return Shared(cuts, steps) if fits else None


def _reads_own_step(stages: Sequence[Stage], edge: Edge, cuts: Sequence[Cut], steps: int) -> bool:
    """Whether the first steps, and the last, read over this edge only what the same one writes."""
    writer, reader = stages[edge.writer], stages[edge.reader]
    if reader.op.accesses.data[edge.k].pad is not None or writer.op.bounds.data:
        return False
    w, r = cuts[edge.writer], cuts[edge.reader]
    out = len(writer.op.accesses.data) - 1
    for last in (False, True):
        writes = _spatial(writer, writer.cut_index(out, w, _extent(writer, w, steps, last)))
        reads = reader.cut_index(edge.k, r, _extent(reader, r, steps, last))
        if not covers(writes, reads, [(STEP, STEP)], at_once(reader.op, edge.k)):
            return False
    return True


def _extent(stage: Stage, cut: Cut, steps: int, last: bool) -> int:
    """How many steps of the axis are in one of the first shared steps, or in the last."""
    axis, unit = cut
    return min(unit, stage.extents[axis] - (steps - 1) * unit) if last else unit


def _spatial(stage: Stage, side: Side) -> Side:
    reduced = {a.name for a in stage.op.axes.data if a.reduce}
    return Side(side.index, {n: e for n, e in side.ranges.items() if n not in reduced})


def _read_here(stages: Sequence[Stage], i: int) -> bool:
    """Whether nobody but the stages reads what stage `i` writes."""
    ops = {s.op for s in stages}
    return all(use.operation in ops for use in stages[i].op.out.uses)
