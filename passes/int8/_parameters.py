"""Scales and zero points as numbers: what patterns on quantized tensors ask about them."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.ir import SSAValue
from xdsl.pattern_rewriter import PatternRewriter

from lamina.dialects.elements import integer_range
from lamina.dialects.graph import (
    STORAGE,
    ClipOp,
    DequantizeOp,
    ReluOp,
    ReshapeOp,
    ScaledOp,
    layout_of,
    shape,
    tensor_type,
)
from lamina.dialects.graph.constants import constant, known
from lamina.weights import WeightStore

SMALLEST, LARGEST = 1e-30, 1e30
"""scales between these: neither products with 8 bits nor quotients of two over- or underflow"""


@dataclass(frozen=True)
class Parameters:
    """What the integers of a tensor mean, in arrays that broadcast to it."""

    scale: np.ndarray
    """f32"""
    zero: np.ndarray
    """int64"""

    @property
    def is_one(self) -> bool:
        """Whether there is one scale and one zero point for the whole tensor."""
        return self.scale.size == self.zero.size == 1

    @property
    def is_positive(self) -> bool:
        """Whether all scales are above zero and neither tiny nor huge."""
        return bool(((self.scale > SMALLEST) & (self.scale < LARGEST)).all())

    def are_along(self, dim: int) -> bool:
        """Whether both are the same but along dimension `dim`."""
        sizes = (self.scale.shape, self.zero.shape)
        return all(n == 1 for size in sizes for d, n in enumerate(size) if d != dim)


def parameters(op: ScaledOp, store: WeightStore) -> Parameters | None:
    """Those of `op`, if they are constants."""
    scale, zero = known(op.scale, store), known(op.zero, store)
    if scale is None or zero is None:
        return None
    return Parameters(scale, zero.astype(np.int64))


def bytes_before(value: SSAValue) -> DequantizeOp | None:
    """The op that makes `value` of 8 bits stored alike, if it is made so."""
    op = value.owner
    if not isinstance(op, DequantizeOp) or tensor_type(op.x).element_type not in STORAGE:
        return None
    return op if layout_of(op.x.type) == layout_of(op.y.type) else None


def mean_the_same(a: ScaledOp, b: ScaledOp, store: WeightStore) -> bool:
    """Whether an integer stands for the same real number on the integer side of both ops."""
    if tensor_type(a.zero).element_type != tensor_type(b.zero).element_type:
        return False
    if a.scale is b.scale and a.zero is b.zero:
        return True
    p, q = parameters(a, store), parameters(b, store)
    if p is None or q is None:
        return False
    if p.is_one and q.is_one:
        return p.scale.item() == q.scale.item() and p.zero.item() == q.zero.item()
    return np.array_equal(p.scale, q.scale) and np.array_equal(p.zero, q.zero)


def quantized(x: np.ndarray | float, op: ScaledOp, p: Parameters) -> np.ndarray:
    """The integers that stand for `x`, none of which is NaN, as `op` stores them."""
    low, high = integer_range(tensor_type(op.zero).element_type)
    steps = np.rint(np.asarray(x, np.float32) / p.scale)
    q = np.clip(steps, low - p.zero, high - p.zero) + p.zero
    return q.astype(np.int8 if low else np.uint8)


def bounds(op: ReluOp | ClipOp) -> tuple[float, float]:
    """The smallest and the largest number that `op` lets through."""
    return (op.low.value.data, op.high.value.data) if isinstance(op, ClipOp) else (0.0, inf)


def reshaped(
    value: SSAValue, size: tuple[int, ...], store: WeightStore, rewriter: PatternRewriter
) -> SSAValue:
    """`value` in another shape; a constant stays one."""
    if shape(value) == size:
        return value
    array = known(value, store)
    if array is None:
        view = ReshapeOp(value, TensorType(tensor_type(value).element_type, size))
        return rewriter.insert(view).y
    return rewriter.insert(constant(array.reshape(size), store)).result
