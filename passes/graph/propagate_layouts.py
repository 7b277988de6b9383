"""Let ops follow the layout of their inputs, so that relayouts move towards the outputs."""

from __future__ import annotations

from collections.abc import Sequence
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
    AvgPool2dOp,
    ConcatOp,
    ConstantOp,
    GlobalAvgPoolOp,
    InterleaveOp,
    MaxPool2dOp,
    NormalizeOp,
    PointwiseOp,
    RelayoutOp,
    layout_of,
    shape,
    stored_as,
)
from lamina.dialects.layout import Layout
from lamina.passes.graph._padding import CHANNELS
from lamina.passes.graph._whole_blocks import READERS, blocks_stay_whole


def may_follow(op: Operation, layout: Layout) -> bool:
    """Whether `op` can compute in `layout`, at no loss, if its operands come in it."""
    match op:
        case PointwiseOp():
            follows = True
        case MaxPool2dOp() | AvgPool2dOp() | GlobalAvgPoolOp():
            # a window reads what pads height and width in storage
            follows = all(layout.block(letter) == 1 for letter in layout.logical[CHANNELS + 1 :])
        case ConcatOp():
            # not at the price of blocks that two operands share
            axis = op.axis.value.data
            block = layout.block(layout.logical[axis])
            follows = all(shape(x)[axis] % block == 0 for x in op.xs)
        case InterleaveOp():
            # a block of its result is one of its operand
            block = layout.block(layout.logical[CHANNELS])
            follows = shape(op.y)[CHANNELS] // op.groups.value.data % block == 0
        case NormalizeOp():
            # the dimensions that are summed up stay whole
            follows = all(layout.block(layout.logical[d]) == 1 for d in op.axes.get_values())
        case _:
            follows = blocks_stay_whole(op, layout)
    return follows


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
    if isinstance(value.owner, ConstantOp) and shape(value)[1:2] == (1,):
        return value  # one number for all channels has nothing to block
    op = RelayoutOp(value, stored_as(value.type, layout))
    rewriter.insert(op)
    return op.y


class FollowOperands(RewritePattern):
    """op(relayout(x: A -> plain)) -> relayout(op(x): A -> plain)"""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        layout = self.incoming(op.operands)
        if layout is None or len(op.results) != 1 or not layout_of(op.results[0].type).is_plain:
            return
        if not may_follow(op, layout):
            return
        operands = [follow(x, layout, rewriter) for x in op.operands]
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
        """The blocked layout that some operand was unpacked from."""
        for x in operands:
            source = unpacked_from(x)
            if source is not None and not layout_of(source.type).is_plain:
                return layout_of(source.type).with_halo(())
        return None


class ReadBlocked(RewritePattern):
    """op(relayout(x: A -> plain)) -> op(x), where `op` reads elements one by one in any case"""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, READERS) or (source := unpacked_from(op.x)) is None:
            return
        op.operands[0] = source
        rewriter.notify_op_modified(op)


class PropagateLayoutsPass(ModulePass):
    """
    Let ops that work in any layout follow the blocked layout of their inputs.

    An op follows only where padding in storage stays zero, and where no channel block would be
    shared by two operands of a concat. What takes single elements reads them from blocks, even if
    its result is plain.
    """

    name = "propagate-layouts"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        # Forward order: one sweep carries a layout through a whole chain.
        patterns = GreedyRewritePatternApplier([FollowOperands(), ReadBlocked()])
        PatternRewriteWalker(patterns, apply_recursively=False).rewrite_module(op)
