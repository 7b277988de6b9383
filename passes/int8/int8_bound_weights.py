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

EACH, PAIR = 64, 128
"""255 * 64 * 2 and 255 * 128 are at most 32767"""


def bound(w: np.ndarray) -> tuple[str, int] | None:
    """
    The attribute that holds for weights w[o, i, ..] and its value, if one does: no number is larger
    than 64, or no two neighbours among each four of the inputs are together larger than 128.
    """
    sizes = np.abs(w.astype(np.int16))
    if sizes.max(initial=0) <= EACH:
        return "lamina.abs_b", EACH
    inputs = sizes.shape[1]
    if inputs % 2:  # groups are filled up with zeros
        last = np.zeros_like(sizes[:, :1])
        sizes = np.concatenate([sizes, last], axis=1)
    pairs = sizes[:, 0::2] + sizes[:, 1::2]
    return ("lamina.pair_b", PAIR) if pairs.max(initial=0) <= PAIR else None


class Int8BoundWeightsPass(ModulePass):
    """
    Mark sums of products whose known weights are small: `lamina.abs_b = 64` says that none is
    larger, `lamina.pair_b = 128` that no two neighbours in a group of four inputs are together.

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
