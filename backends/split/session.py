"""What a call of a divided network needs for itself: devices at work, buffers between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lamina.backends.cpu.manifest import Manifest, Step
from lamina.backends.interface import HostWorker, Worker
from lamina.backends.model import CompiledModel


class Session:
    """
    A flat list of steps on buffers that stay where they are. A buffer that a device shares with the
    host lies in memory of that device; what only the host reads and writes is any array.
    """

    def __init__(
        self, manifest: Manifest, models: Sequence[CompiledModel], workers: Mapping[str, Worker]
    ) -> None:
        self._models = models
        self._workers = workers
        self._owners = owners(manifest)
        self._handles: list[Any] = []
        """of each argument, the memory of the device that owns it"""
        self._arrays: list[np.ndarray | None] = []
        """of each argument, what the host may read and write; None: it is in a device's hands"""
        for k, a in enumerate(manifest.arguments):
            worker, edge = self._worker_of(k), a.role == "edge"
            host = isinstance(worker, HostWorker)
            given = host and not edge  # by who calls the model
            self._handles.append(None if given else worker.buffer(a.shape, np.dtype(a.dtype)))
            self._arrays.append(None)
            if host == edge:  # in the hands of the host from the start
                self._map(k)
        self._first = list(self._arrays)
        self._steps = [self._prepared(step, manifest) for step in manifest.steps]

    def run(self, inputs: Mapping[int, np.ndarray], outputs: Mapping[int, np.ndarray]) -> None:
        """Run the network on arrays by argument; kernels of the host write outputs themselves."""
        for k, array in (*inputs.items(), *outputs.items()):
            if self._handles[k] is None:
                self._arrays[k] = array
        for k, array in inputs.items():
            if self._handles[k] is not None:
                copy(self._array(k), array)
        for step in self._steps:
            step()
        for k, array in outputs.items():
            if self._handles[k] is not None:
                copy(array, self._array(k))
        for k, (first, last) in enumerate(zip(self._first, self._arrays, strict=True)):
            if first is None and last is not None and self._handles[k] is not None:
                self._unmap(k)

    def _prepared(self, step: Step, manifest: Manifest) -> Callable[[], None]:
        """A step as a function of nothing."""
        k = step.arguments[0] if step.arguments else -1
        if step.kind == "map":
            return lambda: self._map(k)
        if step.kind == "unmap":
            return lambda: self._unmap(k)
        if step.kind == "copy":
            return lambda: self._copy(*step.arguments)
        worker = self._workers[manifest.regions[step.region].target]
        model = self._models[step.region]
        if isinstance(worker, HostWorker):
            return lambda: worker.call(model, [self._array(k) for k in step.arguments])
        assert all(self._worker_of(k) is worker for k in step.arguments), step
        buffers = [self._handles[k] for k in step.arguments]
        return lambda: worker.call(model, buffers)

    def _array(self, k: int) -> np.ndarray:
        array = self._arrays[k]
        assert array is not None, f"argument {k} is in the hands of {self._owners[k]}"
        return array

    def _worker_of(self, k: int) -> Worker:
        return self._workers[self._owners[k]]

    def _map(self, k: int) -> None:
        self._arrays[k] = self._worker_of(k).map(self._handles[k])

    def _unmap(self, k: int) -> None:
        self._worker_of(k).unmap(self._handles[k])
        self._arrays[k] = None

    def _copy(self, source: int, to: int) -> None:
        """Move what devices do not share; one that is in a device's hands is mapped meanwhile."""
        away = [k for k in (source, to) if self._arrays[k] is None]
        for k in away:
            self._map(k)
        copy(self._array(to), self._array(source))
        for k in away:
            self._unmap(k)


def copy(to: np.ndarray, source: np.ndarray) -> None:
    """Every copy that a divided network makes."""
    np.copyto(to, source)


def owners(manifest: Manifest) -> list[str]:
    """
    For each argument the target in whose memory it lies: that which it is taken from and handed to,
    or that of a region that reads or writes it.
    """
    found = dict[int, str]()
    for step in manifest.steps:
        if step.kind == "run":
            for k in step.arguments:
                found.setdefault(k, manifest.regions[step.region].target)
    for step in manifest.steps:
        if step.device:
            found[step.arguments[0]] = step.device
    anywhere = manifest.regions[0].target
    return [found.get(k, anywhere) for k in range(len(manifest.arguments))]
