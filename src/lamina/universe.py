"""What `xdsl-opt`, `lamina-opt` and `xdsl-gui` find when lamina is installed."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from xdsl.ir import Dialect
from xdsl.universe import Universe
from xdsl.utils.target import Target

from lamina import passes

# dialect name -> module and object; imported when a program first uses the dialect
_DIALECTS = {
    "graph": ("lamina.dialects.graph", "Graph"),
    "te": ("lamina.dialects.te", "Te"),
    "loop": ("lamina.dialects.loop", "Loop"),
    "vec": ("lamina.dialects.vector", "Vec"),
    "int8": ("lamina.dialects.int8", "Int8"),
}

# the same for what prints a module; the names must not be xDSL's, which has a target `llvm`
_TARGETS = {
    "lamina-llvm": ("lamina.backends.cpu.targets", "LlvmTarget"),
    "lamina-asm": ("lamina.backends.cpu.targets", "AsmTarget"),
    "lamina-opencl": ("lamina.backends.opencl.target", "OpenCLTarget"),
}


def _load(module: str, name: str) -> Any:
    return getattr(import_module(module), name)


def dialects() -> dict[str, Callable[[], Dialect]]:
    """Every dialect by name, imported only when asked for."""
    return {name: partial(_load, *where) for name, where in _DIALECTS.items()}


def targets() -> dict[str, Callable[[], type[Target]]]:
    """Every target of `-t` by name, imported only when asked for."""
    return {name: partial(_load, *where) for name, where in _TARGETS.items()}


UNIVERSE = Universe(all_dialects=dialects(), all_passes=passes.available(), all_targets=targets())
