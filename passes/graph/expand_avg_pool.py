"""Turn means that count only elements inside into means that count all, times a constant."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import BoolAttr, ModuleOp, TensorType, f32
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)

from lamina.context import weights_of
from lamina.dialects.graph import SOURCE, AvgPool2dOp, ConstantOp, MulOp, shape
from lamina.weights import WeightStore


def taps_inside(op: AvgPool2dOp) -> np.ndarray:
    """How many taps of each window lie inside the input, [height, width]."""
    counts: list[np.ndarray] = []
    taps = [np.arange(k) * gap for k, gap in zip(op.window(), op.dilation(), strict=True)]
    for size, out, tap, stride, (before, _) in zip(
        shape(op.x)[2:],
        shape(op.y)[2:],
        taps,
        op.strides.get_values(),
        op.sides(),
        strict=True,
    ):
        at = np.arange(out)[:, None] * stride + tap - before
        counts.append(((at >= 0) & (at < size)).sum(axis=1))
    return np.multiply.outer(*counts)


class CountAllTaps(RewritePattern):
    """mean over taps inside -> mean over all taps * (number of taps / number inside)"""

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AvgPool2dOp, rewriter: PatternRewriter, /) -> None:
        if op.count_pads.value.data:
            return
        kernel = op.kernel.get_values()
        inside, every = taps_inside(op), kernel[0] * kernel[1]
        pool = op.clone()
        pool.count_pads = BoolAttr.from_bool(True)
        if (inside == every).all():
            rewriter.replace(op, pool)
            return
        pool.attributes.pop(SOURCE, None)
        with np.errstate(divide="ignore"):  # a window with no element inside: 0 * inf is its NaN
            factor = (every / inside).astype(np.float32)[None, None]
        constant = ConstantOp(self.store.put(factor), TensorType(f32, factor.shape))
        scaled = MulOp(pool.y, constant.result, op.y.type)
        if SOURCE in op.attributes:
            scaled.attributes[SOURCE] = op.attributes[SOURCE]
        rewriter.replace(op, [pool, constant, scaled])


class ExpandAvgPoolPass(ModulePass):
    """
    Spell a mean over the elements inside as a mean over all taps times a constant per position.

    The constant is a small table; where no window leaves the input, there is none.
    """

    name = "expand-avg-pool"
    numerics: ClassVar[str] = "tolerance 1e-6"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        PatternRewriteWalker(CountAllTaps(weights_of(ctx))).rewrite_module(op)
