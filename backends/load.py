"""Reading compiled models from files."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from lamina.backends.cpu import artifact
from lamina.backends.model import CompiledModel
from lamina.backends.registry import backend_of
from lamina.backends.split.model import opened
from lamina.errors import LaminaError


def load(path: str | PathLike[str], *, threads: int | None = None) -> CompiledModel:
    """
    A model that `save` wrote; LaminaError if this computer cannot run it, or it is damaged. It runs
    on `threads` threads, or on as many as it was compiled for.
    """
    found = artifact.read(Path(path))
    if threads is not None and not 1 <= threads <= found.manifest.threads:
        raise LaminaError(
            f"{path}: threads={threads} needs a model that was compiled for so many, this one was "
            f"for {found.manifest.threads}; compile it again"
        )
    try:
        if found.manifest.regions:
            return opened(found, threads)
        return backend_of(found.manifest.target).load(found, threads)
    except LaminaError as e:
        raise LaminaError(f"{path}: {e}") from e
