"""
The passes, one per file, in folders by the level they work on. A pass named ``fold-transpose``
lives in ``<level>/fold_transpose.py``: adding a file is all it takes to register it. Files whose
name starts with ``_`` are helpers, and so is everything beside the folders.
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from xdsl.passes import ModulePass

if __name__ != "lamina.passes":
    raise ImportError(f"import 'lamina.passes', not '{__name__}'")


def load(module_name: str, name: str) -> type[ModulePass]:
    """Import `module_name` and return the pass called `name` that it defines."""
    module = import_module(module_name)
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, ModulePass):
            if value.__module__ == module.__name__ and value.name == name:
                return value
    raise LookupError(f"{module_name} defines no pass named '{name}'")


def available() -> dict[str, Callable[[], type[ModulePass]]]:
    """Every pass by name, imported only when asked for."""
    return {name: partial(load, module, name) for name, module in sorted(_modules())}


def _modules() -> list[tuple[str, str]]:
    """The name of every pass, and the module that its file is."""
    found: dict[str, str] = {}
    for level in iter_modules(__path__):
        folders = [str(Path(folder) / level.name) for folder in __path__ if level.ispkg]
        for file in iter_modules(folders):
            if file.ispkg or file.name.startswith("_"):
                continue
            name, module = file.name.replace("_", "-"), f"{__name__}.{level.name}.{file.name}"
            if name in found:
                raise ImportError(f"{found[name]} and {module} are both pass '{name}'")
            found[name] = module
    return list(found.items())
