"""A file that repeats a failure: the module before the pass that failed, and the command."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from lamina.tools._files import whole
from lamina.weights import WeightStore


class Reproducer:
    """Keeps a copy of the module before each pass; writes the last one when asked to."""

    def __init__(self, path: str | Path, store: WeightStore, options: tuple[str, ...] = ()):
        self.path, self.options = Path(path), options
        self._store = store
        self._last: tuple[ModuleOp, ModulePass] | None = None

    def remember(self, module: ModuleOp, todo: ModulePass) -> None:
        """`todo` is about to change `module`."""
        self._last = module.clone(), todo

    def write(self, reason: str) -> None:
        """Write what was remembered last, and the weights it needs beside it."""
        if self._last is None:
            return
        module, todo = self._last
        words = shlex.join(["-p", str(todo), *self.options])
        text = f"// {reason}\n// RUN: lamina-opt %s {words}\n{module!s}\n"
        with whole(self.path) as path:
            path.write_text(text, encoding="utf-8")
        save_weights(self._store, text, self.path)


def save_weights(store: WeightStore, text: str, beside: Path) -> None:
    """Save the weights that `text` names to the .safetensors file that goes with the .mlir file."""
    keys = {key for key in re.findall(r"\b[0-9a-f]{16}\b", text) if key in store}
    if keys:
        store.save(weights_file(beside), keys)


def weights_file(module: Path) -> Path:
    """Where the weights of a .mlir file are."""
    return module.with_suffix(".safetensors")
