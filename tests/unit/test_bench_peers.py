"""What `lamina bench` makes of libraries that die of a model or compute something else."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from lamina.errors import LaminaError
from lamina.tools import _bench_page, _bench_summary, _measure, _report
from lamina.tools._arrays import load_npz, save_npz
from lamina.tools._rounds import Died
from lamina.tools.commands import bench
from lamina.tools.lamina import parser
from tests.unit.tiny import tiny_model

LABELS = ("lamina@1", "onnxruntime@1", "openvino@1")


class Scripted:
    """Stands in for a process: a number beside 1 is off by `error`; one request is its last."""

    def __init__(self, label: str, error: float = 0, last: str = "") -> None:
        self.name, self.error, self.last = label, error, last
        self.asked: list[str] = []

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        self.asked.append(do)
        if do == self.last:
            raise Died(self.name, f"its process died of SIGSEGV during '{do}'")
        return getattr(self, do)(**request)

    def load(self, **_: Any) -> dict[str, Any]:
        return {"version": "9", "inputs": [("x", [1, 8], "float32")], "load_s": 1.0}

    def outputs(self, inputs: str, outputs: str) -> dict[str, Any]:
        x = load_npz(inputs)["x"]
        save_npz(outputs, {"y": np.append(0.1 * np.tanh(x) + self.error, 1)})
        return {"run_s": 0.5, "peak_mb": 5}

    def time(self, warm_up: int, runs: int) -> dict[str, Any]:
        return {"times": [2.0] * runs}


def measured(monkeypatch: pytest.MonkeyPatch, *field: Scripted) -> dict[str, Any]:
    """What is known of a model after all took part."""

    @contextmanager
    def contenders(cpus: Mapping[str, Any]) -> Iterator[dict[str, Scripted]]:
        assert list(cpus) == [each.name for each in field]
        yield {each.name: each for each in field}

    monkeypatch.setattr(_measure, "contenders", contenders)
    words = ["--against", "onnxruntime,openvino", "--tolerance", "1e-4", "--rounds", "2"]
    args = parser().parse_args(["bench", "m.onnx", *words])
    bench._complete(args)
    return _measure.measure("m.onnx", args)


@pytest.mark.parametrize("last", ["load", "outputs", "time"])
def test_a_library_that_dies_is_out_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    field = [Scripted(label) for label in LABELS[:2]] + [Scripted(LABELS[2], last=last)]
    result = measured(monkeypatch, *field)
    found = result["contenders"]
    assert found["openvino@1"]["cannot"] == f"its process died of SIGSEGV during '{last}'"
    assert field[2].asked.count(last) == 1
    assert found["onnxruntime@1"]["ratio"]["median"] == 1
    assert len(found["onnxruntime@1"]["turns"]) == 2
    _measure.check(result)
    lines = _report.model_table(result).splitlines()
    assert lines[-1] == f"openvino: its process died of SIGSEGV during '{last}'"
    assert len(lines) == 4


@pytest.mark.parametrize("last", ["load", "outputs", "time"])
def test_lamina_that_dies_is_an_error(monkeypatch: pytest.MonkeyPatch, last: str) -> None:
    field = [Scripted(LABELS[0], last=last), *(Scripted(label) for label in LABELS[1:])]
    with pytest.raises(LaminaError, match=f"lamina@1: its process died of SIGSEGV .*'{last}'"):
        measured(monkeypatch, *field)


def test_the_library_that_two_others_contradict_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = (0, 1e-5, 0.3)
    result = measured(monkeypatch, *map(Scripted, LABELS, errors))
    found = result["contenders"]
    assert found["openvino@1"]["wrong"] == "differs from lamina and onnxruntime"
    assert "ratio" not in found["openvino@1"]
    assert "wrong" not in found["onnxruntime@1"]
    _measure.check(result)
    text = _report.model_table(result)
    assert text.splitlines()[-1] == "openvino: differs from lamina and onnxruntime"
    assert "3.0e-01" in text
    page = _bench_page._markdown(_bench_page_rows(result))
    assert "| differs from lamina and onnxruntime |" in page
    assert "1.0e-05 |" in page


def _bench_page_rows(result: dict[str, Any]) -> list[list[str]]:
    """The cells of the table with one thread."""
    table = _bench_page._threads_part([result], 1)[1]
    return [line.strip("| ").split(" | ") for line in table.splitlines() if "---" not in line]


@pytest.mark.parametrize("errors", [(0, 0.3, 0.3), (0, 0.3, 0.5)])
def test_lamina_that_agrees_with_none_is_an_error(
    monkeypatch: pytest.MonkeyPatch, errors: tuple[float, ...]
) -> None:
    result = measured(monkeypatch, *map(Scripted, LABELS, errors))
    with pytest.raises(LaminaError, match=r"outputs differ from those of onnxruntime by 3\.0e-01"):
        _measure.check(result)


def test_rivals_that_cannot_or_are_wrong_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    dead = [*map(Scripted, LABELS[:2]), Scripted(LABELS[2], last="load")]
    for field in (dead, [*map(Scripted, LABELS, (0, 0, 0.3))]):
        result = measured(monkeypatch, *field)
        best = _bench_summary.better(result, 1)
        assert best == result["contenders"]["onnxruntime@1"]["ratio"]
    alone = [Scripted(LABELS[0]), *(Scripted(label, last="load") for label in LABELS[1:])]
    assert _bench_summary.better(measured(monkeypatch, *alone), 1) is None


def quantized_model() -> onnx.ModelProto:
    """quantize and dequantize"""
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s"], ["y"]),
    ]
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 8]) for n in "xy"]
    scale = helper.make_tensor("s", TensorProto.FLOAT, [], [0.1])
    graph = helper.make_graph(nodes, "q", values[:1], values[1:], [scale])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_networks_of_bytes_may_differ_by_steps_of_quantization(tmp_path: Path) -> None:
    paths = [tmp_path / "float.onnx", tmp_path / "bytes.onnx"]
    for path, model in zip(paths, (tiny_model(), quantized_model()), strict=True):
        onnx.save(model, path)
    args = parser().parse_args(["bench", "m.onnx", "--against", "onnxruntime"])
    assert [_measure._tolerance(str(path), args) for path in paths] == [1e-4, 0.25]
    args.tolerance = 0.5
    assert [_measure._tolerance(str(path), args) for path in paths] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("symbol", "share", "trusted"),
    [
        ("conv2d_1", 1.0, True),
        ("conv2d_1", 1.1, False),
        ("conv2d_requantize_1", 3.9, True),
        ("conv2d_requantize_1", 4.2, False),
    ],
)
def test_only_products_of_bytes_are_faster_than_the_peak_of_floats(
    symbol: str, share: float, trusted: bool
) -> None:
    call = {"symbol": symbol, "share_of_peak": share}
    profile = {"calls": [call], "peak_gflops": 240.0, "bytes_over_floats": 4.0}
    if trusted:
        _report.check_profile(profile)
        return
    with pytest.raises(LaminaError, match=f"kernel '{symbol}' seems to run at"):
        _report.check_profile(profile)
