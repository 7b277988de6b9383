"""What 8 bits mean: scales and zero points of tensors, and of weights by channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEVELS = 255
"""steps between the smallest and the largest number of 8 bits"""
ACTIVATIONS = {"u8": np.dtype(np.uint8), "s8": np.dtype(np.int8)}
LIMITS = {False: 127, True: 64}
"""whether weights have seven bits -> the largest of them in absolute value"""
BIAS_LIMIT = float(1 << 30)
"""of 32-bit biases; sums of products have the other half"""
BIAS_BITS = 20
"""of the bias of a channel without weights"""
TINY = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class Scale:
    """8 bits q that mean (q - zero_point) * scale."""

    scale: np.float32
    zero_point: int
    dtype: np.dtype

    def steps(self) -> tuple[int, int]:
        """The smallest and the largest q - zero_point."""
        limits = np.iinfo(self.dtype)
        return int(limits.min) - self.zero_point, int(limits.max) - self.zero_point


def scale_of(range: tuple[float, float], dtype: np.dtype) -> Scale:
    """The scale with which 8 bits cover a range and 0; 1 if there is nothing but 0 in it."""
    low, high = min(range[0], 0.0), max(range[1], 0.0)
    scale = (high - low) / LEVELS
    if scale < TINY:
        return Scale(np.float32(1), 0, dtype)
    smallest = int(np.iinfo(dtype).min)
    return Scale(np.float32(scale), int(np.rint(smallest - low / scale)), dtype)


def weight_scales(w: np.ndarray, axis: int, limit: int) -> np.ndarray:
    """float32 scales of the channels along `axis`, symmetric; 1 where all weights are 0."""
    others = tuple(k for k in range(w.ndim) if k != axis)
    scales = np.abs(w).max(axis=others, initial=0.0).astype(np.float64) / limit
    return np.where(scales < TINY, 1.0, scales).astype(np.float32)


def fit_bias(
    scales: np.ndarray, w: np.ndarray, axis: int, bias: np.ndarray, x: float
) -> np.ndarray:
    """
    Scales of weights with which the bias fits 32 bits, whose scale is that of the weights times
    `x`: larger ones where it would not; where all weights are 0, ones that suit the bias.
    """
    others = tuple(k for k in range(w.ndim) if k != axis)
    needed = np.abs(bias).astype(np.float64) / x
    nothing = ~np.abs(w).any(axis=others) & (needed > 0)
    fitted = np.maximum(np.where(nothing, needed / 2**BIAS_BITS, scales), needed / BIAS_LIMIT)
    return np.maximum(fitted, TINY / min(x, 1.0)).astype(np.float32)


def rounded_weights(w: np.ndarray, axis: int, scales: np.ndarray, limit: int) -> np.ndarray:
    """The int8 weights, none beyond `limit`."""
    steps = np.rint(w / _along(scales, axis, w.ndim))
    return np.clip(steps, -limit, limit).astype(np.int8)


def meant(q: np.ndarray, axis: int, scales: np.ndarray) -> np.ndarray:
    """The float32 numbers that integers with a scale for each channel mean."""
    return q.astype(np.float32) * _along(scales, axis, q.ndim)


def rounded_bias(bias: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """The int32 bias."""
    return np.rint(bias.astype(np.float64) / scales).astype(np.int32)


def _along(scales: np.ndarray, axis: int, rank: int) -> np.ndarray:
    return scales.reshape([-1 if k == axis else 1 for k in range(rank)])
