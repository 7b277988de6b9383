"""Named arrays: inputs for people who brought none, and `.npz` files."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np

from lamina.errors import LaminaError

Arrays = Mapping[str, np.ndarray]
Specs = Sequence[tuple[str, Sequence[int], Any]]
"""name, shape and type of the elements of each array"""


def random_inputs(specs: Specs, seed: int) -> Arrays:
    """Normally distributed numbers, or small whole ones; the same for the same seed."""
    rng = np.random.default_rng(seed)
    return {name: _random(rng, shape, np.dtype(dtype)) for name, shape, dtype in specs}


def _random(rng: np.random.Generator, shape: Sequence[int], dtype: np.dtype) -> np.ndarray:
    if dtype.kind == "f":
        return rng.standard_normal(shape, dtype=np.float32).astype(dtype)
    return rng.integers(0, 2 if dtype.kind == "b" else 10, shape).astype(dtype)


def load_npz(path: str | PathLike[str]) -> Arrays:
    """All arrays of an `.npz` file by name."""
    try:
        with np.load(path) as archive:
            return {name: archive[name] for name in archive.files}
    except OSError as e:
        raise LaminaError(f"cannot read '{path}': {e.strerror or e}") from e
    except (ValueError, EOFError, TypeError, zipfile.BadZipFile) as e:
        raise LaminaError(
            f"'{path}' is not a complete .npz file of arrays; write one with numpy.savez"
        ) from e


def save_npz(path: str | PathLike[str], arrays: Arrays) -> None:
    """Write an `.npz` file; unlike `numpy.savez` it takes any name, even `file`."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
