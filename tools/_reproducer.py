"""A file that repeats a failure: the module before the pass that failed, and the command."""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from lamina.tools._files import whole
from lamina.weights import WeightStore


class Reproducer:
    """Writes the module a pass was given to a file, with the command that runs the pass on it."""

    def __init__(self, path: str | Path | None, store: WeightStore, options: tuple[str, ...] = ()):
        self._path, self._store, self.options = path, store, options

    @property
    def path(self) -> Path:
        """Where it is written: what the user asked for, or a new temporary file."""
        if self._path is None:
            handle, self._path = tempfile.mkstemp(".mlir", "lamina-")
            os.close(handle)
        return Path(self._path)

    def write(self, given: ModuleOp, todo: ModulePass, reason: str) -> None:
        """Write what `todo` was given when it failed, and the weights it needs beside it."""
        words = shlex.join(["-p", str(todo), *self.options])
        text = f"// {reason}\n// RUN: lamina-opt %s {words}\n{given!s}\n"
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
