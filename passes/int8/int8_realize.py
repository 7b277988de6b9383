"""Compute sums of products of quantized tensors on the integers that stand for their numbers."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)

from lamina.context import weights_of
from lamina.dialects.graph import (
    Conv2dOp,
    DenseOp,
    MatmulOp,
    inherit_source,
    layout_of,
    shape,
)
from lamina.dialects.graph.constants import constant, known
from lamina.passes._store_pattern import StorePattern
from lamina.passes.int8._sums import realize


class RealizeWindow(StorePattern):
    """conv2d(dequantize(x), dequantize(w), b) -> dequantize(conv2d(x, w, b') fill z)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: Conv2dOp, rewriter: PatternRewriter, /) -> None:
        if layout_of(op.y.type).is_plain:
            realize(op, op.w, 0, (0, 1, 2, 3), self.store, rewriter)


class RealizeDense(StorePattern):
    """dense(dequantize(x), dequantize(w), b) -> dequantize(dense(x, w, b'))"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DenseOp, rewriter: PatternRewriter, /) -> None:
        realize(op, op.w, 0, (0, 1), self.store, rewriter)


class RealizeMatmul(StorePattern):
    """matmul(dequantize(x), dequantize(w)) -> dequantize(dense(x, transpose(w), b'))"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: MatmulOp, rewriter: PatternRewriter, /) -> None:
        if len(shape(op.a)) == len(shape(op.b)) == 2:
            realize(op, op.b, 1, (1, 0), self.store, rewriter)


class MatmulToDense(StorePattern):
    """matmul(x, w) of bytes -> dense(x, transpose(w)), if w is known"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: MatmulOp, rewriter: PatternRewriter, /) -> None:
        w = known(op.b, self.store)
        if w is None or w.itemsize > 1 or w.ndim != 2 or len(shape(op.a)) != 2:
            return
        turned = rewriter.insert(constant(np.ascontiguousarray(w.T), self.store))
        turned.result.name_hint = op.b.name_hint
        new = DenseOp(op.a, turned.result, y=op.y.type)
        inherit_source(new, op)
        rewriter.replace(op, new)


class Int8RealizePass(ModulePass):
    """
    Sum up products of integers where the factors are integers that stand for real numbers.

    graph.conv2d (graph.dequantize %x, %s, %z), (graph.dequantize %w, %t, 0)
    ->  graph.dequantize (graph.conv2d %x, %w bias -z * sum(w) fill z), s * t

    Weights are known, and have one scale for each output; x has one scale. The zero point of x is
    what x is outside, and its part in the sums goes into the bias. Zero points of weights are
    subtracted now; where that takes more than 8 bits, there are two sums. A bias that is given in
    steps of the sum joins it, any other one is added to the real numbers. What could leave i32
    stays as it is. Real sums were rounded before, those of integers are exact.
    """

    name = "int8-realize"
    numerics: ClassVar[str] = "within a step"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        store = weights_of(ctx)
        patterns: list[RewritePattern] = [
            RealizeWindow(store),
            RealizeDense(store),
            RealizeMatmul(store),
            MatmulToDense(store),
        ]
        PatternRewriteWalker(GreedyRewritePatternApplier(patterns)).rewrite_module(op)
