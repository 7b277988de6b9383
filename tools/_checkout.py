"""The networks of the checkout's `benchmarks/models`, which the installed package does not have."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lamina.errors import LaminaError


def root() -> Path:
    """The checkout that this file is in, or else the one we were started in."""
    for folder in (Path(__file__).resolve().parents[1], Path.cwd()):
        if (folder / "benchmarks" / "models" / "__main__.py").is_file():
            return folder
    raise LaminaError(
        "--all measures the networks that benchmarks/models of the repository writes, and there is "
        f"no such folder in '{Path.cwd()}'; run it in a checkout, or name .onnx files"
    )


def measured() -> list[str]:
    """The names of the networks to measure."""
    return _models("--measured").split()


@contextmanager
def written(name: str) -> Iterator[Path]:
    """A network as an ONNX file, which is there as long as it is needed."""
    build = root() / "build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as folder:
        _models(name, "--bn-stats", "--out", folder)
        yield Path(folder) / f"{name}.onnx"


def _models(*args: str) -> str:
    """What `python -m benchmarks.models` prints."""
    command = [sys.executable, "-m", "benchmarks.models", *args]
    done = subprocess.run(command, cwd=root(), capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise LaminaError(f"python -m benchmarks.models {' '.join(args)}: {said}")
    return done.stdout
