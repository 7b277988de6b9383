"""The user's data: samples of a model's inputs, from a file, a folder or memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from onnx import helper

from lamina.errors import LaminaError
from lamina.frontends.onnx.inputs import show, sizes
from lamina.frontends.onnx.model import Model
from lamina.tools._arrays import Arrays, load_npz

Data = (
    str
    | os.PathLike[str]
    | ArrayLike
    | Mapping[str, ArrayLike]
    | Iterable[ArrayLike]
    | Iterable[Mapping[str, ArrayLike]]
)


@dataclass
class Input:
    """What a model takes under a name."""

    name: str
    size: list[int | str]
    """with a text where the model leaves a dimension open"""
    dtype: np.dtype

    def samples(self, x: np.ndarray, where: str) -> np.ndarray:
        """
        The samples that an array holds, one after the other along a new first dimension; from the
        first array on, open dimensions are known.
        """
        if x.dtype != self.dtype:
            raise LaminaError(f"{where}: input '{self.name}' needs {self.dtype}, found {x.dtype}")
        if self._fits(x.shape, self.size) and not self.size:
            x = x[None]
        batch = self.size[0] if self.size and isinstance(self.size[0], int) else 1
        rest = self.size[1:]
        if x.ndim == len(self.size) + 1 and self._fits(x.shape[1:], self.size):
            found = x
        elif x.ndim == len(self.size) and self._fits(x.shape[1:], rest) and len(x) % batch == 0:
            found = x.reshape(-1, batch, *x.shape[1:])
        elif x.ndim == len(self.size) - 1 and self._fits(x.shape, rest) and batch == 1:
            found = x[None, None]
        else:
            raise LaminaError(
                f"{where}: input '{self.name}' needs samples of {show(self.size)}, one after the "
                f"other, found {show(x.shape)}"
            )
        self.size = list(found.shape[1:])
        return found

    @staticmethod
    def _fits(shape: Sequence[int], size: Sequence[int | str]) -> bool:
        pairs = zip(shape, size, strict=False)
        return len(shape) == len(size) and all(isinstance(m, str) or n == m for n, m in pairs)


@dataclass(frozen=True)
class Samples:
    """Samples, which are read when they are asked for."""

    shapes: Mapping[str, tuple[int, ...]]
    """of a sample of each input"""
    counts: Sequence[int]
    """how many samples are in each part of the data"""
    key: str
    """the hash of all samples"""
    load: Callable[[int], Arrays]
    """the samples of a part"""

    def __len__(self) -> int:
        return sum(self.counts)

    def since(self, first: int) -> Iterator[Arrays]:
        """Each sample from the `first` on."""
        for part, count in enumerate(self.counts):
            if first < count:
                arrays = self.load(part)
                for k in range(first, count):
                    yield {name: x[k] for name, x in arrays.items()}
            first = max(0, first - count)


def samples_of(
    model: Model, data: Data, shapes: Mapping[str, Sequence[int]] | None = None
) -> Samples:
    """All of the data, looked at once; LaminaError if some of it does not fit the model."""
    inputs = {v.name: _input(v, (shapes or {}).get(v.name)) for v in model.inputs}
    if unknown := set(shapes or {}) - set(inputs):
        raise LaminaError(f"{model.where}: no input '{min(unknown)}'; inputs are {_names(inputs)}")
    parts = _parts(data, inputs)
    if not parts:
        raise LaminaError("no data: quantization needs at least one sample")

    def load(part: int) -> Arrays:
        where, read = parts[part]
        return _checked(where, read(), inputs)

    digest, counts = hashlib.sha256(), list[int]()
    for part, (where, _) in enumerate(parts):
        arrays = load(part)
        counts.append(len(next(iter(arrays.values()))))
        for name, x in sorted(arrays.items()):
            if len(x) != counts[-1]:
                raise LaminaError(
                    f"{where}: needs as many samples of each input, found {counts[-1]} of "
                    f"'{next(iter(arrays))}' and {len(x)} of '{name}'"
                )
            digest.update(f"{name} {x.dtype} {x.shape}".encode())
            digest.update(np.ascontiguousarray(x).reshape(-1).view(np.uint8).data)
    found = {name: tuple(int(n) for n in i.size) for name, i in inputs.items()}
    return Samples(found, counts, digest.hexdigest(), load)


def _input(info: Any, shape: Sequence[int] | None) -> Input:
    size = list(shape) if shape is not None else sizes(info)
    assert size is not None, info  # it got one of open dimensions
    dtype = helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type)
    return Input(info.name, list(size), dtype)


Part = tuple[str, Callable[[], Mapping[str, Any]]]
"""what error messages call a part of the data, and how to read it"""


def _parts(data: Data, inputs: Mapping[str, Input]) -> list[Part]:
    if isinstance(data, str | os.PathLike):
        path = Path(data)
        if path.is_dir():
            files = sorted(p for p in path.iterdir() if p.suffix in (".npz", ".npy"))
            if not files:
                raise LaminaError(f"'{path}' has no .npz or .npy files in it")
        else:
            files = [path]
        return [(f"'{file}'", lambda file=file: _read(file, inputs)) for file in files]
    if isinstance(data, np.ndarray | Mapping):
        whole = _by_name(data, inputs)
        return [("data", lambda: whole)]
    listed = [_by_name(sample, inputs) for sample in data]  # type: ignore[union-attr]
    return [(f"sample {k}", lambda x=x: x) for k, x in enumerate(listed)]


def _read(path: Path, inputs: Mapping[str, Input]) -> Mapping[str, Any]:
    if path.suffix != ".npy":
        return load_npz(path)
    try:
        return _by_name(np.load(path), inputs)
    except OSError as e:
        raise LaminaError(f"cannot read '{path}': {e.strerror or e}") from e
    except (ValueError, EOFError) as e:
        raise LaminaError(f"'{path}' is not a complete .npy file of numbers") from e


def _by_name(data: Any, inputs: Mapping[str, Input]) -> Mapping[str, Any]:
    if isinstance(data, Mapping):
        return data
    if len(inputs) != 1:
        raise LaminaError(f"data needs an array for each of the inputs {_names(inputs)}, found one")
    return {next(iter(inputs)): data}


def _checked(where: str, arrays: Mapping[str, Any], inputs: Mapping[str, Input]) -> Arrays:
    """The samples of each input in a part of the data."""
    if unknown := [name for name in arrays if name not in inputs]:
        raise LaminaError(
            f"{where}: the model has no input '{unknown[0]}'; its inputs are {_names(inputs)}"
        )
    if lacking := [name for name in inputs if name not in arrays]:
        raise LaminaError(f"{where}: input '{lacking[0]}' is missing")
    found = dict[str, np.ndarray]()
    for name, given in arrays.items():
        x = np.asarray(given)
        if not x.size:
            raise LaminaError(f"{where}: input '{name}' is empty, found {show(x.shape)}")
        found[name] = inputs[name].samples(x, where)
        if x.dtype.kind == "f" and not np.isfinite(x).all():
            at = [int(i) for i in np.argwhere(~np.isfinite(x))[0]]
            raise LaminaError(
                f"{where}: input '{name}' needs finite numbers, found {x[tuple(at)]} at {at}"
            )
    return found


def _names(inputs: Mapping[str, Input]) -> str:
    return ", ".join(f"'{name}'" for name in inputs) or "none"
