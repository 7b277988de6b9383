"""Round and bound numbers as the real numbers that they are made again at once."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, f32, i32
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    op_type_rewrite_pattern,
)

from lamina.context import weights_of
from lamina.dialects.elements import integer_range
from lamina.dialects.graph import (
    AddOp,
    CastOp,
    ClipOp,
    DequantizeOp,
    MulOp,
    RequantizeOp,
    RoundOp,
    cast_type,
    inherit_source,
    layout_of,
    shape,
    tensor_type,
)
from lamina.dialects.graph.constants import constant
from lamina.passes._store_pattern import StorePattern
from lamina.passes.graph._numbers import number_in


class RoundReal(StorePattern):
    """
    dequantize(requantize(x: i32, s, z), t, y)
    ->  (round(clip(f32(x) * s, low - z, high - z)) + (z - y)) * t

    Nobody else reads the bytes, and z and y are written out; nothing is added where they are equal.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DequantizeOp, rewriter: PatternRewriter, /) -> None:
        inner = op.x.owner
        if not isinstance(inner, RequantizeOp) or not op.x.has_one_use():
            return
        zero, less = number_in(inner.zero), number_in(op.zero)
        alike = layout_of(inner.x.type) == layout_of(op.x.type) == layout_of(op.y.type)
        if tensor_type(inner.x).element_type != i32 or zero is None or less is None or not alike:
            return
        low, high = integer_range(tensor_type(op.zero).element_type)
        type = cast_type(op.y, f32)
        real = rewriter.insert(CastOp(inner.x, type))
        scaled = rewriter.insert(MulOp(real.y, inner.scale, type))
        within = rewriter.insert(ClipOp(scaled.y, low - zero, high - zero, type))
        steps = rewriter.insert(RoundOp(within.y, type)).y
        if more := int(zero - less):
            array = np.full((1,) * len(shape(op.x)), more, np.float32)
            number = rewriter.insert(constant(array, self.store))
            steps = rewriter.insert(AddOp(steps, number.result, type)).y
        if number_in(op.scale) == 1:
            rewriter.replace(op, [], [steps])
            return
        last = MulOp(steps, op.scale, op.y.type)
        inherit_source(last, op)
        rewriter.replace(op, last)


class Int8RoundInPlacePass(ModulePass):
    """
    Leave out the bytes between sums of integers and arithmetic on real numbers in one kernel.

    graph.dequantize (graph.requantize %x, %s, 3), %t, 3
    ->  graph.mul (graph.round (graph.clip (graph.mul (graph.cast %x), %s) between -3 and 252)), %t

    The numbers are the same, but for the sign of zero and scales that are not finite: six
    instructions instead of eleven for each vector. It follows outline-kernels, which writes zero
    points out.
    """

    name = "int8-round-in-place"
    numerics: ClassVar[str] = "exact of finite"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        PatternRewriteWalker(
            GreedyRewritePatternApplier([RoundReal(weights_of(ctx))])
        ).rewrite_module(op)
