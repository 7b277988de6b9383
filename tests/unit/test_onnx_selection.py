"""Where the largest element is, one-hot vectors and triangles beside ONNX Runtime."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

import lamina
from tests.unit.onnx_models import run_onnxruntime, typed_model

SHAPE = (2, 37, 3, 5)


def check(
    operator: str,
    result: str,
    x: np.ndarray,
    *weights: np.ndarray,
    opset: int = 17,
    **attributes: Any,
) -> None:
    """One node on `x` and weights computes exactly what ONNX Runtime does."""
    names = ["x", *(f"w{i}" for i in range(len(weights)))]
    nodes = [helper.make_node(operator, names, ["y"], "n", **attributes)]
    proto = typed_model(nodes, {"x": x}, dict(zip(names[1:], weights, strict=True)), result, opset)
    (wanted,) = run_onnxruntime(proto, [x])
    found = lamina.compile(proto, cache=False, verify=True)(x)
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)


def steps(*shape: int) -> np.ndarray:
    """Numbers of which many are equal."""
    return np.random.default_rng(3).integers(-4, 5, shape).astype(np.float32)


@pytest.mark.parametrize("operator", ["ArgMax", "ArgMin"])
@pytest.mark.parametrize("axis", [0, 1, 3, -2])
@pytest.mark.parametrize("last", [0, 1])
def test_first_or_last_of_the_extremes(operator: str, axis: int, last: int) -> None:
    check(operator, "int64", steps(*SHAPE), axis=axis, select_last_index=last)


@pytest.mark.parametrize("type", ["int8", "uint8", "int32"])
def test_extremes_of_integers_without_their_dimension(type: str) -> None:
    x = (steps(*SHAPE) + 4).astype(type)
    check("ArgMax", "int64", x, axis=1, keepdims=0)


def test_first_nan_is_the_extreme() -> None:
    x = np.array([[1, np.nan, np.inf, np.nan], [-np.inf] * 4], np.float32)
    nodes = [helper.make_node("ArgMax", ["x"], ["y"], axis=1)]
    found = lamina.compile(typed_model(nodes, {"x": x}, {}, "int64"), cache=False)(x)
    np.testing.assert_array_equal(found, np.argmax(x, 1, keepdims=True))


@pytest.mark.parametrize(("opset", "axis"), [(13, 1), (13, -1), (11, 1), (11, 2)])
def test_hardmax(opset: int, axis: int) -> None:
    check("Hardmax", "float32", steps(2, 37, 5), opset=opset, axis=axis)


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_one_hot(axis: int) -> None:
    x, depth = np.array([[0, 3, -1], [-4, 2, 7]]), np.array(4)
    for values in (np.array([0, 1], np.float32), np.array([5, -2])):
        check("OneHot", str(values.dtype), x, depth, values, axis=axis)
    floats = np.array([0, 1], np.float32)
    check("OneHot", "float32", x.astype(np.float32), depth.astype(np.float32), floats, axis=axis)


@pytest.mark.parametrize("k", [-2, 0, 1, 9])
@pytest.mark.parametrize("upper", [0, 1])
def test_triangles(k: int, upper: int) -> None:
    check("Trilu", "float32", steps(2, 3, 5, 4), np.array(k), upper=upper)


@pytest.mark.parametrize("type", ["int8", "uint8"])
def test_largest_bytes_of_windows(type: str) -> None:
    x = np.random.default_rng(0).integers(-128, 128, (1, 5, 9, 7)).astype(type)
    check("MaxPool", type, x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 0, 1])


def test_image_of_bytes_through_a_network_to_the_class_of_each_pixel() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (1, 12, 11, 3)).astype(np.uint8)
    w = rng.standard_normal((21, 3, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Cast", ["x"], ["f"], to=1),
        helper.make_node("Div", ["f", "scale"], ["s"]),
        helper.make_node("Transpose", ["s"], ["t"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["t", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("ArgMax", ["c"], ["y"], axis=1, keepdims=0),
    ]
    proto = typed_model(nodes, {"x": x}, {"w": w, "scale": np.float32(255)}, "int64")
    (wanted,) = run_onnxruntime(proto, [x])
    np.testing.assert_array_equal(lamina.compile(proto, cache=False)(x), wanted)
