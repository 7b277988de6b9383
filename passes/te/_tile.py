"""
One register tile as loops over vectors: what `te-to-vec` makes of each `te.compute`.

A tile has rolled reductions, unrolled axes and at most one vector axis. Every accumulator is a
value carried through the rolled loops, so none of them is ever in memory. A long sum is one of
groups: accumulators begin anew with each, and are added to the sums so far.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product, takewhile

from xdsl.builder import Builder
from xdsl.dialects import arith
from xdsl.ir import SSAValue
from xdsl.rewriter import InsertPoint

from lamina.dialects import expr, loop
from lamina.dialects.te import Axis, Bound, ComputeOp
from lamina.passes.te._tile_bounds import full_steps, remaining_steps
from lamina.passes.te._tile_constants import Constants
from lamina.passes.te._tile_memory import Memory
from lamina.passes.te._tile_scalars import ScalarRegion

Point = tuple[int, ...]
"""The numbers of the unrolled spatial axes: which accumulator of the tile is meant."""


@dataclass(frozen=True)
class _Room:
    """A bound as the unrolled axes and the lanes see it: how many more may pass."""

    left: int
    steps: tuple[tuple[str, int], ...]
    per_lane: int

    def lanes(self, at: dict[str, int], width: int) -> int:
        """How many lanes it leaves at a point; all of them if it does not speak of lanes."""
        left = self.left - sum(at[name] * c for name, c in self.steps)
        if left <= 0:
            return 0
        return min(width, -(-left // self.per_lane)) if self.per_lane else width


class Tile:
    """Emits one te op that `_tile_legality.refusal` accepts, before the op and in its place."""

    def __init__(self, op: ComputeOp, group: str | None = None, begin: int | None = None) -> None:
        """
        With `group`, the sum over this axis and the reductions inside it begins at 0; with `begin`,
        all begin with the extra of this number.
        """
        axes = op.axes.data
        self.op = op
        self.group = group
        self.begin = begin
        self.reduce_axes = [a for a in axes if a.reduce]
        self.spatial = [a for a in axes if a.mark == "unroll" and not a.reduce]
        self.copied = [a for a in axes if a.mark == "unroll"]
        self.vector = next((a for a in axes if a.mark == "vector"), None)
        self.widths: dict[Point, int] = {}
        self.builder = Builder(InsertPoint.before(op))
        self.constants = Constants(op, self.vector is not None)
        self.memory = Memory(op, self.vector, self.constants)
        self.body = ScalarRegion(op.body.block, self.constants)
        self.epilogue = ScalarRegion(op.epilogue.block, self.constants)

    def emit(self) -> None:
        """Start the accumulators, reduce, then the epilogue and the store of each."""
        spatial = {a.name for a in self.op.axes.data if not a.reduce}
        bounds = [(e, n) for e, n in self.op.bounds.data if e.names() <= spatial]
        points = [(self._point(at), at, w) for at, w in self._points(self.spatial, bounds)]
        starts = {p: self._start(at, w) for p, at, w in points}
        self.widths = {p: w for p, _, w in points}
        rolled = any(not a.mark for a in self.reduce_axes)
        if rolled and all(e.names() <= spatial for e, _ in self.op.bounds.data):
            for _, at, width in points:
                self.memory.prepare(self.builder, len(self.op.inputs), at, width)
        results = self._reduce(starts, self.reduce_axes, self.op.bounds.data)
        self.memory.forget()
        first = len(self.op.inputs)
        args = self.op.epilogue.block.args[1:]
        for p, at, width in points:
            extras = [
                self.memory.load(self.builder, first + k, a.type, at, width) if a.uses else None
                for k, a in enumerate(args)
            ]
            value = self.epilogue.inline(self.builder, [results[p], *extras], width)
            self.memory.store(self.builder, value, at, width)

    def _start(self, at: dict[str, int], width: int) -> SSAValue:
        """What the accumulator of a point begins with."""
        init = self.op.init
        if self.begin is None:
            return self.constants.splat(init.value.data, init.type, width)
        first = len(self.op.inputs)
        return self.memory.load(self.builder, first + self.begin, init.type, at, width)

    def _point(self, at: dict[str, int]) -> Point:
        return tuple(at[a.name] for a in self.spatial)

    def _points(
        self, axes: Sequence[Axis], bounds: Sequence[Bound]
    ) -> Iterator[tuple[dict[str, int], int]]:
        """Every combination of these axes inside the bounds, and how many lanes are inside."""
        rooms = [self._room(e, n) for e, n in bounds]
        names = [a.name for a in axes]
        full = self.vector.extent if self.vector else 1
        for numbers in product(*(range(a.extent) for a in axes)):
            at = dict(zip(names, numbers, strict=True))
            width = min((r.lanes(at, full) for r in rooms), default=full)
            if width:
                yield at, width

    def _room(self, e: expr.Expr, n: int) -> _Room:
        steps = [(str(a), c) for a, c in e.terms]
        lane = self.vector.name if self.vector else ""
        per_lane = next((c for a, c in steps if a == lane), 0)
        return _Room(n - e.const, tuple((a, c) for a, c in steps if a != lane), per_lane)

    def _reduce(
        self,
        accs: dict[Point, SSAValue],
        axes: Sequence[Axis],
        bounds: Sequence[Bound],
    ) -> dict[Point, SSAValue]:
        """
        The reduction over `axes`, outermost first; returns the accumulators after it.
        """
        if not axes or axes[0].name != self.group:
            return self._carry(accs, axes, bounds)
        init = self.op.init
        starts = {p: self.constants.splat(0.0, init.type, self.widths[p]) for p in accs}
        sums = self._carry(starts, axes, bounds)
        return {p: self.builder.insert(arith.AddfOp(accs[p], sums[p])).result for p in accs}

    def _carry(
        self,
        accs: dict[Point, SSAValue],
        axes: Sequence[Axis],
        bounds: Sequence[Bound],
    ) -> dict[Point, SSAValue]:
        """
        The same, from these accumulators on.

        Rolled axes become one nest, as far as no bound mentions them. A bounded axis becomes a nest
        over the steps where the bound holds, and a copy for each step where it cuts something.
        """
        if all(a.mark for a in axes):
            return self._step(accs, axes, bounds)
        first, *rest = axes
        if first.mark:  # unrolled around a rolled axis: copies of the whole nest
            for i in range(first.extent):
                accs = self._fixed(first.name, i, accs, rest, bounds)
            return accs
        if any(first.name in e.names() for e, _ in bounds):
            others = [*rest, *self.spatial, *([self.vector] if self.vector else [])]
            if full := full_steps(first, others, bounds):
                free = [(e, n) for e, n in bounds if first.name not in e.names()]
                accs = self._carry(accs, [replace(first, extent=full), *rest], free)
            for i in remaining_steps(first, full, others, bounds):
                accs = self._fixed(first.name, i, accs, rest, bounds)
            return accs
        bounded = {x for e, _ in bounds for x in e.names()}
        ends = bounded | {self.group}
        nest = [first, *takewhile(lambda a: not a.mark and a.name not in ends, rest)]
        return self._nest(accs, nest, axes[len(nest) :], bounds)

    def _fixed(
        self,
        name: str,
        i: int,
        accs: dict[Point, SSAValue],
        rest: Sequence[Axis],
        bounds: Sequence[Bound],
    ) -> dict[Point, SSAValue]:
        """The reduction over `rest` in step `i` of axis `name`."""
        at = {name: expr.constant(i)}
        with self.memory.bound(name, i):
            here = [(e.substitute(at), n) for e, n in bounds]
            return self._reduce(accs, rest, here)

    def _nest(
        self,
        accs: dict[Point, SSAValue],
        axes: Sequence[Axis],
        rest: Sequence[Axis],
        bounds: Sequence[Bound],
    ) -> dict[Point, SSAValue]:
        """One rolled nest; every accumulator is carried through it."""
        names = [a.name for a in axes]
        nest = loop.ForOp(
            [a.extent for a in axes],
            list(accs.values()),
            hints=[*names, *["acc"] * len(accs)],
        )
        self.builder.insert(nest)
        outside, self.builder = self.builder, Builder(InsertPoint.at_end(nest.body.block))
        with self.memory.loops(names, nest.indices):
            inside: dict[Point, SSAValue] = dict(zip(accs, nest.carried, strict=True))
            after = self._reduce(inside, rest, bounds)
        self.builder.insert(loop.YieldOp([after[p] for p in accs]))
        self.builder = outside
        return dict(zip(accs, nest.res, strict=True))

    def _step(
        self,
        accs: dict[Point, SSAValue],
        axes: Sequence[Axis],
        bounds: Sequence[Bound],
    ) -> dict[Point, SSAValue]:
        """The body once at every unrolled point; equal loads are made once."""
        accs, left = dict(accs), {a.name for a in axes}
        inner = [a for a in self.copied if not a.reduce or a.name in left]
        args = self.op.body.block.args[:-1]
        self.memory.forget()
        for at, _ in self._points(inner, bounds):
            p = self._point(at)
            width = self.widths[p]
            values: list[SSAValue | None] = [
                self.memory.load(self.builder, k, a.type, at, width) if a.uses else None
                for k, a in enumerate(args)
            ]
            accs[p] = self.body.inline(self.builder, [*values, accs[p]], width)
        return accs
