"""
How fast a machine is: the numbers that turn what a kernel does into seconds.

For named targets they are the vendors'; those of this machine are measured once, by
`lamina.backends.cpu.measure`, and kept in a file, which is read here: plain data, no compiler.
"""

from __future__ import annotations

import hashlib
import json
import math
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path

from lamina.backends.cpu.objects import default_folder, key_of, write_whole

FORMAT = "1"
"""of the files, and of how is measured: what another one wrote is measured anew"""


@dataclass(frozen=True)
class Rates:
    """Of one core."""

    ghz: float
    flops_per_cycle: float
    """f32, on full vectors; a fused multiply-add is two"""
    l1: float
    """bytes a cycle, read in order from a cache; so are the next three"""
    l2: float
    l3: float
    dram: float
    call_cycles: float
    """of calling a kernel"""

    def __post_init__(self) -> None:
        for field in fields(self):
            if not 0 < (value := getattr(self, field.name)) < math.inf:
                raise ValueError(f"{field.name} needs a number above 0, got {value}")

    def seconds(self, cycles: float) -> float:
        """How long so many cycles take."""
        return cycles * 1e-9 / self.ghz


def rates_file(cpu: str, features: str) -> Path:
    """Where the rates of a CPU are kept, by its names and what it can do."""
    key = key_of(FORMAT, version("lamina"), cpu, features, cpu_name())
    return default_folder() / "machines" / f"{key}.json"


def read_rates(path: Path) -> Rates | None:
    """What was measured, if the file is there and whole; a damaged one counts as none."""
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        entry = json.loads(path.read_text())
        if entry["sha256"] == _digest(entry["rates"]):
            return Rates(**entry["rates"])
    return None


def write_rates(path: Path, rates: Rates) -> None:
    """Keep the rates; OSError where that cannot be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    found = asdict(rates)
    entry = {"rates": found, "sha256": _digest(found)}
    write_whole(path, (json.dumps(entry, indent=1) + "\n").encode())


def _digest(rates: object) -> str:
    return hashlib.sha256(json.dumps(rates, sort_keys=True).encode()).hexdigest()


def cpu_name() -> str:
    """What the system calls this CPU; the first one's name is near the top of the file."""
    try:
        with open("/proc/cpuinfo") as file:
            lines = file.read(4096).splitlines()
    except OSError:
        return ""
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "")
