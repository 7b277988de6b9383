"""OpenCL devices as a back end: vectors to OpenCL C, which the driver builds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lamina.backends.cpu.artifact import Artifact
from lamina.backends.machine import Machine
from lamina.backends.model import CompiledModel
from lamina.backends.opencl.devices import choose
from lamina.backends.opencl.model import OpenCLModel
from lamina.backends.opencl.worker import OpenCLWorker
from lamina.backends.vectors import VectorBackend
from lamina.errors import LaminaError

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from lamina.options import Options


class OpenCLBackend(VectorBackend):
    """`opencl:<device>`, by the names in `lamina.backends.machine`."""

    name = "opencl"

    def absent(self, machine: Machine) -> str | None:
        try:
            choose(target=machine.name)
        except LaminaError as e:
            return str(e)
        return None

    def build(
        self,
        module: ModuleOp,
        machine: Machine,
        options: Options,
        weights: Mapping[str, np.ndarray],
        pack: Callable[[], None],
        *,
        cache: bool,
        begin: Callable[[str], None],
    ) -> OpenCLModel:
        from lamina.backends.opencl.build import build_model  # loading a model takes no compiler

        return build_model(module, machine, weights, cache=cache, begin=begin, pack=pack)

    def load(self, artifact: Artifact, threads: int | None) -> OpenCLModel:
        return OpenCLModel(artifact.objects, artifact.manifest, artifact.weights)

    def worker(self, models: Sequence[CompiledModel]) -> OpenCLWorker:
        return OpenCLWorker(models)


OPENCL = OpenCLBackend()
