"""Networks for a list of targets, from ONNX on: what is placed where, and what comes out."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import lamina
from lamina.backends.model import CompiledModel
from lamina.backends.split.model import SplitModel
from lamina.errors import LaminaError

pytest.importorskip("pyopencl")
DIGITS = Path(__file__).parents[2] / "examples" / "digits" / "digits.onnx"
BOTH = "opencl:intel-gen9,cpu"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMINA_CACHE", str(tmp_path / "cache"))


def compiled(*place: str, target: str = BOTH, cache: bool = False) -> CompiledModel:
    return lamina.compile(DIGITS, target=target, place=place, threads=1, cache=cache)


def image(model: CompiledModel) -> NDArray[np.float32]:
    return np.random.default_rng(3).standard_normal(model.inputs[0].shape, np.float32)


@pytest.mark.parametrize(
    ("place", "target"),
    [
        (["*:opencl", "graph.softmax:cpu"], BOTH),
        (["*:cpu", "graph.max_pool2d:opencl"], BOTH),
        (["*:opencl"], "opencl:intel-gen9"),
        (["*:cpu"], "cpu"),
    ],
)
def test_rules_place_what_they_name(place: list[str], target: str) -> None:
    model, reference = compiled(*place), compiled(target="cpu")
    assert model.manifest.target == target
    assert isinstance(model, SplitModel) == ("," in target)
    x = image(model)
    np.testing.assert_allclose(model(x), reference(x), atol=1e-5)
    assert all(step.kind != "copy" for step in model.manifest.steps)


def test_rule_for_a_device_that_is_not_in_the_list_is_refused() -> None:
    with pytest.raises(LaminaError, match="opencl"):
        compiled("graph.softmax:opencl", target="cpu")


def test_list_is_a_part_of_what_is_kept() -> None:
    first = compiled("*:opencl", "graph.softmax:cpu", cache=True)
    again = compiled("*:opencl", "graph.softmax:cpu", cache=True)
    other = compiled("*:cpu", cache=True)
    assert again.manifest == first.manifest
    assert isinstance(again, SplitModel)
    assert other.manifest.target == "cpu"


def test_command_runs_a_divided_model(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lamina.tools.lamina"]
    place = ["--target", BOTH, "--place", "*:opencl", "--place", "graph.softmax:cpu"]
    subprocess.run([*command, "compile", DIGITS, *place, "-o", "m.lam"], cwd=tmp_path, check=True)
    done = subprocess.run(
        [*command, "run", "m.lam"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert "float32" in done.stdout
    emit = [*command, "compile", DIGITS, *place, "--emit"]
    shown = subprocess.run([*emit, "graph"], check=True, capture_output=True, text=True)
    assert "graph.run @region1_cpu" in shown.stdout
    refused = subprocess.run([*emit, "te"], check=False, capture_output=True, text=True)
    assert refused.stderr.startswith("lamina: --emit te needs one target, found opencl:intel-gen9,")


def test_bench_times_a_divided_model_and_names_the_device_of_each_kernel(tmp_path: Path) -> None:
    options = ["--target", BOTH, "--place", "*:opencl", "--place", "graph.softmax:cpu"]
    options += ["--rounds", "2", "--threads", "1", "--against", "onnxruntime", "--json", "b.json"]
    done = subprocess.run(
        [sys.executable, "-m", "lamina.tools.lamina", "bench", DIGITS, *options, "--profile=order"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    (found,) = json.loads((tmp_path / "b.json").read_text())["models"]
    mine, peer = (found["contenders"][f"{name}@1"] for name in ("lamina", "onnxruntime"))
    assert 0 < peer["difference"] < 1e-4
    assert mine["latency"]["median_ms"] > 0
    assert peer["ratio"]["median"] > 0
    calls = found["profile"]["calls"]
    assert [c["device"] for c in calls] == ["opencl:intel-gen9"] * (len(calls) - 1) + ["cpu"]
    assert all(c["seconds"] > 0 for c in calls)
    lines = done.stdout.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("kernel "))
    rows = [line.split()[:2] for line in lines[first : first + len(calls) + 2]]
    assert rows[0] == ["kernel", "on"]
    assert rows[1:-1] == [[c["symbol"], c["device"]] for c in calls]
    assert rows[-1][0] == "total"
    assert "of peak" not in lines[first]  # nobody knows what several devices do at best


def test_regions_hand_on_blocks_with_the_borders_that_their_readers_need() -> None:
    manifest = compiled("*:opencl", "graph.max_pool2d:cpu").manifest
    edges = [a.shape for a in manifest.arguments if a.role == "edge"]
    assert edges == [(1, 1, 8, 8, 16), (1, 1, 6, 6, 16)]  # the second is 4 x 4, for a 3 x 3 window
    (pool,) = (c for c in manifest.calls if "max_pool2d" in c.symbol)
    assert pool.layout.startswith("NCHW16c")
    first = next(n for n, c in enumerate(manifest.calls) if "conv2d" in c.symbol)
    assert not any("relayout" in c.symbol for c in manifest.calls[first:])
