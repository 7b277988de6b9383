"""Divide by constants by two products."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import FloatAttr, ModuleOp, f32
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)

NORMAL = np.finfo(np.float32).smallest_normal


def reciprocal(divisor: float) -> tuple[np.float32, np.float32] | None:
    """
    `1 / divisor` in f32, rounded towards zero, and the rest of it in f32; None if one of them has
    less than 24 bits.

    No part has the other's sign, so an infinite number times both is infinite, not NaN.
    """
    with np.errstate(all="ignore"):
        exact = np.float64(1) / np.float64(divisor)
        high = np.float32(exact)
        if not np.isfinite(high):
            return None
        if abs(high) > abs(exact):
            high = np.nextafter(high, np.float32(0))
        low = exact - high
    enough = abs(high) >= NORMAL and (low == 0 or abs(low) >= NORMAL)
    return (high, np.float32(low)) if enough else None


class Multiply(RewritePattern):
    """x / c  ->  fma(x, high, x * low) with high + low = 1 / c"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.DivfOp, rewriter: PatternRewriter, /) -> None:
        divisor = op.rhs.owner
        if not isinstance(divisor, arith.ConstantOp) or not isinstance(divisor.value, FloatAttr):
            return
        parts = reciprocal(divisor.value.value.data) if op.result.type == f32 else None
        if parts is None:
            return
        high, low = (self._number(part, rewriter) if part else None for part in parts)
        assert high is not None
        if low is None:  # a power of two
            rewriter.replace(op, arith.MulfOp(op.lhs, high))
        else:
            rest = rewriter.insert(arith.MulfOp(op.lhs, low))
            rewriter.replace(op, math.FmaOp(op.lhs, high, rest.result))
        if not divisor.result.uses:
            rewriter.erase(divisor)

    def _number(self, value: np.float32, rewriter: PatternRewriter) -> SSAValue:
        return rewriter.insert(arith.ConstantOp(FloatAttr(float(value), f32))).result


class TeDivideByConstantsPass(ModulePass):
    """
    Divide by constants by a product and a fused multiply-add: a division takes ten times as long.

    %y = arith.divf %x, 3.0  ->  %p = arith.mulf %x, 9.9e-9; %y = math.fma %x, 0.33333331, %p

    With a reciprocal of 48 bits the result is the quotient, rounded once, but for a few next to the
    middle of two numbers of f32 and for such as are so small that the product is subnormal:
    N. Brisebarre, J.-M. Muller, S. K. Raina, "Accelerating correctly rounded floating-point
    division when the divisor is known in advance", IEEE Transactions on Computers 53 (2004).
    """

    name = "te-divide-by-constants"
    numerics: ClassVar[str] = "tolerance 1e-6"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        PatternRewriteWalker(Multiply(), apply_recursively=False).rewrite_module(op)
