"""The arithmetic a kernel does, counted in its IR: what a rate in GFLOP/s is relative to."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from xdsl.dialects import arith, func, math, scf
from xdsl.ir import Block, Operation, SSAValue

from lamina.backends.cpu.types import lanes_of
from lamina.dialects import int8, loop

# operations per element of the result; comparisons, moves and casts are not counted
_PER_ELEMENT: dict[type[Operation], int] = {
    arith.AddfOp: 1,
    arith.SubfOp: 1,
    arith.MulfOp: 1,
    arith.DivfOp: 1,
    arith.MaximumfOp: 1,
    arith.MinimumfOp: 1,
    arith.MaxnumfOp: 1,
    arith.MinnumfOp: 1,
    math.FmaOp: 2,
    math.SqrtOp: 1,
    int8.Dot4Op: 8,
    int8.MaddubsOp: 2,
    int8.Madd16Op: 4,
}


def flops_of(function: func.FuncOp, functions: Mapping[str, func.FuncOp] | None = None) -> int:
    """
    Floating-point operations (and those of `int8.dot4`, or what it is made of) in one call, at the
    vector level, with those of the functions that it calls, if they are given.
    """
    return round(_Count(functions or {}).block(function.body.block))


class _Count:
    """Adds up what is executed."""

    def __init__(self, functions: Mapping[str, func.FuncOp]) -> None:
        self.functions = functions
        self.extents: dict[SSAValue, int | None] = {}
        """how many values the arguments of functions take, if they are indices of loops"""

    def block(self, block: Block) -> float:
        """Operations in `block`, if it is executed once."""
        return sum(self.op(op) for op in block.ops)

    def op(self, op: Operation) -> float:
        """Operations in one execution of `op`; of a choice, in the mean of all steps."""
        if isinstance(op, loop.ForOp):
            return prod(map(int, op.extents.get_values())) * self.block(op.body.block)
        if isinstance(op, loop.IfOp):
            steps = loop.extent_of(op.index) or self.extents.get(op.index) or op.limit.data
            below, rest = self.block(op.below.block), self.block(op.rest.block)
            return (op.limit.data * below + (steps - op.limit.data) * rest) / steps
        if isinstance(op, scf.IfOp):
            return max(self.block(region.block) for region in op.regions if region.blocks)
        if isinstance(op, int8.MaddubsOp) and isinstance(op.a.owner, arith.ConstantOp):
            return 0  # sums of two numbers, to look at them
        if isinstance(op, func.CallOp):
            callee = self.functions.get(op.callee.string_value())
            if callee is None or callee.is_declaration:
                return 0
            given = map(loop.extent_of, op.arguments)
            self.extents.update(zip(callee.body.block.args, given, strict=True))
            return self.block(callee.body.block)
        count = _PER_ELEMENT.get(type(op))
        return count * lanes_of(op.results[0].type) if count else 0
