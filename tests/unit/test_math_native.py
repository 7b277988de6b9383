"""The stated error bounds of exp, log, tanh and erf hold in machine code, on old CPUs too."""

import math
from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import lamina

COUNT = 60_000
BOUND = {"Exp": 1.1, "Log": 1.1, "Tanh": 1.5, "Erf": 1.1, "Sigmoid": 2.6}
"""the largest error in units in the last place, as te-expand-math states it"""
REFERENCE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "Exp": np.exp,
    "Log": np.log,
    "Tanh": np.tanh,
    "Erf": np.vectorize(math.erf, otypes=[np.float64]),
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}


def computed(name: str, x: np.ndarray, target: str) -> np.ndarray:
    """What the machine code for `name` makes of `x`."""
    info = [helper.make_tensor_value_info(v, TensorProto.FLOAT, x.shape) for v in ("x", "y")]
    graph = helper.make_graph([helper.make_node(name, ["x"], ["y"])], "g", info[:1], info[1:])
    opsets = [helper.make_opsetid("", 17)]
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return lamina.compile(model, target=target, cache=False)(x)


@pytest.mark.parametrize("target", ["cpu", "cpu:haswell", "cpu:x86-64"])
@pytest.mark.parametrize("name", REFERENCE)
def test_machine_code_keeps_the_bound(name: str, target: str) -> None:
    positive = np.geomspace(1e-30, 88.0, COUNT // 2, dtype=np.float32)
    x = np.concatenate([positive, -positive])
    with np.errstate(invalid="ignore"):
        exact = REFERENCE[name](x.astype(np.float64))
    normal = np.abs(exact) > np.finfo(np.float32).tiny
    _, exponent = np.frexp(exact)
    ulps = np.abs(computed(name, x, target) - exact) / np.ldexp(1.0, exponent - 24)
    assert ulps[normal].max() <= BOUND[name]


@pytest.mark.parametrize("target", ["cpu", "cpu:x86-64"])
@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Exp", [np.inf, 0.0, np.nan, 1.0]),
        ("Log", [np.inf, np.nan, np.nan, -np.inf]),
        ("Tanh", [1.0, -1.0, np.nan, 0.0]),
        ("Erf", [1.0, -1.0, np.nan, 0.0]),
        ("Sigmoid", [1.0, 0.0, np.nan, 0.5]),
    ],
)
def test_machine_code_has_the_special_values(name: str, wanted: list[float], target: str) -> None:
    x = np.array([np.inf, -np.inf, np.nan, 0.0], np.float32)
    np.testing.assert_array_equal(computed(name, x, target), np.array(wanted, np.float32))
