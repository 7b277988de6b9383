"""Joining ops, some of which are gathered in `graph.fused` already, to one kernel."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Operation, SSAValue, Use
from xdsl.rewriter import InsertPoint, Rewriter

from lamina.dialects.graph import SOURCE, FusedOp, YieldOp, layout_of, shape
from lamina.passes.graph.fuse_epilogues import fuse


def ops_of(op: Operation) -> list[Operation]:
    """What the kernel of `op` computes, first to last."""
    if not isinstance(op, FusedOp):
        return [op]
    return [o for o in op.body.block.ops if not isinstance(o, YieldOp)]


def uses_of(value: SSAValue) -> list[Use]:
    """Where `value` is read; inside of each `graph.fused` that reads it."""
    found: list[Use] = []
    for use in value.uses:
        if isinstance(use.operation, FusedOp):
            found += uses_of(use.operation.body.block.args[use.index])
        else:
            found.append(use)
    return found


def is_written_whole(value: SSAValue) -> bool:
    """Whether the kernel of `value` writes nothing else than its elements where it is stored."""
    layout = layout_of(value.type)
    return tuple(layout.padded(shape(value))) == tuple(shape(value))


def unwrap(op: Operation) -> list[Operation]:
    """The ops of a `graph.fused` in its place, without it."""
    if not isinstance(op, FusedOp):
        return [op]
    block = op.body.block
    end = block.last_op
    assert isinstance(end, YieldOp), end
    inside = ops_of(op)
    for arg, x in zip(block.args, op.inputs, strict=True):
        arg.replace_all_uses_with(x)
    if SOURCE in op.attributes:
        inside[-1].attributes[SOURCE] = op.attributes[SOURCE]
    values = list(end.values)
    Rewriter.erase_op(end)
    for o in inside:
        o.detach()
        Rewriter.insert_op(o, InsertPoint.before(op))
    Rewriter.replace_op(op, [], values)
    return inside


def join(kernels: Sequence[Operation]) -> None:
    """graph.fused {a}; graph.fused {b}  ->  graph.fused {a; b}, in the place of the last"""
    fuse([o for op in kernels for o in unwrap(op)])
