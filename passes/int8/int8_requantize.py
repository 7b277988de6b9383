"""Scale sums of integers once, from their own steps to those of the 8 bits that are stored."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, i32
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    op_type_rewrite_pattern,
)

from lamina.context import weights_of
from lamina.dialects.graph import (
    DequantizeOp,
    QuantizeOp,
    RequantizeOp,
    inherit_source,
    tensor_type,
)
from lamina.dialects.graph.constants import constant
from lamina.passes._store_pattern import StorePattern
from lamina.passes.int8._parameters import parameters


class ScaleOnce(StorePattern):
    """quantize(dequantize(sums, s, 0), t, z) -> requantize(sums, s / t, z), the quotient in f32"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: QuantizeOp, rewriter: PatternRewriter, /) -> None:
        sums = op.x.owner
        if not isinstance(sums, DequantizeOp) or tensor_type(sums.x).element_type != i32:
            return
        before, after = parameters(sums, self.store), parameters(op, self.store)
        if before is None or after is None or before.zero.any():
            return
        if not before.is_positive or not after.is_positive:
            return
        scale = (before.scale / after.scale).astype(np.float32)
        if not np.isfinite(scale).all() or not scale.all():
            return
        by = rewriter.insert(constant(scale, self.store))
        by.result.name_hint = "scale"
        new = RequantizeOp(sums.x, by.result, op.zero, op.y.type)
        inherit_source(new, op)
        rewriter.replace(op, new)


class Int8RequantizePass(ModulePass):
    """
    Multiply sums of products by one number on their way to 8 bits, as ONNX Runtime's kernels do.

    graph.quantize (graph.dequantize %sums, s, 0), t, z -> graph.requantize %sums, s / t, z

    Where the two roundings, of the product with s and of the quotient by t, and the one of the
    product with s / t fall on different sides of a half, the result is one step apart.
    """

    name = "int8-requantize"
    numerics: ClassVar[str] = "within a step"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        applier = GreedyRewritePatternApplier([ScaleOnce(weights_of(ctx))])
        PatternRewriteWalker(applier).rewrite_module(op)
