"""Weights of quantized networks as integers, less their zero points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.ir import Block, Operation, SSAValue

from lamina.dialects.graph import DequantizeOp, layout_of
from lamina.dialects.graph.constants import known
from lamina.passes.int8._parameters import parameters
from lamina.weights import WeightStore


@dataclass(frozen=True)
class Weights:
    """Integers, and what a step of them is worth."""

    array: np.ndarray
    """integers of 8 bits, or 16 if they need it, outputs first, zero points subtracted"""
    scale: np.ndarray
    """f32, [o] or [1]"""
    constant: SSAValue | None = None
    """a tensor that is the array, if there is one"""


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
    scale = p.scale.reshape(-1)
    if p.zero.any() or array.dtype != np.int8:
        differences = array.astype(np.int16)
        differences -= p.zero.astype(np.int16)
        return Weights(narrow(differences).transpose(order), scale)
    if list(order) == sorted(order) and layout_of(op.x.type).is_plain:
        return Weights(array, scale, op.x)
    return Weights(array.transpose(order), scale)


def narrow(array: np.ndarray) -> np.ndarray:
    """The same integers in 8 bits, if those hold all of them."""
    small = array.min(initial=0) >= -128 and array.max(initial=0) <= 127
    return array.astype(np.int8) if small else array


def fits(w: np.ndarray, bias: np.ndarray | int, low: int, high: int) -> bool:
    """Whether sums of products of w[o, ..] with numbers from low to high, and a bias, fit i32."""
    largest, added = max(-low, high), np.abs(bias)
    most = max(-int(w.min(initial=0)), int(w.max(initial=0)))
    if most * w[:1].size * largest + int(np.max(added)) < 2**31:
        return True
    total = np.array([np.abs(row.astype(np.int64)).sum() for row in w])
    return bool((total * largest + added < 2**31).all())
