"""Passes and dialects from a Python file outside the tree: `lamina-opt --load my_pass.py`."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from xdsl.ir import Dialect
from xdsl.passes import ModulePass
from xdsl.utils.target import Target

from lamina.errors import LaminaError


@dataclass(frozen=True)
class Loaded:
    """What a file defines."""

    passes: Mapping[str, type[ModulePass]]
    dialects: Mapping[str, Dialect]
    targets: Mapping[str, type[Target]]
    implementations: Mapping[Any, Any]
    """its table IMPLEMENTATIONS, which lets the interpreters run its ops"""


def load(path: str) -> Loaded:
    """Execute the Python file at `path` and collect what it defines."""
    module = _execute(Path(path))
    values = [v for v in vars(module).values() if getattr(v, "__module__", None) == module.__name__]
    classes = [v for v in values if isinstance(v, type) and isinstance(getattr(v, "name", 0), str)]
    found = Loaded(
        {c.name: c for c in classes if issubclass(c, ModulePass)},
        {d.name: d for d in vars(module).values() if isinstance(d, Dialect)},
        {c.name: c for c in classes if issubclass(c, Target)},
        getattr(module, "IMPLEMENTATIONS", {}),
    )
    if not found.passes and not found.dialects and not found.targets:
        raise LaminaError(
            f"{path} defines no pass, dialect or target: it needs a subclass of "
            "xdsl.passes.ModulePass with a name, or a Dialect"
        )
    return found


def _execute(path: Path) -> ModuleType:
    """Dataclasses look their module up in `sys.modules`, so it has to be there."""
    name = f"lamina_loaded.{path.stem}"
    try:
        source = path.read_text(encoding="utf-8")
        code = compile(source, str(path), "exec")
    except OSError as e:
        raise LaminaError(f"cannot read '{path}': {e.strerror}") from e
    except SyntaxError as e:
        raise LaminaError(f"{path}:{e.lineno}:{e.offset}: {e.msg}") from e
    except ValueError as e:  # not UTF-8, or null bytes
        raise LaminaError(f"{path} is no Python source: {e}") from e
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, None))  # type: ignore[arg-type]
    module.__file__ = str(path)
    sys.modules[name] = module
    try:
        exec(code, vars(module))
    except Exception as e:
        raise LaminaError(f"{path} cannot be loaded: {type(e).__name__}: {e}") from e
    return module
