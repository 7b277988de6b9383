"""Convolutions and matrix products of integers, in networks too: the bits of ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from lamina import interpreters
from lamina.context import LaminaContext, new_context
from lamina.frontends.onnx import import_model
from lamina.passes.pipelines import default
from tests.unit.onnx_models import run_onnxruntime, run_reference, typed_model
from tests.unit.quantized import Arrays, check, f32, integers, refused

QLINEAR = ("x", "sx", "zx", "w", "sw", "zw", "sy", "zy", "b")


def sums(x: np.ndarray, w: np.ndarray, pads: Sequence[int], strides: Sequence[int], **more: Any):
    """Sums of products of images and weights in 64 bits, zeros around the image."""
    dilations, groups = more.get("dilations", (1, 1)), more.get("group", 1)
    top, left, bottom, right = pads
    x = np.pad(x.astype(np.int64), ((0, 0), (0, 0), (top, bottom), (left, right)))
    (sh, sw), (dh, dw), (o, i, kh, kw) = strides, dilations, w.shape
    extent = (dh * (kh - 1) + 1, dw * (kw - 1) + 1)
    views = np.lib.stride_tricks.sliding_window_view(x, extent, (2, 3))
    views = views[:, :, ::sh, ::sw, ::dh, ::dw]
    parts = [
        np.einsum(
            "nihwkl,oikl->nohw",
            views[:, g * i : (g + 1) * i],
            w.astype(np.int64)[g * (o // groups) : (g + 1) * (o // groups)],
        )
        for g in range(groups)
    ]
    return np.concatenate(parts, 1)


WINDOWS = {
    "plain": ((2, 5, 7, 9), (6, 5, 3, 3), {}),
    "padded unevenly": ((1, 5, 7, 9), (6, 5, 3, 3), {"pads": [1, 2, 0, 1]}),
    "strided": ((2, 3, 9, 11), (7, 3, 3, 3), {"pads": [1] * 4, "strides": [2, 3]}),
    "dilated": ((1, 4, 9, 9), (5, 4, 3, 2), {"pads": [2, 1, 2, 1], "dilations": [2, 2]}),
    "grouped": ((2, 6, 5, 7), (9, 2, 3, 3), {"pads": [1] * 4, "group": 3}),
    "each channel": ((1, 19, 6, 7), (19, 1, 3, 3), {"pads": [1] * 4, "group": 19}),
    "channels in blocks": ((1, 37, 7, 6), (40, 37, 3, 3), {"pads": [1] * 4}),
    "full blocks": ((2, 32, 6, 6), (64, 32, 3, 3), {"pads": [1] * 4}),
    "one tap": ((2, 37, 5, 5), (21, 37, 1, 1), {}),
    "a line": ((2, 5, 23), (6, 5, 3), {"pads": [2, 1], "strides": [2]}),
    "same": ((1, 5, 8, 8), (6, 5, 4, 4), {"auto_pad": "SAME_UPPER"}),
}
TYPES = [("uint8", "uint8"), ("uint8", "int8"), ("int8", "int8")]


def qlinear_conv(
    rng: np.random.Generator,
    shapes: tuple[Sequence[int], Sequence[int]],
    types: tuple[str, str],
    per_channel: bool,
    bias: bool,
    **attributes: Any,
) -> tuple[onnx.ModelProto, Arrays]:
    """A convolution whose results fill the range of its type."""
    (of, by), outputs = types, shapes[1][0]
    x, w = integers(rng, of, shapes[0]), integers(rng, by, shapes[1])
    taps = float(np.prod(shapes[1][1:]))
    sw = (rng.random(outputs if per_channel else ()) + 0.5).astype(np.float32) * np.float32(0.01)
    zw = integers(rng, by, ()) if not per_channel else np.zeros(outputs, by)
    weights = {
        "sx": f32(0.02),
        "zx": integers(rng, of, ()),
        "w": w,
        "sw": np.asarray(sw),
        "zw": np.asarray(zw),
        "sy": f32(0.02 * 0.01 * 80 * 80 * taps**0.5 / 100),
        "zy": integers(rng, of, ()),
    }
    if bias:
        weights["b"] = rng.integers(-20000, 20000, outputs).astype(np.int32)
    node = helper.make_node("QLinearConv", QLINEAR[: 8 + bias], ["y"], **attributes)
    return typed_model([node], {"x": x}, weights, of), {"x": x}


@pytest.mark.parametrize("types", TYPES, ids="-".join)
@pytest.mark.parametrize("window", WINDOWS)
def test_quantized_convolution(window: str, types: tuple[str, str]) -> None:
    rng = np.random.default_rng(len(window))
    x, w, attributes = WINDOWS[window]
    for per_channel, bias in ((True, True), (False, False)):
        check(*qlinear_conv(rng, (x, w), types, per_channel, bias, **attributes))


@pytest.mark.parametrize("end", ["lowest", "highest"])
def test_sums_of_extreme_products_do_not_saturate(end: str) -> None:
    """All products are the largest or the smallest, and more than 16 bits hold two of them."""
    pick = min if end == "lowest" else max
    w = np.full((17, 24, 3, 3), pick(-128, 127), np.int8)
    x = np.full((1, 24, 5, 5), 255, np.uint8)
    node = helper.make_node("ConvInteger", ["x", "w", "z"], ["y"], pads=[1] * 4)
    proto = typed_model([node], {"x": x}, {"w": w, "z": np.uint8(0)}, "int32")
    check(proto, {"x": x}, sums(x, w, [1] * 4, [1, 1]).astype(np.int32))


@pytest.mark.parametrize("types", TYPES, ids="-".join)
@pytest.mark.parametrize("known", ["all", "zero points", "nothing"])
def test_convolution_of_integers_with_zero_points_of_each_channel(
    types: tuple[str, str], known: str
) -> None:
    rng = np.random.default_rng(6)
    x, w = integers(rng, types[0], (2, 5, 7, 6)), integers(rng, types[1], (9, 5, 3, 3))
    zx, zw = integers(rng, types[0], ()), integers(rng, types[1], [9])
    pads, strides = [1, 0, 2, 1], [2, 1]
    node = helper.make_node(
        "ConvInteger", ["x", "w", "zx", "zw"], ["y"], pads=pads, strides=strides
    )
    parameters = {"w": w, "zx": np.asarray(zx), "zw": zw}
    names = {"all": "w zx zw", "zero points": "zx zw", "nothing": ""}[known].split()
    inputs = {"x": x} | {n: p for n, p in parameters.items() if n not in names}
    proto = typed_model([node], inputs, {n: parameters[n] for n in names}, "int32")
    wide = x.astype(np.int32) - zx, w.astype(np.int32) - zw.astype(np.int32).reshape(9, 1, 1, 1)
    check(proto, inputs, sums(*wide, pads, strides).astype(np.int32))


def test_bias_of_run_time_is_added() -> None:
    rng = np.random.default_rng(7)
    proto, inputs = qlinear_conv(rng, ((1, 5, 6, 6), (4, 5, 3, 3)), TYPES[0], True, True)
    b = onnx.numpy_helper.to_array(proto.graph.initializer.pop())
    proto.graph.input.append(helper.make_tensor_value_info("b", TensorProto.INT32, b.shape))
    check(proto, {**inputs, "b": b})


MATRICES = {
    "vector": ((37,), (37, 21)),
    "matrix": ((3, 37), (37, 21)),
    "column": ((3, 37), (37, 1)),
    "batch": ((2, 3, 5, 23), (23, 18)),
    "batches": ((2, 3, 5, 23), (2, 3, 23, 18)),
}


@pytest.mark.parametrize("types", TYPES, ids="-".join)
@pytest.mark.parametrize("shapes", MATRICES)
@pytest.mark.parametrize("known", [True, False])
def test_quantized_matrix_product(shapes: str, types: tuple[str, str], known: bool) -> None:
    rng = np.random.default_rng(8)
    left, right = MATRICES[shapes]
    a, b = integers(rng, types[0], left), integers(rng, types[1], right)
    weights = {
        "sx": f32(0.02),
        "zx": np.asarray(integers(rng, types[0], ())),
        "w": b,
        "sw": f32(0.015),
        "zw": np.asarray(integers(rng, types[1], ())),
        "sy": f32(0.02 * 0.015 * 80 * 80 * left[-1] ** 0.5 / 100),
        "zy": np.asarray(integers(rng, types[0], ())),
    }
    inputs = {"x": a} if known else {"x": a, "w": weights.pop("w")}
    node = helper.make_node("QLinearMatMul", QLINEAR[:8], ["y"])
    check(typed_model([node], inputs, weights, types[0]), inputs)


@pytest.mark.parametrize("known", ["all", "b", "nothing"])
@pytest.mark.parametrize("types", TYPES, ids="-".join)
def test_matrix_product_of_integers(types: tuple[str, str], known: str) -> None:
    rng = np.random.default_rng(9)
    a, b = integers(rng, types[0], (5, 19)), integers(rng, types[1], (19, 33))
    za, zb = integers(rng, types[0], ()), integers(rng, types[1], [33])
    parameters = {"b": b, "za": np.asarray(za), "zb": zb}
    names = {"all": "b za zb", "b": "b", "nothing": ""}[known].split()
    inputs = {"a": a} | {n: p for n, p in parameters.items() if n not in names}
    node = helper.make_node("MatMulInteger", ["a", "b", "za", "zb"], ["y"])
    proto = typed_model([node], inputs, {n: parameters[n] for n in names}, "int32")
    wide = a.astype(np.int64) - int(za), b.astype(np.int64) - zb.astype(np.int64)
    check(proto, inputs, (wide[0] @ wide[1]).astype(np.int32))


def test_matrix_product_without_zero_points_is_of_bytes() -> None:
    rng = np.random.default_rng(10)
    a, b = integers(rng, "uint8", (2, 7, 33)), integers(rng, "int8", (2, 33, 5))
    node = helper.make_node("MatMulInteger", ["a", "b"], ["y"])
    proto = typed_model([node], {"a": a, "b": b}, {}, "int32")
    assert "ui8>, tensor<2x33x5xi8>" in str(import_model(proto, new_context().weights))
    check(proto, {"a": a, "b": b}, a.astype(np.int32) @ b.astype(np.int32))


def test_onnx_evaluator_agrees_on_zero_points_of_each_column() -> None:
    """ONNX Runtime has none for some types; ONNX says what they mean."""
    rng = np.random.default_rng(12)
    a, b = integers(rng, "uint8", (3, 8)), integers(rng, "uint8", (8, 5))
    zb = integers(rng, "uint8", [5])
    node = helper.make_node("MatMulInteger", ["x0", "x1", "z", "zb"], ["y"])
    weights = {"z": np.uint8(9), "zb": zb}
    proto = typed_model([node], {"x0": a, "x1": b}, weights, "int32")
    check(proto, {"x0": a, "x1": b}, run_reference(proto, [a, b])[0])


def test_products_with_parameters_that_do_not_fit_are_refused() -> None:
    x, w = np.zeros((1, 4, 5, 5), np.uint8), np.ones((6, 4, 3, 3), np.int8)
    good = {"sx": f32(1), "zx": np.uint8(0), "w": w, "sw": f32(1), "zw": np.int8(0)}
    good |= {"sy": f32(1), "zy": np.uint8(0)}
    for changed, problem in (
        ({"sw": f32(0)}, "with a scale of 0; scales must be positive and finite"),
        ({"sy": f32(np.nan)}, "with a scale of nan; scales must be positive and finite"),
        ({"sx": f32(1e-30), "sw": f32(1e-30)}, "with scales that make 0; it must be positive"),
        ({"sw": f32(1, 2)}, "with scales of shape [2]; 1 or 6 are needed"),
        ({"zw": np.zeros(4, np.int8)}, "with zero points of shape [4]; 1 or 6 are needed"),
        ({"zx": np.zeros(4, np.uint8)}, "with zero points of shape [4]; 1 is needed"),
        ({"zx": np.int8(0)}, "with zero points of int8; uint8 is needed"),
        ({"zy": np.int32(0)}, "with zero points of the result of int32; uint8 or int8 is needed"),
        ({"b": f32(*range(6))}, "with a bias of float32 [6]; int32 [6] is needed"),
        ({"b": np.ones(1, np.int32)}, "with a bias of int32 [1]; int32 [6] is needed"),
    ):
        message = refused("QLinearConv", good | changed, x=x)
        assert message.startswith(f"model: not supported: QLinearConv {problem}"), message


# -- networks


def network() -> tuple[onnx.ModelProto, np.ndarray]:
    """Integers from end to end: two readers with borders of their own, and a sum that is not."""
    rng = np.random.default_rng(11)
    x = (rng.standard_normal((1, 3, 9, 7)) * 2).astype(np.float32)
    z = {name: np.uint8(n) for name, n in (("z0", 3), ("z1", 128), ("z2", 77), ("z3", 0))}
    scales = {"s0": f32(0.03), "s1": f32(0.4), "s2": f32(9.0), "s3": f32(12.0)}
    w = {
        "w0": integers(rng, "int8", (20, 3, 3, 3)),
        "w1": integers(rng, "int8", (37, 20, 3, 3)),
        "w2": integers(rng, "int8", (20, 1, 5, 5)),
        "b0": rng.integers(-999, 999, 20).astype(np.int32),
        "v": (rng.random(20) / 50 + 0.01).astype(np.float32),
        "u": f32(0.02),
        "zv": np.zeros(20, np.int8),
        "zu": np.int8(0),
    }
    same: dict[str, Any] = {"pads": [1] * 4}
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s0", "z0"], ["q"]),
        helper.make_node(
            "QLinearConv", ["q", "s0", "z0", "w0", "v", "zv", "s1", "z1", "b0"], ["a"], **same
        ),
        helper.make_node(
            "QLinearConv", ["a", "s1", "z1", "w1", "u", "zu", "s2", "z2"], ["b"], **same
        ),
        helper.make_node(
            "QLinearConv",
            ["a", "s1", "z1", "w2", "v", "zv", "s3", "z3"],
            ["c"],
            group=20,
            pads=[2] * 4,
        ),
        helper.make_node("ConvInteger", ["a", "w1", "z2"], ["d"], **same),
        helper.make_node("DequantizeLinear", ["b", "s2", "z2"], ["e"]),
        helper.make_node("DequantizeLinear", ["c", "s3", "z3"], ["f"]),
        helper.make_node("Cast", ["d"], ["g"], to=TensorProto.FLOAT),
        helper.make_node("Concat", ["e", "f", "g"], ["y"], axis=1),
    ]
    return typed_model(nodes, {"x": x}, z | scales | w, "float32"), x


def test_network_of_integers_is_that_of_onnxruntime() -> None:
    proto, x = network()
    check(proto, {"x": x})


def test_each_pass_keeps_a_network_of_integers_bit_for_bit() -> None:
    proto, x = network()
    (wanted,) = run_onnxruntime(proto, [x])
    ctx = LaminaContext()
    module = import_model(proto, ctx.weights)
    steps = default("cpu")
    for k, step in enumerate(steps):
        step.apply(ctx, module)
        module.verify()
        if step.name in ("assign-halos", "lower-graph-to-te", "te-schedule") or k < 3:
            (found,) = interpreters.call(module, "main", [x.copy()], store=ctx.weights)
            np.testing.assert_array_equal(found, wanted, err_msg=step.name)


def test_border_is_written_with_what_is_around_the_image() -> None:
    proto, _ = network()
    ctx = LaminaContext()
    module = import_model(proto, ctx.weights)
    for step in default("cpu"):
        step.apply(ctx, module)
        if step.name == "assign-halos":
            break
    text = str(module)
    assert "halo [2:2, 2:2] of 128>" in text
    assert "halo [1:1, 1:1] of 77>" in text  # a copy for the one reader that takes this
