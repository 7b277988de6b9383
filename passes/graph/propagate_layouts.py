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
    AlongAxisOp,
    AvgPool2dOp,
    GlobalAvgPoolOp,
    MaxPool2dOp,
    NormalizeOp,
    PointwiseOp,
    ReduceOp,
    RelayoutOp,
    ResampleOp,
    TransposeOp,
    layout_of,
    shape,
    stored_as,
)
from lamina.dialects.layout import Layout
from lamina.passes.graph._any_layout import MOVERS
from lamina.passes.graph._padding import CHANNELS


def may_follow(op: Operation, layout: Layout) -> bool:
    """Whether `op` can compute in `layout`, at no loss, if its operands come in it."""
    match op:
        case PointwiseOp():
            return True
        case MaxPool2dOp() | AvgPool2dOp() | GlobalAvgPoolOp():
            # a window reads what pads height and width in storage
            return all(layout.block(letter) == 1 for letter in layout.logical[CHANNELS + 1 :])
        case ReduceOp() | ResampleOp():
            # one number of a block would be a block of zeros but for it
            return all(layout.block(layout.logical[d]) == 1 for d in op.axes.get_values())
        case NormalizeOp():
            return sums_up_blocks(op.x, op.axes.get_values(), layout)
        case AlongAxisOp():
            return sums_up_blocks(op.x, [op.axis.value.data], layout)
        case TransposeOp():
            return False  # its result has other dimensions
        case _:
            return isinstance(op, MOVERS) and not leaves_few(op, layout)


def sums_up_blocks(x: SSAValue, dims: Sequence[int], layout: Layout) -> bool:
    """Whether sums of `x` along `dims` are mostly sums of whole blocks, if not of other numbers."""
    blocks = [layout.block(layout.logical[d]) for d in dims]
    return all(b == 1 or shape(x)[d] >= 2 * b for d, b in zip(dims, blocks, strict=True))


def leaves_few(op: Operation, layout: Layout) -> bool:
    """Whether blocks would be mostly padding that was mostly elements before `op`."""
    old, new = shape(op.operands[0]), shape(op.results[0])
    blocks = map(layout.block, layout.logical)
    return any(m < n and m < b // 2 for n, m, b in zip(old, new, blocks, strict=True))


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
    blocked = [d for d, letter in enumerate(layout.logical) if layout.block(letter) > 1]
    if len(shape(value)) != layout.rank:
        return value  # indices beside a map
    if all(shape(value)[d] == 1 for d in blocked):
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
        tables = op.operands[1:] if isinstance(op, ResampleOp) else ()
        operands = [x if x in tables else follow(x, layout, rewriter) for x in op.operands]
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
        if not isinstance(op, (*MOVERS, ReduceOp, ResampleOp)):
            return
        for i, x in enumerate(op.operands):
            if (source := unpacked_from(x)) is not None:
                op.operands[i] = source
                rewriter.notify_op_modified(op)


class PropagateLayoutsPass(ModulePass):
    """
    Let ops that work in any layout follow the blocked layout of their inputs.

    What windows slide over and what is summed up stays whole. Ops that only move elements read each
    operand where it lies, in blocks or not; so do sums, even if their result is plain.
    """

    name = "propagate-layouts"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        # Forward order: one sweep carries a layout through a whole chain.
        patterns = GreedyRewritePatternApplier([FollowOperands(), ReadBlocked()])
        PatternRewriteWalker(patterns, apply_recursively=False).rewrite_module(op)
