"""
Lamina: a deep-learning compiler of thin, readable layers of IR.

    model = lamina.compile("resnet50.onnx")
    y = model(x)

The names below are imported when they are first used: `import lamina` happens on the way to every
module of the package, so also to `lamina-opt --help`, which needs neither NumPy nor LLVM.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lamina.backends.load import load
    from lamina.backends.model import CompiledModel
    from lamina.compiler import compile
    from lamina.errors import LaminaError
    from lamina.tools.quantize.quantizer import quantize

    __version__: str

__all__ = ["CompiledModel", "LaminaError", "__version__", "compile", "load", "quantize"]

_HOMES = {
    "CompiledModel": "lamina.backends.model",
    "LaminaError": "lamina.errors",
    "compile": "lamina.compiler",
    "load": "lamina.backends.load",
    "quantize": "lamina.tools.quantize.quantizer",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("lamina")
    if name not in _HOMES:
        raise AttributeError(f"module 'lamina' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
