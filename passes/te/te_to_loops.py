"""Turn the spatial loop axes of every `te.compute` into loops around a smaller one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
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

    Steps in which a bound needs checking become te ops of their own, where `i` is a number.
    """
    axes, bounds = op.axes.data, op.bounds.data
    rest = [a for a in axes if a is not axis]
    full = full_steps(axis, axes, bounds)
    if full == 1:
        yield _step(op, axis, rest, 0, builder)
    elif full:
        nest = loop.ForOp([full], mapping=axis.mark, hints=[axis.name])
        builder.insert(nest)
        inside = Builder(InsertPoint.at_end(nest.body.block))
        yield inside.insert(
            op.replaced(
                axes=rest,
                bounds=[(e, n) for e, n in bounds if axis.name not in e.names()],
                outer=[*(n.data for n in op.outer), axis.name],
                indices=[*op.indices, nest.indices[0]],
            )
        )
        inside.insert(loop.YieldOp())
    for i in remaining_steps(axis, full, axes, bounds):
        yield _step(op, axis, rest, i, builder)


def _step(op: ComputeOp, axis: Axis, rest: Sequence[Axis], i: int, builder: Builder) -> ComputeOp:
    step = op.replaced(axes=rest)
    step.substitute({axis.name: expr.constant(i)})
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
    steps of a loop in which a bound cuts the tile become smaller tiles of their own after the loop.
    """

    name = "te-to-loops"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        todo = [o for o in op.walk() if isinstance(o, ComputeOp)]
        while todo:
            te = todo.pop()
            if (axis := leading_loop(te)) is not None:
                todo += peel(te, axis, Builder(InsertPoint.before(te)))
                te.detach()
                te.erase()
