"""
Where the elements of a resized dimension come from, as tables.

Whatever ONNX says about coordinates, rounding and filters ends here, in one table of indices and
one of weights for each dimension: y[o] = sum over k of weights[o, k] * x[indices[o, k]].

Coordinates are computed in float32, as ONNX Runtime does: which neighbour is nearest, and where
between two pixels a coordinate lies, must not depend on digits that the scales do not have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

Array = np.ndarray


EXACT = 1e-6
"""by what part of itself a product of float32 may differ from the number that is meant"""


@dataclass(frozen=True)
class Line:
    """One dimension that is resized."""

    old: int
    """elements of the input"""
    new: int
    """elements of the result"""
    scale: float
    """what the model asks for; `new` may be rounded"""
    roi: tuple[float, float] = (0.0, 1.0)
    """the part of the input that the result covers, of 1; for `tf_crop_and_resize` only"""

    @property
    def length(self) -> np.float32:
        """The length of the result before it is rounded down to whole elements."""
        length = np.float32(self.scale) * np.float32(self.old)
        # a scale such as 1/3 times 3 is meant to be 1
        return np.float32(self.new) if abs(length - self.new) <= EXACT * length else length


@dataclass(frozen=True)
class Filter:
    """How an element is made from those around its coordinate."""

    mode: str = "nearest"
    nearest: str = "round_prefer_floor"
    antialias: bool = False
    """whether a smaller result is filtered, so that all elements of the input count"""
    cubic: float = -0.75
    exclude_outside: bool = False
    """whether taps outside the input have no weight; else they repeat its first or last element"""


@dataclass(frozen=True)
class Table:
    """For each element of the result and each tap: which element of the input, and its weight."""

    indices: Array
    weights: Array

    @property
    def taps(self) -> int:
        """How many elements of the input make one of the result."""
        return self.indices.shape[1]

    @property
    def picks(self) -> bool:
        """Whether each element of the result is one of the input."""
        return self.taps == 1 and bool((self.weights == 1).all())

    def is_identity(self, old: int) -> bool:
        """Whether the result is the input, of this many elements."""
        return self.picks and self.indices[:, 0].tolist() == list(range(old))

    def repeats(self, old: int) -> bool:
        """Whether the result is each of `old` elements equally often, more than once."""
        new = len(self.indices)
        each = np.arange(new) // max(new // old, 1)
        return self.picks and new > old and bool((self.indices[:, 0] == each).all())


def coordinates(mode: str, line: Line) -> Array:
    """
    Where each element of the result lies in the input, by the formulas of ONNX, in float32.

    The length in these is that of the result in whole elements; only for `align_corners` the tests
    of ONNX want it as it was before it was rounded, and `half_pixel_symmetric` is about rounding.
    """
    o = np.arange(line.new, dtype=np.float32)
    f = np.float32
    old, length, scale = f(line.old), line.length, f(line.scale)
    half = (o + f(0.5)) / scale - f(0.5)
    if mode == "half_pixel":
        return half
    if mode == "pytorch_half_pixel":
        return half if line.new > 1 else np.zeros_like(o)
    if mode == "half_pixel_symmetric":
        return old / f(2) * (f(1) - f(line.new) / length) + half
    if mode == "asymmetric":
        return o / scale
    if mode == "tf_half_pixel_for_nn":
        return (o + f(0.5)) / scale
    if mode == "align_corners":
        return o * (old - f(1)) / (length - f(1)) if length != 1 else np.zeros_like(o)
    assert mode == "tf_crop_and_resize", mode
    start, end = map(f, line.roi)
    if line.new == 1:
        return np.full_like(o, f(0.5) * (start + end) * (old - f(1)))
    return start * (old - f(1)) + o * (end - start) * (old - f(1)) / f(line.new - 1)


MODES = (
    "half_pixel",
    "pytorch_half_pixel",
    "half_pixel_symmetric",
    "asymmetric",
    "tf_half_pixel_for_nn",
    "align_corners",
    "tf_crop_and_resize",
)
"""what `coordinates` knows"""

ROUNDINGS: Mapping[str, Callable[[Array], Array]] = {
    "round_prefer_floor": lambda at: np.ceil(at - np.float32(0.5)),
    "round_prefer_ceil": lambda at: np.floor(at + np.float32(0.5)),
    "floor": np.floor,
    "ceil": np.ceil,
}
"""`nearest_mode` -> the index that is nearest to a coordinate"""


def _triangle(x: Array, _: float) -> Array:
    return np.clip(1 - np.abs(x), 0, 1)


def _cubic(x: Array, a: float) -> Array:
    """Keys: Cubic convolution interpolation for digital image processing (1981)."""
    d = np.abs(x)
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0.0))


KERNELS: Mapping[str, tuple[int, Callable[[Array, float], Array]]] = {
    "linear": (1, _triangle),
    "cubic": (2, _cubic),
}
"""mode -> how far its kernel reaches to each side, and the kernel"""


def table(at: Array, line: Line, how: Filter) -> Table:
    """The table for elements at these coordinates, without taps that have no weight anywhere."""
    if how.mode == "nearest":
        found = ROUNDINGS[how.nearest](at).astype(np.int64)
        indices = np.clip(found, 0, line.old - 1)[:, None]
        return Table(indices, np.ones(indices.shape))
    reach, kernel = KERNELS[how.mode]
    # a result that is smaller is filtered with a kernel that is as much wider
    narrow = min(float(line.scale), 1.0) if how.antialias else 1.0
    taps = np.arange(int(np.floor(-reach / narrow)) + 1, int(np.ceil(reach / narrow)) + 1)
    at = at.astype(np.float64)
    indices = np.floor(at).astype(np.int64)[:, None] + taps
    weights = kernel((indices - at[:, None]) * narrow, how.cubic)
    inside = (indices >= 0) & (indices < line.old)
    if how.exclude_outside:
        weights = np.where(inside, weights, 0.0)
    if how.exclude_outside or how.antialias:
        weights = weights / weights.sum(1, keepdims=True)
    return trimmed(Table(np.clip(indices, 0, line.old - 1), weights))


def trimmed(found: Table) -> Table:
    """`found` without taps that have no weight for any element."""
    used = (found.weights != 0).any(0)
    if not used.any():
        used[0] = True
    return replace(found, indices=found.indices[:, used], weights=found.weights[:, used])
