"""The arithmetic a kernel does, counted in its IR: what a rate in GFLOP/s is relative to."""

from __future__ import annotations

from math import prod

from xdsl.dialects import arith, func, math
from xdsl.ir import Block, Operation

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
}


def flops_of(function: func.FuncOp) -> int:
    """Floating-point operations (and those of `int8.dot4`) in one call, at the vector level."""
    return _in_block(function.body.block)


def _in_block(block: Block) -> int:
    total = 0
    for op in block.ops:
        if isinstance(op, loop.ForOp):
            total += prod(map(int, op.extents.get_values())) * _in_block(op.body.block)
        elif (count := _PER_ELEMENT.get(type(op))) is not None:
            total += count * lanes_of(op.results[0].type)
    return total
