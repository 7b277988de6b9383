"""Tiles ranked by the code that Intel's compiler makes of them: the formula agrees."""

import os
import re
from pathlib import Path
from shutil import which

import onnx
import pytest

from benchmarks.opencl_tiles import main
from tests.unit.test_compile_work import convolutions

needs_ocloc = pytest.mark.skipif(
    which(os.environ.get("LAMINA_OCLOC", "ocloc")) is None, reason="needs ocloc"
)


@needs_ocloc
def test_what_the_formula_chooses_is_near_the_best(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "m.onnx"
    onnx.save(convolutions([32, 48]), file)
    assert main([str(file), "--tiles", "6"]) == 0
    *table, summary = capsys.readouterr().out.splitlines()
    ranks = [int(m[1]) for line in table if (m := re.search(r" #(\d+) ", line))]
    assert len(ranks) >= 6
    assert ranks[0] == 1
    average, worst = map(float, re.findall(r"\d\.\d+", summary))
    assert 1 <= average == worst < 1.3  # an image of 4 x 4 keeps few units busy


def test_unknown_device_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["m.onnx", "--device", "gen9"]) == 1
    assert capsys.readouterr().err.startswith("opencl_tiles: unknown device 'gen9'; known are")
