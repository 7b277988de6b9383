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

KiB = 1024
MiB = 1024 * KiB


class UnknownTarget(ValueError):
    """A target string that names no machine; the message is one line."""


@dataclass(frozen=True)
class Machine:
    """One target. Sizes are bytes; `registers` counts vector registers."""

    name: str
    """the full target string, such as `cpu:skylake-avx512`"""
    kind: Literal["cpu", "opencl"]
    llvm_cpu: str
    """LLVM's name of the CPU; empty for OpenCL"""
    vector_bytes: int
    registers: int
    l1: int
    l2: int
    l3: int
    dot4: bool
    """whether one instruction sums four byte products into an i32 lane"""
    fma: bool = True
    """whether a fused multiply-add is one instruction (without, LLVM calls a C function for it)"""
    features: str = ""
    """LLVM features beyond those of `llvm_cpu`; those of this machine for `cpu`"""

    def lanes(self, element_bytes: int) -> int:
        """How many elements of this size one vector holds."""
        return self.vector_bytes // element_bytes


@dataclass(frozen=True)
class Host:
    """The CPU we run on, in LLVM's words: `znver5`, `+avx2,-avx512f,...`."""

    cpu: str
    features: str


@dataclass(frozen=True)
class _Level:
    """
    An instruction set. Vectors and registers: Intel SDM volume 1, chapters 10 (SSE: 16 XMM), 14
    (AVX: 16 YMM) and 15 (AVX-512: 32 ZMM); fma came with AVX2, after AVX.
    """

    vector_bytes: int
    registers: int
    fma: bool


_SSE, _AVX = _Level(16, 16, False), _Level(32, 16, False)
_AVX2, _AVX512 = _Level(32, 16, True), _Level(64, 32, True)


@dataclass(frozen=True)
class _Family:
    """CPUs that are the same to us, by LLVM's names."""

    cpus: str
    level: _Level
    caches: tuple[int, int, int]
    dot4: bool = False  # AVX512_VNNI, or AVX-VNNI on 32-byte vectors


_FAMILIES = (
    # Intel Optimization Reference Manual (248966), sections on each microarchitecture
    _Family(
        "x86-64 x86-64-v2 nehalem corei7 westmere core2 penryn nocona",
        _SSE,
        (32 * KiB, 256 * KiB, 8 * MiB),
    ),
    _Family(
        "silvermont slm goldmont goldmont-plus tremont bonnell atom",
        _SSE,
        (24 * KiB, 1 * MiB, 4 * MiB),
    ),
    _Family(
        "sandybridge corei7-avx ivybridge core-avx-i",
        _AVX,
        (32 * KiB, 256 * KiB, 8 * MiB),
    ),
    _Family(
        "x86-64-v3 haswell core-avx2 broadwell skylake",
        _AVX2,
        (32 * KiB, 256 * KiB, 8 * MiB),
    ),
    _Family(
        "alderlake raptorlake meteorlake arrowlake arrowlake-s lunarlake pantherlake wildcatlake",
        _AVX2,
        (48 * KiB, 1280 * KiB, 24 * MiB),
        dot4=True,
    ),
    _Family(
        "gracemont sierraforest grandridge clearwaterforest",
        _AVX2,
        (32 * KiB, 1 * MiB, 8 * MiB),
        dot4=True,
    ),
    _Family("x86-64-v4 skylake-avx512 skx", _AVX512, (32 * KiB, 1 * MiB, 16 * MiB)),
    _Family("cannonlake", _AVX512, (32 * KiB, 256 * KiB, 4 * MiB)),
    _Family("knl", _AVX512, (32 * KiB, 512 * KiB, 512 * KiB)),  # no L3
    _Family("knm", _AVX512, (32 * KiB, 512 * KiB, 512 * KiB)),
    _Family("cascadelake cooperlake", _AVX512, (32 * KiB, 1 * MiB, 16 * MiB), dot4=True),
    _Family("icelake-client rocketlake", _AVX512, (48 * KiB, 512 * KiB, 8 * MiB), dot4=True),
    _Family("tigerlake", _AVX512, (48 * KiB, 1280 * KiB, 12 * MiB), dot4=True),
    _Family("icelake-server", _AVX512, (48 * KiB, 1280 * KiB, 24 * MiB), dot4=True),
    _Family(
        "sapphirerapids emeraldrapids graniterapids graniterapids-d diamondrapids novalake",
        _AVX512,
        (48 * KiB, 2 * MiB, 32 * MiB),
        dot4=True,
    ),
    # AMD Software Optimization Guides for families 15h (47414), 17h (55723), 19h (56665, 57647)
    # and 1Ah (58455); the L3 is that of one core complex
    _Family("btver2", _AVX, (32 * KiB, 1 * MiB, 1 * MiB)),  # no L3
    _Family("bdver1 bdver2 bdver3", _AVX, (16 * KiB, 1 * MiB, 8 * MiB)),
    _Family("bdver4", _AVX2, (32 * KiB, 1 * MiB, 1 * MiB)),  # no L3
    _Family("znver1 znver2", _AVX2, (32 * KiB, 512 * KiB, 16 * MiB)),
    _Family("znver3", _AVX2, (32 * KiB, 512 * KiB, 32 * MiB)),
    _Family("znver4", _AVX512, (32 * KiB, 1 * MiB, 32 * MiB), dot4=True),
    _Family("znver5", _AVX512, (48 * KiB, 1 * MiB, 32 * MiB), dot4=True),
)

# A vector is a subgroup of 16 floats. Intel's "Compute Architecture of Processor Graphics Gen9" and
# "Gen12 (Xe-LP)": 128 registers of 32 bytes a thread are 64 such vectors; 64 KiB of shared local
# memory a subslice; an L3 slice of 768 KiB (Gen9), 3840 KiB (Xe). dp4a came with Gen12.
# `portable` promises no more than half of those registers and Gen9's memories.
_OPENCL = {
    "intel-gen9": Machine(
        "opencl:intel-gen9", "opencl", "", 64, 64, 64 * KiB, 768 * KiB, 768 * KiB, False
    ),
    "intel-xe": Machine(
        "opencl:intel-xe", "opencl", "", 64, 64, 64 * KiB, 3840 * KiB, 3840 * KiB, True
    ),
    "portable": Machine(
        "opencl:portable", "opencl", "", 64, 32, 64 * KiB, 768 * KiB, 768 * KiB, False
    ),
}


def describe(target: str, host: Callable[[], Host] | None = None) -> Machine:
    """
    The machine a target string names: `cpu` (this one), `cpu:<LLVM's name>`, `opencl:<device>`.

    `host` says what CPU this is; without it LLVM is asked, but only for the target `cpu`.
    """
    kind, colon, name = target.partition(":")
    if target == "cpu":
        return _this_machine((host or llvm_host)())
    if kind == "cpu" and colon:
        return _named_cpu(target, name)
    if kind == "opencl" and name in _OPENCL:
        return _OPENCL[name]
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
        fma=level.fma,
    )


def _this_machine(host: Host) -> Machine:
    """
    The features decide, not the name: a virtual machine may hide some of what its CPU has.

    Caches are what the system says, else what the CPU's family has.
    """
    has = {f[1:] for f in host.features.split(",") if f.startswith("+")}
    if "sse2" not in has:
        raise UnknownTarget(f"target 'cpu' needs an x86-64 CPU, this is '{host.cpu}'")
    wide, avx2 = "avx512f" in has, {"avx2", "fma"} <= has
    level = _AVX512 if wide else _AVX2 if avx2 else _AVX if "avx" in has else _SSE
    family = _family(host.cpu) or _Family("", level, (32 * KiB, 512 * KiB, 8 * MiB))
    l1, l2, l3 = (_cache_size(n) or size for n, size in enumerate(family.caches, start=1))
    named = Machine("cpu", "cpu", host.cpu, level.vector_bytes, level.registers, l1, l2, l3, False)
    return replace(
        named,
        dot4="avx512vnni" in has if wide else "avxvnni" in has,
        fma="fma" in has,
        features=host.features,
    )


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
