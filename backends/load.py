"""Reading compiled models from files."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from lamina.backends.cpu import artifact
from lamina.backends.cpu.model import CPUModel, why_not_here
from lamina.backends.model import CompiledModel
from lamina.backends.opencl.model import OpenCLModel
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
    if found.manifest.target.startswith("opencl:"):
        return OpenCLModel(found.objects, found.manifest, found.weights)
    if refusal := why_not_here(found.manifest):
        raise LaminaError(f"{path}: {refusal}")
    return CPUModel(found.objects, found.manifest, found.weights, threads)
