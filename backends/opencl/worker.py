"""An OpenCL device at work on its regions of a network that is divided among devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from lamina.backends.interface import Worker
from lamina.backends.model import CompiledModel
from lamina.backends.opencl.devices import context_of, opencl
from lamina.backends.opencl.model import OpenCLModel
from lamina.backends.opencl.session import Session


@dataclass
class Memory:
    """A buffer that the driver lays where the host can map it, without a copy if it is shared."""

    handle: Any
    shape: tuple[int, ...]
    dtype: np.dtype
    mapped: Any = None


class OpenCLWorker(Worker):
    """One queue, in order: what is mapped holds what all regions before it wrote."""

    def __init__(self, models: Sequence[CompiledModel]) -> None:
        cl, model = opencl(), models[0]
        assert isinstance(model, OpenCLModel), model
        self._model = model  # which says it in one line if the device fails
        with model.failures():
            self._context = context_of(model.device)
            self._queue = cl.CommandQueue(self._context)
        self._sessions = dict[CompiledModel, Session]()

    def buffer(self, shape: Sequence[int], dtype: np.dtype) -> Memory:
        cl, size = opencl(), prod(shape) * dtype.itemsize
        flags = cl.mem_flags.READ_WRITE | cl.mem_flags.ALLOC_HOST_PTR
        with self._model.failures():
            return Memory(cl.Buffer(self._context, flags, max(size, 1)), tuple(shape), dtype)

    def map(self, buffer: Memory) -> np.ndarray:
        cl = opencl()
        flags = cl.map_flags.READ | cl.map_flags.WRITE
        with self._model.failures():
            buffer.mapped, _ = cl.enqueue_map_buffer(
                self._queue, buffer.handle, flags, 0, buffer.shape, buffer.dtype
            )
        return buffer.mapped

    def unmap(self, buffer: Memory) -> None:
        with self._model.failures():
            buffer.mapped.base.release(self._queue)
        buffer.mapped = None

    def call(self, model: CompiledModel, buffers: Sequence[Memory]) -> None:
        assert isinstance(model, OpenCLModel), model
        with model.failures():
            if model not in self._sessions:
                handles = [b.handle for b in buffers]
                self._sessions[model] = model.session_on(self._queue, handles)
            self._sessions[model].launch()
            self._queue.flush()  # it runs while the host goes on
