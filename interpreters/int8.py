"""
The int8 dialect in NumPy, bit for bit: plain functions on arrays of any shape, and its ops.

In the IR 8-bit values have no sign and are held as np.int8; the functions take and give either.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import Operation
from xdsl.utils.exceptions import InterpretationError

from lamina.dialects import int8
from lamina.interpreters.run import Implementation, Run

MOST_SHIFT = 29
"""of `requantize_fixed`: 64 bits hold all sums"""


def quantize(
    x: npt.ArrayLike, scale: npt.ArrayLike, zero_point: npt.ArrayLike, dtype: npt.DTypeLike
) -> np.ndarray:
    """saturate(round_half_even(x / scale) + zero_point), / in f32; NaN becomes the smallest."""
    with np.errstate(all="ignore"):
        steps = np.asarray(x, np.float32) / np.asarray(scale, np.float32)
    return _saturate(steps, zero_point, np.dtype(dtype))


def dequantize(q: npt.ArrayLike, scale: npt.ArrayLike, zero_point: npt.ArrayLike) -> np.ndarray:
    """f32(q - zero_point) * scale; the dtype of `q` says whether it is signed."""
    moved = np.asarray(q, np.int32) - np.asarray(zero_point, np.int32)
    with np.errstate(all="ignore"):
        return moved.astype(np.float32) * np.asarray(scale, np.float32)


def requantize(
    acc: npt.ArrayLike, scale: npt.ArrayLike, zero_point: npt.ArrayLike, dtype: npt.DTypeLike
) -> np.ndarray:
    """saturate(round_half_even(f32(acc) * scale) + zero_point), both f32 steps rounded."""
    with np.errstate(all="ignore"):
        steps = np.asarray(acc).astype(np.float32) * np.asarray(scale, np.float32)
    return _saturate(steps, zero_point, np.dtype(dtype))


def requantize_fixed(
    acc: npt.ArrayLike,
    multiplier: npt.ArrayLike,
    shift: npt.ArrayLike,
    zero_point: int,
    dtype: npt.DTypeLike,
) -> np.ndarray:
    """saturate(((acc * multiplier + 2**(32 + shift)) >> (33 + shift)) + zero_point), in 64 bits."""
    x, m, t = (np.asarray(a, np.int64) for a in (acc, multiplier, shift))
    if np.any((t < 0) | (t > MOST_SHIFT)):
        raise InterpretationError(
            f"int8.requantize_fixed needs shifts in 0..{MOST_SHIFT}, got {t.min()}..{t.max()}"
        )
    steps = (x * m + (np.int64(1) << (32 + t))) >> (33 + t)
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    return np.clip(steps + zero_point, low, high).astype(dtype)


def dot4(acc: npt.ArrayLike, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """acc + the sum over the last dimension of unsigned a times signed b, modulo 2**32."""
    products = a.view(np.uint8).astype(np.int32) * b.view(np.int8).astype(np.int32)
    with np.errstate(over="ignore"):
        return np.asarray(acc, np.int32) + products.sum(-1, dtype=np.int32)


def maddubs(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Sums of two neighbouring products, unsigned by signed, each cut off to 16 bits."""
    products = a.view(np.uint8).astype(np.int32) * b.view(np.int8).astype(np.int32)
    sums = products[..., 0::2] + products[..., 1::2]
    return np.clip(sums, -(1 << 15), (1 << 15) - 1).astype(np.int16)


def madd16(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The sum of two products over the last dimension, modulo 2**32."""
    return (x.astype(np.int64) * y.astype(np.int64)).sum(-1).astype(np.int32)


def _saturate(steps: np.ndarray, zero_point: npt.ArrayLike, dtype: np.dtype) -> np.ndarray:
    """Cutting off before rounding gives the same, as the limits are whole numbers."""
    zero = np.asarray(zero_point, np.int32)
    low, high = (np.float32(n - zero) for n in (np.iinfo(dtype).min, np.iinfo(dtype).max))
    within = np.fmin(np.fmax(steps, low), high)  # fmax drops a NaN
    return (np.rint(within).astype(np.int32) + zero).astype(dtype)


def dtype_of(type: int8.QuantType) -> np.dtype:
    """NumPy's type of this storage."""
    return np.dtype({"u8": np.uint8, "s8": np.int8}[type.storage.data])


def _quantize(run: Run, op: int8.QuantizeOp, args: Sequence[Any]) -> Sequence[Any]:
    scale, zero_point = op.to.scale.value.data, op.to.zero_point.data
    return (quantize(args[0], scale, zero_point, dtype_of(op.to)).view(np.int8)[()],)


def _dequantize(run: Run, op: int8.DequantizeOp, args: Sequence[Any]) -> Sequence[Any]:
    q = np.asarray(args[0]).view(dtype_of(op.of))
    return (dequantize(q, op.of.scale.value.data, op.of.zero_point.data)[()],)


def _requantize(run: Run, op: int8.RequantizeOp, args: Sequence[Any]) -> Sequence[Any]:
    acc, scale = args
    q = requantize(acc, scale, op.to.zero_point.data, dtype_of(op.to))
    return (q.view(np.int8)[()],)


def _requantize_fixed(run: Run, op: int8.RequantizeFixedOp, args: Sequence[Any]) -> Sequence[Any]:
    acc, multiplier, shift = args
    q = requantize_fixed(acc, multiplier, shift, op.to.zero_point.data, dtype_of(op.to))
    return (q.view(np.int8)[()],)


def _dot4(run: Run, op: int8.Dot4Op, args: Sequence[Any]) -> Sequence[Any]:
    return (dot4(*args)[()],)


def _maddubs(run: Run, op: int8.MaddubsOp, args: Sequence[Any]) -> Sequence[Any]:
    return (maddubs(*args),)


def _madd16(run: Run, op: int8.Madd16Op, args: Sequence[Any]) -> Sequence[Any]:
    return (madd16(*args),)


IMPLEMENTATIONS: Mapping[type[Operation], Implementation] = {
    int8.QuantizeOp: _quantize,
    int8.DequantizeOp: _dequantize,
    int8.RequantizeOp: _requantize,
    int8.RequantizeFixedOp: _requantize_fixed,
    int8.Dot4Op: _dot4,
    int8.MaddubsOp: _maddubs,
    int8.Madd16Op: _madd16,
}
