"""OpenCL devices as a back end: vectors to OpenCL C, which the driver builds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from lamina.backends.cpu.artifact import Artifact
from lamina.backends.interface import Backend
from lamina.backends.machine import Machine, describe
from lamina.backends.model import CompiledModel
from lamina.backends.opencl.devices import choose
from lamina.backends.opencl.model import OpenCLModel
from lamina.backends.opencl.worker import OpenCLWorker
from lamina.errors import LaminaError

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.passes import ModulePass

    from lamina.context import LaminaContext
    from lamina.options import Options


class OpenCLBackend(Backend):
    """`opencl:<device>`, by the names in `lamina.backends.machine`."""

    name = "opencl"

    def machine(self, target: str) -> Machine:
        return describe(target)

    def absent(self, machine: Machine) -> str | None:
        try:
            choose(target=machine.name)
        except LaminaError as e:
            return str(e)
        return None

    def passes(self, machine: Machine, options: Options) -> tuple[ModulePass, ...]:
        # imported here, as in `compile`: loading a compiled model takes no passes
        from lamina.passes.pipelines import kernels

        return kernels(machine.name, options)

    def compile(
        self,
        ctx: LaminaContext,
        module: ModuleOp,
        machine: Machine,
        options: Options,
        *,
        cache: bool,
        begin: Callable[[str], None],
    ) -> OpenCLModel:
        from lamina.backends.cpu.entry import places_of_weights
        from lamina.backends.opencl.build import build_model

        weights = places_of_weights(module)
        pack = partial(ctx.weights.move, weights)
        return build_model(module, machine, weights, cache=cache, begin=begin, pack=pack)

    def load(self, artifact: Artifact, threads: int | None) -> OpenCLModel:
        return OpenCLModel(artifact.objects, artifact.manifest, artifact.weights)

    def worker(self, models: Sequence[CompiledModel]) -> OpenCLWorker:
        return OpenCLWorker(models)


OPENCL = OpenCLBackend()
