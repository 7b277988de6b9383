"""
Machine descriptions: what schedules and the last lowering steps need to know about a target.

Cache sizes are those of one core, as the vendors' manuals give them (named beside each family);
for `cpu` they are read from this machine. A subgroup of an OpenCL target counts as a vector.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from lamina.backends.rates import Rates, rates_file, read_rates

KiB = 1024
MiB = 1024 * KiB


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


@dataclass(frozen=True)
class _Level:
    """
    An instruction set. Vectors and registers: Intel SDM volume 1, chapters 10 (SSE: 16 XMM), 14
    (AVX: 16 YMM) and 15 (AVX-512: 32 ZMM); fma came with AVX2, after AVX, and so did integers on
    vectors as wide as those of floats; AVX-512 has them with BW. Pairs of bytes came with SSSE3.
    """

    vector_bytes: int
    registers: int
    fma: bool
    madd_bytes: int
    maddubs: bool = True


_SSE2, _SSSE3 = _Level(16, 16, False, 16, maddubs=False), _Level(16, 16, False, 16)
_AVX, _AVX2 = _Level(32, 16, False, 16), _Level(32, 16, True, 32)
_AVX512F, _AVX512 = _Level(64, 32, True, 32), _Level(64, 32, True, 64)


@dataclass(frozen=True)
class _Family:
    """CPUs that are the same to us, by LLVM's names."""

    cpus: str
    level: _Level
    caches: tuple[int, int, int]
    rates: Rates
    dot4: bool = False  # AVX512_VNNI, or AVX-VNNI on 32-byte vectors


def _rates(ghz: float, flops: float, l1: float, l2: float, l3: float, dram: float) -> Rates:
    """`dram` in GB/s of one core; a call is the work of some instructions, on any machine."""
    return Rates(ghz, flops, l1, l2, l3, dram / ghz, call_cycles=30)


_FAMILIES = (
    # Intel Optimization Reference Manual (248966), sections on each microarchitecture: widths of
    # units, and of caches the bandwidth it calls sustained
    _Family(
        "x86-64 nocona",
        _SSE2,
        (32 * KiB, 256 * KiB, 8 * MiB),
        _rates(2.8, 8, 16, 11, 7, 8),
    ),
    _Family(
        "x86-64-v2 nehalem corei7 westmere core2 penryn",
        _SSSE3,
        (32 * KiB, 256 * KiB, 8 * MiB),
        _rates(2.8, 8, 16, 11, 7, 8),
    ),
    _Family(
        "silvermont slm goldmont goldmont-plus tremont bonnell atom",
        _SSSE3,
        (24 * KiB, 1 * MiB, 4 * MiB),
        _rates(2.2, 6, 16, 10, 6, 6),
    ),
    _Family(
        "sandybridge corei7-avx ivybridge core-avx-i",
        _AVX,
        (32 * KiB, 256 * KiB, 8 * MiB),
        _rates(3.4, 16, 32, 22, 12, 12),
    ),
    _Family(
        "x86-64-v3 haswell core-avx2 broadwell skylake",
        _AVX2,
        (32 * KiB, 256 * KiB, 8 * MiB),
        _rates(3.5, 32, 64, 32, 18, 14),
    ),
    _Family(
        "alderlake raptorlake meteorlake arrowlake arrowlake-s lunarlake pantherlake wildcatlake",
        _AVX2,
        (48 * KiB, 1280 * KiB, 24 * MiB),
        _rates(4.8, 32, 96, 48, 16, 28),
        dot4=True,
    ),
    _Family(
        "gracemont sierraforest grandridge clearwaterforest",
        _AVX2,
        (32 * KiB, 1 * MiB, 8 * MiB),
        _rates(3.2, 16, 32, 28, 10, 12),
        dot4=True,
    ),
    _Family(
        "x86-64-v4 skylake-avx512 skx",
        _AVX512,
        (32 * KiB, 1 * MiB, 16 * MiB),
        _rates(2.8, 64, 128, 52, 15, 12),
    ),
    _Family(
        "cannonlake", _AVX512, (32 * KiB, 256 * KiB, 4 * MiB), _rates(2.8, 32, 128, 38, 18, 14)
    ),
    # no L3: behind the second cache is memory
    _Family("knl", _AVX512F, (32 * KiB, 512 * KiB, 512 * KiB), _rates(1.4, 64, 128, 32, 8, 10)),
    _Family("knm", _AVX512F, (32 * KiB, 512 * KiB, 512 * KiB), _rates(1.5, 64, 128, 32, 8, 10)),
    _Family(
        "cascadelake cooperlake",
        _AVX512,
        (32 * KiB, 1 * MiB, 16 * MiB),
        _rates(2.9, 64, 128, 52, 15, 13),
        dot4=True,
    ),
    _Family(
        "icelake-client rocketlake",
        _AVX512,
        (48 * KiB, 512 * KiB, 8 * MiB),
        _rates(3.6, 32, 128, 48, 18, 20),
        dot4=True,
    ),
    _Family(
        "tigerlake",
        _AVX512,
        (48 * KiB, 1280 * KiB, 12 * MiB),
        _rates(4.2, 32, 128, 48, 18, 22),
        dot4=True,
    ),
    _Family(
        "icelake-server",
        _AVX512,
        (48 * KiB, 1280 * KiB, 24 * MiB),
        _rates(3.0, 64, 128, 48, 14, 13),
        dot4=True,
    ),
    _Family(
        "sapphirerapids emeraldrapids graniterapids graniterapids-d diamondrapids novalake",
        _AVX512,
        (48 * KiB, 2 * MiB, 32 * MiB),
        _rates(3.2, 64, 128, 48, 11, 13),
        dot4=True,
    ),
    # AMD Software Optimization Guides for families 15h (47414), 17h (55723), 19h (56665, 57647)
    # and 1Ah (58455); the L3 is that of one core complex
    _Family(
        "btver2",  # no L3
        _AVX,
        (32 * KiB, 1 * MiB, 1 * MiB),
        _rates(2.0, 8, 16, 10, 6, 6),
    ),
    _Family(
        "bdver1 bdver2 bdver3",
        _AVX,
        (16 * KiB, 1 * MiB, 8 * MiB),
        _rates(3.6, 16, 32, 12, 6, 9),
    ),
    _Family(
        "bdver4",  # no L3
        _AVX2,
        (32 * KiB, 1 * MiB, 1 * MiB),
        _rates(3.0, 16, 32, 12, 6, 9),
    ),
    _Family("znver1", _AVX2, (32 * KiB, 512 * KiB, 8 * MiB), _rates(3.4, 16, 32, 25, 20, 20)),
    _Family("znver2", _AVX2, (32 * KiB, 512 * KiB, 16 * MiB), _rates(3.8, 32, 64, 30, 24, 20)),
    _Family("znver3", _AVX2, (32 * KiB, 512 * KiB, 32 * MiB), _rates(4.2, 32, 64, 30, 26, 25)),
    _Family(
        "znver4",
        _AVX512,
        (32 * KiB, 1 * MiB, 32 * MiB),
        _rates(4.4, 32, 64, 31, 26, 30),
        dot4=True,
    ),
    _Family(
        "znver5",
        _AVX512,
        (48 * KiB, 1 * MiB, 32 * MiB),
        _rates(4.1, 64, 128, 56, 28, 40),
        dot4=True,
    ),
)

# A vector is a subgroup of 16 floats. Intel's "Compute Architecture of Processor Graphics Gen9" and
# "Gen12 (Xe-LP)": 128 registers of 32 bytes a thread are 64 such vectors; 64 KiB of shared local
# memory a subslice; an L3 slice of 768 KiB (Gen9), 3840 KiB (Xe). dp4a came with Gen12. The rates
# are those of one execution unit: two units of four lanes, and its share of its subslice's 64 bytes
# a cycle; a small Gen9 (HD 500) has 12 units, Xe-LP 96. `lds` is Gen9 without subgroups; `portable`
# promises no more than half of those registers and Gen9's memories. A call is a launch behind
# another one in a queue: 5 us, which nobody measured on such a device.
_UNIT = replace(_rates(1.1, 16, 32, 8, 8, 1.2), call_cycles=5500)
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
    cpus = (f"cpu:{c}" for f in _FAMILIES for c in f.cpus.split())
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


def _family(cpu: str) -> _Family | None:
    return next((f for f in _FAMILIES if cpu in f.cpus.split()), None)


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
    sse = _SSSE3 if "ssse3" in has else _SSE2
    avx512 = _AVX512 if "avx512bw" in has else _AVX512F
    level = avx512 if wide else _AVX2 if avx2 else _AVX if "avx" in has else sse
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


def _unnamed(level: _Level) -> _Family:
    """A CPU that LLVM does not name: its features say what its vectors are, the rest is usual."""
    flops = level.vector_bytes / 4 * (4 if level.fma else 2)
    rates = _rates(3.0, flops, 2 * level.vector_bytes, 32, 16, 15)
    return _Family("", level, (32 * KiB, 512 * KiB, 8 * MiB), rates)


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
