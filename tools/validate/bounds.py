"""How large bytes are at most where something relies on it: samples keep to that, as weights do."""

from __future__ import annotations

from xdsl.dialects import arith, func, memref
from xdsl.ir import Operation, SSAValue

from lamina.dialects import te, vector
from lamina.dialects.graph import Conv2dOp, DenseOp, FusedOp
from lamina.dialects.int8 import Dot4Op, sum_of_two
from lamina.tools.validate.signature import Functions


def bounded(value: SSAValue, functions: Functions) -> int | None:
    """The largest |x| that sums of products allow for bytes x of `value`; None: any."""
    found: list[int] = []
    for use in value.uses:
        op, index = use.operation, use.index
        inner: int | None = None
        match op:
            case Dot4Op() if index == 2:
                inner = _half(op)
            case Conv2dOp() | DenseOp() if index == 1:
                inner = _half(op)
            case te.ComputeOp() if 0 <= index - len(op.outer.data) < len(op.inputs):
                inner = _of_input(op, index - len(op.outer.data), functions)
            case FusedOp():
                inner = bounded(op.body.block.args[index], functions)
            case func.CallOp():
                callee = functions.get(op.callee.string_value())
                if callee is not None and not callee.is_declaration:
                    inner = bounded(callee.body.block.args[index], functions)
            case vector.MemoryOp() | vector.ShuffleOp() | vector.SplatLaneOp() if op.results:
                inner = bounded(op.results[0], functions)
            case memref.SubviewOp() | memref.ReinterpretCastOp() | memref.CastOp():
                inner = bounded(op.results[0], functions)
            case _:
                pass
        found += [] if inner is None else [inner]
    return min(found, default=None)


def _of_input(op: te.ComputeOp, k: int, functions: Functions) -> int | None:
    """Of an input of a sum: its signed side is extended, or that of a dot4."""
    argument = op.body.block.args[k]
    signed = any(isinstance(use.operation, arith.ExtSIOp) for use in argument.uses)
    return _half(op) if signed else bounded(argument, functions)


def _half(op: Operation) -> int | None:
    most = sum_of_two(op)
    return None if most is None else most // 2
