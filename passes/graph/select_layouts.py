"""Choose how tensors of the whole network are stored."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)
from xdsl.utils.exceptions import PassFailedException

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
from lamina.passes.graph._layout_apply import apply
from lamina.passes.graph._layout_blocks import BLOCK
from lamina.passes.graph._layout_candidates import usual_layouts
from lamina.passes.graph._layout_choice import SEARCHES, Choice, choose
from lamina.passes.graph._layout_devices import Devices
from lamina.passes.graph._layout_search import BOUND
from lamina.passes.graph._layout_workload import FOUR, width_of

BY_RULE = "blocked"


def relayout(rewriter: PatternRewriter, value: SSAValue, layout: Layout) -> SSAValue:
    """`value` in `layout`, through a relayout at the insertion point where it differs."""
    if layout_of(value.type) == layout:
        return value
    op = RelayoutOp(value, stored_as(value.type, layout))
    op.y.name_hint = value.name_hint
    rewriter.insert(op)
    return op.y


@dataclass(frozen=True)
class BlockConvolution(RewritePattern):
    """conv2d(x, w) -> relayout(conv2d(relayout(x), relayout(w))), with channels in blocks"""

    devices: Devices

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: Conv2dOp, rewriter: PatternRewriter, /) -> None:
        chosen = usual_layouts(op, self.devices.of(op).packing)
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
            fill=op.outside(),
            y=stored_as(op.y.type, y),
        )
        blocked.attributes = dict(op.attributes)
        back = RelayoutOp(blocked.y, op.y.type)
        if SOURCE in op.attributes:
            back.attributes[SOURCE] = op.attributes[SOURCE]
        rewriter.replace(op, [blocked, back])
        blocked.y.name_hint = back.y.name_hint


@dataclass(frozen=True)
class PackMatrix(RewritePattern):
    """
    dense(x, w) -> dense(x, relayout(w)): outputs side by side, one vector of them per input; of
    bytes per group of four inputs, if x is nothing but such groups
    """

    devices: Devices

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DenseOp, rewriter: PatternRewriter, /) -> None:
        if not layout_of(op.w.type).is_plain:
            return
        rows = shape(op.w)[0]
        # 8 accumulators hide the latency of an fma; a subgroup has one, and other threads
        costs = self.devices.of(op)
        most = 8 if costs.machine.kind == "cpu" else 1
        width = BLOCK * min(most, -(-rows // BLOCK))
        bytes = costs.packing.fours and width_of(op.x) == width_of(op.w) == 1
        in_fours = bytes and shape(op.w)[1] % FOUR == 0
        packed = f"AB{width}a{FOUR}b" if in_fours else f"AB{width}a"
        op.operands[1] = relayout(rewriter, op.w, Layout.parse(packed))
        rewriter.notify_op_modified(op)


@dataclass(frozen=True)
class SelectLayoutsPass(ModulePass):
    """
    Store every activation in the layout that makes the whole network fastest.

    %y = graph.conv2d %x, %w ... -> tensor<1x64x8x8xf32>
    ->  %y = graph.conv2d %a, %b ... -> tensor<1x64x8x8xf32, #graph.layout<NCHW16c>>

    Each convolution has candidates, each op that has no preference takes the layouts that its rule
    allows, and where neighbours disagree a transform costs time: the sum of all is minimized. Where
    the exact search would need a larger table than `bound`, a heuristic is used and a remark says
    so. A CPU and a graphics processor each have candidates and costs of their own. Weights get the
    order in which the kernels read them. `blocked` decides for each convolution alone and puts
    relayouts around it, which propagate-layouts and cancel-relayouts remove.
    """

    name = "select-layouts"
    numerics: ClassVar[str] = "exact"

    target: str = "cpu"
    """the machine to choose for: `cpu`, `cpu:haswell`, `opencl:portable`, ..."""
    search: str = "exact"
    """`exact` or `heuristic`; `greedy`: each convolution its own best; `nchw`, `nhwc`; `blocked`"""
    bound: int = BOUND
    """numbers in the largest table of the exact search"""
    tiles: bool = False
    """whether winograd-convolutions follows, which makes some convolutions in blocks faster"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        devices = Devices(self.target, self.tiles, self.name)
        patterns: list[RewritePattern] = [PackMatrix(devices)]
        if self.search == BY_RULE:
            patterns.append(BlockConvolution(devices))
        else:
            for f, choice in self.choose(op):
                self.remark(f, choice)
                apply(f, choice.candidates)
        walker = PatternRewriteWalker(
            GreedyRewritePatternApplier(patterns), apply_recursively=False
        )
        walker.rewrite_module(op)

    def choose(self, op: ModuleOp) -> list[tuple[FuncOp, Choice]]:
        """What would be chosen for each function that has convolutions."""
        how = self.search
        if how not in SEARCHES:
            known = ", ".join((*SEARCHES, BY_RULE))
            raise PassFailedException(f"{self.name}: search is one of {known}, got '{how}'")
        devices = Devices(self.target, self.tiles, self.name)
        functions = [f for f in op.ops if isinstance(f, FuncOp) and not f.is_declaration]
        choices = [(f, choose(f, devices, how, self.bound)) for f in functions]
        return [(f, choice) for f, choice in choices if choice.candidates]

    def remark(self, f: FuncOp, choice: Choice) -> None:
        """Say that a function was too much for the exact search."""
        if self.search == "exact" and not choice.found.exact:
            logging.getLogger("lamina").warning(
                "lamina: remark: %s: the exact search for @%s needs a table of %d numbers, bound is"
                " %d; its layouts are those of a heuristic",
                *(self.name, f.sym_name.data, choice.found.table, self.bound),
            )
