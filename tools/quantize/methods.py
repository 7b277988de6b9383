"""From a histogram to the range that 8 bits are to cover; what is outside is cut off."""

from __future__ import annotations

import numpy as np

from lamina.passes.int8._ranges import Range
from lamina.passes.int8._scales import LEVELS
from lamina.tools.quantize.histogram import HALF, Histogram

METHODS = ("minmax", "percentile", "entropy")
TRIES = 256
"""thresholds that `entropy` compares, about so many"""


def range_of(h: Histogram, method: str, percentile: float = 100.0) -> Range:
    """The range of a tensor by one of METHODS; (0, 0) of one that held nothing but zeros."""
    if h.low > h.high:
        return 0.0, 0.0
    match method:
        case "percentile":
            low, high = _percentile(h, percentile)
        case "entropy":
            low, high = _entropy(h)
        case _:
            low, high = h.low, h.high
    return max(low, h.low), min(high, h.high)


def _percentile(h: Histogram, percentile: float) -> Range:
    """Cut off as many on each side as leaves this share of the numbers that are not 0."""
    total = int(h.counts.sum())
    if not total:
        return h.low, h.high
    aside = total * (100 - percentile) / 200
    up = np.cumsum(h.counts)
    first = int(np.searchsorted(up, aside, "right"))
    last = int(np.searchsorted(up, total - aside, "left"))
    return (first - HALF) * h.width, (last + 1 - HALF) * h.width


def _entropy(h: Histogram) -> Range:
    """
    The threshold t for |x| with the smallest Kullback-Leibler divergence of what 8 bits make of the
    numbers from the numbers themselves (S. Migacz, 8-bit inference with TensorRT, GTC 2017).

    Where numbers lie on one side of 0, all levels are for that side.
    """
    low, high = min(h.low, 0.0), max(h.high, 0.0)
    if low == high:
        return low, high
    sizes = h.counts[HALF:] + h.counts[:HALF][::-1]
    levels = round(LEVELS * max(-low, high) / (high - low))
    bins = int(np.flatnonzero(sizes)[-1]) + 1
    step = max(1, (bins - levels) // TRIES)
    tries = [*range(levels, bins, step), bins]
    best = min(tries, key=lambda n: (_divergence(sizes, n, levels), -n))
    t = best * h.width
    return max(low, -t), min(high, t)


def _divergence(sizes: np.ndarray, n: int, levels: int) -> float:
    """Of the first n bins as `levels` levels, with all that is beyond them in the last."""
    inside = sizes[:n].astype(np.float64)
    p = inside.copy()
    p[-1] += sizes[n:].sum()
    starts = np.arange(min(n, levels)) * n // min(n, levels)
    filled = p > 0
    sums = np.add.reduceat(inside, starts)
    spread = np.maximum(np.add.reduceat(filled.astype(np.float64), starts), 1)
    q = np.repeat(sums / spread, np.diff(starts, append=n))[filled]
    p = p[filled]
    q = np.maximum(q / max(q.sum(), 1e-30), 1e-12)
    p /= p.sum()
    return float((p * np.log(p / q)).sum())
