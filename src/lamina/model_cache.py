"""
Whole compiled models on disk, so that a model compiled once starts at once in the next process.

The key is the hash of everything that decides the result: the bytes of the model's files, target,
options, versions, and every source file of the installed lamina, so that who changes a pass never
sees what the old one made.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import lamina
from lamina.backends.cpu.objects import default_folder, key_of, trim
from lamina.backends.load import load
from lamina.backends.model import CompiledModel
from lamina.errors import LaminaError

LIMIT = 4 << 30
"""bytes a cache may take before the models unused for longest go"""


class ModelCache:
    """A folder of artifacts. What cannot be read is compiled; what cannot be written is not."""

    def __init__(self, folder: Path | None = None, limit: int = LIMIT) -> None:
        self.folder = folder or default_folder() / "models"
        self.limit = limit

    def get(self, key: str) -> CompiledModel | None:
        """The model that was kept under `key`, or None."""
        path = self._path(key)
        try:
            model = load(path)
            os.utime(path)  # used now: the last to go
        except (OSError, LaminaError):
            return None  # there is none, or a damaged one: `put` replaces it
        return model

    def put(self, key: str, model: CompiledModel) -> None:
        """Keep `model`, and no more than the limit of others."""
        with suppress(OSError, LaminaError):  # no place to write to: compile again next time
            self.folder.mkdir(parents=True, exist_ok=True)
            model.save(self._path(key))
            trim(self.folder, self.limit, keep=self._path(key))

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.lam"


def model_key(files: Iterable[Path], *options: str) -> str:
    """The key of a model read from `files` and compiled with `options` by this very lamina."""
    return key_of(*map(_hash_file, files), *options, fingerprint())


def files_of(model: Path) -> list[Path]:
    """
    A model's file and those with its data: what ONNX calls external data, an .mlir's weights.

    The names of external data stand in the ONNX file as the protobuf entry "location" -> name,
    which is searched for: parsing the file would take longer than all else a cached model needs.
    """
    if model.suffix == ".mlir":
        weights = model.with_suffix(".safetensors")
        return [model, weights] if weights.is_file() else [model]
    if not model.stat().st_size:  # cannot be mapped
        return [model]
    with model.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        found = set[str]()
        for entry in re.finditer(rb"\x0a\x08location\x12", data):
            size, start = data[entry.end()], entry.end() + 1
            if size > 127:  # a varint of two bytes
                size, start = size - 128 + 128 * data[start], start + 1
            found.add(data[start : start + size].decode(errors="replace"))
    others = (model.parent / name for name in sorted(found) if "\0" not in name)
    return [model, *(path for path in others if path.is_file())]


def fingerprint() -> str:
    """The hash of every source file of the installed lamina but for the command line tools."""
    digest = hashlib.sha256()
    for root in lamina.__path__:
        # pathlib does not walk into links, which an editable install has
        for where, folders, files in os.walk(root, followlinks=True):
            folders[:] = sorted(f for f in folders if f not in ("__pycache__", "tools"))
            for path in (Path(where, f) for f in sorted(files) if f.endswith(".py")):
                digest.update(f"{path.name}{path.stat().st_size}".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
