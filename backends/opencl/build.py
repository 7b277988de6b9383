"""A module of kernels and their entry to a model that runs on an OpenCL device."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from lamina.backends.cpu.llvm_ir import ENTRY
from lamina.backends.machine import Machine
from lamina.backends.opencl.host import describe_launches
from lamina.backends.opencl.model import OpenCLModel
from lamina.backends.opencl.printer import HEADER, Kernel, functions_of, print_function
from lamina.backends.opencl.programs import CAME_FROM, commented


def build_model(
    module: ModuleOp,
    machine: Machine,
    weights: Mapping[str, np.ndarray],
    *,
    cache: bool,
    begin: Callable[[str], None],
    pack: Callable[[], None],
) -> OpenCLModel:
    """
    The kernels of `module` as text, each function's with its IR in comments behind it, and what
    the entry launches; `begin` is told each function.
    `weights` are by the keys of the entry's arguments, and `pack` fills them.
    """
    kernels = dict[str, list[Kernel]]()
    came_from = dict[str, str]()
    for f in functions_of(module):
        if ENTRY not in f.attributes:
            begin(f.sym_name.data)
            came_from[f.sym_name.data] = CAME_FROM + commented(str(f))
            kernels[f.sym_name.data] = print_function(f, machine)
    pack()
    sources = {
        symbol: ("\n".join([HEADER, *(k.source for k in found)]) + came_from[symbol]).encode()
        for symbol, found in kernels.items()
    }
    return OpenCLModel(sources, describe_launches(module, machine, kernels), weights, cache=cache)
