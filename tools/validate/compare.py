"""When two results count as the same, and where they differ most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from xdsl.passes import ModulePass

from lamina.errors import LaminaError

NATIVE = 1e-5
"""of the largest magnitude: what rounding may differ by between interpreter and machine code"""
ROUNDING = 1e-5
"""of the largest magnitude: what numbers may differ by that are not stored in 8 bits"""
OF_FINITE = ["of", "finite"]


@dataclass(frozen=True)
class Numerics:
    """What a pass declares about the numbers: its class attribute `numerics`."""

    text: str
    tolerance: float
    """0: exact; otherwise relative to the largest magnitude; infinite: lossy"""
    of_finite: bool = False
    """whether the pass promises nothing where an input is infinite or NaN"""
    steps: int = 0
    """how far each tensor of 8 bits may be from what it was, given the same ones before it"""

    @property
    def is_lossy(self) -> bool:
        """Whether any change is allowed: it is measured."""
        return self.tolerance == np.inf

    @staticmethod
    def of(p: ModulePass) -> Numerics:
        """
        `exact`, `tolerance 1e-5`, both also `of finite`, `within a step` or `lossy`; a pass that
        declares nothing is exact.
        """
        text = str(getattr(p, "numerics", "exact"))
        match text.split():
            case ["exact", *rest] if rest in ([], OF_FINITE):
                return Numerics(text, 0.0, bool(rest))
            case ["lossy"]:
                return Numerics(text, np.inf, of_finite=True)
            case ["within", "a", "step"]:
                return Numerics(text, ROUNDING, steps=1)
            case ["tolerance", number, *rest] if rest in ([], OF_FINITE):
                try:
                    return Numerics(text, float(number), bool(rest))
                except ValueError:
                    pass
        raise LaminaError(
            f"{p.name}: numerics must be 'exact', 'tolerance 1e-5', either 'of finite', "
            f"'within a step' or 'lossy', got '{text}'"
        )


@dataclass(frozen=True)
class Difference:
    """The largest difference between two arrays, relative to the largest magnitude."""

    relative: float
    index: tuple[int, ...] = ()
    before: Any = None
    after: Any = None

    def __str__(self) -> str:
        at = f" at {list(self.index)}" if self.index else ""
        return f"{self.before:.9g} became {self.after:.9g}{at}"


def difference(before: np.ndarray, after: np.ndarray, steps: int = 0) -> Difference:
    """
    How far `after` is from `before`. NaN equals NaN, an infinity itself; where only one of the two
    is finite, and where integers differ at all, or those of 8 bits by more than `steps`, the
    difference is infinite.
    """
    if before.shape != after.shape or before.dtype != after.dtype:
        raise LaminaError(
            f"{before.dtype} {list(before.shape)} became {after.dtype} {list(after.shape)}"
        )
    same = before == after
    if steps and before.dtype in (np.int8, np.uint8):
        same |= np.abs(after.astype(np.int16) - before) <= steps
    if before.dtype.kind != "f":
        apart = np.where(same, 0.0, np.inf)
    else:
        same |= np.isnan(before) & np.isnan(after)
        with np.errstate(all="ignore"):
            finite = np.isfinite(before) & np.isfinite(after)
            absolute = np.abs(after.astype(np.float64) - before)
            largest = np.max(np.abs(before), initial=0.0, where=np.isfinite(before))
            apart = np.where(finite, absolute / (largest or 1.0), np.inf)
        apart[same] = 0.0
    if not apart.size or not np.any(apart):
        return Difference(0.0)
    index = np.unravel_index(np.argmax(apart), apart.shape)
    where = tuple(int(i) for i in index)
    return Difference(float(apart[where]), where, before[where], after[where])
