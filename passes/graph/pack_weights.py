"""Store constants the way their kernels read them."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)

from lamina.context import weights_of
from lamina.dialects.graph import ConstantOp, RelayoutOp, layout_of, shape
from lamina.dialects.graph.constants import key_of
from lamina.dialects.layout import Layout
from lamina.weights import WeightStore


def relaid(array: np.ndarray, size: tuple[int, ...], old: Layout, new: Layout) -> np.ndarray:
    """The storage of a tensor in layout `new`, from its storage in layout `old`; may be a view."""
    return new.view_array(array if old.is_plain else old.invert_array(array, size))


class StoreNumbers(RewritePattern):
    """constant of numbers written out -> constant of the key under which the store has them"""

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ConstantOp, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op.value, StringAttr):
            rewriter.replace(op, ConstantOp(key_of(op, self.store), op.result.type))


class FoldRelayout(RewritePattern):
    """relayout(constant) -> constant, its array derived when it is first needed"""

    def __init__(self, store: WeightStore) -> None:
        self.store = store

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: RelayoutOp, rewriter: PatternRewriter, /) -> None:
        constant = op.x.owner
        if not isinstance(constant, ConstantOp) or not isinstance(constant.value, StringAttr):
            return
        old, new, size = layout_of(op.x.type), layout_of(op.y.type), shape(op.x)
        store, key = self.store, constant.value.data
        packed = store.derive(
            f"{old} -> {new} of {list(size)}", [key], lambda: relaid(store.get(key), size, old, new)
        )
        rewriter.replace(op, ConstantOp(packed, op.y.type))


class PackWeightsPass(ModulePass):
    """
    Fold relayouts of constants: weights are packed at compile time into the order kernels read.

    An array in the store has the storage shape of its constant's layout.
    """

    name = "pack-weights"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        store = weights_of(ctx)
        patterns = GreedyRewritePatternApplier([StoreNumbers(store), FoldRelayout(store)])
        PatternRewriteWalker(patterns).rewrite_module(op)
