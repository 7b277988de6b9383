"""Output files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lamina.errors import LaminaError


@contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A file beside `path` to write to; it takes the place of `path` if nothing went wrong."""
    path = Path(path)
    if is_device(path):
        yield path
        return
    path = path.resolve()  # a link stays a link: what it points to is replaced
    temporary = _beside(path)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def require_readable(path: str | os.PathLike[str]) -> None:
    """Fail in one line if `path` is not a file that can be opened."""
    try:
        Path(path).open("rb").close()
    except OSError as e:
        raise LaminaError(f"cannot read '{path}': {e.strerror}") from e


def require_writable(path: str | os.PathLike[str]) -> None:
    """Fail now rather than after the work, if `path` could not be written."""
    if not is_device(Path(path)):
        _beside(Path(path).resolve()).unlink()


def require_replaceable(path: str | os.PathLike[str]) -> None:
    """Fail if `path` is something that only takes a stream, which an artifact is not."""
    if is_device(Path(path)):
        raise LaminaError(f"cannot write '{path}': it is not a file that can be replaced")


def require_different(path: str | os.PathLike[str], other: str | os.PathLike[str]) -> None:
    """Fail if writing to `path` would destroy the input `other`."""
    if Path(path).exists() and Path(path).samefile(other):
        raise LaminaError(f"cannot write '{path}': it is the input")


def is_device(path: Path) -> bool:
    """Whether this is `/dev/stdout`, a pipe or the like, which is written to, never replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _beside(path: Path) -> Path:
    if path.is_dir():
        raise LaminaError(f"cannot write '{path}': it is a folder")
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as e:
        raise LaminaError(f"cannot write '{path}': {e.strerror}") from e
    os.fchmod(handle, 0o666 & ~_umask())
    os.close(handle)
    return Path(name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
