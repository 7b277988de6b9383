"""Take means over windows of quantized tensors by summing up their integers."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, i32
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    op_type_rewrite_pattern,
)

from lamina.context import weights_of
from lamina.dialects.graph import (
    AvgPool2dOp,
    Conv2dOp,
    DequantizeOp,
    GlobalAvgPoolOp,
    MulOp,
    ReduceOp,
    cast_type,
    inherit_source,
    layout_of,
    shape,
)
from lamina.dialects.graph.constants import constant
from lamina.passes.graph.expand_avg_pool import taps_inside
from lamina.passes.graph.fold_batch_norm import StorePattern
from lamina.passes.int8._parameters import bytes_before, parameters

Mean = AvgPool2dOp | GlobalAvgPoolOp | ReduceOp


def is_over_images(op: Mean) -> bool:
    """Whether `op` is a mean over windows of images, or over whole ones."""
    if not isinstance(op, ReduceOp):
        return True
    return op.kind.data == "mean" and list(op.axes.get_values()) == [2, 3] and _rank(op) == 4


def _rank(op: Mean) -> int:
    return len(shape(op.x))


class SumUpBytes(StorePattern):
    """
    avg_pool2d(dequantize(x, s, z)) -> dequantize(conv2d(x, ones), s / n) with a group for each
    channel; times n / (the number inside) where only what is inside counts
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: Mean, rewriter: PatternRewriter, /) -> None:
        inner = bytes_before(op.x)
        found = parameters(inner, self.store) if inner is not None else None
        if inner is None or found is None or not found.is_one or not found.is_positive:
            return
        if not is_over_images(op) or not layout_of(op.y.type).is_plain:
            return
        window = op.window() if isinstance(op, AvgPool2dOp) else shape(op.x)[2:]
        taps, zero = window[0] * window[1], int(found.zero.item())
        if not 0 < taps < 2**31 // 256 or 0 in shape(op.y):
            return
        sums = self.sums(op, inner, (window[0], window[1]), zero, rewriter)
        inside = taps_inside(op) if isinstance(op, AvgPool2dOp) else np.full((1, 1), taps)
        if isinstance(op, AvgPool2dOp) and op.count_pads.value.data:
            inside = np.full_like(inside, taps)
        even = bool((inside == inside.flat[0]).all()) and inside.flat[0] > 0
        scale = found.scale / np.float32(inside.flat[0] if even else 1)
        by = rewriter.insert(constant(scale.astype(np.float32).reshape(1, 1, 1, 1), self.store))
        none = rewriter.insert(constant(np.zeros((1, 1, 1, 1), np.int32), self.store))
        last: Operation = DequantizeOp(sums.y, by.result, none.result, op.y.type)
        if not even:
            rewriter.insert(last)
            with np.errstate(divide="ignore"):  # with no element inside, 0 * inf is the NaN
                parts = (1 / inside).astype(np.float32)[None, None]
            each = rewriter.insert(constant(parts, self.store))
            last = MulOp(last.results[0], each.result, op.y.type)
        inherit_source(last, op)
        rewriter.replace(op, last)

    def sums(
        self,
        op: Mean,
        inner: DequantizeOp,
        window: tuple[int, int],
        zero: int,
        rewriter: PatternRewriter,
    ) -> Conv2dOp:
        """The i32 sums of differences to the zero point; padding adds nothing."""
        channels = shape(op.x)[1]
        ones = rewriter.insert(constant(np.ones((channels, 1, *window), np.int8), self.store))
        bias = None
        if zero:
            less = np.full(channels, -zero * window[0] * window[1], np.int32)
            bias = rewriter.insert(constant(less, self.store)).result
        slides = isinstance(op, AvgPool2dOp)
        return rewriter.insert(
            Conv2dOp(
                inner.x,
                ones.result,
                bias,
                strides=op.strides.get_values() if slides else (1, 1),
                pads=op.pads.get_values() if slides else (0, 0, 0, 0),
                dilations=op.dilation() if slides else (1, 1),
                groups=channels,
                fill=zero if slides and any(op.pads.get_values()) else 0,
                y=cast_type(op.y, i32),
            )
        )


class Int8AveragePass(ModulePass):
    """
    Sum up the integers of windows that a mean is taken of, and scale the sums.

    graph.global_avg_pool (graph.dequantize %x, s, z) ->
    graph.dequantize (graph.conv2d %x, ones bias -z * n groups C), s / n

    No real number is made of the elements. The sums are exact, those before were rounded.
    """

    name = "int8-average"
    numerics: ClassVar[str] = "lossy"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        applier = GreedyRewritePatternApplier([SumUpBytes(weights_of(ctx))])
        PatternRewriteWalker(applier).rewrite_module(op)
