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
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Recipe:
    """How to get an array that was promised."""

    make: Callable[[], np.ndarray]
    sources: tuple[str, ...] = ()
    """keys of what `make` asks for"""
    keep: bool = True
    """whether it costs more to make again than the memory is worth"""


class WeightError(DiagnosticException):
    """A weight is missing, or a file of weights cannot be used."""


class WeightStore:
    """Arrays by content key. An array that was put is never changed."""

    def __init__(self) -> None:
        self._arrays: dict[str, np.ndarray] = {}
        self._recipes: dict[str, Recipe] = {}

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> WeightStore:
        """A store of arrays that have their keys already."""
        store = cls()
        for key, array in arrays.items():
            store._keep(key, array)
        return store

    def put(self, array: np.ndarray, again: Callable[[], np.ndarray] | None = None) -> str:
        """
        Keep `array`; its key is the hash of its element type, shape and bytes.

        `again` gets the same array from elsewhere, a file: then only that function is kept, and the
        array is read anew whenever somebody asks for it.
        """
        import numpy as np

        array = np.ascontiguousarray(array).reshape(array.shape)  # 0-d stays 0-d
        content = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
        content.update(array.reshape(-1).view(np.uint8).data)
        key = content.hexdigest()[:16]
        if again is None:
            self._keep(key, array)
        elif key not in self._arrays:
            self._recipes[key] = Recipe(again, keep=False)
        return key

    def derive(self, recipe: str, sources: Iterable[str], make: Callable[[], np.ndarray]) -> str:
        """
        Promise the array that `make` returns when it is first asked for.

        The key is the hash of `recipe` and the keys in `sources`, which together must determine the
        array: the same recipe on the same weights is one entry, and is made once or not at all.
        """
        sources = tuple(sources)
        content = hashlib.sha256("\n".join([recipe, *sources]).encode())
        key = content.hexdigest()[:16]
        if key not in self._arrays:
            self._recipes.setdefault(key, Recipe(make, sources))
        return key

    def get(self, key: str) -> np.ndarray:
        """The array under `key`, which may not be written to."""
        if key not in self._arrays:
            if key not in self._recipes:
                raise WeightError(
                    f"no weight {key}: the store holds {len(self)} others; "
                    "give the .safetensors file saved with this module (lamina-opt --weights F)"
                )
            array = self._recipes[key].make()
            if not self._recipes[key].keep:
                array.flags.writeable = False
                return array
            del self._recipes[key]
            self._keep(key, array)
        return self._arrays[key]

    def move(self, places: Mapping[str, np.ndarray]) -> None:
        """
        Write each weight into the array that `places` has for it, and keep that; forget all others.

        The largest go first, and what nothing else is made of is forgotten at once: weights of all
        of memory need little more than themselves.
        """
        todo = sorted(places, key=lambda key: -places[key].nbytes)
        while todo:
            key = todo.pop(0)
            place, recipe = places[key], self._recipes.pop(key, None)
            array = recipe.make() if recipe else self.get(key)
            if array.shape != place.shape or array.dtype != place.dtype:
                raise WeightError(
                    f"weight '{key}' needs {place.dtype}{list(place.shape)}, "
                    f"got {array.dtype}{list(array.shape)}"
                )
            place[...] = array
            del array
            self._arrays.pop(key, None)
            self._keep(key, place)
            self.retain([*self._origins(todo), *places])

    def _origins(self, keys: Iterable[str]) -> set[str]:
        """These keys, those of what they are made of, and so on."""
        found, todo = set[str](), list(keys)
        while todo:
            if (key := todo.pop()) not in found:
                found.add(key)
                todo += self._recipes[key].sources if key in self._recipes else ()
        return found

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
        import numpy as np

        array = np.ascontiguousarray(array).reshape(array.shape)[...]  # 0-d stays 0-d
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
