"""Round and bound numbers as the real numbers that they are made again at once."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, f32, i32
from xdsl.ir import SSAValue
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
    SubOp,
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
    dequantize(requantize(x: i32, s, z), t, y) -> (clip(round(f32(x) * s) + z, low, high) - y) * t

    Nobody else reads the bytes, and z and y are written out. What has no effect is left out.
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
        steps = rewriter.insert(RoundOp(scaled.y, type)).y
        if zero:
            steps = rewriter.insert(AddOp(steps, self.number(zero, op, rewriter), type)).y
        steps = rewriter.insert(ClipOp(steps, low, high, type)).y
        if less:
            steps = rewriter.insert(SubOp(steps, self.number(less, op, rewriter), type)).y
        if number_in(op.scale) == 1:
            rewriter.replace(op, [], [steps])
            return
        last = MulOp(steps, op.scale, op.y.type)
        inherit_source(last, op)
        rewriter.replace(op, last)

    def number(self, value: float, op: DequantizeOp, rewriter: PatternRewriter) -> SSAValue:
        """A real constant of one element, of the rank of what `op` reads."""
        array = np.full((1,) * len(shape(op.x)), value, np.float32)
        return rewriter.insert(constant(array, self.store)).result


class Int8RoundInPlacePass(ModulePass):
    """
    Leave out the bytes between sums of integers and arithmetic on real numbers in one kernel.

    graph.dequantize (graph.requantize %x, %s, 3), %t, 0
    ->  graph.mul (graph.clip (graph.add (graph.round (graph.mul (graph.cast %x), %s)), 3) ..), %t

    The numbers are the same, but for the sign of zero and scales that are not finite: six
    instructions instead of eleven for each vector. Bounds are those of 8 bits, so that kernels with
    other zero points differ in a number only. It follows outline-kernels, which writes zero points
    out.
    """

    name = "int8-round-in-place"
    numerics: ClassVar[str] = "exact of finite"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        PatternRewriteWalker(
            GreedyRewritePatternApplier([RoundReal(weights_of(ctx))])
        ).rewrite_module(op)
