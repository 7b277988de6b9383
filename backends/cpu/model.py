"""A compiled model that Python can call: its code, its weights, and memory to run in."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lamina.backends.cpu import artifact
from lamina.backends.cpu.artifact import ALIGN, Artifact, aligned, in_one_block
from lamina.backends.cpu.compiler import triple
from lamina.backends.cpu.engine import Engine
from lamina.backends.cpu.features import missing_features
from lamina.backends.cpu.manifest import Argument, Call, Manifest
from lamina.backends.cpu.thread_pool import ThreadPool
from lamina.errors import InputTypeError, InputValueError, LaminaError


class Tensor(NamedTuple):
    """What a model takes or gives under a name."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype


class Timing(NamedTuple):
    """How long one kernel call keeps the calling core busy, in the middle of several rounds."""

    call: int
    """its place among the calls of the model"""
    symbol: str
    source: str
    """the name in the user's model of what it computes"""
    seconds: float
    flops: int
    predicted: float
    """the seconds that it should take, by the cost model; 0 if unknown"""


class _Workspace:
    """An arena and a pointer table: what one call needs for itself."""

    def __init__(self, arguments: tuple[Argument, ...], weights: Mapping[str, np.ndarray]) -> None:
        self.table = (ctypes.c_void_p * len(arguments))()
        self.memory = dict[int, np.ndarray]()
        for k, a in enumerate(arguments):
            if a.role == "arena":
                self.memory[k] = aligned(_bytes(a))
                self.table[k] = self.memory[k].ctypes.data
            elif a.role == "weight":
                self.table[k] = weights[a.name].ctypes.data


class CompiledModel:
    """
    A model as machine code. `model(x)` for one input and one output, `model.run({name: array})` in
    general. Several threads may call it at once: each call in flight has an arena of its own.
    """

    def __init__(
        self,
        objects: Mapping[str, bytes],
        manifest: Manifest,
        weights: Mapping[str, np.ndarray],
        threads: int | None = None,
    ) -> None:
        self.manifest = manifest
        self.objects = dict(objects)
        self._weights = _placed(_checked_weights(manifest, weights))
        self._inputs = [(k, a) for k, a in enumerate(manifest.arguments) if a.role == "input"]
        self._outputs = [(k, a) for k, a in enumerate(manifest.arguments) if a.role == "output"]
        self._input_dtypes = [np.dtype(a.dtype) for _, a in self._inputs]
        self._output_dtypes = [np.dtype(a.dtype) for _, a in self._outputs]
        # append and pop of a list are atomic: calls share this without a lock
        self._idle: list[_Workspace] = []
        self._threads: ThreadPool | None = None
        self._refusal = _why_not_here(manifest)
        if not self._refusal:
            self._engine = Engine(self.objects.values(), self.objects)
            self._entry = self._engine.function(manifest.entry, 1)
            self._threads = _shared_threads(threads or manifest.threads)
            if os.environ.get("LAMINA_BIND") == "1":
                self.bind()

    @property
    def threads(self) -> int:
        """How many threads a call uses: no more than there are processors for this process."""
        return self._threads.threads if self._threads else 1

    def bind(self) -> bool:
        """
        Keep each thread of the model on a core of its own from now on, the caller while it is in a
        call. False, and nothing is changed, if other processes have claimed the cores.
        """
        if self._refusal:
            raise LaminaError(self._refusal)
        bound = ThreadPool.shared(self.threads, bind=True)
        if bound.bound:
            self._threads = bound
        return bound.bound

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

    def _run(self, inputs: list[ArrayLike]) -> list[np.ndarray]:
        with self._prepared(inputs) as (workspace, outputs):
            if self._threads:
                self._threads.run(self._engine.address(self.manifest.entry), workspace.table)
            else:
                self._entry(workspace.table)
        return outputs

    @contextmanager
    def _prepared(self, inputs: list[ArrayLike]) -> Iterator[tuple[_Workspace, list[np.ndarray]]]:
        """A workspace whose table points to these inputs and to new outputs."""
        if self._refusal:
            raise LaminaError(self._refusal)
        arrays = [
            _checked(x, a, dtype)
            for x, (_, a), dtype in zip(inputs, self._inputs, self._input_dtypes, strict=True)
        ]
        outputs = [
            np.empty(a.shape, dtype)
            for (_, a), dtype in zip(self._outputs, self._output_dtypes, strict=True)
        ]
        try:
            workspace = self._idle.pop()
        except IndexError:
            workspace = _Workspace(self.manifest.arguments, self._weights)
        table = workspace.table
        for (k, _), array in zip(self._inputs, arrays, strict=True):
            table[k] = array.__array_interface__["data"][0]  # 10 times faster than array.ctypes
        for (k, _), array in zip(self._outputs, outputs, strict=True):
            table[k] = array.__array_interface__["data"][0]
        try:
            yield workspace, outputs
        finally:
            self._idle.append(workspace)

    def _steps(self, workspace: _Workspace) -> Iterator[tuple[int, Call, Callable[[], None]]]:
        """The entry's kernel calls one by one, as functions of nothing."""
        for index, call in enumerate(self.manifest.calls):
            kernel = self._engine.function(call.symbol, len(call.places))
            pointers = [
                ctypes.c_void_p((workspace.table[p.argument] or 0) + p.offset) for p in call.places
            ]
            yield index, call, lambda kernel=kernel, pointers=pointers: kernel(*pointers)

    def profile(self, inputs: Mapping[str, ArrayLike], rounds: int = 10) -> list[Timing]:
        """Time every kernel call in its place in the model, with the caches as they are there."""
        with self._prepared(self._ordered(inputs)) as (workspace, _):
            steps = list(self._steps(workspace))
            seconds = [list[float]() for _ in steps]

            def measure() -> None:
                for _ in range(rounds + 1):
                    for index, _, step in steps:
                        start = time.thread_time()  # not what others did meanwhile on this core
                        step()
                        seconds[index].append(time.thread_time() - start)

            self._on_threads(measure)
        # the first round is to warm up
        return [
            Timing(
                index,
                call.symbol,
                call.source,
                median(seconds[index][1:]),
                call.flops,
                call.predicted,
            )
            for index, call, _ in steps
        ]

    def values(self, inputs: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
        """
        What every kernel computes, as it lies in memory, by its name in the user's model.

        `layouts` says what that means. A kernel without a name is found under `symbol#index`.
        """
        found = dict[str, np.ndarray]()
        with self._prepared(self._ordered(inputs)) as (workspace, _):

            def collect() -> None:
                for index, call, step in self._steps(workspace):
                    step()
                    last = call.places[-1]
                    at = (workspace.table[last.argument] or 0) + last.offset
                    found[_label(index, call)] = _copy(at, call)

            self._on_threads(collect)
        return found

    def _on_threads(self, function: Callable[[], None]) -> None:
        """Call `function`; the kernels that it calls share out their loops as in a whole call."""
        if self._threads:
            self._threads.call(function)
        else:
            function()

    @property
    def layouts(self) -> dict[str, str]:
        """How the values of `values` are stored, such as `NCHW16c`; empty where unknown."""
        return {_label(k, call): call.layout for k, call in enumerate(self.manifest.calls)}

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model as a `.lam` file, for `load`."""
        artifact.write(Path(path), Artifact(self.manifest, self.objects, self._weights))


def load(path: str | PathLike[str], *, threads: int | None = None) -> CompiledModel:
    """
    A model that `save` wrote; LaminaError if this computer cannot run it, or it is damaged. It runs
    on `threads` threads, or on as many as it was compiled for.
    """
    found = artifact.read(Path(path))
    if refusal := _why_not_here(found.manifest):
        raise LaminaError(f"{path}: {refusal}")
    if threads is not None and not 1 <= threads <= found.manifest.threads:
        raise LaminaError(
            f"{path}: threads={threads} needs a model that was compiled for so many, this one was "
            f"for {found.manifest.threads}; compile it again"
        )
    return CompiledModel(found.objects, found.manifest, found.weights, threads)


def _why_not_here(manifest: Manifest) -> str:
    """Why this computer cannot run the model; empty if it can."""
    if manifest.triple != triple():
        return f"the model was compiled for {manifest.triple}, this is {triple()}"
    if lacking := missing_features(list(manifest.features)):
        return (
            f"the model was compiled for {manifest.target} and needs {', '.join(lacking)}, "
            "which this CPU lacks; compile it for this one"
        )
    return ""


def _shared_threads(wanted: int) -> ThreadPool | None:
    """So many threads, but no more than there are processors: they would wait for each other."""
    threads = min(wanted, len(os.sched_getaffinity(0)))
    return ThreadPool.shared(threads) if threads > 1 else None


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


def _copy(address: int, call: Call) -> np.ndarray:
    dtype = np.dtype(call.dtype)
    last = sum((n - 1) * s for n, s in zip(call.shape, call.strides, strict=True))
    memory = memoryview((ctypes.c_ubyte * (last + dtype.itemsize)).from_address(address))
    return np.ndarray(call.shape, dtype, memory, strides=call.strides).copy()


def _label(index: int, call: Call) -> str:
    return call.source or f"{call.symbol}#{index}"


def _bytes(a: Argument) -> int:
    return int(np.prod(a.shape)) * np.dtype(a.dtype).itemsize


def _tensor(a: Argument) -> Tensor:
    return Tensor(a.name, a.shape, np.dtype(a.dtype))


def _names(arguments: list[tuple[int, Argument]]) -> str:
    return ", ".join(f"'{a.name}'" for _, a in arguments) or "none"
