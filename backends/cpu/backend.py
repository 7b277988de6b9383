"""CPUs as a back end: vectors to machine code, by LLVM."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from lamina.backends.cpu.artifact import Artifact
from lamina.backends.cpu.model import CPUModel, why_not_here
from lamina.backends.cpu.objects import ObjectCache
from lamina.backends.interface import Backend
from lamina.backends.machine import Machine, describe
from lamina.errors import LaminaError

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.passes import ModulePass

    from lamina.context import LaminaContext
    from lamina.options import Options


class CPUBackend(Backend):
    """`cpu`, which is this one, and `cpu:<LLVM's name>`."""

    name = "cpu"

    def machine(self, target: str) -> Machine:
        return describe(target)

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
    ) -> CPUModel:
        from lamina.backends.cpu.build import build_model
        from lamina.backends.cpu.entry import places_of_weights

        weights = places_of_weights(module)
        return build_model(
            module,
            machine,
            weights,
            threads=options.threads,
            cache=ObjectCache() if cache else None,
            begin=begin,
            pack=partial(ctx.weights.move, weights),
        )

    def load(self, artifact: Artifact, threads: int | None) -> CPUModel:
        if refusal := why_not_here(artifact.manifest):
            raise LaminaError(refusal)
        return CPUModel(artifact.objects, artifact.manifest, artifact.weights, threads)


CPU = CPUBackend()
