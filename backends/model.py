"""What compiled models have in common, whatever they run on: names, checks, files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lamina.backends.cpu import artifact
from lamina.backends.cpu.artifact import ALIGN, Artifact, in_one_block
from lamina.backends.cpu.manifest import Argument, Call, Manifest
from lamina.errors import InputTypeError, InputValueError, LaminaError


class Tensor(NamedTuple):
    """What a model takes or gives under a name."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype


class Timing(NamedTuple):
    """How long one kernel call takes, in the middle of several rounds."""

    call: int
    """its place among the calls of the model"""
    symbol: str
    source: str
    """the name in the user's model of what it computes"""
    seconds: float
    flops: int
    predicted: float
    """the seconds that it should take, by the cost model; 0 if unknown"""


class Enqueueing(NamedTuple):
    """What a call costs the computer that a device belongs to, in the middle of several rounds."""

    kernels: int
    """how many are enqueued"""
    seconds: float
    """until they are"""
    whole: float
    """seconds until the last of them has run"""


class CompiledModel(ABC):
    """
    A model that can run. `model(x)` for one input and one output, `model.run({name: array})` in
    general. Several threads may call it at once: each call in flight has an arena of its own.
    """

    def __init__(
        self,
        objects: Mapping[str, bytes],
        manifest: Manifest,
        weights: Mapping[str, np.ndarray],
    ) -> None:
        self.manifest = manifest
        self.objects = dict(objects)
        """the code of each kernel, by its symbol"""
        self._weights = _placed(_checked_weights(manifest, weights))
        self._inputs = [(k, a) for k, a in enumerate(manifest.arguments) if a.role == "input"]
        self._outputs = [(k, a) for k, a in enumerate(manifest.arguments) if a.role == "output"]
        self._input_dtypes = [np.dtype(a.dtype) for _, a in self._inputs]
        self._output_dtypes = [np.dtype(a.dtype) for _, a in self._outputs]

    @abstractmethod
    def _run(self, inputs: list[ArrayLike]) -> list[np.ndarray]:
        """All outputs in order, for all inputs in order."""

    @abstractmethod
    def profile(self, inputs: Mapping[str, ArrayLike], rounds: int = 10) -> list[Timing]:
        """Time every kernel call in its place in the model, with the caches as they are there."""

    @abstractmethod
    def values(self, inputs: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
        """
        What every kernel computes, as it lies in memory, by its name in the user's model.

        `layouts` says what that means. A kernel without a name is found under `symbol#index`.
        """

    def enqueueing(self, inputs: Mapping[str, ArrayLike], rounds: int = 20) -> Enqueueing | None:
        """Time what the host does for a call; None if it computes all of it itself."""
        return None

    @property
    def devices(self) -> list[str]:
        """The target that each kernel call runs on."""
        regions = self.manifest.regions or (self.manifest,)
        return [region.target for region in regions for _ in region.calls]

    @property
    def threads(self) -> int:
        """How many threads of this computer a call uses."""
        return 1

    def bind(self) -> bool:
        """
        Keep each thread of the model on a core of its own from now on; False, and nothing is
        changed, where that cannot be.
        """
        return False

    @property
    def inputs(self) -> list[Tensor]:
        """What the model takes, in order."""
        return [_tensor(a) for _, a in self._inputs]

    @property
    def outputs(self) -> list[Tensor]:
        """What the model gives, in order."""
        return [_tensor(a) for _, a in self._outputs]

    def __call__(self, x: ArrayLike) -> np.ndarray:
        """The one output for the one input."""
        if len(self._inputs) != 1 or len(self._outputs) != 1:
            raise InputValueError(
                f"model(x) needs one input and one output, this model has {_names(self._inputs)} "
                f"and {_names(self._outputs)}; use model.run"
            )
        (y,) = self._run([x])
        return y

    def run(self, inputs: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
        """All outputs by name, for all inputs by name."""
        results = self._run(self._ordered(inputs))
        return {a.name: y for (_, a), y in zip(self._outputs, results, strict=True)}

    def run_into(self, inputs: Sequence[np.ndarray], outputs: Sequence[np.ndarray]) -> None:
        """All outputs in order into these arrays, which lie in memory as `outputs` says."""
        for array, y in zip(outputs, self._run(list(inputs)), strict=True):
            np.copyto(array, y)

    def _ordered(self, inputs: Mapping[str, ArrayLike]) -> list[ArrayLike]:
        names = [a.name for _, a in self._inputs]
        if unknown := [n for n in inputs if n not in names]:
            raise InputValueError(
                f"the model has no input '{unknown[0]}'; its inputs are {_names(self._inputs)}"
            )
        if lacking := [n for n in names if n not in inputs]:
            raise InputValueError(
                f"input '{lacking[0]}' is missing; got {sorted(inputs) or 'none'}"
            )
        return [inputs[n] for n in names]

    def _arrays(self, inputs: list[ArrayLike]) -> list[np.ndarray]:
        """The inputs as arrays that kernels can read; an error names the one that is none."""
        named = zip(inputs, self._inputs, self._input_dtypes, strict=True)
        return [_checked(x, a, dtype) for x, (_, a), dtype in named]

    def _new_outputs(self) -> list[np.ndarray]:
        """Arrays for the outputs, not initialised."""
        pairs = zip(self._outputs, self._output_dtypes, strict=True)
        return [np.empty(a.shape, dtype) for (_, a), dtype in pairs]

    @property
    def weights(self) -> Mapping[str, np.ndarray]:
        """The weights, by their keys."""
        return self._weights

    @property
    def layouts(self) -> dict[str, str]:
        """How the values of `values` are stored, such as `NCHW16c`; empty where unknown."""
        return {label(k, call): call.layout for k, call in enumerate(self.manifest.calls)}

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model as a `.lam` file, for `load`."""
        artifact.write(Path(path), Artifact(self.manifest, self.objects, self._weights))


def _checked(x: ArrayLike, argument: Argument, dtype: np.dtype) -> np.ndarray:
    """The input as an array a kernel can read, without a copy where it is one already."""
    array = np.asarray(x)
    if array.dtype != dtype:
        raise InputTypeError(f"input '{argument.name}' needs {dtype}, got {array.dtype}")
    if array.shape != argument.shape:
        raise InputValueError(
            f"input '{argument.name}' needs shape {argument.shape}, got {array.shape}"
        )
    flags = array.flags
    return array if flags.c_contiguous and flags.aligned else np.array(array, order="C")


def _checked_weights(
    manifest: Manifest, weights: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    found = dict[str, np.ndarray]()
    for a in manifest.arguments:
        if a.role != "weight":
            continue
        if (weight := weights.get(a.name)) is None:
            raise LaminaError(f"weight '{a.name}' is missing")
        if weight.shape != a.shape or weight.dtype != np.dtype(a.dtype):
            raise LaminaError(
                f"weight '{a.name}' needs {a.dtype}{list(a.shape)}, "
                f"got {weight.dtype}{list(weight.shape)}"
            )
        found[a.name] = weight
    return found


def _placed(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights at multiples of 64 bytes; those that are copied for it share one block."""
    odd = {k: w for k, w in weights.items() if w.ctypes.data % ALIGN or not w.flags.c_contiguous}
    copies = in_one_block({k: (w.shape, w.dtype) for k, w in odd.items()})
    for key, copy in copies.items():
        copy[...] = odd[key]
    return weights | copies


def label(index: int, call: Call) -> str:
    """The name of what a call computes."""
    return call.source or f"{call.symbol}#{index}"


def size_of(a: Argument) -> int:
    """Bytes of an argument."""
    return int(np.prod(a.shape)) * np.dtype(a.dtype).itemsize


def span_of(call: Call) -> int:
    """Bytes from the first element that a call computes to the end of the last one in memory."""
    last = sum((n - 1) * s for n, s in zip(call.shape, call.strides, strict=True))
    return last + np.dtype(call.dtype).itemsize


def _tensor(a: Argument) -> Tensor:
    return Tensor(a.name, a.shape, np.dtype(a.dtype))


def _names(arguments: list[tuple[int, Argument]]) -> str:
    return ", ".join(f"'{a.name}'" for _, a in arguments) or "none"
