"""
Intel's offline compiler: OpenCL C for a device that need not be there.

`ocloc` is on the path or where LAMINA_OCLOC says. What it made is read from the dumps of its code
generator: its log says nothing of registers that were spilled.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from types import MappingProxyType

from lamina.backends.opencl.isa import Assembly, parse
from lamina.backends.opencl.programs import OPTIONS
from lamina.errors import LaminaError

PACKAGES = "intel-opencl-icd libigc-tools libigc-dev"
"""of Debian 12, with the compiler and what it needs to write dumps"""

_DUMP = re.compile(r"_simd(\d+)_entry_\d+\.asm$")


@dataclass(frozen=True)
class Chip:
    """A device by ocloc's name."""

    name: str
    target: str
    """whose kernels run on it"""
    pipe: int
    """lanes that an instruction takes one cycle for"""


CHIPS: Mapping[str, Chip] = MappingProxyType(
    {
        name: Chip(name, target, pipe)
        for target, pipe, names in (
            ("opencl:intel-gen9", 4, "skl kbl bxt glk"),
            ("opencl:intel-xe", 8, "tgllp adl-p dg1 dg2"),
        )
        for name in names.split()
    }
)
"""Gen9 has two pipes of four lanes in a unit, Xe one of eight."""


def ocloc() -> str:
    """The compiler; LaminaError if there is none."""
    told = os.environ.get("LAMINA_OCLOC", "ocloc")
    if found := which(told):
        return found
    raise LaminaError(
        f"Intel's offline compiler is needed, found no '{told}'; run apt-get install {PACKAGES}, "
        "or set LAMINA_OCLOC to where ocloc is"
    )


def chip(name: str) -> Chip:
    """The device of this name; LaminaError if there is none."""
    if name not in CHIPS:
        raise LaminaError(f"unknown device '{name}'; known are {', '.join(CHIPS)}")
    return CHIPS[name]


def assemblies(source: str, device: str) -> dict[str, Assembly]:
    """
    What becomes of each kernel of an OpenCL C program, by its name.

    LaminaError with the compiler's first complaint if the program does not build.
    """
    with tempfile.TemporaryDirectory(prefix="lamina-ocloc-") as folder:
        (Path(folder) / "kernels.cl").write_text(source, encoding="utf-8")
        command = [ocloc(), "compile", "-file", "kernels.cl", "-device", device]
        command += ["-out_dir", "out", "-options", OPTIONS]
        dumps = {"IGC_ShaderDumpEnable": "1", "IGC_DumpToCustomDir": folder}
        done = subprocess.run(
            command, cwd=folder, env={**os.environ, **dumps}, capture_output=True, text=True
        )
        log = done.stdout + done.stderr
        if done.returncode:
            raise LaminaError(f"ocloc for {device}: {_complaint(log)}")
        found = [
            parse(path.read_text(encoding="utf-8"), int(m[1]))
            for path in sorted(Path(folder).glob("*.asm"))
            if (m := _DUMP.search(path.name))
        ]
    if not found:
        raise LaminaError(f"ocloc for {device} left no dump; apt-get install {PACKAGES}")
    return {a.name: a for a in found}


def _complaint(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line.lower()), " ".join(lines[-1:]))
