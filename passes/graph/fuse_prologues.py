"""Put pointwise ops into the kernel that is alone in reading what they compute."""

from __future__ import annotations

from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from lamina.dialects.graph import Conv2dOp, PointwiseOp, layout_of
from lamina.passes.graph._kernels import is_written_whole, join, ops_of, uses_of


def may_precede(op: Operation) -> bool:
    """
    Whether the kernel of `op` may go on with the convolution that alone reads its result.

    A window of one element needs what the same element of the pointwise ops is: no two blocks need
    the same one. Wider windows read rows of the neighbouring block, and zeros around the image.
    """
    y = op.results[0]
    if not all(isinstance(o, PointwiseOp) for o in ops_of(op)):
        return False
    found = uses_of(y)
    if len(found) != 1 or found[0].index or not isinstance(found[0].operation, Conv2dOp):
        return False  # weights are read by all blocks
    reader = found[0].operation
    alone = reader.window() == (1, 1) and not any(reader.pads.get_values())
    return alone and not layout_of(y.type).halo and is_written_whole(y)


class FuseProloguesPass(ModulePass):
    """
    Gather pointwise ops with the convolution of single elements that alone reads what they compute.

    graph.fused {mul; add; relu}; graph.fused {conv2d 1x1; relu}  ->
    graph.fused {mul; add; relu; conv2d 1x1; relu}

    What cannot fold into the weights is then computed block by block, in a cache, and not stored
    for all of the image.
    """

    name = "fuse-prologues"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for f in [f for f in op.ops if isinstance(f, func.FuncOp) and not f.is_declaration]:
            for kernel in list(f.body.block.ops):
                if len(kernel.results) == 1 and may_precede(kernel):
                    (use,) = kernel.results[0].uses
                    join([kernel, use.operation])
