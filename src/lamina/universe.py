"""What `xdsl-opt`, `lamina-opt` and `xdsl-gui` find when lamina is installed."""

from collections.abc import Callable
from functools import partial
from importlib import import_module

from xdsl.ir import Dialect
from xdsl.universe import Universe

from lamina import passes

# dialect name -> module and object; imported when a program first uses the dialect
_DIALECTS = {
    "graph": ("lamina.dialects.graph", "Graph"),
    "te": ("lamina.dialects.te", "Te"),
    "loop": ("lamina.dialects.loop", "Loop"),
    "vec": ("lamina.dialects.vector", "Vec"),
    "int8": ("lamina.dialects.int8", "Int8"),
}


def _load(module: str, name: str) -> Dialect:
    return getattr(import_module(module), name)


def dialects() -> dict[str, Callable[[], Dialect]]:
    """Every dialect by name, imported only when asked for."""
    return {name: partial(_load, *where) for name, where in _DIALECTS.items()}


UNIVERSE = Universe(all_dialects=dialects(), all_passes=passes.available())
