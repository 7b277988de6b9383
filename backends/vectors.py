"""What back ends have in common that make code of the vector level."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from lamina.backends.interface import Backend
from lamina.backends.machine import Machine, describe
from lamina.backends.model import CompiledModel

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.passes import ModulePass

    from lamina.context import LaminaContext
    from lamina.options import Options


class VectorBackend(Backend):
    """A back end of targets in `lamina.backends.machine`; `build` makes code of vectors."""

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
    ) -> CompiledModel:
        from lamina.backends.cpu.entry import places_of_weights

        weights = places_of_weights(module)
        pack = partial(ctx.weights.move, weights)
        return self.build(module, machine, options, weights, pack, cache=cache, begin=begin)

    @abstractmethod
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
    ) -> CompiledModel:
        """
        The model of a module of vectors and an entry. `weights` are by the keys of the entry's
        arguments, and `pack` fills them; the rest is that of `compile`.
        """
