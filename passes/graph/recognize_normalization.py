"""Recognise normalizations that are spelled out with means, differences and a square root."""

from __future__ import annotations

from dataclasses import dataclass
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

from lamina.context import weights_of
from lamina.dialects.graph import (
    AddOp,
    DivOp,
    GlobalAvgPoolOp,
    MulOp,
    NormalizeOp,
    ReduceOp,
    SqrtOp,
    SubOp,
    inherit_source,
)
from lamina.dialects.graph.constants import known
from lamina.weights import WeightStore


@dataclass(frozen=True)
class Rows:
    """The elements of `x` in rows along `axes`."""

    x: SSAValue
    axes: tuple[int, ...]


def mean_of(value: SSAValue) -> Rows | None:
    """The rows whose means `value` is."""
    match value.owner:
        case ReduceOp() as op if op.kind.data == "mean" and op.axes.get_values():
            return Rows(op.x, tuple(op.axes.get_values()))
        case GlobalAvgPoolOp() as op:
            return Rows(op.x, (2, 3))
        case _:
            return None


def centred(value: SSAValue) -> Rows | None:
    """The rows of which `value` is x - mean(x)."""
    op = value.owner
    if not isinstance(op, SubOp):
        return None
    rows = mean_of(op.b)
    return rows if rows and rows.x is op.a else None


def variance_of(value: SSAValue) -> Rows | None:
    """The rows whose variances `value` is: mean((x - mean(x)) * (x - mean(x)))."""
    squares = mean_of(value)
    if squares is None or not isinstance(product := squares.x.owner, MulOp):
        return None
    left, right = centred(product.a), centred(product.b)
    return left if left and left == right and left.axes == squares.axes else None


class RecognizeNormalization(RewritePattern):
    """d / sqrt(v + epsilon) and d * (1 / sqrt(v + epsilon)) -> normalize(x), where d = x - mean(x)
    and v = mean(d * d)"""

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DivOp | MulOp, rewriter: PatternRewriter, /) -> None:
        found = self.factors(op)
        if found is None:
            return
        rows, epsilon = found
        new = NormalizeOp(rows.x, rows.axes, epsilon, op.y.type)
        inherit_source(new, op)
        rewriter.replace(op, new)

    def factors(self, op: DivOp | MulOp) -> tuple[Rows, float] | None:
        """The rows that `op` normalizes, and epsilon."""
        if isinstance(op, DivOp):
            pairs = [(op.a, op.b)]
        else:
            inverses = [(op.a, self.inverted(op.b)), (op.b, self.inverted(op.a))]
            pairs = [(d, root) for d, root in inverses if root is not None]
        for difference, root in pairs:
            rows, deviation = centred(difference), self.deviation_of(root)
            if rows and deviation and deviation[0] == rows:
                return deviation
        return None

    def inverted(self, value: SSAValue) -> SSAValue | None:
        """The x of which `value` is 1 / x."""
        op = value.owner
        return op.b if isinstance(op, DivOp) and self.number(op.a) == 1 else None

    def deviation_of(self, value: SSAValue) -> tuple[Rows, float] | None:
        """The rows and epsilon of which `value` is sqrt(variance + epsilon)."""
        op = value.owner
        if not isinstance(op, SqrtOp) or not isinstance(sum := op.x.owner, AddOp):
            return None
        for variance, other in ((sum.a, sum.b), (sum.b, sum.a)):
            rows, epsilon = variance_of(variance), self.number(other)
            if rows and epsilon is not None and epsilon >= 0:
                return rows, epsilon
        return None

    def number(self, value: SSAValue) -> float | None:
        """The number that all elements of a constant are."""
        array = known(value, self.store)
        if array is None or array.size == 0 or (array != array.flat[0]).any():
            return None
        return float(array.flat[0])


class RecognizeNormalizationPass(ModulePass):
    """
    Make one op of (x - m) / sqrt(mean of (x - m)^2 + epsilon), as exporters spell it out.

    Layer, instance and group normalizations all become `graph.normalize`; their scales and shifts
    stay products and sums.
    """

    name = "recognize-normalization"
    numerics: ClassVar[str] = "tolerance 1e-5"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        # unused ops are dropped by the applier: what only the long form needed
        patterns = GreedyRewritePatternApplier([RecognizeNormalization(weights_of(ctx))])
        PatternRewriteWalker(patterns).rewrite_module(op)
