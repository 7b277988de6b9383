"""The tests of the `onnx` package itself, through the backend: right, or refused with a reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from lamina.errors import InputValueError, LaminaError
from lamina.onnx_backend import LaminaBackend
from lamina.tools import onnx_support
from lamina.tools.onnx_support import Outcome
from tests.unit.onnx_models import model, node

PAGE = Path(__file__).parents[2] / "docs" / "onnx.md"


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    """All tests, once."""
    return {found.name: found for found in onnx_support.outcomes()}


@pytest.mark.parametrize("name", [case.name for _, case in onnx_support.cases()])
def test_result_is_right_or_the_model_is_refused(name: str, outcomes: dict[str, Outcome]) -> None:
    assert outcomes[name].verdict != "wrong", outcomes[name].reason
    if outcomes[name].verdict == "refused":
        assert outcomes[name].reason.startswith("model: ")


QUANTIZED = {
    *("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv"),
    *("QLinearMatMul", "ConvInteger", "MatMulInteger"),
}


def test_quantized_operators_are_right_in_every_bit() -> None:
    exact = [(g, replace(c, rtol=0, atol=0)) for g, c in onnx_support.cases() if g in QUANTIZED]
    assert {group for group, _ in exact} == QUANTIZED
    wrong = {case.name: onnx_support.verdict(case) for _, case in exact}
    assert {name: found for name, found in wrong.items() if found != ("passed", "")} == {}


def test_as_many_tests_pass_as_the_page_says(outcomes: dict[str, Outcome]) -> None:
    assert onnx_support.complaints(list(outcomes.values()), PAGE.read_text()) == []


def test_page_says_how_many_tests_of_each_operator_pass(outcomes: dict[str, Outcome]) -> None:
    found = list(outcomes.values())
    written = onnx_support.documented(onnx_support.page(found))
    counts = onnx_support.counted(found)
    assert written.keys() >= counts.keys()
    assert sum(written.values()) == sum(count["passed"] for count in counts.values()) >= 400


def test_fewer_tests_than_the_page_says_and_wrong_results_are_noticed() -> None:
    page = onnx_support.page([Outcome("a", "Relu", "passed"), Outcome("b", "Relu", "passed")])
    found = [Outcome("a", "Relu", "passed"), Outcome("b", "Relu", "wrong", "1 is not 2")]
    assert onnx_support.complaints(found, page) == [
        "b: 1 is not 2",
        "Relu: 2 tests pass by docs/onnx.md, 1 do",
    ]


def test_backend_takes_inputs_by_place_and_by_name() -> None:
    x, y = np.ones((2, 3), np.float32), np.full((2, 3), 5, np.float32)
    prepared = LaminaBackend.prepare(node("Sub", (2, 3), (2, 3)))
    for given in ([x, y], {"x1": y, "x0": x}):
        (z,) = prepared.run(given)
        assert (z == -4).all()
    (z,) = LaminaBackend.run_model(node("Relu", (2, 3)), x)
    assert (z == 1).all()
    with pytest.raises(InputValueError, match="3 inputs for a model of 2"):
        prepared.run([x, y, y])


def test_backend_compiles_for_each_shape_that_is_an_input() -> None:
    proto = model([helper.make_node("Reshape", ["x", "size"], ["y"])], {"x": (2, 3)})
    proto.graph.input.append(helper.make_tensor_value_info("size", onnx.TensorProto.INT64, [2]))
    prepared = LaminaBackend.prepare(proto)
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    for size in ([3, 2], [6, 1], [3, 2]):
        (y,) = prepared.run([x, np.array(size)])
        np.testing.assert_array_equal(y, x.reshape(size))


def test_backend_runs_on_the_processor_and_refuses_what_is_not_supported() -> None:
    assert LaminaBackend.supports_device("CPU")
    assert not LaminaBackend.supports_device("CUDA:1")
    with pytest.raises(LaminaError, match="not supported: Det"):
        LaminaBackend.prepare(node("Det", (2, 2)))
