"""Let each reader make real numbers of 8 bits by itself."""

from __future__ import annotations

from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from lamina.dialects.graph import SOURCE, DequantizeOp, PointwiseOp
from lamina.passes.int8._parameters import bytes_before


def split(op: DequantizeOp) -> None:
    """Put a copy of `op` before each pointwise op that reads it; erase it if none else does."""
    readers = dict.fromkeys(use.operation for use in op.y.uses)
    for reader in readers:
        if not isinstance(reader, PointwiseOp):
            continue
        copy = DequantizeOp(op.x, op.scale, op.zero, op.y.type)
        copy.y.name_hint = op.y.name_hint
        if len(readers) == 1 and SOURCE in op.attributes:
            copy.attributes[SOURCE] = op.attributes[SOURCE]
        Rewriter.insert_op(copy, InsertPoint.before(reader))
        reader.operands = [copy.y if x is op.y else x for x in reader.operands]
    if not op.y.uses:
        Rewriter.erase_op(op)


class Int8SplitDequantizePass(ModulePass):
    """
    Copy dequantize to each pointwise op that reads its result, and put it right before that op.

    %x = graph.dequantize %q; graph.mul %x, ..; graph.add %x, ..
    ->  %x = graph.dequantize %q; graph.mul %x, ..; %y = graph.dequantize %q; graph.add %y, ..

    It is then a part of the kernels that read it: 8 bits are read, and no real numbers stored.
    """

    name = "int8-split-dequantize"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for each in [o for o in op.walk() if isinstance(o, DequantizeOp)]:
            if bytes_before(each.y) is each:
                split(each)
