"""CPUs as a back end: vectors to machine code, by LLVM."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from lamina.backends.cpu.artifact import Artifact
from lamina.backends.cpu.model import CPUModel, why_not_here
from lamina.backends.cpu.objects import ObjectCache
from lamina.backends.machine import Machine
from lamina.backends.vectors import VectorBackend
from lamina.errors import LaminaError

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from lamina.options import Options


class CPUBackend(VectorBackend):
    """`cpu`, which is this one, and `cpu:<LLVM's name>`."""

    name = "cpu"

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
    ) -> CPUModel:
        from lamina.backends.cpu.build import build_model  # loading a model takes no compiler

        objects, threads = ObjectCache() if cache else None, options.threads
        return build_model(
            module, machine, weights, threads=threads, cache=objects, begin=begin, pack=pack
        )

    def load(self, artifact: Artifact, threads: int | None) -> CPUModel:
        if refusal := why_not_here(artifact.manifest):
            raise LaminaError(refusal)
        return CPUModel(artifact.objects, artifact.manifest, artifact.weights, threads)


CPU = CPUBackend()
