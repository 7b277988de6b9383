"""Take means over windows of quantized tensors by summing up their integers."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, i32
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    PatternRewriter,
    PatternRewriteWalker,
    op_type_rewrite_pattern,
)

from lamina.context import weights_of
from lamina.dialects.graph import (
    AddOp,
    AvgPool2dOp,
    Conv2dOp,
    DequantizeOp,
    DivOp,
    GlobalAvgPoolOp,
    MulOp,
    QuantizeOp,
    ReduceOp,
    RequantizeOp,
    cast_type,
    inherit_source,
    layout_of,
    shape,
    tensor_type,
)
from lamina.dialects.graph.constants import constant, dtype_of_element
from lamina.passes._store_pattern import StorePattern
from lamina.passes.graph.expand_avg_pool import taps_inside
from lamina.passes.int8._parameters import bytes_before, mean_the_same, parameters
from lamina.weights import WeightStore

Mean = AvgPool2dOp | GlobalAvgPoolOp | ReduceOp

MOST_TAPS = 2**31 // 256
"""of a window whose sum fits 32 bits"""


def is_over_images(op: Mean) -> bool:
    """Whether `op` is a mean over windows of images, or over whole ones."""
    if not isinstance(op, ReduceOp):
        return True
    return op.kind.data == "mean" and list(op.axes.get_values()) == [2, 3] and _rank(op) == 4


def is_between_steps(op: Mean) -> bool:
    """
    Whether `op` is a mean of an even number of elements, which often lies between two steps: to
    which of them it is rounded, depends on how the real numbers were.
    """
    return isinstance(op, AvgPool2dOp) and prod(op.window()) % 2 == 0


def _rank(op: Mean) -> int:
    return len(shape(op.x))


class MeanPattern(StorePattern):
    """A pattern on means of bytes; with `even` also on those that often lie between two steps."""

    def __init__(self, store: WeightStore, even: bool) -> None:
        super().__init__(store)
        self.even = even

    def leaves(self, op: Mean) -> bool:
        """Whether `op` stays as it is, since its result depends on how real numbers are rounded."""
        return not self.even and is_between_steps(op)


class SumUpBytes(MeanPattern):
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
        if not is_over_images(op) or not layout_of(op.y.type).is_plain or self.leaves(op):
            return
        window = op.window() if isinstance(op, AvgPool2dOp) else shape(op.x)[2:]
        taps, zero = window[0] * window[1], int(found.zero.item())
        if not 0 < taps < MOST_TAPS or 0 in shape(op.y):
            return
        sums = sums_of(op, inner, zero, zero, self.store, rewriter)
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


def sums_of(
    op: Mean,
    inner: DequantizeOp,
    less: int,
    fill: int,
    store: WeightStore,
    rewriter: PatternRewriter,
) -> Conv2dOp:
    """The i32 sums of the integers in each window, each `less` smaller; outside lies `fill`."""
    slides = isinstance(op, AvgPool2dOp)
    window = op.window() if slides else shape(op.x)[2:]
    channels = shape(op.x)[1]
    ones = rewriter.insert(constant(np.ones((channels, 1, *window), np.int8), store))
    bias = None
    if less:
        offset = np.full(channels, -less * window[0] * window[1], np.int32)
        bias = rewriter.insert(constant(offset, store)).result
    return rewriter.insert(
        Conv2dOp(
            inner.x,
            ones.result,
            bias,
            strides=op.strides.get_values() if slides else (1, 1),
            pads=op.pads.get_values() if slides else (0, 0, 0, 0),
            dilations=op.dilation() if slides else (1, 1),
            groups=channels,
            fill=fill if slides and any(op.pads.get_values()) else 0,
            y=cast_type(op.y, i32),
        )
    )


class MeanOfBytes(MeanPattern):
    """
    quantize(avg_pool(dequantize(x, s, z)), s, z) -> requantize(conv2d(x, ones), 1 / n, 0), n is odd

    A mean of the stored numbers stands for the mean, and never lies between two steps.
    With `even`, n is any number.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: QuantizeOp, rewriter: PatternRewriter, /) -> None:
        mean = op.x.owner
        if not isinstance(mean, AvgPool2dOp) or not op.x.has_one_use() or self.leaves(mean):
            return
        inner = bytes_before(mean.x)
        found = parameters(inner, self.store) if inner is not None else None
        if inner is None or found is None or not found.is_one or not found.is_positive:
            return
        if not mean_the_same(inner, op, self.store) or not layout_of(op.y.type).is_plain:
            return
        taps, inside = prod(mean.window()), taps_inside(mean)
        all_count = mean.count_pads.value.data or (inside == taps).all()
        if not all_count or not 0 < taps < MOST_TAPS or 0 in shape(op.y):
            return
        sums = sums_of(mean, inner, 0, int(found.zero.item()), self.store, rewriter)
        dtype = dtype_of_element(tensor_type(op.zero).element_type)
        each = np.full((1, 1, 1, 1), 1 / taps, np.float32)
        scale = rewriter.insert(constant(each, self.store))
        zero = rewriter.insert(constant(np.zeros((1, 1, 1, 1), dtype), self.store))
        new = RequantizeOp(sums.y, scale.result, zero.result, op.y.type)
        inherit_source(new, op)
        rewriter.replace(op, new)
        rewriter.erase(mean)


class RoundStored(StorePattern):
    """
    quantize(avg_pool(dequantize(x)), s, z) -> requantize(avg_pool(dequantize(x)) / s + z, 1, 0)

    Of two steps equally near, the stored number is the even one, as in ONNX Runtime's kernels, not
    the one that is an even number of steps from the zero point.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: QuantizeOp, rewriter: PatternRewriter, /) -> None:
        mean, found = op.x.owner, parameters(op, self.store)
        if not isinstance(mean, AvgPool2dOp) or not is_between_steps(mean):
            return
        if found is None or not found.is_one or bytes_before(mean.x) is None:
            return
        zero, dtype = found.zero, dtype_of_element(tensor_type(op.zero).element_type)
        arrays = (zero.astype(np.float32), np.ones_like(found.scale), np.zeros_like(zero, dtype))
        more, one, none = (rewriter.insert(constant(a, self.store)).result for a in arrays)
        steps = rewriter.insert(DivOp(mean.y, op.scale, mean.y.type))
        stored = rewriter.insert(AddOp(steps.y, more, mean.y.type))
        new = RequantizeOp(stored.y, one, none, op.y.type)
        inherit_source(new, op)
        rewriter.replace(op, new)


@dataclass(frozen=True)
class Int8AveragePass(ModulePass):
    """
    Sum up the integers of windows that a mean is taken of, and scale the sums.

    graph.global_avg_pool (graph.dequantize %x, s, z) ->
    graph.dequantize (graph.conv2d %x, ones bias -z * n groups C), s / n

    No real number is made of the elements. The sums are exact, those before were rounded. A mean
    over a window that is stored as what it is made of, with the same scale and zero point, is that
    of the stored numbers.

    Means of an even number of elements stay real: many lie between two steps, but for the rounding
    of the real numbers, which says what is stored. The zero point is added before the number is
    rounded to a step, as in ONNX Runtime's kernels: of two steps equally near, what is stored is
    even, and may be one step apart from what the network says.
    """

    name = "int8-average"
    numerics: ClassVar[str] = "within a step"

    even: bool = False
    """whether means of an even number of elements are of integers, too, as in fixed point"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        store = weights_of(ctx)
        PatternRewriteWalker(MeanOfBytes(store, self.even)).rewrite_module(op)
        if not self.even:
            PatternRewriteWalker(RoundStored(store)).rewrite_module(op)
        PatternRewriteWalker(SumUpBytes(store, self.even)).rewrite_module(op)
