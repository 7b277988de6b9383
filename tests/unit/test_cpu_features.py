"""What a CPU's name implies, against what is known of those CPUs."""

from dataclasses import replace

import pytest

from lamina.backends.cpu.features import missing_features, required_features
from lamina.backends.machine import describe

V2 = {"sse3", "ssse3", "sse4.1", "sse4.2", "popcnt"}
V3 = V2 | {"avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"}
V4 = V3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
ICELAKE = {"avx512vbmi", "avx512vbmi2", "avx512bitalg", "avx512vpopcntdq", "avx512vnni", "gfni"}
KNOWN = {
    "x86-64": set(),
    "x86-64-v2": V2,
    "haswell": V3,
    "znver3": V3 | {"sse4a"},
    "alderlake": V3 | {"gfni", "avxvnni"},
    "sierraforest": V3 | {"gfni", "avxvnni", "avxneconvert"},
    "skylake-avx512": V4,
    "cascadelake": V4 | {"avx512vnni"},
    "cooperlake": V4 | {"avx512vnni", "avx512bf16"},
    "icelake-server": V4 | ICELAKE,
    "znver4": V4 | ICELAKE | {"avx512bf16", "sse4a"},
    "knl": V3 | {"avx512f", "avx512cd"},
    "bdver4": V2 - {"sse4.2"}
    | {"avx", "avx2", "bmi", "bmi2", "f16c", "lzcnt", "movbe", "fma4", "xop", "tbm", "sse4a"},
}


@pytest.mark.parametrize("cpu", KNOWN)
def test_features_follow_from_the_name(cpu: str) -> None:
    assert set(required_features(describe(f"cpu:{cpu}"))) == KNOWN[cpu]


def test_probing_this_cpu_finds_what_llvm_says_it_has() -> None:
    cpu = describe("cpu")
    said = set(required_features(cpu))
    probed = set(required_features(replace(cpu, name="probed")))
    # of two encodings of one instruction, the code generator uses one
    assert said - probed <= {"avxvnni", "avx512vnni", "avxneconvert"}
    assert probed <= said


def test_this_cpu_misses_nothing_of_its_own() -> None:
    assert missing_features(required_features(describe("cpu"))) == []
    assert missing_features(["sse3", "amx-int8-of-tomorrow"])[-1:] == ["amx-int8-of-tomorrow"]
