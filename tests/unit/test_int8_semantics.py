"""The int8 formulas in NumPy against exact arithmetic and ONNX Runtime."""

from fractions import Fraction
from itertools import product

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from lamina.interpreters.int8 import dequantize, dot4, quantize, requantize

STORAGES = [np.uint8, np.int8]
SCALES = st.floats(2**-14, 2**14, width=32)
FLOATS = st.floats(width=32)


def saturated(steps: np.float32, zero_point: int, dtype: type) -> int:
    """The end of the formula in exact arithmetic: Python rounds a Fraction half to even."""
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    if np.isnan(steps):
        return low
    if np.isinf(steps):
        return high if steps > 0 else low
    return min(max(round(Fraction(float(steps))) + zero_point, low), high)


def onnx_quantize(x: np.ndarray, scale: float, zero_point: int, dtype: type) -> np.ndarray:
    node = helper.make_node("QuantizeLinear", ["x", "scale", "zero_point"], ["q"])
    storage = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(x.shape))],
        [helper.make_tensor_value_info("q", storage, list(x.shape))],
        [
            numpy_helper.from_array(np.array(scale, np.float32), "scale"),
            numpy_helper.from_array(np.array(zero_point, dtype), "zero_point"),
        ],
    )
    opset = helper.make_opsetid("", 19)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=9)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return np.asarray(session.run(None, {"x": x})[0])


@pytest.mark.parametrize("dtype", STORAGES)
@given(x=FLOATS, scale=SCALES, zero_point=st.integers(0, 127))
def test_quantize_is_the_formula(dtype: type, x: float, scale: float, zero_point: int) -> None:
    with np.errstate(all="ignore"):
        steps = np.float32(x) / np.float32(scale)
    assert quantize(x, scale, zero_point, dtype) == saturated(steps, zero_point, dtype)


@pytest.mark.parametrize("dtype", STORAGES)
@given(acc=st.integers(-(2**31), 2**31 - 1), scale=SCALES, zero_point=st.integers(0, 127))
def test_requantize_is_the_formula(dtype: type, acc: int, scale: float, zero_point: int) -> None:
    with np.errstate(all="ignore"):
        steps = np.float32(acc) * np.float32(scale)
    assert requantize(acc, scale, zero_point, dtype) == saturated(steps, zero_point, dtype)


@pytest.mark.parametrize("dtype", STORAGES)
@pytest.mark.parametrize("zero_point", [0, 3, 127])
def test_quantize_agrees_with_onnx_runtime(dtype: type, zero_point: int) -> None:
    halves = np.arange(-300, 300, dtype=np.float32) / 4
    special = np.array([np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-42, -0.0], np.float32)
    x = np.concatenate([halves, special])
    want = onnx_quantize(x, 0.5, zero_point, dtype)
    np.testing.assert_array_equal(quantize(x, 0.5, zero_point, dtype), want)


def test_rounding_is_half_to_even() -> None:
    x = np.array([0.5, 1.5, 2.5, -0.5, -1.5, -2.5], np.float32)
    np.testing.assert_array_equal(quantize(x, 1.0, 0, np.int8), [0, 2, 2, 0, -2, -2])


@pytest.mark.parametrize("dtype", STORAGES)
def test_dequantize_undoes_quantize_of_every_value(dtype: type) -> None:
    info = np.iinfo(dtype)
    q = np.arange(info.min, info.max + 1).astype(dtype)
    for scale, zero_point in product([0.1, 1.0, 3.7e-3], [info.min, 3, info.max]):
        x = dequantize(q, scale, zero_point)
        assert x.dtype == np.float32
        np.testing.assert_array_equal(quantize(x, scale, zero_point, dtype), q)


def test_dot4_is_unsigned_by_signed() -> None:
    ends = np.array([0, 255, -128, 127, 1]).astype(np.uint8)
    groups = np.array(list(product(ends, repeat=4)), np.uint8)
    a, b = (g.reshape(-1, 4) for g in np.broadcast_arrays(groups[:, None], groups[None, ::7]))
    want = (a.astype(np.int64) * b.view(np.int8).astype(np.int64)).sum(1)
    np.testing.assert_array_equal(dot4(np.zeros(len(a), np.int32), a, b.view(np.int8)), want)


def test_dot4_wraps_around() -> None:
    a, b = np.full((1, 4), 255, np.uint8), np.full((1, 4), 127, np.int8)
    top = np.array([2**31 - 1], np.int32)
    assert dot4(top, a, b) == 2**31 - 1 + 4 * 255 * 127 - 2**32
