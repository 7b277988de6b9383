"""When two results count as the same, and where they differ most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from xdsl.passes import ModulePass

from lamina.errors import LaminaError

NATIVE = 1e-5
"""of the largest magnitude: what rounding may differ by between interpreter and machine code"""


@dataclass(frozen=True)
class Numerics:
    """What a pass declares about the numbers: its class attribute `numerics`."""

    text: str
    tolerance: float
    """0: exact; otherwise relative to the largest magnitude; infinite: lossy"""
    of_finite: bool = False
    """whether the pass promises nothing where an input is infinite or NaN"""

    @staticmethod
    def of(p: ModulePass) -> Numerics:
        """
        `exact`, `tolerance 1e-5`, `tolerance 1e-5 of finite` or `lossy`; a pass that declares
        nothing is exact.
        """
        text = str(getattr(p, "numerics", "exact"))
        match text.split():
            case ["exact"]:
                return Numerics(text, 0.0)
            case ["lossy"]:
                return Numerics(text, np.inf)
            case ["tolerance", number, *rest] if rest in ([], ["of", "finite"]):
                try:
                    return Numerics(text, float(number), bool(rest))
                except ValueError:
                    pass
        raise LaminaError(
            f"{p.name}: numerics must be 'exact', 'tolerance 1e-5', 'tolerance 1e-5 of finite' or"
            f" 'lossy', got '{text}'"
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


def difference(before: np.ndarray, after: np.ndarray) -> Difference:
    """
    How far `after` is from `before`. NaN equals NaN, an infinity itself; where only one of the two
    is finite, and where integers differ at all, the difference is infinite.
    """
    if before.shape != after.shape or before.dtype != after.dtype:
        raise LaminaError(
            f"{before.dtype} {list(before.shape)} became {after.dtype} {list(after.shape)}"
        )
    same = before == after
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
