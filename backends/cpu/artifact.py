"""The `.lam` file: objects, weights and manifest of a compiled model, as a safetensors file.

The file is checked as a whole before anything of it is used: a truncated, damaged or foreign file
is refused with a message of one line. Tensors lie at multiples of 64 bytes, so that loading is one
read and no copy.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from lamina.backends.cpu.manifest import Manifest
from lamina.errors import LaminaError

FORMAT = "lamina model"
VERSION = "1"
ALIGN = 64

_DTYPES = {"bool": "BOOL", "int8": "I8", "uint8": "U8", "int16": "I16", "int32": "I32"}
_DTYPES |= {"uint16": "U16", "uint32": "U32", "uint64": "U64"}
_DTYPES |= {"int64": "I64", "float16": "F16", "float32": "F32", "float64": "F64"}
_OBJECT, _WEIGHT = "object:", "weight:"


@dataclass(frozen=True)
class Artifact:
    """What a `.lam` file holds."""

    manifest: Manifest
    objects: dict[str, bytes]
    """by the symbol each defines"""
    weights: dict[str, np.ndarray]
    """by key, each at a multiple of 64 bytes where its neighbours allow"""


def aligned(size: int) -> np.ndarray:
    """
    This many bytes, not initialised, from a multiple of 64 on.

    NumPy asks for huge pages where 4 MB or more are in one piece: so keep what belongs together.
    """
    raw = np.empty(size + ALIGN, np.uint8)
    return raw[-raw.ctypes.data % ALIGN :][:size]


def in_one_block(like: Mapping[str, tuple[Sequence[int], np.dtype]]) -> dict[str, np.ndarray]:
    """An array of each shape and type, not initialised, all of them in one aligned piece."""
    sizes = {key: prod(shape) * dtype.itemsize for key, (shape, dtype) in like.items()}
    block = aligned(sum(-(-size // ALIGN) * ALIGN for size in sizes.values()))
    found, at = dict[str, np.ndarray](), 0
    for key, (shape, dtype) in like.items():
        found[key] = block[at : at + sizes[key]].view(dtype).reshape(shape)
        at += -(-sizes[key] // ALIGN) * ALIGN
    return found


def write(path: Path, artifact: Artifact) -> None:
    """Write the file beside its place, then move it there: never half of it."""
    tensors = {
        **{_OBJECT + s: np.frombuffer(o, np.uint8) for s, o in artifact.objects.items()},
        **{_WEIGHT + k: np.asarray(w, order="C") for k, w in artifact.weights.items()},
    }
    # what fills whole lines of 64 bytes comes first, so that all of it begins on one
    order = sorted(tensors, key=lambda name: (tensors[name].nbytes % ALIGN != 0, name))
    header, end = dict[str, Any](), 0
    for name in order:
        t = tensors[name]
        begin, end = end, end + t.nbytes
        dtype = _DTYPES[t.dtype.name]
        header[name] = {"dtype": dtype, "shape": t.shape, "data_offsets": [begin, end]}
    manifest = artifact.manifest.to_json()
    digest = _digest(manifest, header)
    for name in order:
        digest.update(_bytes(tensors[name]))
    header["__metadata__"] = {
        "format": FORMAT,
        "version": VERSION,
        "manifest": manifest,
        "sha256": digest.hexdigest(),
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % ALIGN)
    _replace(path, [len(text).to_bytes(8, "little"), text, *(_bytes(tensors[n]) for n in order)])


def _bytes(t: np.ndarray) -> memoryview:
    return t.reshape(-1).view(np.uint8).data


def _digest(manifest: str, tensors: Mapping[str, Any]) -> Any:
    table = [[n, t["dtype"], list(t["shape"]), t["data_offsets"]] for n, t in tensors.items()]
    return hashlib.sha256(json.dumps([VERSION, manifest, table]).encode())


def _replace(path: Path, parts: list[bytes | memoryview]) -> None:
    if path.exists() and not path.is_file():  # replacing /dev/null is something root can do
        raise LaminaError(f"cannot write {path}: it is not a file that can be replaced")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        with open(temporary, "xb") as f:
            f.writelines(parts)
        os.replace(temporary, path)
    except OSError as e:
        raise LaminaError(f"cannot write {path}: {e.strerror}") from e
    finally:
        temporary.unlink(missing_ok=True)


def read(path: Path) -> Artifact:
    """Read and check a whole file."""
    try:
        with open(path, "rb") as f:
            size = os.fstat(f.fileno()).st_size
            data = aligned(size)
            if f.readinto(data.data) != size:
                raise LaminaError(f"cannot read {path}: it changed meanwhile")
    except OSError as e:
        raise LaminaError(f"cannot read {path}: {e.strerror}") from e
    return _parse(path, data)


def _parse(path: Path, data: np.ndarray) -> Artifact:
    length = int.from_bytes(data[:8].tobytes(), "little") if len(data) >= 8 else 0
    try:
        header = json.loads(data[8 : 8 + length].tobytes())
        metadata = header.pop("__metadata__")
        if metadata["format"] != FORMAT:
            raise KeyError("format")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as e:
        raise LaminaError(f"{path} is not a lamina model, or was cut off") from e
    if (found := metadata.get("version")) != VERSION:
        raise LaminaError(
            f"{path} has format version {found}, this lamina reads version {VERSION}; "
            "compile the model again"
        )
    try:
        return _unpack(path, header, metadata, data[8 + length :])
    except (ValueError, KeyError, AttributeError, TypeError) as e:
        raise LaminaError(f"{path} is damaged: {type(e).__name__} in its header") from e


def _unpack(
    path: Path, header: dict[str, Any], metadata: dict[str, str], buffer: np.ndarray
) -> Artifact:
    needed = max((t["data_offsets"][1] for t in header.values()), default=0)
    if needed != len(buffer):
        how = "was cut off" if len(buffer) < needed else "has something behind its end"
        raise LaminaError(f"{path} {how}: {needed} bytes of data are needed, got {len(buffer)}")
    digest = _digest(metadata["manifest"], header)
    digest.update(buffer.data)
    if digest.hexdigest() != metadata["sha256"]:
        raise LaminaError(f"{path} is damaged: its checksum does not match")
    dtypes = {v: k for k, v in _DTYPES.items()}
    tensors = {
        name: buffer[slice(*t["data_offsets"])].view(dtypes[t["dtype"]]).reshape(t["shape"])
        for name, t in header.items()
    }
    return Artifact(
        Manifest.from_json(metadata["manifest"]),
        {n[len(_OBJECT) :]: t.tobytes() for n, t in tensors.items() if n.startswith(_OBJECT)},
        {n[len(_WEIGHT) :]: t for n, t in tensors.items() if n.startswith(_WEIGHT)},
    )
