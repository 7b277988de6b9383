"""Graph ops between real numbers and 8 bits in NumPy, and exact sums of products of integers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from xdsl.ir import Operation

from lamina.dialects import graph
from lamina.interpreters.arrays import dtype_of
from lamina.interpreters.int8 import dequantize, quantize, requantize, requantize_fixed

Array = np.ndarray

EXACT = 2**53
"""below this, sums of integers are exact in float64, in whatever order"""


def exactly(x: Array, w: Array, count: int, around: int = 0) -> tuple[Array, Array]:
    """
    Factors of sums of `count` products, of a type in which they are summed up: float64 for floats,
    and for integers where that is exact (it is fast), else int64, modulo 2**64. `around` is one
    more element of x.
    """
    type: type[np.generic] = np.float64
    if x.dtype.kind in "iu":
        sizes = [max(abs(int(a.min())), abs(int(a.max()))) for a in (x, w)]
        largest = max(sizes[0], abs(around)) * sizes[1] * count
        type = np.float64 if largest < EXACT else np.int64
    return x.astype(type), w.astype(type)


def rounded(y: Array, dtype: np.dtype) -> Array:
    """Sums as elements of a result: to the nearest float, or modulo 2**32."""
    if dtype.kind == "f":
        return y.astype(dtype)
    return y.astype(np.int64).astype(dtype)


def matmul(a: Array, b: Array, dtype: np.dtype) -> Array:
    """a @ b, exact for integers but for the modulus."""
    left, right = exactly(a, b, a.shape[-1])
    with np.errstate(over="ignore"):
        return rounded(left @ right, dtype)


def _dense(op: graph.DenseOp, x: Array, w: Array, bias: Array | None = None) -> Array:
    left, right = exactly(x, w, x.shape[1])
    y = left @ right.T
    return rounded(y if bias is None else y + bias, dtype_of(op.y.type))


def _quantize(op: graph.QuantizeOp, x: Array, scale: Array, zero: Array) -> Array:
    return quantize(x, scale, zero, zero.dtype)


def _dequantize(op: graph.DequantizeOp, x: Array, scale: Array, zero: Array) -> Array:
    return dequantize(x, scale, zero)


def _requantize(op: graph.RequantizeOp, x: Array, scale: Array, zero: Array) -> Array:
    return requantize(x, scale, zero, zero.dtype)


def _requantize_fixed(
    op: graph.RequantizeFixedOp, x: Array, multiplier: Array, shift: Array
) -> Array:
    return requantize_fixed(x, multiplier, shift, op.zero_point, dtype_of(op.y.type))


FUNCTIONS: Mapping[type[Operation], Callable[..., Array]] = {
    graph.DenseOp: _dense,
    graph.DequantizeOp: _dequantize,
    graph.MatmulOp: lambda op, a, b: matmul(a, b, dtype_of(op.y.type)),
    graph.QuantizeOp: _quantize,
    graph.RequantizeFixedOp: _requantize_fixed,
    graph.RequantizeOp: _requantize,
}
