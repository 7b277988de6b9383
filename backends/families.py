"""
CPUs by LLVM's names: what vectors, caches and rates they have.

Cache sizes are those of one core; the vendors' manuals they are from are named beside each family.
"""

from __future__ import annotations

from dataclasses import dataclass

from lamina.backends.rates import Rates

KiB = 1024
MiB = 1024 * KiB


@dataclass(frozen=True)
class Level:
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


SSE2, SSSE3 = Level(16, 16, False, 16, maddubs=False), Level(16, 16, False, 16)
AVX, AVX2 = Level(32, 16, False, 16), Level(32, 16, True, 32)
AVX512F, AVX512 = Level(64, 32, True, 32), Level(64, 32, True, 64)


@dataclass(frozen=True)
class Family:
    """CPUs that are the same to us, by LLVM's names."""

    cpus: str
    level: Level
    caches: tuple[int, int, int]
    rates: Rates
    dot4: bool = False  # AVX512_VNNI, or AVX-VNNI on 32-byte vectors


def rates_of(ghz: float, flops: float, l1: float, l2: float, l3: float, dram: float) -> Rates:
    """`dram` in GB/s of one core; a call is the work of some instructions, on any machine."""
    return Rates(ghz, flops, l1, l2, l3, dram / ghz, call_cycles=30)


FAMILIES = (
    # Intel Optimization Reference Manual (248966), sections on each microarchitecture: widths of
    # units, and of caches the bandwidth it calls sustained
    Family(
        "x86-64 nocona",
        SSE2,
        (32 * KiB, 256 * KiB, 8 * MiB),
        rates_of(2.8, 8, 16, 11, 7, 8),
    ),
    Family(
        "x86-64-v2 nehalem corei7 westmere core2 penryn",
        SSSE3,
        (32 * KiB, 256 * KiB, 8 * MiB),
        rates_of(2.8, 8, 16, 11, 7, 8),
    ),
    Family(
        "silvermont slm goldmont goldmont-plus tremont bonnell atom",
        SSSE3,
        (24 * KiB, 1 * MiB, 4 * MiB),
        rates_of(2.2, 6, 16, 10, 6, 6),
    ),
    Family(
        "sandybridge corei7-avx ivybridge core-avx-i",
        AVX,
        (32 * KiB, 256 * KiB, 8 * MiB),
        rates_of(3.4, 16, 32, 22, 12, 12),
    ),
    Family(
        "x86-64-v3 haswell core-avx2 broadwell skylake",
        AVX2,
        (32 * KiB, 256 * KiB, 8 * MiB),
        rates_of(3.5, 32, 64, 32, 18, 14),
    ),
    Family(
        "alderlake raptorlake meteorlake arrowlake arrowlake-s lunarlake pantherlake wildcatlake",
        AVX2,
        (48 * KiB, 1280 * KiB, 24 * MiB),
        rates_of(4.8, 32, 96, 48, 16, 28),
        dot4=True,
    ),
    Family(
        "gracemont sierraforest grandridge clearwaterforest",
        AVX2,
        (32 * KiB, 1 * MiB, 8 * MiB),
        rates_of(3.2, 16, 32, 28, 10, 12),
        dot4=True,
    ),
    Family(
        "x86-64-v4 skylake-avx512 skx",
        AVX512,
        (32 * KiB, 1 * MiB, 16 * MiB),
        rates_of(2.8, 64, 128, 52, 15, 12),
    ),
    Family(
        "cannonlake", AVX512, (32 * KiB, 256 * KiB, 4 * MiB), rates_of(2.8, 32, 128, 38, 18, 14)
    ),
    # no L3: behind the second cache is memory
    Family("knl", AVX512F, (32 * KiB, 512 * KiB, 512 * KiB), rates_of(1.4, 64, 128, 32, 8, 10)),
    Family("knm", AVX512F, (32 * KiB, 512 * KiB, 512 * KiB), rates_of(1.5, 64, 128, 32, 8, 10)),
    Family(
        "cascadelake cooperlake",
        AVX512,
        (32 * KiB, 1 * MiB, 16 * MiB),
        rates_of(2.9, 64, 128, 52, 15, 13),
        dot4=True,
    ),
    Family(
        "icelake-client rocketlake",
        AVX512,
        (48 * KiB, 512 * KiB, 8 * MiB),
        rates_of(3.6, 32, 128, 48, 18, 20),
        dot4=True,
    ),
    Family(
        "tigerlake",
        AVX512,
        (48 * KiB, 1280 * KiB, 12 * MiB),
        rates_of(4.2, 32, 128, 48, 18, 22),
        dot4=True,
    ),
    Family(
        "icelake-server",
        AVX512,
        (48 * KiB, 1280 * KiB, 24 * MiB),
        rates_of(3.0, 64, 128, 48, 14, 13),
        dot4=True,
    ),
    Family(
        "sapphirerapids emeraldrapids graniterapids graniterapids-d diamondrapids novalake",
        AVX512,
        (48 * KiB, 2 * MiB, 32 * MiB),
        rates_of(3.2, 64, 128, 48, 11, 13),
        dot4=True,
    ),
    # AMD Software Optimization Guides for families 15h (47414), 17h (55723), 19h (56665, 57647)
    # and 1Ah (58455); the L3 is that of one core complex
    Family(
        "btver2",  # no L3
        AVX,
        (32 * KiB, 1 * MiB, 1 * MiB),
        rates_of(2.0, 8, 16, 10, 6, 6),
    ),
    Family(
        "bdver1 bdver2 bdver3",
        AVX,
        (16 * KiB, 1 * MiB, 8 * MiB),
        rates_of(3.6, 16, 32, 12, 6, 9),
    ),
    Family(
        "bdver4",  # no L3
        AVX2,
        (32 * KiB, 1 * MiB, 1 * MiB),
        rates_of(3.0, 16, 32, 12, 6, 9),
    ),
    Family("znver1", AVX2, (32 * KiB, 512 * KiB, 8 * MiB), rates_of(3.4, 16, 32, 25, 20, 20)),
    Family("znver2", AVX2, (32 * KiB, 512 * KiB, 16 * MiB), rates_of(3.8, 32, 64, 30, 24, 20)),
    Family("znver3", AVX2, (32 * KiB, 512 * KiB, 32 * MiB), rates_of(4.2, 32, 64, 30, 26, 25)),
    Family(
        "znver4",
        AVX512,
        (32 * KiB, 1 * MiB, 32 * MiB),
        rates_of(4.4, 32, 64, 31, 26, 30),
        dot4=True,
    ),
    Family(
        "znver5",
        AVX512,
        (48 * KiB, 1 * MiB, 32 * MiB),
        rates_of(4.1, 64, 128, 56, 28, 40),
        dot4=True,
    ),
)
