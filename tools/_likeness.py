"""How like a signal another one is: the measures of what rounding to few bits costs."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log10, sqrt

import numpy as np


@dataclass
class Likeness:
    """How like a signal another one is, over all that was added."""

    signal: float = 0.0
    noise: float = 0.0
    product: float = 0.0
    other: float = 0.0

    def add(self, x: np.ndarray, y: np.ndarray) -> None:
        """Some numbers of the signal, and what they have become."""
        a, b = (z.reshape(-1).astype(np.float64) for z in (x, y))
        self.signal += float(a @ a)
        self.other += float(b @ b)
        self.product += float(a @ b)
        self.noise += float((a - b) @ (a - b))

    def __iadd__(self, more: Likeness) -> Likeness:
        self.signal += more.signal
        self.noise += more.noise
        self.product += more.product
        self.other += more.other
        return self

    @property
    def decibels(self) -> float:
        """10 log10 of the ratio of signal to noise; inf without noise."""
        if not self.noise:
            return inf
        return 10 * log10(self.signal / self.noise) if self.signal else -inf

    @property
    def cosine(self) -> float:
        """Of the angle between the two; 1 if both are 0."""
        if not self.signal or not self.other:
            return float(self.signal == self.other)
        return self.product / sqrt(self.signal * self.other)

    def __str__(self) -> str:
        """`41.3 dB`"""
        return f"{self.decibels:.1f} dB"
