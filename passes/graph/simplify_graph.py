"""Rewrite ops to fewer or cheaper ones that compute the same numbers."""

from __future__ import annotations

from math import inf
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import BoolAttr, IntegerAttr, ModuleOp, i64
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)

from lamina.context import weights_of
from lamina.dialects.elements import FLOAT, kind_of
from lamina.dialects.graph import (
    AddOp,
    AvgPool2dOp,
    ClipOp,
    ConcatOp,
    Conv2dOp,
    DivOp,
    ExpOp,
    GlobalAvgPoolOp,
    MaximumOp,
    MinimumOp,
    MulOp,
    ReluOp,
    ReshapeOp,
    SigmoidOp,
    SoftmaxOp,
    SqrtOp,
    SubOp,
    TransposeOp,
    layout_of,
    shape,
    tensor_type,
)
from lamina.dialects.graph.constants import known
from lamina.dialects.graph.windows import ints
from lamina.passes.graph._simplify_movement import (
    BroadcastInsteadOfTile,
    ChannelsToPixels,
    PixelsToChannels,
    ShuffleToGather,
    SliceOfGather,
    TransposeMap,
    TransposeToMap,
    replace,
)
from lamina.weights import WeightStore

# -- activations


class DropReluOfPositive(RewritePattern):
    """relu(y) -> y, if y is never below zero: a relu, sigmoid, exp, sqrt, softmax or such a clip"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReluOp, rewriter: PatternRewriter, /) -> None:
        match op.x.owner:
            case ReluOp() | SigmoidOp() | ExpOp() | SqrtOp() | SoftmaxOp():
                positive = True
            case ClipOp() as clip:
                positive = clip.low.value.data >= 0
            case _:
                positive = False
        if positive and op.x.type == op.y.type:
            rewriter.replace(op, [], [op.x])


class ClipToRelu(RewritePattern):
    """clip(x, 0, inf) -> relu(x)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ClipOp, rewriter: PatternRewriter, /) -> None:
        if bounds(op) == (0.0, inf):
            replace(rewriter, op, ReluOp(op.x, op.y.type))


class MergeClips(RewritePattern):
    """clip(clip(x, a, b), c, d) -> clip(x, ...), a relu being clip(x, 0, inf)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ClipOp | ReluOp, rewriter: PatternRewriter, /) -> None:
        inner = op.x.owner
        # another reader keeps `inner`; then reading `x` twice instead would gain nothing
        if not isinstance(inner, ClipOp | ReluOp) or not op.x.has_one_use():
            return
        if isinstance(inner, ReluOp) and isinstance(op, ReluOp):
            return
        low, high = bounds(op)
        below, above = (min(max(bound, low), high) for bound in bounds(inner))
        replace(rewriter, op, ClipOp(inner.x, below, above, op.y.type))


class BoundToClip(RewritePattern):
    """maximum(x, c) -> clip(x, c, inf) and minimum(x, c) -> clip(x, -inf, c), if c is one number"""

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: MaximumOp | MinimumOp, rewriter: PatternRewriter, /) -> None:
        for x, other in ((op.a, op.b), (op.b, op.a)):
            c = number(other, self.store)
            floats = kind_of(tensor_type(x).element_type) == FLOAT
            if not floats or c is None or c != c or shape(x) != shape(op.y):
                continue
            low, high = (c, inf) if isinstance(op, MaximumOp) else (-inf, c)
            replace(rewriter, op, ClipOp(x, low, high, op.y.type))
            return


def bounds(op: ClipOp | ReluOp) -> tuple[float, float]:
    """The smallest and the largest value that `op` lets through."""
    return (op.low.value.data, op.high.value.data) if isinstance(op, ClipOp) else (0.0, inf)


def number(value: SSAValue, store: WeightStore) -> float | None:
    """The number that every element of a constant is."""
    found = known(value, store)
    if found is None or found.size == 0 or (found != found.flat[0]).any():
        return None
    return float(found.flat[0])


# -- arithmetic


class DropNeutralOperand(RewritePattern):
    """x + 0, x - 0, x * 1, x / 1 -> x, and 0 + x, 1 * x -> x"""

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    @op_type_rewrite_pattern
    def match_and_rewrite(
        self, op: AddOp | SubOp | MulOp | DivOp, rewriter: PatternRewriter, /
    ) -> None:
        neutral = 0.0 if isinstance(op, AddOp | SubOp) else 1.0
        pairs = [(op.a, op.b), (op.b, op.a)][: 2 if isinstance(op, AddOp | MulOp) else 1]
        for x, other in pairs:
            if x.type == op.y.type and number(other, self.store) == neutral:
                rewriter.replace(op, [], [x])
                return


class WholeWindowToGlobal(RewritePattern):
    """avg_pool2d(x) whose one window is all of x -> global_avg_pool(x)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AvgPool2dOp, rewriter: PatternRewriter, /) -> None:
        if op.window() == shape(op.x)[2:] and not any(op.pads.get_values()):
            replace(rewriter, op, GlobalAvgPoolOp(op.x, op.y.type))


class ZerosToPads(RewritePattern):
    """
    conv2d(concat(0, x, 0)) along height or width -> conv2d(x) with pads; so avg_pool2d; on
    integers any number instead of 0, if it is what is outside
    """

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: Conv2dOp | AvgPool2dOp, rewriter: PatternRewriter, /) -> None:
        concat = op.x.owner
        if not isinstance(concat, ConcatOp) or not layout_of(op.x.type).is_plain:
            return
        axis = concat.axis.value.data
        outside = self.outside(op, concat)
        zeros = [number(x, self.store) == outside for x in concat.xs]
        if axis < 2 or zeros.count(False) != 1:
            return
        # padding does not count in an average that has other padding that does not
        if isinstance(op, AvgPool2dOp) and not op.count_pads and any(op.pads.get_values()):
            return
        at = zeros.index(False)
        pads = list(op.pads.get_values())
        pads[axis - 2] += sum(shape(x)[axis] for x in concat.xs[:at])
        pads[axis] += sum(shape(x)[axis] for x in concat.xs[at + 1 :])
        new = op.clone()
        new.operands[0] = concat.xs[at]
        new.pads = ints(pads)
        if isinstance(new, AvgPool2dOp):
            new.count_pads = BoolAttr.from_bool(True)
        else:
            new.fill = IntegerAttr(int(outside), i64) if outside else None
        replace(rewriter, op, new)

    def outside(self, op: Conv2dOp | AvgPool2dOp, concat: ConcatOp) -> float:
        """What lies around the image; if nothing does yet, what the first constant would be."""
        if isinstance(op, AvgPool2dOp) or kind_of(tensor_type(op.x).element_type) == FLOAT:
            return 0
        if any(op.pads.get_values()):
            return op.outside()
        found = (number(x, self.store) for x in concat.xs)
        return next((n for n in found if n is not None), 0)


# -- movement


class DropConcatOfOne(RewritePattern):
    """concat(x) -> x"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ConcatOp, rewriter: PatternRewriter, /) -> None:
        if len(op.xs) == 1 and op.xs[0].type == op.y.type:
            rewriter.replace(op, [], [op.xs[0]])


class MergeReshapes(RewritePattern):
    """reshape(reshape(x)) -> reshape(x), or x if that has the type asked for"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReshapeOp, rewriter: PatternRewriter, /) -> None:
        x = inner.x if isinstance(inner := op.x.owner, ReshapeOp) else op.x
        if x.type == op.y.type:
            rewriter.replace(op, [], [x])
        elif x is not op.x:
            replace(rewriter, op, ReshapeOp(x, op.y.type))


class MergeTransposes(RewritePattern):
    """transpose(transpose(x, p), q) -> transpose(x, p[q]), or x if nothing moves"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: TransposeOp, rewriter: PatternRewriter, /) -> None:
        x, perm = op.x, list(op.perm.get_values())
        if isinstance(inner := op.x.owner, TransposeOp):
            first = inner.perm.get_values()
            x, perm = inner.x, [first[i] for i in perm]
        if perm == sorted(perm) and x.type == op.y.type:
            rewriter.replace(op, [], [x])
        elif x is not op.x:
            replace(rewriter, op, TransposeOp(x, perm, op.y.type))


class TransposeOfOnesToReshape(RewritePattern):
    """transpose(x) -> reshape(x), if only dimensions of size 1 change places"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: TransposeOp, rewriter: PatternRewriter, /) -> None:
        order = [i for i in op.perm.get_values() if shape(op.x)[i] != 1]
        if order == sorted(order):
            replace(rewriter, op, ReshapeOp(op.x, op.y.type))


class SimplifyGraphPass(ModulePass):
    """
    Drop ops that change nothing, and replace ops by cheaper ones that compute the same numbers.

    The numbers are the same but for the sign of zero, as x + 0 becomes x; the kernel of a cheaper
    op may sum up in another order.
    """

    name = "simplify-graph"
    numerics: ClassVar[str] = "tolerance 1e-5"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        store = weights_of(ctx)
        patterns: list[RewritePattern] = [
            DropReluOfPositive(),
            ClipToRelu(),
            MergeClips(),
            BoundToClip(store),
            DropNeutralOperand(store),
            WholeWindowToGlobal(),
            ZerosToPads(store),
            DropConcatOfOne(),
            MergeReshapes(),
            MergeTransposes(),
            TransposeOfOnesToReshape(),
            ShuffleToGather(),
            SliceOfGather(),
            TransposeMap(),
            TransposeToMap(),
            ChannelsToPixels(),
            PixelsToChannels(),
            BroadcastInsteadOfTile(),
        ]
        PatternRewriteWalker(GreedyRewritePatternApplier(patterns)).rewrite_module(op)
