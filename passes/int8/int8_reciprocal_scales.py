"""Multiply by reciprocals of scales instead of dividing by scales."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    op_type_rewrite_pattern,
)

from lamina.context import weights_of
from lamina.dialects.graph import (
    ConstantOp,
    FmaOp,
    MulOp,
    QuantizeOp,
    RequantizeOp,
    inherit_source,
)
from lamina.dialects.graph.constants import constant
from lamina.passes._store_pattern import StorePattern
from lamina.passes.int8._parameters import parameters


def reciprocal(scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    `1 / scale` in f32, rounded down, and the rest of it: so the rest is never negative, and an
    infinite number times both is infinite.
    """
    exact = 1 / scale.astype(np.float64)
    nearest = exact.astype(np.float32)
    high = np.where(nearest > exact, np.nextafter(nearest, np.float32(0)), nearest)
    return high, (exact - high).astype(np.float32)


class MultiplyInstead(StorePattern):
    """quantize(x, s, z) -> requantize(fma(x, high, x * low), 1, z) with high + low = 1 / s"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: QuantizeOp, rewriter: PatternRewriter, /) -> None:
        found = parameters(op, self.store)
        if isinstance(op.x.owner, Block | ConstantOp) or found is None or not found.is_positive:
            return
        high, low = reciprocal(found.scale)
        if not np.isfinite(high).all():
            return
        x, scale = op.x, self.number(high, "scale", rewriter)
        if low.any():
            rest = rewriter.insert(MulOp(x, self.number(low, "rest", rewriter), x.type))
            x = rewriter.insert(FmaOp(x, scale, rest.y, x.type)).y
            scale = self.number(np.ones_like(high), "one", rewriter)
        new = RequantizeOp(x, scale, op.zero, op.y.type)
        inherit_source(new, op)
        rewriter.replace(op, new)

    def number(self, array: np.ndarray, name: str, rewriter: PatternRewriter) -> SSAValue:
        """A constant."""
        result = rewriter.insert(constant(array, self.store)).result
        result.name_hint = name
        return result


class Int8ReciprocalScalesPass(ModulePass):
    """
    Quantize by products with the reciprocal of the scale: a division takes ten times as long.

    graph.quantize %x, s, z -> graph.requantize (fma(%x, h, %x * l)), 1, z with h + l = 1 / s

    With a reciprocal of 24 bits alone, bytes would be a step off where the quotient is next to a
    half. With 48 bits the result is the quotient, rounded once, but for some next to the middle of
    two numbers of f32: N. Brisebarre, J.-M. Muller, S. K. Raina, "Accelerating correctly rounded
    floating-point division when the divisor is known in advance", 2004. Inputs are divided as
    before, and so is all with `--numerics strict`.
    """

    name = "int8-reciprocal-scales"
    numerics: ClassVar[str] = "within a step"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        applier = GreedyRewritePatternApplier([MultiplyInstead(weights_of(ctx))])
        PatternRewriteWalker(applier).rewrite_module(op)
