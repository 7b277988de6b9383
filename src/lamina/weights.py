"""
Where weights live: arrays under the hash of their content. IR text holds only the key, so that it
stays small, and equal weights are one weight.

NumPy is imported where it is used: it takes as long to start as the rest of `lamina-opt` together.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from xdsl.utils.exceptions import DiagnosticException

if TYPE_CHECKING:
    import numpy as np

_SAFETENSORS = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "I16": "<i2",
    "I32": "<i4",
    "I64": "<i8",
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
}
"""safetensors' name of an element type -> NumPy's"""


class WeightError(DiagnosticException):
    """A weight is missing, or a file of weights cannot be used."""


class WeightStore:
    """Arrays by content key. An array that was put is never changed."""

    def __init__(self) -> None:
        self._arrays: dict[str, np.ndarray] = {}
        self._recipes: dict[str, Callable[[], np.ndarray]] = {}

    def put(self, array: np.ndarray) -> str:
        """Keep `array`; its key is the hash of its element type, shape and bytes."""
        import numpy as np

        array = np.ascontiguousarray(array).reshape(array.shape)  # 0-d stays 0-d
        content = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
        content.update(array.reshape(-1).view(np.uint8).data)
        key = content.hexdigest()[:16]
        self._keep(key, array)
        return key

    def derive(self, recipe: str, sources: Iterable[str], make: Callable[[], np.ndarray]) -> str:
        """
        Promise the array that `make` returns when it is first asked for.

        The key is the hash of `recipe` and the keys in `sources`, which together must determine the
        array: the same recipe on the same weights is one entry, and is made once or not at all.
        """
        content = hashlib.sha256("\n".join([recipe, *sources]).encode())
        key = content.hexdigest()[:16]
        if key not in self._arrays:
            self._recipes.setdefault(key, make)
        return key

    def get(self, key: str) -> np.ndarray:
        """The array under `key`, which may not be written to."""
        if key not in self._arrays:
            if key not in self._recipes:
                raise WeightError(
                    f"no weight {key}: the store holds {len(self)} others; "
                    "give the .safetensors file saved with this module (lamina-opt --weights F)"
                )
            self._keep(key, self._recipes.pop(key)())
        return self._arrays[key]

    def retain(self, keys: Iterable[str]) -> None:
        """Forget every weight that is not in `keys`, to give its memory back."""
        wanted = set(keys)
        for kept in (self._arrays, self._recipes):
            for key in kept.keys() - wanted:
                del kept[key]

    def copy(self) -> WeightStore:
        """A store of its own with the same weights."""
        other = WeightStore()
        other._arrays, other._recipes = dict(self._arrays), dict(self._recipes)
        return other

    def save(self, path: str | Path, keys: Iterable[str] | None = None) -> None:
        """Write the weights `keys` (default: all) to a safetensors file, all of it or nothing."""
        from safetensors.numpy import save_file

        arrays = {key: self.get(key) for key in sorted(keys if keys is not None else self)}
        partial = Path(f"{path}.{os.getpid()}.partial")
        try:
            save_file(arrays, partial)  # readable by its owner only
            umask = os.umask(0)
            os.umask(umask)
            partial.chmod(0o666 & ~umask)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    def load(self, path: str | Path) -> None:
        """Add the weights of a safetensors file; its pages are read when they are used."""
        for key, array in _mapped(Path(path)).items():
            self._keep(key, array)

    def _keep(self, key: str, array: np.ndarray) -> None:
        array = array.view()
        array.flags.writeable = False
        self._arrays.setdefault(key, array)

    def __contains__(self, key: str) -> bool:
        return key in self._arrays or key in self._recipes

    def __iter__(self) -> Iterator[str]:
        return iter([*self._arrays, *self._recipes])

    def __len__(self) -> int:
        return len(self._arrays) + len(self._recipes)


def _mapped(path: Path) -> dict[str, np.ndarray]:
    """
    The arrays of a safetensors file, as views of the mapped file.

    The format: 8 bytes, the little-endian size n of the header; n bytes of JSON, name -> dtype,
    shape, and begin and end in the data; the data. https://github.com/huggingface/safetensors
    """
    import numpy as np

    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as e:  # ValueError: an empty file cannot be mapped
        reason = e.strerror if isinstance(e, OSError) else "the file is empty"
        raise WeightError(f"cannot read weights from {path}: {reason}") from e
    try:
        start = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:start])
        header.pop("__metadata__", None)
        arrays = {}
        for key, entry in header.items():
            begin, end = entry["data_offsets"]
            raw = np.frombuffer(data, np.uint8, end - begin, start + begin)
            arrays[key] = raw.view(_SAFETENSORS[entry["dtype"]]).reshape(entry["shape"])
        return arrays
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as e:
        raise WeightError(f"{path} is not a complete safetensors file") from e
