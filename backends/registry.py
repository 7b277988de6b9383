"""The back ends that are installed, by the first part of their targets."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import lamina
from lamina.backends.interface import Backend
from lamina.errors import LaminaError

GROUP = "lamina.backends"


def backend_of(target: str) -> Backend:
    """The back end of a target such as `opencl:intel-gen9`; LaminaError if there is none."""
    name = target.partition(":")[0]
    if name not in installed():
        known = ", ".join(sorted(installed()))
        raise LaminaError(
            f"target '{target}' needs a back end '{name}', found {known}; install the package that "
            f"has it as an entry point '{GROUP}'"
        )
    return _loaded(installed()[name])


def find_backend(target: str) -> Backend | None:
    """The back end of a target, if one is installed."""
    return backend_of(target) if target.partition(":")[0] in installed() else None


@cache
def installed() -> dict[str, EntryPoint]:
    """The back end of each name, not imported yet."""
    found = {e.name: e for e in entry_points(group=GROUP)}
    return found if "cpu" in found else {**found, **_of_checkout()}


def _of_checkout() -> dict[str, EntryPoint]:
    """Those of this package, where it is newer than what an installation knows of it."""
    for root in lamina.__path__:
        project = Path(root).parents[1] / "pyproject.toml"
        if project.is_file():
            named = tomllib.loads(project.read_text())["project"]["entry-points"][GROUP]
            return {name: EntryPoint(name, value, GROUP) for name, value in named.items()}
    return {}


@cache
def _loaded(entry: EntryPoint) -> Backend:
    try:
        found = entry.load()
    except Exception as e:  # whatever the code of others raises when it is imported
        reason = f"{type(e).__name__}: {e}"
    else:
        if isinstance(found, Backend) and found.name == entry.name:
            return found
        reason = f"it is {found!r}, which is no lamina.backends.interface.Backend of this name"
    whose = f"of {entry.dist.name} {entry.dist.version}" if entry.dist else "of lamina"
    raise LaminaError(
        f"back end '{entry.name}' {whose} cannot be loaded from {entry.value}: {reason}; update "
        "that package, or uninstall it"
    )
