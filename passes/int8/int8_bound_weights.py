"""Say which weights are so small that sums of two products fit 16 bits."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.passes import ModulePass

from lamina.context import weights_of
from lamina.dialects.graph import Conv2dOp, DenseOp
from lamina.dialects.graph.constants import known
from lamina.dialects.int8 import ABS_B, PAIR_B

EACH, PAIR = 64, 128
"""255 * 64 * 2 and 255 * 128 are at most 32767"""
SOME = 16
"""outputs that are looked at together: most weights are told from the first"""


def bound(w: np.ndarray) -> tuple[str, int] | None:
    """
    The attribute that holds for weights w[o, i, ..] and its value, if one does: no number is larger
    than 64, or no two neighbours in a group of four are together larger than 128, be it a group of
    inputs or of places along the last dimension of a window.
    """
    if w.min(initial=0) >= -EACH and w.max(initial=0) <= EACH:
        return ABS_B, EACH
    small = all(pairs_are_small(w[o : o + SOME]) for o in range(0, len(w), SOME))
    return (PAIR_B, PAIR) if small else None


def pairs_are_small(w: np.ndarray) -> bool:
    """Whether no two neighbours in a group of four, either way, are together larger than 128."""
    sizes = np.abs(w.astype(np.int16))
    pairs = largest_pair(np.moveaxis(sizes, 1, -1))
    if sizes.ndim > 2 and sizes.shape[-1] % 4 == 0:
        pairs = max(pairs, largest_pair(sizes))
    return pairs <= PAIR


def largest_pair(sizes: np.ndarray) -> int:
    """The largest sum of two neighbours in the last dimension, the first at an even place."""
    if sizes.shape[-1] % 2:  # groups are filled up with zeros
        sizes = np.concatenate([sizes, np.zeros_like(sizes[..., :1])], axis=-1)
    return int((sizes[..., 0::2] + sizes[..., 1::2]).max(initial=0))


class Int8BoundWeightsPass(ModulePass):
    """
    Mark sums of products whose known weights are small: `lamina.abs_b = 64` says that none is
    larger, `lamina.pair_b = 128` that no two neighbours in a group of four are together.

    graph.dense %x, %w  ->  graph.dense %x, %w {lamina.abs_b = 64}

    With either, sums of two products of an unsigned byte and a weight fit 16 bits, so instructions
    that saturate there are exact.
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
