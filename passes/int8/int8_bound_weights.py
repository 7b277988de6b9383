"""Say which weights are so small that sums of two products fit 16 bits, or most of them do."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.passes import ModulePass

from lamina.context import weights_of
from lamina.dialects.graph import Conv2dOp, DenseOp
from lamina.dialects.graph.constants import known
from lamina.dialects.int8 import ABS_B, MOST, MOST_B, PAIR, PAIR_B

EACH = PAIR // 2
"""if no weight is larger, no two are together larger than PAIR"""
SOME = 16
"""outputs that are looked at together: wide copies of all weights would be large"""


def bound(w: np.ndarray) -> tuple[str, int] | None:
    """
    The attribute that holds for weights w[o, i, ..] and its value, if one does: none is larger than
    64; no two neighbours in a group of four are together larger than 128, or in most groups none
    are, be it a group of inputs or of places along the last dimension of a window.
    """
    if w.min(initial=0) >= -EACH and w.max(initial=0) <= EACH:
        return ABS_B, EACH
    share = share_that_fits(np.moveaxis(w, 1, -1))
    if w.ndim > 2 and w.shape[-1] % 4 == 0:
        share = min(share, share_that_fits(w))
    if share == 1:
        return PAIR_B, PAIR
    return (MOST_B, MOST) if 100 * share >= MOST else None


def share_that_fits(w: np.ndarray) -> float:
    """In which share of the groups of four in the last dimension both sums of two are small."""
    groups = w.size // max(1, w.shape[-1]) * -(-w.shape[-1] // 4)
    large = sum(count_of_large(w[o : o + SOME]) for o in range(0, len(w), SOME))
    return 1 - large / max(1, groups)


def count_of_large(w: np.ndarray) -> int:
    """How many groups of four in the last dimension have a sum of two that is large."""
    if missing := -w.shape[-1] % 4:  # zeros fill groups up
        w = np.concatenate([w, np.zeros((*w.shape[:-1], missing), np.int8)], axis=-1)
    w = np.ascontiguousarray(w)
    large = np.abs(np.add(w[..., 0::2], w[..., 1::2], dtype=np.int16)) > PAIR
    return int(np.count_nonzero(large[..., 0::2] | large[..., 1::2]))


class Int8BoundWeightsPass(ModulePass):
    """
    Mark sums of products whose known weights are small: `lamina.abs_b = 64` says that none is
    larger, `lamina.pair_b = 128` that no two neighbours in a group of four, b[0] + b[1] and
    b[2] + b[3], are together, `lamina.most_b = 98` that in 98 of 100 groups none are, or more.

    graph.dense %x, %w  ->  graph.dense %x, %w {lamina.abs_b = 64}

    With one of the first two, sums of two products of an unsigned byte and a weight fit 16 bits, so
    instructions that saturate there are exact; with the third it is worth to look, step by step.
    """

    name = "int8-bound-weights"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        store = weights_of(ctx)
        for each in op.walk():
            if not isinstance(each, Conv2dOp | DenseOp):
                continue
            w = known(each.w, store)
            if w is not None and w.dtype == np.int8 and (found := bound(w)) is not None:
                name, value = found
                each.attributes[name] = IntegerAttr(value, i64)
