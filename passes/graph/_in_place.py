"""Whether a kernel may write its result over one of its operands."""

from __future__ import annotations

from xdsl.dialects import func
from xdsl.ir import Operation, SSAValue

from lamina.dialects.te import ComputeOp


def may_share(kernel: func.FuncOp, operand: int, result: int) -> bool:
    """
    Whether argument `operand` may be the same buffer as argument `result`.

    It may if one te op alone reads it, at each point the element that it writes there; other te ops
    that write the result (its border) must come later.
    """
    x, y = kernel.body.block.args[operand], kernel.body.block.args[result]
    readers = [use.operation for use in x.uses]
    if len(readers) != 1 or not isinstance(reader := readers[0], ComputeOp):
        return False
    if reader.out is not y or not reads_what_it_writes(reader, x):
        return False
    return not any(writes_before(use.operation, reader) for use in y.uses)


def writes_before(op: Operation, reader: ComputeOp) -> bool:
    """Whether `op` touches the result before `reader` has read the operand."""
    if op is reader:
        return False
    return op.parent is not reader.parent or op.is_before_in_block(reader)


def reads_what_it_writes(op: ComputeOp, x: SSAValue) -> bool:
    """
    Whether `op` reads buffer `x` where it writes, and nowhere else. An input is read at every
    reduction point, before others' results; only where there is no reduction is that the same.
    """
    k = op.operands_in_order.index(x)
    if k < len(op.inputs) and any(a.reduce for a in op.axes.data):
        return False
    read, write = op.accesses.data[k], op.accesses.data[-1]
    return read.pad is None and read.index == write.index
