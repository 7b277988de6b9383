"""
Histograms of what a tensor holds, which grow as more of it is seen.

Bins are 2**e wide and begin at 0; numbers too large for them double the width, which adds up
neighbouring bins. So a histogram depends on what was seen and not on its order, and one that was
interrupted and resumed is the same to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import frexp, isfinite

import numpy as np

BITS = 11
HALF = 1 << BITS
"""bins on either side of 0; the largest number is in the upper half of them"""
SMALLEST = -126
"""a width of 2**-126 still has an inverse in float32"""


@dataclass(frozen=True)
class Histogram:
    """How many numbers were in each bin; exact zeros, which 8 bits hold exactly, in none."""

    counts: np.ndarray
    """int64[2 * HALF]; entry HALF + k is for numbers from k * 2**exponent, below the next"""
    exponent: int = SMALLEST
    low: float = float("inf")
    high: float = float("-inf")

    @classmethod
    def empty(cls) -> Histogram:
        """Before anything was seen."""
        return cls(np.zeros(2 * HALF, np.int64))

    @property
    def width(self) -> float:
        """Of a bin."""
        return 2.0**self.exponent

    def added(self, x: np.ndarray) -> Histogram:
        """This and the numbers of a float32 array; ValueError if one is infinite or NaN."""
        if not x.size:
            return self
        low, high = float(x.min()), float(x.max())
        if not (isfinite(low) and isfinite(high)):
            raise ValueError("an infinite number or NaN")
        grown = self._widened(max(SMALLEST, frexp(max(-low, high))[1] - BITS))
        flat = np.ascontiguousarray(x, np.float32).reshape(-1)
        bins = np.floor(flat * np.float32(2.0**-grown.exponent)).astype(np.intp) + HALF
        new = np.bincount(bins, minlength=2 * HALF)
        new[HALF] -= flat.size - np.count_nonzero(flat)
        return Histogram(
            grown.counts + new, grown.exponent, min(self.low, low), max(self.high, high)
        )

    def _widened(self, exponent: int) -> Histogram:
        """The same in bins of at least 2**exponent."""
        counts = self.counts
        for _ in range(self.exponent, exponent):
            if not counts.any():
                break
            pairs = counts.reshape(-1, 2).sum(1)
            counts = np.zeros_like(counts)
            counts[HALF // 2 : HALF + HALF // 2] = pairs
        return Histogram(counts, max(exponent, self.exponent), self.low, self.high)
