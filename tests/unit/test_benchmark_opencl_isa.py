"""A line for each network, device and storage says what Intel's compiler makes of its kernels."""

import os
from pathlib import Path
from shutil import which

import onnx
import pytest

from benchmarks.opencl_isa import HEADER, main
from tests.unit.test_compile_work import convolutions

needs_ocloc = pytest.mark.skipif(
    which(os.environ.get("LAMINA_OCLOC", "ocloc")) is None, reason="needs ocloc"
)


@needs_ocloc
def test_shares_of_products_by_kind_of_window(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "two.onnx"
    onnx.save(convolutions([32, 48]), file)
    assert main([str(file), "--storage", "f32,f16"]) == 0
    _, *lines = capsys.readouterr().out.replace("% ", "%/").splitlines()
    rows = [dict(zip(HEADER, line.split(), strict=True)) for line in lines]
    assert [(r["network"], r["device"], r["stored"]) for r in rows] == [
        ("two", "bxt", "f32"),
        ("two", "bxt", "f16"),
    ]
    for row in rows:
        assert (row["fail"], row["spill"], row["3x3"], row["one"]) == ("0", "0", "-", "-")
        assert row["convolutions"].count("%") == 2
        assert int(row["blocks"]) > 0


def test_unknown_device_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resnet18", "--device", "gen9"]) == 1
    assert capsys.readouterr().err.startswith("opencl_isa: unknown device 'gen9'; known are")
