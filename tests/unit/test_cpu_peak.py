"""The measured peaks are plausible; how fast this machine is, no test can know."""

import llvmlite.binding as llvm
import pytest

from lamina.backends.cpu.peak import fma_peak, read_bandwidth
from lamina.backends.machine import describe
from lamina.errors import LaminaError


def test_wider_vectors_are_not_slower() -> None:
    cpu = describe("cpu")
    full, narrow = fma_peak(cpu), fma_peak(cpu, 16)
    assert 1 < narrow < 1.25 * full
    assert full < 16 * narrow


def test_cpus_without_fused_multiply_add_are_measured_too() -> None:
    assert fma_peak(describe("cpu:x86-64")) > 1


def test_the_first_cache_is_not_slower_than_memory() -> None:
    cpu = describe("cpu")
    assert read_bandwidth(cpu, cpu.l1 // 2) > 0.8 * read_bandwidth(cpu, 64 << 20) > 0.1


def test_code_for_a_cpu_with_more_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    has = dict(llvm.get_host_cpu_features()) | {"avx512f": False}
    monkeypatch.setattr(llvm, "get_host_cpu_features", lambda: has)
    with pytest.raises(LaminaError, match="cannot run code for cpu:skx: it lacks avx512f"):
        fma_peak(describe("cpu:skx"))
