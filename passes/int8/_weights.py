"""Weights of quantized networks as integers, less their zero points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.ir import Block, Operation

from lamina.dialects.graph import DequantizeOp
from lamina.dialects.graph.constants import known
from lamina.passes.int8._parameters import parameters
from lamina.weights import WeightStore


@dataclass(frozen=True)
class Weights:
    """Integers, and what a step of them is worth."""

    array: np.ndarray
    """i32, outputs first, zero points subtracted"""
    scale: np.ndarray
    """f32, [o] or [1]"""


def weights_of_bytes(
    op: Operation | Block, outputs: int, order: Sequence[int], store: WeightStore
) -> Weights | None:
    """
    The weights that `op` makes real numbers of, permuted to `order`, if they are 8 bits that are
    known and have a scale for each index of dimension `outputs`, or one for all.
    """
    if not isinstance(op, DequantizeOp):
        return None
    array, p = known(op.x, store), parameters(op, store)
    if array is None or array.itemsize > 1 or p is None:
        return None
    if not p.is_positive or not p.are_along(outputs):
        return None
    differences = (array.astype(np.int64) - p.zero).astype(np.int32)
    return Weights(differences.transpose(order), p.scale.reshape(-1))


def fits(w: np.ndarray, bias: np.ndarray | int, low: int, high: int) -> bool:
    """Whether sums of products of w[o, ..] with numbers from low to high, and a bias, fit i32."""
    flat = w.reshape(len(w), -1).astype(np.int64)
    largest = np.abs(flat).sum(1) * max(-low, high) + np.abs(bias)
    return bool((largest < 2**31).all())
