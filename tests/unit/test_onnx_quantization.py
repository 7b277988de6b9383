"""Quantization and back are what ONNX Runtime does, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

import lamina
from tests.unit.onnx_models import run_onnxruntime, typed_model
from tests.unit.quantized import BYTES, check, f32, integers, refused


def numbers(scale: float) -> np.ndarray:
    """Halves of steps, which are rounded to even; beyond all ranges, infinite, and no number."""
    steps = np.array([*np.arange(-300, 300, 0.5), 1e9, -1e9, np.inf, -np.inf, 3e38], np.float32)
    return (steps[:1200] * np.float32(scale)).reshape(2, 3, 8, 25)


@pytest.mark.parametrize("type", BYTES)
@pytest.mark.parametrize("zero", [0, 3, 127])
def test_numbers_are_divided_rounded_to_even_and_saturated(type: str, zero: int) -> None:
    x = numbers(0.25)
    node = helper.make_node("QuantizeLinear", ["x", "s", "z"], ["y"])
    proto = typed_model([node], {"x": x}, {"s": f32(0.25), "z": np.array(zero, type)}, type)
    check(proto, {"x": x})
    odd = (x * np.float32(0.37)).ravel()
    odd[-4:] = np.inf, -np.inf, np.nan, 3e38
    proto = typed_model([node], {"x": odd}, {"s": f32(0.1), "z": np.array(zero, type)}, type)
    info = np.iinfo(type)
    with np.errstate(all="ignore"):
        wanted = np.clip(np.rint(odd / f32(0.1)) + np.float32(zero), info.min, info.max)
    wanted[-2] = info.min  # no number
    check(proto, {"x": odd}, wanted.astype(type))


@pytest.mark.parametrize("type", ["uint8", "int8", "uint16", "int16"])
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_scales_and_zero_points_are_for_the_tensor_or_along_an_axis(
    type: str, axis: int | None
) -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((3, 37, 5)).astype(np.float32) * 20
    count = () if axis is None else x.shape[axis]
    s, z = (rng.random(count) + 0.01).astype(np.float32), integers(rng, type, count)
    attributes: dict[str, Any] = {} if axis is None else {"axis": axis}
    weights, opset = {"s": s, "z": np.asarray(z)}, 21
    there = helper.make_node("QuantizeLinear", ["x", "s", "z"], ["y"], **attributes)
    check(typed_model([there], {"x": x}, weights, type, opset), {"x": x})
    back = helper.make_node("DequantizeLinear", ["x", "s", "z"], ["y"], **attributes)
    q = integers(rng, type, x.shape)
    check(typed_model([back], {"x": q}, weights, "float32", opset), {"x": q})


def test_axis_of_one_number_for_all_means_nothing() -> None:
    x = np.arange(-6, 6, dtype=np.float32).reshape(1, 3, 4)
    weights = {"s": f32(0.5).reshape(1), "z": np.array([3], np.uint8)}
    there = helper.make_node("QuantizeLinear", ["x", "s", "z"], ["y"], axis=0)
    check(typed_model([there], {"x": x}, weights, "uint8", 21), {"x": x})
    back = helper.make_node("DequantizeLinear", ["x", "s", "z"], ["y"], axis=0)
    q = x.astype(np.uint8)
    check(typed_model([back], {"x": q}, weights, "float32", 21), {"x": q})


def test_zero_points_are_optional_and_i32_is_dequantized() -> None:
    rng = np.random.default_rng(2)
    x, q = (rng.standard_normal((4, 9)) * 90).astype(np.float32), integers(rng, "int32", (4, 9))
    there = helper.make_node("QuantizeLinear", ["x", "s"], ["y"])
    check(typed_model([there], {"x": x}, {"s": f32(0.5)}, "uint8"), {"x": x})
    signed = helper.make_node("QuantizeLinear", ["x", "s"], ["y"], output_dtype=TensorProto.INT8)
    check(typed_model([signed], {"x": x}, {"s": f32(0.5)}, "int8", 21), {"x": x})
    back = helper.make_node("DequantizeLinear", ["x", "s"], ["y"])
    check(typed_model([back], {"x": q}, {"s": f32(1e-3)}, "float32"), {"x": q})


@pytest.mark.parametrize("known", [True, False])
def test_blocks_along_an_axis_have_scales_of_their_own(known: bool) -> None:
    rng = np.random.default_rng(3)
    x = (rng.standard_normal((3, 10, 4)) * 30).astype(np.float32)
    q = integers(rng, "uint8", x.shape)
    s = (rng.random((3, 4, 4)) + 0.1).astype(np.float32)
    z = integers(rng, "uint8", s.shape)
    for op, data, result in (("QuantizeLinear", x, "uint8"), ("DequantizeLinear", q, "float32")):
        node = helper.make_node(op, ["x0", "x1", "x2"], ["y"], axis=1, block_size=3)
        parameters = {"x1": s, "x2": z}
        inputs = {"x0": data} if known else {"x0": data, **parameters}
        proto = typed_model([node], inputs, parameters if known else {}, result, 21)
        long_s, long_z = (np.repeat(p, 3, 1)[:, :10] for p in (s, z))
        if op == "QuantizeLinear":
            wanted = np.clip(np.rint(x / long_s) + long_z, 0, 255).astype(np.uint8)
        else:
            wanted = (q.astype(np.float32) - long_z) * long_s
        check(proto, inputs, wanted)


@pytest.mark.parametrize(
    "x",
    [
        np.random.default_rng(4).standard_normal((3, 37)).astype(np.float32),
        np.full((2, 3), -7.25, np.float32),
        np.full((2, 3), 1e-6, np.float32),
        np.zeros((2, 3), np.float32),
    ],
    ids=["normal", "negative", "small", "zero"],
)
def test_range_of_the_elements_makes_scale_and_zero_point(x: np.ndarray) -> None:
    node = helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "s", "z"])
    back = helper.make_node("DequantizeLinear", ["y", "s", "z"], ["f"])
    inputs = {"x": x}
    for name, nodes, type in (
        ("y", [node], "uint8"),
        ("s", [node], "float32"),
        ("z", [node], "uint8"),
        ("f", [node, back], "float32"),
    ):
        proto = typed_model(nodes, inputs, {}, type)
        proto.graph.output[0].name = name
        (wanted,) = run_onnxruntime(proto, [x])
        found = lamina.compile(proto, cache=False).run(inputs)[name]
        np.testing.assert_array_equal(found, wanted)


# -- errors


@pytest.mark.parametrize("op", ["QuantizeLinear", "DequantizeLinear"])
@pytest.mark.parametrize(
    ("scale", "shown"), [(0.0, "0"), (-0.5, "-0.5"), (np.nan, "nan"), (np.inf, "inf")]
)
def test_scale_that_is_not_positive_and_finite_is_refused(
    op: str, scale: float, shown: str
) -> None:
    real = op == "QuantizeLinear"
    x = np.zeros((2, 3), np.float32 if real else np.uint8)
    for s, axis in ((f32(scale), 1), (f32(1, scale, 2), 1)):
        result = "uint8" if real else "float32"
        assert refused(op, {"s": s}, result, x=x, axis=axis) == (
            f"model: not supported: {op} with a scale of {shown}; scales must be positive and"
            " finite (node 'n')"
        )


REFUSED = {
    "with zero points of shape [2] and scales of shape [3]": (
        {"s": f32(1, 2, 3), "z": np.zeros(2, np.uint8)},
        {},
    ),
    "with zero points of shape [] and scales of shape [3]": (
        {"s": f32(1, 2, 3), "z": np.zeros((), np.uint8)},
        {},
    ),
    "to int32; uint8, int8, uint16, int16 are supported": ({"s": f32(1), "z": np.int32(1)}, {}),
    "to uint4; uint8, int8, uint16, int16 are supported": (
        {"s": f32(1)},
        {"output_dtype": TensorProto.UINT4},
    ),
    "with output_dtype int8 and zero points of uint8": (
        {"s": f32(1), "z": np.uint8(1)},
        {"output_dtype": TensorProto.INT8},
    ),
    "with scales of float16; float32 is needed": ({"s": np.float16(1)}, {}),
    "with scales of shape [2] for axis 1 of [2, 3]; 1 or 3 are needed": ({"s": f32(1, 2)}, {}),
    "with axis 2 of 2 dimensions": ({"s": f32(1, 2)}, {"axis": 2}),
    "with axis -3 of 2 dimensions": ({"s": f32(1, 2)}, {"axis": -3}),
    "with scales of shape [2, 3] for [2, 3] in blocks of 2 along axis 1": (
        {"s": np.ones((2, 3), np.float32)},
        {"block_size": 2},
    ),
    "with scales of shape [2, 3] for [2, 3] in blocks of -1 along axis 1": (
        {"s": np.ones((2, 3), np.float32)},
        {"block_size": -1},
    ),
}


@pytest.mark.parametrize("problem", REFUSED)
def test_parameters_that_do_not_fit_are_refused(problem: str) -> None:
    weights, attributes = REFUSED[problem]
    message = refused("QuantizeLinear", weights, **attributes)
    assert message == f"model: not supported: QuantizeLinear {problem} (node 'n')"


def test_precision_of_other_floats_is_refused() -> None:
    half = TensorProto.FLOAT16
    assert refused("QuantizeLinear", {"s": f32(1)}, opset=23, precision=half) == (
        "model: not supported: QuantizeLinear with precision float16; float is supported (node 'n')"
    )


def test_zero_points_of_another_type_than_the_elements_are_refused() -> None:
    x, weights = np.zeros((2, 3), np.uint8), {"s": f32(1), "z": np.int8(1)}
    assert refused("DequantizeLinear", weights, "float32", x=x) == (
        "model: not supported: DequantizeLinear with zero points of int8; uint8 is needed"
        " (node 'n')"
    )
