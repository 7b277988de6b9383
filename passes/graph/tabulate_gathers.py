"""Let gathers of scattered indices read them from a table."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)

from lamina.context import weights_of
from lamina.dialects.graph import GatherOp, TakeOp, inherit_source
from lamina.dialects.graph.constants import constant
from lamina.passes.graph._lower_slicing import runs_of
from lamina.weights import WeightStore

MOST_RUNS = 8
"""with more arithmetic progressions of indices than this, code for each takes long to compile"""


class TabulateGather(RewritePattern):
    """gather axis 1 [7, 2, 40, ...] x -> take axis 1 x at constant [7, 2, 40, ...]"""

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GatherOp, rewriter: PatternRewriter, /) -> None:
        indices = op.indices.get_values()
        if len(runs_of(indices)) <= MOST_RUNS:
            return
        table = constant(np.array(indices, np.int32), self.store)
        new = TakeOp(op.x, op.axis.value.data, table.result, op.y.type)
        inherit_source(new, op)
        rewriter.replace(op, [table, new])


class TabulateGathersPass(ModulePass):
    """
    Let gathers of scattered indices read them from a table, a constant beside the weights.

    %y = graph.gather axis 1 [7, 2, 40, ...] %x
    ->
    %i = graph.constant dense<[7, 2, 40, ...]>; %y = graph.take axis 1 %x at %i

    Indices in a few arithmetic progressions, as of a shuffle, stay part of the formula.
    """

    name = "tabulate-gathers"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        PatternRewriteWalker(TabulateGather(weights_of(ctx))).rewrite_module(op)
