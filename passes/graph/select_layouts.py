"""Choose how each convolution and matrix product wants its tensors stored."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)

from lamina.dialects.graph import (
    SOURCE,
    Conv2dOp,
    DenseOp,
    RelayoutOp,
    layout_of,
    shape,
    stored_as,
)
from lamina.dialects.layout import Layout

BLOCK = 16
"""channels in a block: one AVX-512 register of f32, two AVX2 registers, one subgroup"""

FEWEST_CHANNELS = 8
"""below this, filling a block up with zeros would cost more than vectors over channels gain"""


def output_block(channels: int) -> int:
    """
    How many output channels the packed weights hold side by side: two blocks feed two accumulators
    from each broadcast, the best tile that was measured, else as many as divide the channels.
    """
    blocks = -(-channels // BLOCK)
    return BLOCK * next(n for n in (2, 3, 5, 1) if blocks % n == 0)


def convolution_layouts(op: Conv2dOp) -> tuple[Layout, Layout, Layout] | None:
    """Layouts of x, w and y; None where the plain ones are best."""
    channels, groups = shape(op.x)[1], op.groups.value.data
    outputs, inputs = shape(op.w)[0] // groups, shape(op.w)[1]
    blocked, plain = Layout.parse(f"NCHW{BLOCK}c"), Layout.plain(4)
    if groups == channels and outputs == 1 and channels >= FEWEST_CHANNELS:
        return blocked, Layout.parse(f"OIHW{BLOCK}o"), blocked
    if groups > 1 and (inputs % BLOCK or outputs % BLOCK):
        # half a register of each group at a time is slower than to unpack and to go along the width
        return None
    pixel = prod(shape(op.x)[2:]) == 1  # few numbers: a block costs less than to leave the layout
    if outputs < FEWEST_CHANNELS and not pixel:
        return None
    o = output_block(outputs)
    if inputs < FEWEST_CHANNELS and not pixel:
        return plain, Layout.parse(f"OIHW{o}o"), blocked
    return blocked, Layout.parse(f"OIHW{BLOCK}i{o}o"), blocked


def relayout(rewriter: PatternRewriter, value: SSAValue, layout: Layout) -> SSAValue:
    """`value` in `layout`, through a relayout at the insertion point where it differs."""
    if layout_of(value.type) == layout:
        return value
    op = RelayoutOp(value, stored_as(value.type, layout))
    op.y.name_hint = value.name_hint
    rewriter.insert(op)
    return op.y


class BlockConvolution(RewritePattern):
    """conv2d(x, w) -> relayout(conv2d(relayout(x), relayout(w))), with channels in blocks"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: Conv2dOp, rewriter: PatternRewriter, /) -> None:
        chosen = convolution_layouts(op)
        if chosen is None or layout_of(op.w.type) == chosen[1]:
            return
        x, w, y = chosen
        bias = op.bias
        if bias is not None and shape(bias)[0] % BLOCK:
            bias = relayout(rewriter, bias, Layout.parse(f"A{BLOCK}a"))
        blocked = Conv2dOp(
            relayout(rewriter, op.x, x),
            relayout(rewriter, op.w, w),
            bias,
            strides=op.strides.get_values(),
            pads=op.pads.get_values(),
            dilations=op.dilations.get_values(),
            groups=op.groups.value.data,
            y=stored_as(op.y.type, y),
        )
        blocked.attributes = dict(op.attributes)
        back = RelayoutOp(blocked.y, op.y.type)
        if SOURCE in op.attributes:
            back.attributes[SOURCE] = op.attributes[SOURCE]
        rewriter.replace(op, [blocked, back])
        blocked.y.name_hint = back.y.name_hint


class PackMatrix(RewritePattern):
    """dense(x, w) -> dense(x, relayout(w)): outputs side by side, one vector of them per input"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DenseOp, rewriter: PatternRewriter, /) -> None:
        if not layout_of(op.w.type).is_plain:
            return
        rows = shape(op.w)[0]
        width = BLOCK * min(8, -(-rows // BLOCK))  # 8 accumulators hide the latency of an fma
        op.operands[1] = relayout(rewriter, op.w, Layout.parse(f"AB{width}a"))
        rewriter.notify_op_modified(op)


@dataclass(frozen=True)
class SelectLayoutsPass(ModulePass):
    """
    Store activations of convolutions as NCHW16c and weights in the order the kernels read them.

    Relayouts around each op keep its neighbours unchanged; propagate-layouts and cancel-relayouts
    then remove those that are not needed.
    """

    name = "select-layouts"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        patterns = GreedyRewritePatternApplier([BlockConvolution(), PackMatrix()])
        PatternRewriteWalker(patterns, apply_recursively=False).rewrite_module(op)
