"""What a call of a model needs for itself on a device: a queue, buffers, kernels to launch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import numpy as np

from lamina.backends.cpu.manifest import Argument, Call, Launch, Manifest, Slice
from lamina.backends.model import size_of, span_of
from lamina.backends.opencl.devices import SUBGROUP, opencl

NOTHING: Mapping[int, Any] = MappingProxyType({})


class Session:
    """
    Buffers for all that is computed, inputs and outputs where the host can map them, and a flat
    list of launches on them. The queue is in order: a kernel sees what those before it wrote.
    """

    def __init__(
        self,
        context: Any,
        manifest: Manifest,
        weights: Mapping[str, Any],
        programs: Mapping[str, Any],
        *,
        profiling: bool = False,
        queue: Any = None,
        given: Mapping[int, Any] = NOTHING,
    ) -> None:
        """On a queue of its own unless told which; `given` are buffers by argument."""
        cl = opencl()
        flags = cl.command_queue_properties.PROFILING_ENABLE if profiling else 0
        self.queue = cl.CommandQueue(context, properties=flags) if queue is None else queue
        self._arguments = manifest.arguments
        self._buffers = [
            given[k] if k in given else _buffer(context, a, weights)
            for k, a in enumerate(manifest.arguments)
        ]
        self._parts: dict[Slice, Any] = {}
        self._launches = [self._launch(x, manifest, programs) for x in manifest.launches]

    def _launch(self, launch: Launch, manifest: Manifest, programs: Mapping[str, Any]) -> Any:
        program = programs[manifest.calls[launch.call].symbol]
        kernel = opencl().Kernel(program, launch.kernel)
        kernel.set_args(*(self._part(b) for b in launch.buffers))
        width, *others = launch.grid
        return kernel, (width * SUBGROUP, *others), (SUBGROUP, *(1 for _ in others))

    def _part(self, part: Slice) -> Any:
        """A part of a buffer, or all of it."""
        whole = self._buffers[part.argument]
        if part.size == whole.size:
            return whole
        if part not in self._parts:
            self._parts[part] = whole.get_sub_region(part.offset, part.size)
        return self._parts[part]

    def launch(self, first: int = 0, last: int | None = None) -> list[Any]:
        """Enqueue launches, all of them unless told which; their events."""
        enqueue, queue = opencl().enqueue_nd_range_kernel, self.queue
        return [enqueue(queue, *parts) for parts in self._launches[first:last]]

    def write(self, argument: int, array: np.ndarray) -> None:
        """Give an input its value."""
        with self._mapped(argument, "WRITE_INVALIDATE_REGION") as memory:
            np.copyto(memory, array)

    def read(self, argument: int, array: np.ndarray) -> None:
        """Take the value of an output, after all that was enqueued."""
        with self._mapped(argument, "READ") as memory:
            np.copyto(array, memory)

    @contextmanager
    def _mapped(self, argument: int, access: str) -> Iterator[np.ndarray]:
        """An input or output as the host's memory; no copy is made where the device shares it."""
        a = self._arguments[argument]
        with self._host_memory(self._buffers[argument], access, 0, a.shape, a.dtype, None) as found:
            yield found

    @contextmanager
    def _host_memory(
        self,
        buffer: Any,
        access: str,
        offset: int,
        shape: Sequence[int],
        dtype: str,
        strides: Sequence[int] | None,
    ) -> Iterator[np.ndarray]:
        cl = opencl()
        flags = getattr(cl.map_flags, access)
        array, _ = cl.enqueue_map_buffer(
            self.queue, buffer, flags, offset, tuple(shape), np.dtype(dtype), strides=strides
        )
        try:
            yield array
        finally:
            array.base.release(self.queue)

    def result_of(self, call: Call) -> np.ndarray:
        """A copy of what a call computed, as it lies in memory."""
        place = call.places[-1]
        size = span_of(call)
        buffer = self._buffers[place.argument]
        with self._host_memory(buffer, "READ", place.offset, [size], "uint8", None) as memory:
            copy = memory.copy()
        return np.ndarray(call.shape, np.dtype(call.dtype), copy.data, strides=call.strides)


def _buffer(context: Any, a: Argument, weights: Mapping[str, Any]) -> Any:
    cl = opencl()
    if a.role == "weight":
        return weights[a.name]
    flags = cl.mem_flags.READ_WRITE
    if a.role != "arena":
        flags |= cl.mem_flags.ALLOC_HOST_PTR
    return cl.Buffer(context, flags, max(size_of(a), 1))
