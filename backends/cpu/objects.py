"""Compiled objects on disk: what was compiled once is not compiled again.

A key is the hash of all that decides an object's bytes: its LLVM text, the target, LLVM and lamina.
An entry is written beside its place and moved there, so that processes can share a folder; it
begins with the hash of the rest, and one that does not match is compiled anew. Without a folder to
write to, everything works, only slower.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

LIMIT = 512 << 20
"""bytes a cache may take before the entries unused for longest go"""

_DIGEST = hashlib.sha256().digest_size


def default_folder() -> Path:
    """$LAMINA_CACHE, or `lamina` in the user's folder for caches."""
    if chosen := os.environ.get("LAMINA_CACHE"):
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "lamina"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "lamina"


def records_file() -> Path:
    """The database of what was tuned."""
    return default_folder() / "records.sqlite"


class ObjectCache:
    """A folder of objects by key. What is not there, or damaged, is compiled."""

    def __init__(self, folder: Path | None = None, limit: int = LIMIT) -> None:
        self.folder = folder or default_folder() / "objects"
        self.limit = limit
        self.hits = self.misses = 0
        self._writable = True
        self._trimmed = False

    def get(self, key: str, compile: Callable[[], bytes]) -> bytes:
        """The object of `key`, from the folder or else from `compile`."""
        path = self.folder / key
        if (found := _read(path)) is not None:
            self.hits += 1
            with suppress(OSError):
                os.utime(path)  # used now: the last to go
            return found
        self.misses += 1
        data = compile()
        self._put(path, data)
        return data

    def _put(self, path: Path, data: bytes) -> None:
        if not self._writable:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, hashlib.sha256(data).digest() + data)
            self._trim()
        except OSError as e:
            if not self._writable:  # another thread has said so
                return
            self._writable = False
            reason = e.strerror or e
            print(f"lamina: cannot cache objects in {self.folder}: {reason}", file=sys.stderr)

    def _trim(self) -> None:
        """Once per cache object: remove the entries unused for longest, down to the limit."""
        if self._trimmed:
            return
        self._trimmed = True
        trim(self.folder, self.limit)


def trim(folder: Path, limit: int, keep: Path | None = None) -> None:
    """Remove the files of `folder` unused for longest, but `keep`, down to `limit` bytes."""
    entries: list[tuple[float, int, Path]] = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process trims too
            status = path.stat()
            entries.append((status.st_mtime, status.st_size, path))
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total > limit and path != keep:
            path.unlink(missing_ok=True)
            total -= size


def key_of(*parts: str) -> str:
    """One name for all of `parts`."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()


def _read(path: Path) -> bytes | None:
    try:
        entry = path.read_bytes()
    except OSError:
        return None
    digest, data = entry[:_DIGEST], entry[_DIGEST:]
    return data if data and hashlib.sha256(data).digest() == digest else None


def write_whole(path: Path, data: bytes) -> None:
    """Write beside `path` and move there: others see all of it or nothing."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as f:
            f.write(data)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
