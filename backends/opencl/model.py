"""A compiled model that Python can call, on an OpenCL device."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lamina.backends.cpu.manifest import Manifest
from lamina.backends.model import CompiledModel, Enqueueing, Timing, label, size_of
from lamina.backends.opencl.devices import Device, choose, context_of, needs_subgroups, opencl
from lamina.backends.opencl.programs import OPTIONS, PORTABLE, Programs
from lamina.backends.opencl.session import Session
from lamina.backends.spares import Spares
from lamina.errors import LaminaError

GiB = 1 << 30
OUT_OF_MEMORY = ("MEM_OBJECT_ALLOCATION_FAILURE", "OUT_OF_RESOURCES", "OUT_OF_HOST_MEMORY")
OUT_OF_MEMORY += ("INVALID_BUFFER_SIZE",)


class _Loaded:
    """A model on a device: its programs, and its weights, which all calls share."""

    def __init__(self, model: OpenCLModel, device: Device) -> None:
        cl, manifest = opencl(), model.manifest
        self.context = context_of(device)
        names = {call.symbol: call.source for call in reversed(manifest.calls)}
        sources = {symbol: code.decode() for symbol, code in model.objects.items()}
        options = OPTIONS if needs_subgroups(manifest.target) else PORTABLE
        programs = Programs(device, self.context, options, cache=model.cache)
        self.programs = programs.build(sources, names)
        flags = cl.mem_flags.READ_ONLY | cl.mem_flags.COPY_HOST_PTR
        self.weights = {
            key: cl.Buffer(self.context, flags, hostbuf=w) if w.size else None
            for key, w in model.weights.items()
        }


class OpenCLModel(CompiledModel):
    """
    A model as kernels in OpenCL C, which the driver of the device builds when it is first called.

    With `cache`, what the driver made is kept in $LAMINA_CACHE for the next process.
    """

    def __init__(
        self,
        objects: Mapping[str, bytes],
        manifest: Manifest,
        weights: Mapping[str, np.ndarray],
        device: Device | None = None,
        *,
        cache: bool = True,
    ) -> None:
        super().__init__(objects, manifest, weights)
        self._device, self.cache = device, cache
        self._lock = threading.Lock()
        self._on_device: _Loaded | None = None
        self._idle = {True: Spares[Session](), False: Spares[Session]()}
        """with the device's clock, which costs time, and without"""

    @cached_property
    def device(self) -> Device:
        """Where the model runs; LaminaError if there is no such device."""
        if self._device is not None:
            return self._device
        return choose(target=self.manifest.target)

    def prepare(self) -> None:
        """Build the kernels, move the weights to the device; else the first call does."""
        with self.failures():
            self._loaded()

    def _loaded(self) -> _Loaded:
        with self._lock:
            if self._on_device is None:
                self._require_memory()
                self._on_device = _Loaded(self, self.device)
            return self._on_device

    def _require_memory(self) -> None:
        sizes = {a.name or a.role: size_of(a) for a in self.manifest.arguments}
        device, total = self.device, sum(sizes.values())
        name, largest = max(sizes.items(), key=lambda item: item[1])
        if total > device.memory or largest > device.largest:
            raise LaminaError(
                f"{device.name} has {device.memory / GiB:.2f} GiB, {device.largest / GiB:.2f} GiB "
                f"in one buffer; the model needs {total / GiB:.2f} GiB, {largest / GiB:.2f} GiB "
                f"for '{name}'; choose another device, see 'lamina devices', or target cpu"
            )

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Say it in one line if the device runs out of memory, or fails otherwise."""
        cl = opencl()
        try:
            yield
        except cl.Error as e:
            reason = str(e).splitlines()[0]
            if isinstance(e, cl.MemoryError) or any(name in reason for name in OUT_OF_MEMORY):
                needed = sum(map(size_of, self.manifest.arguments)) / GiB
                reason = f"out of memory: each call needs {needed:.2f} GiB in all ({reason})"
            raise LaminaError(f"{self.device.name}: {reason}") from e

    @contextmanager
    def _session(self, inputs: list[ArrayLike], *, profiling: bool = False) -> Iterator[Session]:
        """A session whose inputs are these."""
        arrays = self._arrays(inputs)
        with self.failures():
            loaded, idle = self._loaded(), self._idle[profiling]
            session = idle.take(lambda: self._new_session(loaded, profiling=profiling))
            for (k, _), array in zip(self._inputs, arrays, strict=True):
                session.write(k, array)
            yield session
            idle.give(session)

    def session_on(self, queue: Any, buffers: Sequence[Any]) -> Session:
        """A session whose inputs, then outputs, are these buffers of the device."""
        numbers = [k for k, _ in (*self._inputs, *self._outputs)]
        given = dict(zip(numbers, buffers, strict=True))
        return self._new_session(self._loaded(), queue=queue, given=given)

    def _new_session(self, on: _Loaded, **options: Any) -> Session:
        return Session(on.context, self.manifest, on.weights, on.programs, **options)

    def _run(self, inputs: list[ArrayLike]) -> list[np.ndarray]:
        outputs = self._new_outputs()
        with self._session(inputs) as session:
            session.launch()
            for (k, _), array in zip(self._outputs, outputs, strict=True):
                session.read(k, array)
        return outputs

    def profile(self, inputs: Mapping[str, ArrayLike], rounds: int = 10) -> list[Timing]:
        """How long the device takes for the kernels of each call, by the clock of its driver."""
        seconds = defaultdict[int, list[float]](list)
        with self._session(self._ordered(inputs), profiling=True) as session:
            for number in range(rounds + 1):
                events = session.launch()
                session.queue.finish()
                if number:  # the first round is to warm up
                    for call, time in self._by_call(events).items():
                        seconds[call].append(time)
        return [
            Timing(k, call.symbol, call.source, median(seconds[k]), call.flops, call.predicted)
            for k, call in enumerate(self.manifest.calls)
        ]

    def enqueueing(self, inputs: Mapping[str, ArrayLike], rounds: int = 20) -> Enqueueing:
        """
        How long the host takes to enqueue the kernels of a call, by its clock, and how long it is
        until all of them have run.
        """
        begun, done = list[float](), list[float]()
        with self._session(self._ordered(inputs)) as session:
            for number in range(rounds + 1):
                session.queue.finish()
                start = time.perf_counter()
                session.launch()
                enqueued = time.perf_counter()
                session.queue.finish()
                if number:  # the first round is to warm up
                    begun.append(enqueued - start)
                    done.append(time.perf_counter() - start)
        return Enqueueing(len(self.manifest.launches), median(begun), median(done))

    def _by_call(self, events: list[Any]) -> dict[int, float]:
        """The seconds that the launches of each call took."""
        found = defaultdict[int, float](float)
        for launch, event in zip(self.manifest.launches, events, strict=True):
            found[launch.call] += 1e-9 * (event.profile.end - event.profile.start)
        return found

    def values(self, inputs: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
        found = dict[str, np.ndarray]()
        with self._session(self._ordered(inputs)) as session:
            done = 0
            for index, call in enumerate(self.manifest.calls):
                count = sum(x.call == index for x in self.manifest.launches)
                session.launch(done, done + count)
                done += count
                found[label(index, call)] = session.result_of(call)
        return found
