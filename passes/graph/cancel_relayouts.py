"""Remove relayouts that undo, repeat or do nothing."""

from __future__ import annotations

from typing import ClassVar

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

from lamina.dialects.graph import SOURCE, RelayoutOp


class DropIdentity(RewritePattern):
    """relayout(x: A -> A) -> x"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: RelayoutOp, rewriter: PatternRewriter, /) -> None:
        if op.x.type == op.y.type:
            rewriter.replace(op, [], [op.x])


class ComposePair(RewritePattern):
    """relayout(relayout(x: A -> B): B -> C) -> relayout(x: A -> C)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: RelayoutOp, rewriter: PatternRewriter, /) -> None:
        if not isinstance(inner := op.x.owner, RelayoutOp):
            return
        new = RelayoutOp(inner.x, op.y.type)
        if SOURCE in op.attributes:
            new.attributes[SOURCE] = op.attributes[SOURCE]
        rewriter.replace(op, new)


class ShareTwin(RewritePattern):
    """two relayouts of x to the same layout -> the first of them"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: RelayoutOp, rewriter: PatternRewriter, /) -> None:
        for use in list(op.x.uses):
            twin = use.operation
            if twin is op or not isinstance(twin, RelayoutOp) or twin.y.type != op.y.type:
                continue
            if twin.parent is op.parent and op.is_before_in_block(twin):
                rewriter.replace(twin, [], [op.y])


class CancelRelayoutsPass(ModulePass):
    """Remove relayouts that undo one another, are made twice, change nothing, or are not used."""

    name = "cancel-relayouts"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        patterns = GreedyRewritePatternApplier([DropIdentity(), ComposePair(), ShareTwin()])
        PatternRewriteWalker(patterns).rewrite_module(op)
