"""Write out the steps of a small inner loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, IntegerAttr, ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.loop import ForOp, YieldOp
from lamina.passes.loop._nests import body_ops, hints_of, names_of, nests_with, yielded
from lamina.passes.loop._reindex import At, reindex_all


def step_of(
    loop: ForOp, number: int, values: dict[SSAValue, SSAValue]
) -> tuple[list[Operation], list[SSAValue]]:
    """
    The body with the last index at `number`, and what it carries on.

    In memory ops the number goes into the index; other users of the index get a constant.
    """
    constant = arith.ConstantOp(IntegerAttr(number, IndexType()))
    values = values | {loop.indices[-1]: constant.result}
    ops = [op.clone(values) for op in body_ops(loop.body.block)]
    for op in ops:
        reindex_all(op, {constant.result: At.number(number)})
    used = [constant] if constant.result.uses else []
    return [*used, *ops], [values.get(v, v) for v in yielded(loop.body.block)]


def unroll(loop: ForOp) -> None:
    """
    loop.for %i < 8, %j < 2 { f(%i, %j) }  ->  loop.for %i < 8 { f(%i, 0) f(%i, 1) }
    """
    *extents, n = loop.extents.get_values()
    steps: list[Operation] = []
    new = None
    carried = list(loop.inits)
    values: dict[SSAValue, SSAValue] = {}
    if extents:
        hints = hints_of([*loop.indices[:-1], *loop.carried])
        new = ForOp(extents, loop.inits, loop.mapping.data, hints=hints)
        values.update(zip(loop.indices, new.indices, strict=False))
        carried = list(new.carried)
    for number in range(n):
        now = values | dict(zip(loop.carried, carried, strict=True))
        ops, carried = step_of(loop, number, now)
        steps += ops
    if new:
        new.body.block.add_ops([*steps, YieldOp(carried)])
        Rewriter.replace_op(loop, new)
    else:
        Rewriter.replace_op(loop, steps, carried)


@dataclass(frozen=True)
class LoopUnrollPass(ModulePass):
    """
    Write out all steps of the innermost index of a nest, one after the other.

    %r = loop.for %k < 2 iter(%a = %x) : f32 { loop.yield f(%k, %a) }  ->  %r = f(1, f(0, %x))
    """

    name = "loop-unroll"
    numerics: ClassVar[str] = "exact"

    index: str
    """the name of the index; every nest that has one of this name is unrolled"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        nests = nests_with(op, self.index, by=self.name)
        for loop, k in nests:
            names = names_of(loop)
            if k != len(names) - 1:
                raise PassFailedException(
                    f"{self.name}: '{self.index}' is not the innermost index of "
                    f"({', '.join(names)}); loop-interchange can make it so, and "
                    f"loop-unroll-and-jam unrolls outer indices"
                )
        for loop, _ in reversed(nests):  # inner nests first: outer ones copy what they hold
            unroll(loop)
