"""Real scales as integers and shifts: the numbers of requantization in fixed point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WORD, LEAST_SHIFT, MOST_SHIFT = 31, 33, 62
"""bits of a multiplier, and how far products are shifted to the right"""

SATURATING = 512.0
"""a scale by which all integers but 0 become more than a byte, wherever the zero point is"""

BOUND = 1 << 11
"""sums beyond this saturate by any scale that needs them to be shifted to the left"""

BYTE = 255
"""the most that a byte is away from its zero point"""


@dataclass(frozen=True)
class Fixed:
    """
    Scales M = multiplier * 2**left / 2**(33 + shift), in i32 arrays of the shape of the scales.

    Sums beyond `low` and `high` saturate where `left` is not 0.
    """

    multiplier: np.ndarray
    shift: np.ndarray
    left: np.ndarray

    @property
    def low(self) -> np.ndarray:
        """Below this, sums are cut off before they are shifted left."""
        return np.where(self.left > 0, -BOUND, -1 << WORD).astype(np.int32)

    @property
    def high(self) -> np.ndarray:
        """Above this, sums are cut off before they are shifted left."""
        return np.where(self.left > 0, BOUND, (1 << WORD) - 1).astype(np.int32)


def fixed(scale: np.ndarray) -> Fixed:
    """
    Positive scales, f32 or f64, as multipliers in 2**30..2**31 - 1; smaller ones below 2**-32, by
    which every sum becomes 0. An f32 is represented exactly.
    """
    within = np.minimum(scale.astype(np.float64), SATURATING)
    _, exponent = np.frexp(within)
    shift = np.minimum(WORD - exponent, MOST_SHIFT)
    multiplier = np.rint(np.ldexp(within, shift)).astype(np.int64)
    carried = multiplier == 1 << WORD
    multiplier, shift = np.where(carried, multiplier // 2, multiplier), shift - carried
    parts = multiplier, np.maximum(shift, LEAST_SHIFT) - LEAST_SHIFT, LEAST_SHIFT - shift
    return Fixed(*(np.maximum(part, 0).astype(np.int32) for part in parts))


def in_common(ratios: Sequence[float]) -> tuple[list[int], int] | None:
    """
    Integers m and one shift s, from 3 to 32, for which r is about m / 2**s for each of the ratios:
    the largest s with which sums of bytes times these fit 32 bits; None if none does.
    """
    for s in range(32, 2, -1):
        numbers = [round(r * 2.0**s) for r in ratios]
        if BYTE * sum(map(abs, numbers)) < 1 << WORD:
            return numbers, s
    return None
