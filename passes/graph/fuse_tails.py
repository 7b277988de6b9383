"""Put pooling of windows that do not meet into the kernel that computes what is pooled."""

from __future__ import annotations

from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from lamina.dialects.graph import AvgPool2dOp, Conv2dOp, MaxPool2dOp
from lamina.passes.graph._kernels import is_written_whole, join, ops_of, uses_of


def is_apart(op: Operation) -> bool:
    """Whether `op` pools windows that do not meet, inside the image."""
    if not isinstance(op, MaxPool2dOp | AvgPool2dOp) or any(op.pads.get_values()):
        return False
    steps = zip(op.window(), op.dilation(), op.strides.get_values(), strict=True)
    return all((taps - 1) * gap < stride for taps, gap, stride in steps)


def may_follow(op: Operation) -> bool:
    """Whether the pooling that alone reads what the kernel of `op` computes may be part of it."""
    if not any(isinstance(o, Conv2dOp) for o in ops_of(op)):
        return False
    found = uses_of(op.results[0])
    return len(found) == 1 and is_apart(found[0].operation) and is_written_whole(op.results[0])


class FuseTailsPass(ModulePass):
    """
    Gather each convolution with the pooling that alone reads it, if the windows do not meet.

    graph.fused {conv2d; relu}; max_pool2d 2x2 strides [2, 2]  ->
    graph.fused {conv2d; relu; max_pool2d}

    The rows of a block are then pooled while they are in a cache.
    """

    name = "fuse-tails"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for f in [f for f in op.ops if isinstance(f, func.FuncOp) and not f.is_declaration]:
            for kernel in list(f.body.block.ops):
                if len(kernel.results) == 1 and may_follow(kernel):
                    (use,) = kernel.results[0].uses
                    join([kernel, use.operation])
