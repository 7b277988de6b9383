"""Ranges of tensors as a file that people read and change: `{"tensor": [low, high], ..}`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from numbers import Real
from pathlib import Path
from typing import Any, cast

import numpy as np

from lamina.errors import LaminaError

LARGEST = float(np.finfo(np.float32).max)

Range = tuple[float, float]
Ranges = Mapping[str, Range]


def read_ranges(path: str | os.PathLike[str], tensors: Iterable[str]) -> Ranges:
    """The ranges of these tensors in such a file."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as e:
        raise LaminaError(f"cannot read '{path}': {e.strerror}") from e
    except ValueError as e:
        raise LaminaError(f"'{path}' is not a file of ranges: {e}") from e
    if not isinstance(found, dict):
        raise LaminaError(f"'{path}' is not a file of ranges: needs {{\"tensor\": [low, high]}}")
    return checked(cast(dict[str, Any], found), tensors, f"'{path}'")


def checked(ranges: Mapping[str, Any], tensors: Iterable[str], where: str) -> Ranges:
    """The ranges of these tensors; LaminaError if one is missing or is none."""
    found = dict[str, Range]()
    for name in tensors:
        if name not in ranges:
            raise LaminaError(f"{where}: no range of tensor '{name}'")
        match ranges[name]:
            case [low, high] if _is_range(low, high):
                found[name] = (float(low), float(high))
            case other:
                raise LaminaError(
                    f"{where}: the range of tensor '{name}' needs two finite numbers of float32, "
                    f"the smaller one first, found {other}"
                )
    return found


def _is_range(low: Any, high: Any) -> bool:
    numbers = all(isinstance(n, Real) for n in (low, high))
    return numbers and -LARGEST <= low <= high <= LARGEST
