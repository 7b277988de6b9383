"""
What a back end is: all that the compiler asks of one. CPUs and OpenCL devices are two of them, and
docs/backends.md writes a third.

A back end is an object that the entry point `lamina.backends` of its package names, by the first
part of its targets: `opencl` for `opencl:intel-gen9`. `lamina.backends.registry` finds it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.backends.machine import Machine

if TYPE_CHECKING:  # what loads a compiled model needs no IR and no compiler
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.ir import Operation
    from xdsl.passes import ModulePass

    from lamina.backends.cpu.artifact import Artifact
    from lamina.backends.model import CompiledModel
    from lamina.context import LaminaContext
    from lamina.options import Options


class Worker(ABC):
    """
    A device at work on its regions of a network, one call of the network at a time: memory that
    other devices are handed, and regions that are run one after the other.
    """

    @abstractmethod
    def buffer(self, shape: Sequence[int], dtype: np.dtype) -> Any:
        """Memory for a tensor, in the hands of this device."""

    @abstractmethod
    def map(self, buffer: Any) -> np.ndarray:
        """Hand memory to the host, after all that was begun: the array that lies there."""

    @abstractmethod
    def unmap(self, buffer: Any) -> None:
        """Take memory back; what the host wrote is there for what is begun from now on."""

    @abstractmethod
    def call(self, model: CompiledModel, buffers: Sequence[Any]) -> None:
        """
        Begin to run a region on memory of this device: its inputs, then its outputs. The same
        region is always given the same memory.
        """


class HostWorker(Worker):
    """
    A device whose memory is the host's: to map is nothing, and a region may be given any arrays.
    """

    def buffer(self, shape: Sequence[int], dtype: np.dtype) -> np.ndarray:
        return np.empty(shape, dtype)

    def map(self, buffer: np.ndarray) -> np.ndarray:
        return buffer

    def unmap(self, buffer: np.ndarray) -> None:
        pass

    def call(self, model: CompiledModel, buffers: Sequence[np.ndarray]) -> None:
        count = len(model.inputs)
        model.run_into(buffers[:count], buffers[count:])


class Backend(ABC):
    """One kind of device. Its methods keep no state: one object serves all compilations."""

    name: str
    """the first part of its targets"""

    @abstractmethod
    def machine(self, target: str) -> Machine:
        """The description of a target; `UnknownTarget` if there is no such one."""

    def absent(self, machine: Machine) -> str | None:
        """Why this computer has no such device, or None; asked where another one may do."""
        return None

    def claims(self, op: Operation, machine: Machine) -> str | None:
        """None if the device can compute an op of `graph`, else the reason why not."""
        return None

    def seconds(self, op: Operation, machine: Machine) -> float:
        """
        How long the device takes for an op of `graph`: here, to move its operands and its result,
        or to add up its products, whichever takes longer, and to begin. It is that of one thread.
        """
        # imported here: it is about IR, which loading a compiled model does without
        from lamina.passes.graph._products import seconds_of

        return seconds_of(op, machine)

    def shares_host_memory(self, machine: Machine) -> bool:
        """Whether the host and the device read the same memory, so that none has to be copied."""
        return True

    @abstractmethod
    def passes(self, machine: Machine, options: Options) -> tuple[ModulePass, ...]:
        """From a network of `graph` whose layouts are chosen to what `compile` takes."""

    @abstractmethod
    def compile(
        self,
        ctx: LaminaContext,
        module: ModuleOp,
        machine: Machine,
        options: Options,
        *,
        cache: bool,
        begin: Callable[[str], None],
    ) -> CompiledModel:
        """
        The module as what the device runs. Its constants are in `ctx.weights`. With `cache`, parts
        that were compiled before are not compiled again; `begin` is told what is done next.
        `DiagnosticException` or `LaminaError`, in one line, for what cannot be.
        """

    @abstractmethod
    def load(self, artifact: Artifact, threads: int | None) -> CompiledModel:
        """
        A model that was compiled and saved, to run on `threads` threads if they are given;
        `LaminaError` with the reason if this computer cannot run it.
        """

    def worker(self, models: Sequence[CompiledModel]) -> Worker:
        """The device at work on these regions of one network."""
        return HostWorker()
