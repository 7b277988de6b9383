"""Multiply by reciprocals of scales instead of dividing by scales."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    op_type_rewrite_pattern,
)

from lamina.context import weights_of
from lamina.dialects.graph import ConstantOp, QuantizeOp, RequantizeOp, inherit_source
from lamina.dialects.graph.constants import constant
from lamina.passes._store_pattern import StorePattern
from lamina.passes.int8._parameters import parameters


class MultiplyInstead(StorePattern):
    """quantize(x, s, z) -> requantize(x, 1 / s, z)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: QuantizeOp, rewriter: PatternRewriter, /) -> None:
        found = parameters(op, self.store)
        if isinstance(op.x.owner, Block | ConstantOp) or found is None or not found.is_positive:
            return
        by = rewriter.insert(constant(np.float32(1) / found.scale, self.store))
        by.result.name_hint = "scale"
        new = RequantizeOp(op.x, by.result, op.zero, op.y.type)
        inherit_source(new, op)
        rewriter.replace(op, new)


class Int8ReciprocalScalesPass(ModulePass):
    """
    Quantize by a product with the reciprocal of the scale: a division takes ten times as long.

    graph.quantize %x, s, z -> graph.requantize %x, 1 / s, z

    The reciprocal is rounded: where the quotient is next to a half, the result is one step apart.
    Inputs are divided as before, and so is all with `--numerics strict`.
    """

    name = "int8-reciprocal-scales"
    numerics: ClassVar[str] = "within a step"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        applier = GreedyRewritePatternApplier([MultiplyInstead(weights_of(ctx))])
        PatternRewriteWalker(applier).rewrite_module(op)
