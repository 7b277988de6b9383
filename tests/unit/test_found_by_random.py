"""What random graphs found, each as small as it could be made."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper

import lamina
from tests.unit.onnx_models import model, run_onnxruntime

rng = np.random.default_rng(0)


def numbers(*size: int) -> np.ndarray:
    return rng.standard_normal(size, np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


FOUND: dict[str, onnx.ModelProto] = {
    "channels that end inside a block, turned round": model(
        [
            helper.make_node("Conv", ["x", "w"], ["v"]),
            helper.make_node("Slice", ["v", "start", "end", "axis", "step"], ["y"]),
            helper.make_node("Conv", ["y", "u"], ["z"], group=20),
        ],
        {"x": [1, 9, 2, 3]},
        {
            "w": numbers(20, 9, 1, 1),
            "u": numbers(20, 1, 1, 1),
            "start": ints(-1),
            "end": ints(-21),
            "axis": ints(1),
            "step": ints(-1),
        },
        ["z", "y"],
    ),
}


@pytest.mark.parametrize("target", ["cpu", "cpu:haswell"])
@pytest.mark.parametrize("name", FOUND)
def test_graph(name: str, target: str) -> None:
    proto = FOUND[name]
    inputs = {
        v.name: numbers(*(d.dim_value for d in v.type.tensor_type.shape.dim))
        for v in proto.graph.input
    }
    found = lamina.compile(proto, target=target, cache=False, verify=True).run(inputs)
    for got, want in zip(found.values(), run_onnxruntime(proto, [*inputs.values()]), strict=True):
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-5 * np.abs(want).max())
