"""
How CPUs add up products of bytes in groups of four: the forms of `int8.dot4`, and who has which.

A form is what `int8-lower-dot4` makes of the op; schedules are chosen by how fast it is.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

from lamina.backends.machine import Machine

Fit = Literal["all", "most", "some"]
"""in which groups the sums of two products are known to fit 16 bits"""

ORDER = ("vnni", "avxvnni", "maddubs", "checked", "madd16", "generic")
"""fastest first"""

FITS = MappingProxyType[str, tuple[Fit, ...]]({"maddubs": ("all",), "checked": ("most",)})
"""form -> where it is the one to take; others are for everything"""

SLOTS = MappingProxyType(
    {"vnni": 1, "avxvnni": 1, "maddubs": 2, "checked": 2, "madd16": 3, "generic": 6}
)
"""
fused multiply-adds of floats on vectors of the same width that take as long, in a register tile on
a Zen 5 core (`python -m benchmarks.dot4`); taking bytes apart is part of it, to look at them is not
"""


def lanes(machine: Machine, form: str) -> int:
    """How many i32 lanes the widest vector has that takes a form; 0: the machine lacks it."""
    if machine.kind != "cpu":
        return 0
    match form:
        case "vnni":
            return 16 if machine.dot4 and machine.vector_bytes == 64 else 0
        case "avxvnni":  # AVX512_VNNI has the same instruction on 32 bytes
            return 8 if machine.dot4 else 0
        case "maddubs" | "checked":
            return machine.madd_bytes // 4 if machine.maddubs else 0
        case _:
            return machine.madd_bytes // 4


def best(machine: Machine, fit: Fit = "some") -> str:
    """The fastest form that is exact where so many groups fit."""
    exact = (form for form in ORDER if fit in FITS.get(form, (fit,)))
    return next((form for form in exact if lanes(machine, form)), "generic")


def saturates(machine: Machine) -> bool:
    """Whether the fastest form is one that is exact for small numbers only."""
    return best(machine, "all") == "maddubs"


def per_cycle(machine: Machine, fit: Fit = "some") -> float:
    """How many groups a core multiplies and adds in a cycle in its best form, from registers."""
    units = machine.rates.flops_per_cycle / 2 / machine.lanes(4)
    if machine.kind != "cpu":  # a lane for each group; the compiler finds what the device has
        return machine.lanes(4) * units / SLOTS["vnni" if machine.dot4 else "generic"]
    form = best(machine, fit)
    return lanes(machine, form) * units / SLOTS[form]
