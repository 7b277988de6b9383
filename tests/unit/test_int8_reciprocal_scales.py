"""Quotients by scales, made of products."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

import lamina
from lamina.passes.int8.int8_reciprocal_scales import reciprocal

F32 = np.float32


def quotients(x: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """x / scale as the pass computes it; a product of two f32 is exact in f64."""
    high, low = reciprocal(scale)
    return (x.astype(np.float64) * high + x * low).astype(F32)


def test_quotients_are_those_of_a_division() -> None:
    g = np.random.default_rng(0)
    scales = np.exp(g.uniform(-30, 30, (1000, 1))).astype(F32)
    x = (g.standard_normal((1000, 2000)) * scales * 100).astype(F32)
    np.testing.assert_array_equal(quotients(x, scales), x / scales)


def test_reciprocals_are_rounded_down_so_that_infinite_numbers_stay_infinite() -> None:
    g = np.random.default_rng(1)
    scales = np.exp(g.uniform(-80, 80, 100_000)).astype(F32)
    high, low = reciprocal(scales)
    assert (low >= 0).all()
    infinite = np.full(scales.shape, F32(np.inf))
    some = low > 0
    assert (infinite[some] * high[some] + infinite[some] * low[some] == np.inf).all()


def network(scale: np.float32, size: int) -> onnx.ModelProto:
    """quantize(relu(x))"""
    nodes = [
        helper.make_node("Relu", ["x"], ["r"]),
        helper.make_node("QuantizeLinear", ["r", "s", "z"], ["y"]),
    ]
    numbers = [numpy_helper.from_array(np.asarray(scale), "s")]
    numbers.append(numpy_helper.from_array(np.asarray(np.uint8(3)), "z"))
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [size])
    y = helper.make_tensor_value_info("y", onnx.TensorProto.UINT8, [size])
    graph = helper.make_graph(nodes, "g", [x], [y], numbers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


@pytest.mark.parametrize("scale", [F32(0.02923729), F32(0.1), F32(3e-5), F32(7), F32(0.25)])
def test_bytes_next_to_halves_are_those_of_onnxruntime(scale: np.float32) -> None:
    halves = (np.arange(-3, 300) + F32(0.5)) * scale
    near = [halves, np.nextafter(halves, F32(0)), np.nextafter(halves, F32(np.inf))]
    x = np.concatenate([*near, [F32(np.inf), F32(-np.inf), F32(3e38), F32(1e-45)]]).astype(F32)
    model = network(scale, x.size)
    expected = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0]
    np.testing.assert_array_equal(lamina.compile(model, cache=False)(x), expected)
