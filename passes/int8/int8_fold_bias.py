"""Add what is added to sums of products of integers before they become real numbers."""

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
    op_type_rewrite_pattern,
)

from lamina.context import weights_of
from lamina.dialects.graph import (
    AddOp,
    Conv2dOp,
    DenseOp,
    DequantizeOp,
    inherit_source,
    shape,
)
from lamina.dialects.graph.constants import constant, known
from lamina.passes._store_pattern import StorePattern
from lamina.passes.int8._parameters import parameters
from lamina.passes.int8._sums import CLOSE
from lamina.passes.int8._weights import fits


class AddToBias(StorePattern):
    """dequantize(sum(x, w, b), s) + dequantize(c, s) -> dequantize(sum(x, w, b + c), s)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AddOp, rewriter: PatternRewriter, /) -> None:
        for total, more in ((op.a.owner, op.b.owner), (op.b.owner, op.a.owner)):
            if not isinstance(total, DequantizeOp) or not isinstance(more, DequantizeOp):
                continue
            sums, steps = total.x.owner, self.steps(total, more)
            alone = total.x.has_one_use() and total.y.has_one_use()
            if not isinstance(sums, Conv2dOp | DenseOp) or steps is None or not alone:
                continue
            bias = self.joined(sums, steps) if total.y.type == op.y.type else None
            if bias is None:
                continue
            new = rewriter.insert(constant(bias, self.store))
            new.result.name_hint = "bias"
            again = type(sums).create(
                operands=[sums.x, sums.w, new.result],
                properties=sums.properties,
                result_types=[sums.y.type],
            )
            last = DequantizeOp(rewriter.insert(again).results[0], total.scale, total.zero)
            inherit_source(last, op)
            rewriter.replace(op, last)
            return

    def steps(self, total: DequantizeOp, more: DequantizeOp) -> np.ndarray | None:
        """`more` in steps of `total`, one number a channel or one for all, if it is constant."""
        steps, p, q = known(more.x, self.store), *(parameters(d, self.store) for d in (total, more))
        if steps is None or steps.dtype != np.int32 or p is None or q is None:
            return None
        if p.zero.any() or q.zero.any() or steps.ndim < 2 or steps.shape[1] != steps.size:
            return None
        same = np.allclose(p.scale, q.scale, rtol=CLOSE, atol=0)
        return steps.reshape(-1) if same else None

    def joined(self, sums: Conv2dOp | DenseOp, steps: np.ndarray) -> np.ndarray | None:
        """The bias of the sums and `steps`, if all of that fits."""
        outputs, w = shape(sums.y)[1], known(sums.w, self.store)
        old = np.zeros(outputs, np.int32) if sums.bias is None else known(sums.bias, self.store)
        if w is None or old is None:
            return None
        new = old.astype(np.int64) + steps
        return new.astype(np.int32) if fits(w, new, -255, 255) else None


class Int8FoldBiasPass(ModulePass):
    """
    Let constants that are added in steps of a sum of products of integers be a part of its bias.

    graph.add (graph.dequantize (graph.dense %x, %w), s), (graph.dequantize %c, s)
    ->  graph.dequantize (graph.dense %x, %w bias %c), s

    The real numbers were rounded before they were added.
    """

    name = "int8-fold-bias"
    numerics: ClassVar[str] = "within a step"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        applier = GreedyRewritePatternApplier([AddToBias(weights_of(ctx))])
        PatternRewriteWalker(applier).rewrite_module(op)
