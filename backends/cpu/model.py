"""A compiled model that Python can call: its code, its weights, and memory to run in."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median

import numpy as np
from numpy.typing import ArrayLike

from lamina.backends.cpu.artifact import aligned
from lamina.backends.cpu.compiler import triple
from lamina.backends.cpu.engine import Engine
from lamina.backends.cpu.features import missing_features
from lamina.backends.cpu.manifest import Argument, Call, Manifest
from lamina.backends.cpu.thread_pool import ThreadPool
from lamina.backends.model import CompiledModel, Timing, label, size_of, span_of
from lamina.backends.spares import Spares
from lamina.errors import LaminaError


class _Workspace:
    """An arena and a pointer table: what one call needs for itself."""

    def __init__(self, arguments: tuple[Argument, ...], weights: Mapping[str, np.ndarray]) -> None:
        self.table = (ctypes.c_void_p * len(arguments))()
        self.memory = dict[int, np.ndarray]()
        for k, a in enumerate(arguments):
            if a.role == "arena":
                self.memory[k] = aligned(size_of(a))
                self.table[k] = self.memory[k].ctypes.data
            elif a.role == "weight":
                self.table[k] = weights[a.name].ctypes.data


class CPUModel(CompiledModel):
    """A model as machine code."""

    def __init__(
        self,
        objects: Mapping[str, bytes],
        manifest: Manifest,
        weights: Mapping[str, np.ndarray],
        threads: int | None = None,
    ) -> None:
        super().__init__(objects, manifest, weights)
        self._idle = Spares[_Workspace]()
        self._threads: ThreadPool | None = None
        self._refusal = why_not_here(manifest)
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

    def _run(self, inputs: list[ArrayLike]) -> list[np.ndarray]:
        outputs = self._new_outputs()
        self.run_into(self._arrays(inputs), outputs)
        return outputs

    def run_into(self, inputs: Sequence[np.ndarray], outputs: Sequence[np.ndarray]) -> None:
        """All outputs in order, written into these arrays by the kernels themselves."""
        with self._prepared(inputs, outputs) as workspace:
            if self._threads:
                self._threads.run(self._engine.address(self.manifest.entry), workspace.table)
            else:
                self._entry(workspace.table)

    @contextmanager
    def _prepared(
        self, inputs: Sequence[np.ndarray], outputs: Sequence[np.ndarray]
    ) -> Iterator[_Workspace]:
        """A workspace whose table points to these inputs and outputs."""
        if self._refusal:
            raise LaminaError(self._refusal)
        workspace = self._idle.take(lambda: _Workspace(self.manifest.arguments, self._weights))
        table = workspace.table
        for (k, _), array in zip(self._inputs, inputs, strict=True):
            table[k] = array.__array_interface__["data"][0]  # 10 times faster than array.ctypes
        for (k, _), array in zip(self._outputs, outputs, strict=True):
            table[k] = array.__array_interface__["data"][0]
        try:
            yield workspace
        finally:
            self._idle.give(workspace)

    @contextmanager
    def _called_with(self, inputs: Mapping[str, ArrayLike]) -> Iterator[_Workspace]:
        """A workspace for these inputs by name, and outputs that nobody reads."""
        arrays, outputs = self._arrays(self._ordered(inputs)), self._new_outputs()
        with self._prepared(arrays, outputs) as workspace:
            yield workspace

    def _steps(self, workspace: _Workspace) -> Iterator[tuple[int, Call, Callable[[], None]]]:
        """The entry's kernel calls one by one, as functions of nothing."""
        for index, call in enumerate(self.manifest.calls):
            kernel = self._engine.function(call.symbol, len(call.places))
            pointers = [
                ctypes.c_void_p((workspace.table[p.argument] or 0) + p.offset) for p in call.places
            ]
            yield index, call, lambda kernel=kernel, pointers=pointers: kernel(*pointers)

    def profile(self, inputs: Mapping[str, ArrayLike], rounds: int = 10) -> list[Timing]:
        with self._called_with(inputs) as workspace:
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
        found = dict[str, np.ndarray]()
        with self._called_with(inputs) as workspace:

            def collect() -> None:
                for index, call, step in self._steps(workspace):
                    step()
                    last = call.places[-1]
                    at = (workspace.table[last.argument] or 0) + last.offset
                    found[label(index, call)] = _copy(at, call)

            self._on_threads(collect)
        return found

    def _on_threads(self, function: Callable[[], None]) -> None:
        """Call `function`; the kernels that it calls share out their loops as in a whole call."""
        if self._threads:
            self._threads.call(function)
        else:
            function()


def why_not_here(manifest: Manifest) -> str:
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


def _copy(address: int, call: Call) -> np.ndarray:
    memory = memoryview((ctypes.c_ubyte * span_of(call)).from_address(address))
    return np.ndarray(call.shape, np.dtype(call.dtype), memory, strides=call.strides).copy()
