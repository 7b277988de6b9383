"""Turn the spatial loop axes of every `te.compute` into loops around a smaller one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint

from lamina.dialects import expr, loop
from lamina.dialects.te import Axis, ComputeOp
from lamina.passes.te._tile_bounds import full_steps, remaining_steps


def leading_loop(op: Operation | None) -> Axis | None:
    """
    The axis of `op` that becomes the next loop, if there is one.

    Unrolled and vector axes before it do not matter: they are copies of all that is inside. A
    rolled reduction before it does: its accumulators would have to live in memory.
    """
    if not isinstance(op, ComputeOp):
        return None
    for a in op.axes.data:
        if a.mark in ("unroll", "vector"):
            continue
        return None if a.reduce else a
    return None


def peel(op: ComputeOp, axis: Axis, builder: Builder) -> Iterator[ComputeOp]:
    """
    te(i: n, ...) -> loop.for %i < n { te at(i = %i)(...) }; no index changes, only who binds `i`

    Steps in which a bound needs checking become te ops of their own, where `i` is a number; of a
    parallel axis they stay in the loop, for `decide`.
    """
    axes, bounds = op.axes.data, op.bounds.data
    rest = [a for a in axes if a is not axis]
    full = full_steps(axis, axes, bounds)
    others = remaining_steps(axis, full, axes, bounds)
    together = axis.mark == "parallel" and full + len(others) > 1
    looped = full + len(others) if together else full
    if looped == 1:
        yield _step(op, axis.name, rest, 0, builder)
    elif looped:
        nest = loop.ForOp([looped], mapping=axis.mark, hints=[axis.name])
        builder.insert(nest)
        inside = Builder(InsertPoint.at_end(nest.body.block))
        kept = [(e, n) for e, n in bounds if axis.name not in e.names() or (together and others)]
        yield inside.insert(
            op.replaced(
                axes=rest,
                bounds=kept,
                outer=[*(n.data for n in op.outer), axis.name],
                indices=[*op.indices, nest.indices[0]],
            )
        )
        inside.insert(loop.YieldOp())
    for i in [] if together else others:
        yield _step(op, axis.name, rest, i, builder)


def undecided(op: ComputeOp) -> Axis | None:
    """A loop around `op` whose index a bound mentions, as an axis."""
    for name, index in zip(op.outer.data, op.indices, strict=True):
        mentioned = any(name.data in e.names() for e, _ in op.bounds.data)
        if mentioned and (extent := loop.extent_of(index)) is not None:
            return Axis(name.data, extent)
    return None


def decide(op: ComputeOp, axis: Axis, builder: Builder) -> Iterator[ComputeOp]:
    """
    te at(k = %k) where j + k * 4 < 10  ->  loop.if %k < 2 { te at(k = %k) } else { te where j < 2 }

    The steps of the loop around it in which a bound needs checking get te ops of their own.
    """
    index = op.indices[[n.data for n in op.outer.data].index(axis.name)]
    axes, bounds = op.axes.data, op.bounds.data
    full = full_steps(axis, axes, bounds)
    if full:
        inside, builder = _branch(index, full, axis.extent, builder)
        free = [(e, n) for e, n in bounds if axis.name not in e.names()]
        yield inside.insert(op.replaced(bounds=free))
    for i in remaining_steps(axis, full, axes, bounds):
        inside, builder = _branch(index, i + 1, axis.extent, builder)
        yield _step(op, axis.name, axes, i, inside)


def _branch(index: SSAValue, limit: int, extent: int, builder: Builder) -> tuple[Builder, Builder]:
    """Where to put what happens below the limit, and what happens after it."""
    if limit >= extent:
        return builder, builder
    choice = builder.insert(loop.IfOp(index, limit))
    ends = [r.block.last_op for r in (choice.below, choice.rest)]
    below, rest = [Builder(InsertPoint.before(end)) for end in ends if end is not None]
    return below, rest


def _step(op: ComputeOp, name: str, axes: Sequence[Axis], i: int, builder: Builder) -> ComputeOp:
    outer = [(n.data, v) for n, v in zip(op.outer.data, op.indices, strict=True)]
    outer = [(n, v) for n, v in outer if n != name]
    step = op.replaced(axes=axes, outer=[n for n, _ in outer], indices=[v for _, v in outer])
    step.substitute({name: expr.constant(i)})
    ranges = step.ranges
    step.rewrite(lambda e: e.simplify(ranges))
    return builder.insert(step)


@dataclass(frozen=True)
class TeToLoopsPass(ModulePass):
    """
    Turn the spatial loop axes of every `te.compute` into `loop.for` around a smaller one.

    te.compute axes(oh: 6 parallel, reduce ic: 16, ow: 6 unroll) ...
    ->
    loop.for %oh < 6 parallel { te.compute at(oh = %oh) axes(reduce ic: 16, ow: 6 unroll) ... }

    What is left of each op is one register tile: rolled reductions, unrolled axes and a vector. The
    steps of a loop in which a bound cuts the tile become smaller tiles of their own after the loop;
    a parallel loop stays one, and `loop.if` says in which of its steps the tiles are smaller.
    """

    name = "te-to-loops"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        todo = [o for o in op.walk() if isinstance(o, ComputeOp)]
        while todo:
            te = todo.pop()
            if (axis := undecided(te)) is not None:
                todo += decide(te, axis, Builder(InsertPoint.before(te)))
            elif (axis := leading_loop(te)) is not None:
                todo += peel(te, axis, Builder(InsertPoint.before(te)))
            else:
                continue
            te.detach()
            te.erase()
