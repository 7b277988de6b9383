"""
Which processors this process may use, how many threads pay there, and cores that are its alone.

All is read from the system: the affinity mask, the control groups of versions 1 and 2, and which
hardware threads belong to one core. `root` is where `/proc` and `/sys` lie.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple
from weakref import ref

ROOT = Path("/")
CLAIMED = "lamina core"
"""what the names of claimed cores begin with"""


def allowed() -> list[int]:
    """The processors this process may use."""
    return sorted(os.sched_getaffinity(0))


def default_threads(root: Path = ROOT, cpus: Sequence[int] | None = None) -> int:
    """
    As many threads as pay: one for each core among `cpus`, or those allowed, as hardware threads of
    one core share what multiplies; and no more than the control groups give time for, because all
    are stopped once it is used up.
    """
    cores = {_core(cpu, root) for cpu in (allowed() if cpus is None else cpus)}
    return max(1, int(min(len(cores), quota(root))))


def spread(cpus: Iterable[int], root: Path = ROOT) -> list[int]:
    """The processors with the first one of every core before the second ones."""
    seen = dict[str, int]()
    turns = list[tuple[int, int]]()
    for cpu in sorted(cpus):
        core = _core(cpu, root)
        seen[core] = seen.get(core, 0) + 1
        turns.append((seen[core], cpu))
    return [cpu for _, cpu in sorted(turns)]


def _core(cpu: int, root: Path) -> str:
    """A name for the core of a processor: those of its hardware threads."""
    path = root / f"sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"
    return _text(path) or str(cpu)


def quota(root: Path = ROOT) -> float:
    """How many processors' time the control groups of this process allow; may be infinite."""
    mounts = list(_mounts(_text(root / "proc/self/mountinfo")))
    limits = [float("inf")]
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        for mount in mounts:
            if mount.controllers.isdisjoint(controllers.split(",")):
                continue
            inside = path.removeprefix(mount.root.rstrip("/")).strip("/")
            here = root / mount.point.strip("/")
            # the limits of all groups around this one hold too; one that a container does not see
            # has no folder
            folders = [here, *(here / p for p in (Path(inside), *Path(inside).parents))]
            limits += [limit for folder in folders if (limit := _limit(folder)) is not None]
    return min(limits)


class _Mount(NamedTuple):
    controllers: set[str]
    """those of version 1, or "" for version 2, as /proc/self/cgroup says it"""
    root: str
    point: str


def _mounts(text: str) -> Iterator[_Mount]:
    """Where groups that may limit processor time are mounted; lines are as in proc(5)."""
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        _, _, _, top, point, *_ = before.split()
        kind, _, options = after.split(maxsplit=2)
        if kind == "cgroup2":
            yield _Mount({""}, top, point)
        elif kind == "cgroup" and "cpu" in options.split(","):
            yield _Mount({"cpu"}, top, point)


def _limit(folder: Path) -> float | None:
    """Processors' time that one group allows: cpu.max is `max 100000` or `150000 100000`."""
    if text := _text(folder / "cpu.max"):
        given, period = text.split()
        return None if given == "max" else int(given) / int(period)
    given = _text(folder / "cpu.cfs_quota_us")
    period = _text(folder / "cpu.cfs_period_us")
    return int(given) / int(period) if period and int(given) > 0 else None


def _text(path: Path) -> str:
    """What a file of the system says; nothing if it is not there."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""


class Claim:
    """
    Cores that no other process has claimed, until this object is closed or the process ends. They
    are not for its children.
    """

    def __init__(self) -> None:
        self.cpus = list[int]()
        self._held = list[socket.socket]()

    def take(self, count: int, root: Path = ROOT) -> bool:
        """Claim so many cores among those allowed; none, if there are not so many free ones."""
        for cpu in spread(allowed(), root):
            if len(self.cpus) < count and (held := _hold(_core(cpu, root))):
                self._held.append(held)
                self.cpus.append(cpu)
        if len(self.cpus) < count:
            self.close()
            return False
        os.register_at_fork(after_in_child=partial(_close, ref(self)))
        return True

    def close(self) -> None:
        """Leave the cores to others."""
        while self._held:
            self._held.pop().close()
        self.cpus.clear()


def _close(claim: Callable[[], Claim | None]) -> None:
    if found := claim():
        found.close()


def _hold(core: str) -> socket.socket | None:
    """
    A socket whose name stands for a core; None if some process has it.

    Names that begin with a zero byte are no files: the system gives them free with the process.
    """
    held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    with suppress(OSError):
        held.bind(f"\0{CLAIMED} {core}")
        return held
    held.close()
    return None
