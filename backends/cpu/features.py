"""Which instruction sets compiled code may use, and which this CPU has: no artifact runs without.

LLVM tells the features of this CPU, but not those a CPU's name implies. So ask its code generator:
each probe is a function that becomes one certain instruction exactly where the feature is there.
"""

from __future__ import annotations

import re

import llvmlite.binding as llvm

from lamina.backends.cpu.compiler import assembly
from lamina.backends.machine import Machine

_ODD = ", ".join(f"i32 {29 * k % 64}" for k in range(64))  # a permutation with no pattern
_INSERT = ", ".join(
    ["i32 0, i32 16, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7"] + ["i32 poison"] * 8
)
_EVEN, _UNEVEN = (", ".join(f"i32 {k}" for k in range(first, 16, 2)) for first in (0, 1))
_PAIRS = f"""%u = sext <16 x i16> %x to <16 x i32> %v = sext <16 x i16> %y to <16 x i32>
  %p = mul nsw <16 x i32> %u, %v
  %e = shufflevector <16 x i32> %p, <16 x i32> poison, <8 x i32> <{_EVEN}>
  %o = shufflevector <16 x i32> %p, <16 x i32> poison, <8 x i32> <{_UNEVEN}>
  %s = add <8 x i32> %e, %o %r = add <8 x i32> %a, %s"""

# feature -> the instruction, as a pattern; the type of %r; the parameters; what computes %r
_PROBES: dict[str, tuple[str, str, str, str]] = {
    "sse3": (
        "movddup",
        "<2 x double>",
        "ptr %p",
        "%x = load double, ptr %p %i = insertelement <2 x double> poison, double %x, i32 0 "
        "%r = shufflevector <2 x double> %i, <2 x double> poison, <2 x i32> zeroinitializer",
    ),
    "ssse3": (
        "pabsd",
        "<4 x i32>",
        "<4 x i32> %x",
        "%r = call <4 x i32> @llvm.abs.v4i32(<4 x i32> %x, i1 false)",
    ),
    "sse4.1": (
        "roundss|rndscale",
        "float",
        "float %x",
        "%r = call float @llvm.floor.f32(float %x)",
    ),
    "sse4.2": (
        "pcmpgtq",
        "<2 x i64>",
        "<2 x i64> %x, <2 x i64> %y",
        "%c = icmp sgt <2 x i64> %x, %y %r = sext <2 x i1> %c to <2 x i64>",
    ),
    "sse4a": (
        "insertq",
        "<16 x i8>",
        "<16 x i8> %x, <16 x i8> %y",
        f"%r = shufflevector <16 x i8> %x, <16 x i8> %y, <16 x i32> <{_INSERT}>",
    ),
    "popcnt": ("popcnt", "i32", "i32 %x", "%r = call i32 @llvm.ctpop.i32(i32 %x)"),
    "lzcnt": ("lzcnt", "i32", "i32 %x", "%r = call i32 @llvm.ctlz.i32(i32 %x, i1 false)"),
    "bmi": ("andn", "i32", "i32 %x, i32 %y", "%n = xor i32 %x, -1 %r = and i32 %n, %y"),
    "bmi2": ("shlx", "i32", "i32 %x, i32 %y", "%r = shl i32 %x, %y"),
    "tbm": ("blcfill", "i32", "i32 %x", "%y = add i32 %x, 1 %r = and i32 %x, %y"),
    "movbe": (
        "movbe",
        "i32",
        "ptr %p",
        "%x = load i32, ptr %p %r = call i32 @llvm.bswap.i32(i32 %x)",
    ),
    "f16c": ("vcvt(ph2ps|sh2ss)", "float", "half %x", "%r = fpext half %x to float"),
    "fma": (
        r"vfmadd\d",
        "float",
        "float %x, float %y, float %z",
        "%r = call float @llvm.fma.f32(float %x, float %y, float %z)",
    ),
    "fma4": (
        "vfmaddss",
        "float",
        "float %x, float %y, float %z",
        "%r = call float @llvm.fma.f32(float %x, float %y, float %z)",
    ),
    "xop": (
        "vprotd",
        "<4 x i32>",
        "<4 x i32> %x, <4 x i32> %y",
        "%r = call <4 x i32> @llvm.fshl.v4i32(<4 x i32> %x, <4 x i32> %x, <4 x i32> %y)",
    ),
    "gfni": (
        "gf2p8affine",
        "<16 x i8>",
        "<16 x i8> %x",
        "%r = call <16 x i8> @llvm.bitreverse.v16i8(<16 x i8> %x)",
    ),
    "avx": ("vaddss", "float", "float %x, float %y", "%r = fadd float %x, %y"),
    "avx2": ("vpaddd.*ymm", "<8 x i32>", "<8 x i32> %x", "%r = add <8 x i32> %x, %x"),
    "avxvnni": (
        r"\{vex\}\s*vpdpwssd",
        "<8 x i32>",
        "<8 x i32> %a, <16 x i16> %x, <16 x i16> %y",
        _PAIRS,
    ),
    "avxneconvert": (
        r"\{vex\}\s*vcvtneps2bf16",
        "<8 x bfloat>",
        "<8 x float> %x",
        "%r = fptrunc <8 x float> %x to <8 x bfloat>",
    ),
    "avx512f": ("vaddps.*zmm", "<16 x float>", "<16 x float> %x", "%r = fadd <16 x float> %x, %x"),
    "avx512vl": (
        "vpmaxsq.*xmm",
        "<2 x i64>",
        "<2 x i64> %x, <2 x i64> %y",
        "%r = call <2 x i64> @llvm.smax.v2i64(<2 x i64> %x, <2 x i64> %y)",
    ),
    "avx512bw": ("vpaddw.*zmm", "<32 x i16>", "<32 x i16> %x", "%r = add <32 x i16> %x, %x"),
    "avx512dq": ("vpmullq", "<8 x i64>", "<8 x i64> %x", "%r = mul <8 x i64> %x, %x"),
    "avx512cd": (
        "vplzcntd",
        "<16 x i32>",
        "<16 x i32> %x",
        "%r = call <16 x i32> @llvm.ctlz.v16i32(<16 x i32> %x, i1 false)",
    ),
    "avx512vpopcntdq": (
        "vpopcntd",
        "<16 x i32>",
        "<16 x i32> %x",
        "%r = call <16 x i32> @llvm.ctpop.v16i32(<16 x i32> %x)",
    ),
    "avx512bitalg": (
        "vpopcntb",
        "<64 x i8>",
        "<64 x i8> %x",
        "%r = call <64 x i8> @llvm.ctpop.v64i8(<64 x i8> %x)",
    ),
    "avx512vbmi": (
        "vpermb",
        "<64 x i8>",
        "<64 x i8> %x",
        f"%r = shufflevector <64 x i8> %x, <64 x i8> poison, <64 x i32> <{_ODD}>",
    ),
    "avx512vbmi2": (
        "vpshldvd",
        "<16 x i32>",
        "<16 x i32> %x, <16 x i32> %y, <16 x i32> %z",
        "%r = call <16 x i32> @llvm.fshl.v16i32(<16 x i32> %x, <16 x i32> %y, <16 x i32> %z)",
    ),
    "avx512vnni": (
        r"(?<!\{vex\})\s+vpdpwssd",
        "<8 x i32>",
        "<8 x i32> %a, <16 x i16> %x, <16 x i16> %y",
        _PAIRS,
    ),
    "avx512bf16": (
        "vcvtneps2bf16.*zmm",
        "<16 x bfloat>",
        "<16 x float> %x",
        "%r = fptrunc <16 x float> %x to <16 x bfloat>",
    ),
    "avx512fp16": ("vaddsh", "half", "half %x, half %y", "%r = fadd half %x, %y"),
}


def required_features(machine: Machine) -> list[str]:
    """The features that code for `machine` may use, among those a code generator uses by itself."""
    if machine.name == "cpu":
        has = set(machine.features.split(","))
        return [f for f in _PROBES if f"+{f}" in has]
    text = "\n".join(
        f'define {type} @probe{k}({parameters}) nounwind "target-cpu"="{machine.llvm_cpu}" '
        f"{{\n  {body} ret {type} %r\n}}"
        for k, (_, type, parameters, body) in enumerate(_PROBES.values())
    )
    functions = re.split(r"^probe\d+:", assembly(text, machine), flags=re.MULTILINE)[1:]
    return [
        feature
        for (feature, (pattern, *_)), code in zip(_PROBES.items(), functions, strict=True)
        if re.search(pattern, code)
    ]


def missing_features(required: list[str]) -> list[str]:
    """Those of `required` that this CPU lacks."""
    try:
        has = llvm.get_host_cpu_features()
    except RuntimeError:  # LLVM cannot ask this kind of CPU
        return required
    return [f for f in required if not has.get(f, False)]
