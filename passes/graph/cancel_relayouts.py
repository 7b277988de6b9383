"""Remove relayouts that undo, repeat or do nothing."""

from __future__ import annotations

from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)

from lamina.dialects.graph import SOURCE, ConstantOp, RelayoutOp
from lamina.passes.graph._any_layout import MOVERS


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


class WriteAsNeeded(RewritePattern):
    """relayout(op(x): A -> B) -> op(x): B, where `op` only moves elements and is read once"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: RelayoutOp, rewriter: PatternRewriter, /) -> None:
        mover = op.x.owner
        if not isinstance(mover, MOVERS) or not op.x.has_one_use():
            return
        new = type(mover).create(
            operands=mover.operands,
            properties=mover.properties,
            attributes=mover.attributes | op.attributes,
            result_types=[op.y.type],
        )
        new.results[0].name_hint = op.y.name_hint
        rewriter.replace(op, new)


class ReadAsStored(RewritePattern):
    """op(relayout(x)) -> op(x), where `op` only moves elements"""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, MOVERS):
            return
        for i, x in enumerate(op.operands):
            if isinstance(x.owner, RelayoutOp) and not isinstance(x.owner.x.owner, ConstantOp):
                op.operands[i] = x.owner.x
                rewriter.notify_op_modified(op)


class CancelRelayoutsPass(ModulePass):
    """
    Remove relayouts that undo one another, are made twice, change nothing, or are not used.

    What only moves elements does the work of the relayouts beside it, if it reads and writes other
    layouts than before.
    """

    name = "cancel-relayouts"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        patterns = GreedyRewritePatternApplier(
            [DropIdentity(), ComposePair(), ShareTwin(), WriteAsNeeded(), ReadAsStored()]
        )
        PatternRewriteWalker(patterns).rewrite_module(op)
