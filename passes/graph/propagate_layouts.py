"""Let ops follow the layout of their inputs, so that relayouts move towards the outputs."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
)

from lamina.dialects.graph import (
    SOURCE,
    ConstantOp,
    ReduceOp,
    RelayoutOp,
    ResampleOp,
    SampleOp,
    layout_of,
    shape,
    stored_as,
)
from lamina.dialects.layout import Layout
from lamina.passes.graph._any_layout import MOVERS
from lamina.passes.graph._layout_rules import may_follow, nothing_to_block


def unpacked_from(value: SSAValue) -> SSAValue | None:
    """The blocked tensor that `value` is the plain form of, if a relayout made it."""
    if isinstance(value.owner, RelayoutOp) and layout_of(value.type).is_plain:
        return value.owner.x
    return None


def follow(value: SSAValue, layout: Layout, rewriter: PatternRewriter) -> SSAValue:
    """`value` in `layout`: what it was unpacked from, or a relayout of it."""
    source = unpacked_from(value)
    if source is not None and layout_of(source.type) == layout:
        return source
    if nothing_to_block(value, layout):
        return value  # one number for all channels is read as it is
    op = RelayoutOp(value, stored_as(value.type, layout))
    rewriter.insert(op)
    return op.y


class FollowOperands(RewritePattern):
    """op(relayout(x: A -> plain)) -> relayout(op(x): A -> plain)"""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        # tables are read as they are
        own = op.operands[:1] if isinstance(op, ResampleOp | SampleOp) else op.operands
        layout = self.incoming(own)
        if layout is None or len(op.results) != 1 or not layout_of(op.results[0].type).is_plain:
            return
        if not may_follow(op, layout):
            return
        operands = [*(follow(x, layout, rewriter) for x in own), *op.operands[len(own) :]]
        y = op.results[0]
        new = type(op).create(
            operands=operands,
            properties=op.properties,
            attributes=op.attributes,
            result_types=[stored_as(y.type, layout)],
        )
        back = RelayoutOp(new.results[0], y.type)
        if SOURCE in op.attributes:
            back.attributes[SOURCE] = op.attributes[SOURCE]
        rewriter.replace(op, [new, back])
        new.results[0].name_hint = back.y.name_hint

    def incoming(self, operands: Sequence[SSAValue]) -> Layout | None:
        """The blocked layout that operands were unpacked from, if most of the elements were."""
        sources = {x: source for x in operands if (source := unpacked_from(x)) is not None}
        blocked = {x: s for x, s in sources.items() if not layout_of(s.type).is_plain}
        if not blocked:
            return None
        found = layout_of(next(iter(blocked.values())).type).with_halo(())
        plain = [
            prod(shape(x))
            for x in operands
            if x not in blocked
            and not isinstance(x.owner, ConstantOp)
            and not nothing_to_block(x, found)
        ]
        return found if sum(prod(shape(x)) for x in blocked) >= sum(plain) else None


class ReadBlocked(RewritePattern):
    """op(relayout(x: A -> plain)) -> op(x), where `op` reads elements one by one in any case"""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, (*MOVERS, ReduceOp, ResampleOp, SampleOp)):
            return
        for i, x in enumerate(op.operands):
            if (source := unpacked_from(x)) is not None:
                op.operands[i] = source
                rewriter.notify_op_modified(op)


class PropagateLayoutsPass(ModulePass):
    """
    Let ops that work in any layout follow the blocked layout of their inputs.

    An op follows the layout that most elements of its operands are in. What windows slide over and
    what is summed up stays whole. Ops that only move elements read each operand where it lies, in
    blocks or not; so do sums, even if their result is plain.
    """

    name = "propagate-layouts"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        # Forward order: one sweep carries a layout through a whole chain.
        patterns = GreedyRewritePatternApplier([FollowOperands(), ReadBlocked()])
        PatternRewriteWalker(patterns, apply_recursively=False).rewrite_module(op)
