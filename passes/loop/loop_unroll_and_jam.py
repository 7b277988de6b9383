"""Run all steps of an outer index at once, sharing what they have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, IntegerAttr, ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter
from xdsl.traits import is_side_effect_free
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.loop import ForOp, YieldOp
from lamina.passes._aliasing import reads
from lamina.passes.loop._dependence import conflict
from lamina.passes.loop._nests import body_ops, hints_of, names_of, nests_with, yielded
from lamina.passes.loop._reindex import At, reindex_all

Values = dict[SSAValue, SSAValue]


def obstacle(loop: ForOp, k: int) -> str | None:
    """Why the steps of the k-th index may not run at once; None if they may."""
    if loop.inits:
        return f"the nest carries {len(loop.inits)} values from step to step"
    return conflict(loop, k, fixed=k)  # outer indices stay outside


def is_shared(op: Operation, steps: Sequence[Values]) -> bool:
    """Whether one copy of `op` does for all steps: it only computes or reads, from equal values."""
    if not reads(op) and not is_side_effect_free(op):
        return False
    used = {v for inner in op.walk() for v in inner.operands}
    return all(step.get(v, v) is steps[0].get(v, v) for v in used for step in steps)


def jam(body: Block, into: Block, steps: Sequence[Values], numbers: dict[SSAValue, At]) -> None:
    """
    Copy the ops of `body` once for every step, side by side, and merge the loops among them.

    a(i) %r = loop.for %j < 8 iter(..) { b(i, j) }
    ->
    a(0) a(1) %r0, %r1 = loop.for %j < 8 iter(.., ..) { b(0, j) b(1, j) }
    """
    for op in body_ops(body):
        if isinstance(op, ForOp):
            into.add_op(jam_loop(op, steps, numbers))
            continue
        shared = is_shared(op, steps)
        for step in steps[:1] if shared else steps:
            into.add_op(new := op.clone(step))
            reindex_all(new, numbers)
        if shared:
            for step in steps[1:]:
                step.update(zip(op.results, (steps[0][r] for r in op.results), strict=True))
    into.add_op(YieldOp([step.get(v, v) for step in steps for v in yielded(body)]))


def jam_loop(op: ForOp, steps: Sequence[Values], numbers: dict[SSAValue, At]) -> ForOp:
    """One loop that carries the values of all steps."""
    inits = [step.get(v, v) for step in steps for v in op.inits]
    hints = hints_of([*op.indices, *(v for _ in steps for v in op.carried)])
    new = ForOp(op.extents.get_values(), inits, op.mapping.data, hints=hints)
    carried, results = iter(new.carried), iter(new.res)
    for step in steps:
        step.update(zip(op.indices, new.indices, strict=True))
        step.update((v, next(carried)) for v in op.carried)
    jam(op.body.block, new.body.block, steps, numbers)
    for step in steps:
        step.update((v, next(results)) for v in op.res)
    return new


def unroll_and_jam(loop: ForOp, k: int) -> None:
    """
    loop.for %i < 2, %j < 8 { f(%i, %j) }  ->  loop.for %j < 8 { f(0, %j) f(1, %j) }
    """
    extents, index = list(loop.extents.get_values()), loop.indices[k]
    others = [i for i in loop.indices if i is not index]
    # users other than memory ops get the number of their step as a constant
    constants = [arith.ConstantOp(IntegerAttr(n, IndexType())) for n in range(extents[k])]
    numbers: dict[SSAValue, At] = {c.result: At.number(n) for n, c in enumerate(constants)}
    steps: list[Values] = [{index: c.result} for c in constants]
    new, block = None, Block()
    if others:
        new = ForOp(
            [*extents[:k], *extents[k + 1 :]], (), loop.mapping.data, hints=hints_of(others)
        )
        block = new.body.block
        for step in steps:
            step.update(zip(others, new.indices, strict=True))
    jam(loop.body.block, block, steps, numbers)
    used = [c for c in constants if c.result.uses]
    if new:
        Rewriter.replace_op(loop, [*used, new], [])
    else:
        ops = body_ops(block)
        for op in ops:
            op.detach()
        Rewriter.replace_op(loop, [*used, *ops], [])


@dataclass(frozen=True)
class LoopUnrollAndJamPass(ModulePass):
    """
    Run all steps of an outer index at once: what depends on it is copied, what does not is shared,
    loops inside are merged and carry the values of all steps. Cut the index with `loop-tile` first.

    A nest that is not parallel is only changed if its memory accesses show that its steps do not
    depend on each other.

    loop.for %i < 2 { %r = loop.for %k < 8 iter(..) { f(%i, %k) } }
    ->
    %r0, %r1 = loop.for %k < 8 iter(..) { f(0, %k) f(1, %k) }
    """

    name = "loop-unroll-and-jam"
    numerics: ClassVar[str] = "exact"

    index: str
    """the name of the index; every nest that has one of this name is changed"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        nests = nests_with(op, self.index, by=self.name)
        for loop, k in nests:
            if reason := obstacle(loop, k):
                names = ", ".join(names_of(loop))
                raise PassFailedException(
                    f"{self.name}: the steps of '{self.index}' in ({names}) cannot run at once: "
                    f"{reason}"
                )
        for loop, k in reversed(nests):  # inner nests first: outer ones copy what they hold
            unroll_and_jam(loop, k)
