"""Quotients by constants, made of products."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

import lamina
from lamina.passes.te.te_divide_by_constants import reciprocal

F32 = np.float32


def reciprocals(divisors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both parts of each reciprocal."""
    found = [reciprocal(float(d)) for d in divisors.ravel()]
    assert None not in found
    high, low = np.array(found, F32).T.reshape(2, *divisors.shape)
    return high, low


def test_quotients_are_those_of_a_division() -> None:
    g = np.random.default_rng(0)
    divisors = np.exp(g.uniform(-30, 30, (1000, 1))).astype(F32) * g.choice([F32(-1), F32(1)], 1)
    x = (g.standard_normal((1000, 2000)) * divisors * 100).astype(F32)
    high, low = reciprocals(divisors)
    rest = x * low
    found = (x.astype(np.float64) * high + rest).astype(F32)  # a product of two f32 is exact in f64
    np.testing.assert_array_equal(found, x / divisors)


def test_both_parts_have_one_sign() -> None:
    """Else an infinite number times one and the other would be a NaN."""
    g = np.random.default_rng(1)
    divisors = np.exp(g.uniform(-40, 40, 100_000)).astype(F32)
    for sign in (F32(1), F32(-1)):
        high, low = reciprocals(divisors * sign)
        assert (high * sign > 0).all()
        assert (low * sign >= 0).all()
        assert (low != 0).any()


@pytest.mark.parametrize("divisor", [0.0, 1e-39, 3e37, 3e38, float("inf"), float("nan")])
def test_no_reciprocal_of_too_few_bits(divisor: float) -> None:
    assert reciprocal(divisor) is None


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
