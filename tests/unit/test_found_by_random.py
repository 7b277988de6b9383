"""What random graphs found, each as small as it could be made."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, TypeProto, helper

import lamina
from tests.unit.onnx_models import model, run_onnxruntime

rng = np.random.default_rng(0)


def numbers(*size: int) -> np.ndarray:
    return rng.standard_normal(size, np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def data(type: TypeProto.Tensor) -> np.ndarray:
    size = [d.dim_value for d in type.shape.dim]
    return (numbers(*size) * 9).astype(helper.tensor_dtype_to_np_dtype(type.elem_type))


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
    "sums of bytes, one number a channel": model(
        [
            helper.make_node("Add", ["x", "w"], ["v"]),
            helper.make_node("Add", ["v", "u"], ["sum"]),
            helper.make_node("Cast", ["sum"], ["y"], to=TensorProto.FLOAT),
        ],
        {"x": [1, 3, 1, 1]},
        {"w": np.array([[[26]], [[30]], [[4]]], np.int8), "u": np.array([[[[120]]]], np.int8)},
        ["y"],
        input_type=TensorProto.INT8,
    ),
}


@pytest.mark.parametrize("target", ["cpu", "cpu:haswell"])
@pytest.mark.parametrize("name", FOUND)
def test_graph(name: str, target: str) -> None:
    proto = FOUND[name]
    inputs = {v.name: data(v.type.tensor_type) for v in proto.graph.input}
    found = lamina.compile(proto, target=target, cache=False, verify=True).run(inputs)
    for got, want in zip(found.values(), run_onnxruntime(proto, [*inputs.values()]), strict=True):
        assert got.shape == want.shape
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-5 * np.abs(want).max())
