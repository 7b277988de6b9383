"""
Machine descriptions: what schedules and the last lowering steps need to know about a target.

Cache sizes are those of one core, as the vendors' manuals give them (`lamina.backends.families`);
for `cpu` they are read from this machine. A subgroup of an OpenCL target counts as a vector.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from lamina.backends.families import (
    AVX,
    AVX2,
    AVX512,
    AVX512F,
    FAMILIES,
    SSE2,
    SSSE3,
    Family,
    KiB,
    Level,
    MiB,
    rates_of,
)
from lamina.backends.rates import Rates, rates_file, read_rates

Flavour = Literal["", "intel_subgroups", "lds", "portable"]


class UnknownTarget(ValueError):
    """A target string that names no machine; the message is one line."""


@dataclass(frozen=True)
class Machine:
    """One target. Sizes are bytes; `registers` counts vector registers."""

    name: str
    """the full target string, such as `cpu:skylake-avx512`"""
    kind: Literal["cpu", "opencl"]
    """whose kernels and layouts suit it, whatever back end it has"""
    llvm_cpu: str
    """LLVM's name of the CPU; empty for OpenCL"""
    vector_bytes: int
    registers: int
    l1: int
    l2: int
    l3: int
    dot4: bool
    """whether one instruction sums four byte products into an i32 lane"""
    rates: Rates
    fma: bool = True
    """whether a fused multiply-add is one instruction (without, LLVM calls a C function for it)"""
    madd_bytes: int = 0
    """of the widest vector whose 16-bit integers are multiplied and added in pairs; 0 for OpenCL"""
    maddubs: bool = False
    """whether there is an instruction that does so with bytes, and saturates"""
    features: str = ""
    """LLVM features beyond those of `llvm_cpu`; those of this machine for `cpu`"""
    measured: bool = False
    """whether the rates were measured here, and do not come from a table"""
    units: int = 1
    """execution units of a graphics processor; its rates are those of one"""
    wait: float = 5e-6
    """seconds until the host has what a device beside it made, or the other way around"""
    link: float = 20e9
    """
    bytes a second from memory to memory, by the host or between it and a device. Both are those of
    Intel's OpenCL runtime for CPUs on two cores of an EPYC: a kernel that is waited for takes 3 to
    8 us, NumPy copies 18 to 22 GB/s. Nobody measured them on a graphics processor.
    """
    flavour: Flavour = ""
    """
    What a vector is on an OpenCL device, empty for a CPU: a subgroup; else the work-items of a
    work-group, which see each other's lanes in local memory (`lds`) or not at all (`portable`)
    """

    def lanes(self, element_bytes: int) -> int:
        """How many elements of this size one vector holds."""
        return self.vector_bytes // element_bytes

    def seconds(self, cycles: float) -> float:
        """How long so many cycles of one core take."""
        return self.rates.seconds(cycles)


@dataclass(frozen=True)
class Host:
    """The CPU we run on, in LLVM's words: `znver5`, `+avx2,-avx512f,...`."""

    cpu: str
    features: str


# A vector is a subgroup of 16 floats. Intel's "Compute Architecture of Processor Graphics Gen9" and
# "Gen12 (Xe-LP)": 128 registers of 32 bytes a thread are 64 such vectors; 64 KiB of shared local
# memory a subslice; an L3 slice of 768 KiB (Gen9), 3840 KiB (Xe). dp4a came with Gen12. The rates
# are those of one execution unit: two units of four lanes, and its share of its subslice's 64 bytes
# a cycle; a small Gen9 (HD 500) has 12 units, Xe-LP 96. `lds` is Gen9 without subgroups; `portable`
# promises no more than half of those registers and Gen9's memories. A call is a launch behind
# another one in a queue: 5 us, which nobody measured on such a device.
_UNIT = replace(rates_of(1.1, 16, 32, 8, 8, 1.2), call_cycles=5500)
_FLAVOURS: dict[str, Flavour] = {"lds": "lds", "portable": "portable"}
_OPENCL = {
    name: Machine(
        *(f"opencl:{name}", "opencl", "", 64, registers, 64 * KiB, l3 * KiB, l3 * KiB, dot4, _UNIT),
        units=units,
        flavour=_FLAVOURS.get(name, "intel_subgroups"),
    )
    for name, registers, l3, dot4, units in (
        ("intel-gen9", 64, 768, False, 12),
        ("intel-xe", 64, 3840, True, 96),
        ("lds", 64, 768, False, 12),
        ("portable", 32, 768, False, 12),
    )
}


def describe(target: str, host: Callable[[], Host] | None = None) -> Machine:
    """
    The machine a target string names: `cpu` (this one), `cpu:<LLVM's name>`, `opencl:<device>`, or
    one that another back end knows.

    `host` says what CPU this is; without it LLVM is asked, but only for the target `cpu`.
    """
    kind, colon, name = target.partition(":")
    if target == "cpu":
        return _this_machine((host or llvm_host)())
    if kind == "cpu" and colon:
        return _named_cpu(target, name)
    if kind == "opencl" and name in _OPENCL:
        return _OPENCL[name]
    if kind not in ("cpu", "opencl"):
        # imported here: the registry needs the machines of back ends, which are described here
        from lamina.backends.registry import find_backend

        if backend := find_backend(target):
            return backend.machine(target)
    raise _unknown(target)


def targets() -> list[str]:
    """Every target string that `describe` knows."""
    cpus = (f"cpu:{c}" for f in FAMILIES for c in f.cpus.split())
    return ["cpu", *cpus, *(f"opencl:{d}" for d in _OPENCL)]


def llvm_host() -> Host:
    """This CPU, as LLVM names it."""
    # imported here: loading LLVM takes longer than everything else that needs a description
    from llvmlite import binding

    return Host(binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten())


def _unknown(target: str) -> UnknownTarget:
    known = targets()
    near = get_close_matches(target, known, n=3, cutoff=0.5)
    if not near:
        near = ["cpu", "cpu:haswell", "cpu:skylake-avx512", *(f"opencl:{d}" for d in _OPENCL)]
    return UnknownTarget(f"unknown target '{target}'; did you mean {', '.join(near)}?")


def _family(cpu: str) -> Family | None:
    return next((f for f in FAMILIES if cpu in f.cpus.split()), None)


def _named_cpu(target: str, cpu: str) -> Machine:
    if (family := _family(cpu)) is None:
        raise _unknown(target)
    level = family.level
    return Machine(
        target,
        "cpu",
        cpu,
        level.vector_bytes,
        level.registers,
        *family.caches,
        dot4=family.dot4,
        rates=family.rates,
        fma=level.fma,
        madd_bytes=level.madd_bytes,
        maddubs=level.maddubs,
    )


def _this_machine(host: Host) -> Machine:
    """
    The features decide, not the name: a virtual machine may hide some of what its CPU has.

    Caches are what the system says, else what the CPU's family has; rates what was measured here
    once, else those of the family.
    """
    has = {f[1:] for f in host.features.split(",") if f.startswith("+")}
    if "sse2" not in has:
        raise UnknownTarget(f"target 'cpu' needs an x86-64 CPU, this is '{host.cpu}'")
    wide, avx2 = "avx512f" in has, {"avx2", "fma"} <= has
    sse = SSSE3 if "ssse3" in has else SSE2
    avx512 = AVX512 if "avx512bw" in has else AVX512F
    level = avx512 if wide else AVX2 if avx2 else AVX if "avx" in has else sse
    family = _family(host.cpu) or _unnamed(level)
    l1, l2, l3 = (_cache_size(n) or size for n, size in enumerate(family.caches, start=1))
    rates = read_rates(rates_file(host.cpu, host.features))
    return Machine(
        "cpu",
        "cpu",
        host.cpu,
        level.vector_bytes,
        level.registers,
        l1,
        l2,
        l3,
        dot4={"avx512vnni", "avx512vl"} <= has if wide else "avxvnni" in has,
        rates=rates or family.rates,
        fma="fma" in has,
        madd_bytes=level.madd_bytes,
        maddubs=level.maddubs,
        features=host.features,
        measured=rates is not None,
    )


def _unnamed(level: Level) -> Family:
    """A CPU that LLVM does not name: its features say what its vectors are, the rest is usual."""
    flops = level.vector_bytes / 4 * (4 if level.fma else 2)
    rates = rates_of(3.0, flops, 2 * level.vector_bytes, 32, 16, 15)
    return Family("", level, (32 * KiB, 512 * KiB, 8 * MiB), rates)


def _cache_size(level: int) -> int | None:
    """Bytes of this core's data cache of a level, as Linux tells; None where it does not."""
    for index in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        try:
            kind, at = (index / "type").read_text().strip(), (index / "level").read_text().strip()
            size = (index / "size").read_text().strip()
        except OSError:
            continue
        if kind != "Instruction" and at == str(level) and size.removesuffix("K").isdigit():
            return int(size.removesuffix("K")) * KiB
    name = f"SC_LEVEL{level}_{'D' * (level == 1)}CACHE_SIZE"
    return os.sysconf(name) or None if name in getattr(os, "sysconf_names", {}) else None
