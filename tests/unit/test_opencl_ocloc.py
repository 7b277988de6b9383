"""Intel's offline compiler on kernels of ours: it needs no device, but has to be installed."""

import json
import os
from pathlib import Path
from shutil import which

import pytest

from lamina.backends.opencl.ocloc import CHIPS, assemblies, chip, ocloc
from lamina.errors import LaminaError
from lamina.tools.lamina import main

ROOT = Path(__file__).parents[2]
NETWORK = ROOT / "tests" / "lit" / "backends" / "inputs" / "contraction.mlir"
needs_ocloc = pytest.mark.skipif(
    which(os.environ.get("LAMINA_OCLOC", "ocloc")) is None, reason="needs ocloc"
)
TWICE = """
__attribute__((intel_reqd_sub_group_size(16)))
__kernel void twice(const __global float* restrict x, __global float* restrict y)
{
    const uint i = get_group_id(0);
    const float v = as_float(intel_sub_group_block_read((const __global uint*)(x + i * 16)));
    intel_sub_group_block_write((__global uint*)(y + i * 16), as_uint(v + v));
}
"""


def test_missing_compiler_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMINA_OCLOC", "/nowhere/ocloc")
    with pytest.raises(LaminaError, match="found no '/nowhere/ocloc'; run apt-get install intel-o"):
        ocloc()


def test_unknown_device_is_refused() -> None:
    with pytest.raises(LaminaError, match="unknown device 'gen9'; known are skl, kbl, bxt, glk"):
        chip("gen9")


def test_kernels_of_a_generation_go_to_its_chips() -> None:
    assert (chip("bxt").target, chip("bxt").pipe) == ("opencl:intel-gen9", 4)
    assert (chip("dg2").target, chip("dg2").pipe) == ("opencl:intel-xe", 8)


def test_compiler_that_leaves_no_dump_is_not_taken_for_one_that_did(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    silent = tmp_path / "ocloc"
    silent.write_text("#!/bin/sh\nexit 0\n")
    silent.chmod(0o755)
    monkeypatch.setenv("LAMINA_OCLOC", str(silent))
    with pytest.raises(LaminaError, match="ocloc for bxt left no dump"):
        assemblies(TWICE, "bxt")


def test_what_the_compiler_complains_of_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    unhappy = tmp_path / "ocloc"
    unhappy.write_text(
        "#!/bin/sh\necho Build failed\necho 'k.cl:3:1: error: no such thing'\nexit 2\n"
    )
    unhappy.chmod(0o755)
    monkeypatch.setenv("LAMINA_OCLOC", str(unhappy))
    with pytest.raises(LaminaError, match=r"^ocloc for bxt: k\.cl:3:1: error: no such thing$"):
        assemblies(TWICE, "bxt")


@needs_ocloc
@pytest.mark.parametrize("device", CHIPS)
def test_kernel_is_compiled_for_each_chip(device: str) -> None:
    found = assemblies(TWICE + TWICE.replace("twice", "again"), device)
    assert set(found) == {"twice", "again"}
    for kernel in found.values():
        assert (kernel.lanes, kernel.spill, kernel.messages["a64"]) == (16, 0, 0)
        # on some chips a kernel reads its own arguments, too
        assert kernel.messages["block read"] >= 1 == kernel.messages["block write"]


@needs_ocloc
def test_spilled_registers_are_seen() -> None:
    reads = "\n".join(
        f"    const float v{k} = as_float(intel_sub_group_block_read("
        f"(const __global uint*)(x + i * 16 + {16 * k})));"
        for k in range(100)
    )
    last = " + ".join(f"v{k} * v{99 - k}" for k in range(100))
    barrier = "    barrier(CLK_LOCAL_MEM_FENCE);"  # all are read before any is used
    source = TWICE.replace(
        "    const float v =", f"{reads}\n{barrier}\n    const float v = {last};//"
    )
    assert assemblies(source, "bxt")["twice"].spill > 0


@needs_ocloc
def test_table_of_a_network(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    numbers = tmp_path / "kernels.json"
    devices = ["--device", "bxt,tgllp,dg2"]
    assert main(["inspect-opencl", str(NETWORK), *devices, "--json", str(numbers)]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["device", "kernel", "layer"]
    assert [row.split()[:2] for row in rows] == [[d, "blocks"] for d in ("bxt", "tgllp", "dg2")]
    for entry in json.loads(numbers.read_text()):
        assert (entry["error"], entry["lanes"]) == ("", 16)
        assert entry["spill"] == entry["stateless"] == entry["other_reads"] == 0
        assert entry["multiply_adds"] >= 32


@needs_ocloc
def test_kernels_that_do_not_build_are_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lamina.tools._inspection.HEADER", "#error not today\n")
    assert main(["inspect-opencl", str(NETWORK)]) == 1
    said = capsys.readouterr()
    assert "does not build" in said.out
    assert "lamina: 1 kernels do not build, blocks: ocloc for bxt:" in said.err
