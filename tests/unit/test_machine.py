import re

import pytest

from lamina.backends.machine import Host, UnknownTarget, describe, targets

CPUS = [t for t in targets() if t.startswith("cpu:")]


def host(cpu: str, *features: str) -> Host:
    return Host(cpu, ",".join(["+sse2", *features]))


def test_avx512_has_32_registers_of_64_bytes() -> None:
    m = describe("cpu:skylake-avx512")
    assert (m.vector_bytes, m.registers, m.fma, m.dot4) == (64, 32, True, False)
    assert describe("cpu:cascadelake").dot4


def test_avx2_has_16_registers_of_32_bytes() -> None:
    m = describe("cpu:haswell")
    assert (m.vector_bytes, m.registers, m.fma, m.lanes(4)) == (32, 16, True, 8)


def test_sse_has_16_registers_of_16_bytes_and_no_fma() -> None:
    m = describe("cpu:x86-64")
    assert (m.vector_bytes, m.registers, m.fma) == (16, 16, False)


@pytest.mark.parametrize("device", ["intel-gen9", "intel-xe", "portable"])
def test_opencl_vector_is_a_subgroup_of_16(device: str) -> None:
    m = describe(f"opencl:{device}")
    assert (m.kind, m.llvm_cpu, m.lanes(4)) == ("opencl", "", 16)


def test_host_features_decide_and_not_its_name() -> None:
    m = describe("cpu", lambda: host("znver5", "-avx512f", "+avx2", "+fma", "+avx"))
    assert (m.name, m.llvm_cpu, m.vector_bytes, m.dot4) == ("cpu", "znver5", 32, False)
    assert m.features == "+sse2,-avx512f,+avx2,+fma,+avx"


def test_unnamed_host_is_described_by_its_features() -> None:
    m = describe(
        "cpu", lambda: host("znver9", "+avx512f", "+avx512vl", "+avx512vnni", "+avx2", "+fma")
    )
    assert (m.vector_bytes, m.registers, m.dot4) == (64, 32, True)
    assert 0 < m.l1 < m.l2 < m.l3


def test_host_without_sse2_is_refused() -> None:
    with pytest.raises(UnknownTarget, match="needs an x86-64 CPU, this is 'neoverse-n1'"):
        describe("cpu", lambda: Host("neoverse-n1", "+neon"))


def test_this_machine_is_described() -> None:
    m = describe("cpu")
    assert m.llvm_cpu
    assert 0 < m.l1 < m.l2 < m.l3


@pytest.mark.parametrize("target", ["cpu:skylake-avx", "cpu:", "gpu", "opencl:gen9", "", "CPU"])
def test_unknown_target_lists_near_matches_in_one_line(target: str) -> None:
    with pytest.raises(UnknownTarget, match=r"^unknown target '.*'; did you mean \w+") as error:
        describe(target)
    assert "\n" not in str(error.value)


def test_misspelt_cpu_suggests_the_right_one() -> None:
    with pytest.raises(UnknownTarget, match="cpu:skylake-avx512"):
        describe("cpu:skylake_avx512")


@pytest.mark.parametrize("target", CPUS)
def test_llvm_agrees_on_vector_width_and_fma(target: str) -> None:
    """Code for one vector of ours uses a register of that width, and fma where we say so."""
    from llvmlite import binding

    m = describe(target)
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_triple("x86_64-unknown-linux-gnu").create_target_machine(
        cpu=m.llvm_cpu
    )
    t = f"<{m.lanes(4)} x float>"
    fma = f"call {t} @llvm.fma.v{m.lanes(4)}f32({t} %x, {t} %x, {t} %x)"
    op = fma if m.fma else f"fadd {t} %x, %x"
    text = f"""
    declare {t} @llvm.fma.v{m.lanes(4)}f32({t}, {t}, {t})
    define void @f(ptr %p) {{
      %x = load {t}, ptr %p, align 4
      %y = {op}
      store {t} %y, ptr %p, align 4
      ret void
    }}"""
    asm = machine.emit_assembly(binding.parse_assembly(text))
    register = {16: "xmm", 32: "ymm", 64: "zmm"}[m.vector_bytes]
    assert re.search(rf"v?(fmadd\w*|add)ps\s.*%{register}", asm), asm


def test_integers_are_narrower_than_floats_on_some_machines() -> None:
    bytes_of = {"x86-64": 16, "nehalem": 16, "sandybridge": 16, "haswell": 32, "knl": 32, "skx": 64}
    assert {cpu: describe(f"cpu:{cpu}").madd_bytes for cpu in bytes_of} == bytes_of
    host_without_bw = describe("cpu", lambda: host("knl", "+avx512f", "+avx2", "+fma"))
    assert (host_without_bw.vector_bytes, host_without_bw.madd_bytes) == (64, 32)
    assert [describe(f"cpu:{cpu}").maddubs for cpu in ("x86-64", "nocona", "core2")] == [0, 0, 1]
    assert not describe("cpu", lambda: host("x86-64")).maddubs
