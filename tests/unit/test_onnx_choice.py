"""Comparisons, choices, logic, casts and arithmetic on integers beside ONNX Runtime."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import lamina
from lamina import interpreters
from lamina.context import new_context
from lamina.frontends.onnx import import_model
from tests.unit.onnx_models import node, run_onnxruntime, typed_model

INF, NAN = np.inf, np.nan
SHAPE = (2, 37, 3, 5)
SPECIAL = np.array([0.0, -0.0, 1, -1, 0.5, 2.5, INF, -INF, NAN, 1e-40, 7, -7], np.float32)
COMPARISONS = ("Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal")
INTEGERS = ("int8", "uint8", "int32", "int64")


def floats(seed: int, *shape: int) -> np.ndarray:
    """Numbers that are often equal, often special."""
    return np.random.default_rng(seed).choice(SPECIAL, shape)


def whole(seed: int, type: str, *shape: int) -> np.ndarray:
    """Integers of both signs, where there are two; small, so that their products fit."""
    low = 0 if type.startswith("u") else -9
    return np.random.default_rng(seed).integers(low, 10, shape).astype(type)


def bools(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2, shape).astype(bool)


def check(operator: str, *inputs: np.ndarray, opset: int = 18, **attributes: Any) -> None:
    """Compiled and interpreted, one node computes what ONNX Runtime does."""
    names = [f"x{i}" for i in range(len(inputs))]
    given = dict(zip(names, inputs, strict=True))
    nodes = [helper.make_node(operator, names, ["y"], "n", **attributes)]
    weights = {n: given.pop(n) for n in names[1:] if operator.startswith("Reduce")}
    proto = typed_model(nodes, given, weights, "float32", opset)
    inferred = onnx.shape_inference.infer_shapes(strip_type(proto)).graph.output[0]
    proto.graph.output[0].CopyFrom(inferred)
    inputs = tuple(given.values())
    (wanted,) = run_onnxruntime(proto, inputs)
    context = new_context()
    module = import_model(proto, context.weights)
    (meant,) = interpreters.call(module, "main", list(inputs), store=context.weights)
    found = lamina.compile(proto, cache=False).run(given)["y"]
    for y in (meant, found):
        assert y.dtype == wanted.dtype
        np.testing.assert_array_equal(y, wanted)


def strip_type(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The model with the type of its output left to be inferred."""
    proto.graph.output[0].ClearField("type")
    return proto


@pytest.mark.parametrize("operator", COMPARISONS)
def test_floats_are_compared_as_ieee_says(operator: str) -> None:
    check(operator, floats(0, *SHAPE), floats(1, 37, 1, 5))


@pytest.mark.parametrize("type", INTEGERS)
@pytest.mark.parametrize("operator", COMPARISONS)
def test_integers_are_compared(operator: str, type: str) -> None:
    check(operator, whole(0, type, *SHAPE), whole(1, type, 1, 5))


def test_unsigned_integers_beyond_half_are_large() -> None:
    check("Less", np.array([200, 5, 128], np.uint8), np.array([5, 200, 127], np.uint8))


def test_truth_values_are_equal_or_not() -> None:
    check("Equal", bools(0, *SHAPE), bools(1, 37, 1, 1))


@pytest.mark.parametrize("operator", ["And", "Or", "Xor"])
def test_logic_broadcasts(operator: str) -> None:
    check(operator, bools(0, 2, 37, 1, 5), bools(1, 3, 1))


def test_not() -> None:
    check("Not", bools(0, 37))


@pytest.mark.parametrize("type", ["int8", "uint8", "int32", "int64"])
@pytest.mark.parametrize("operator", ["BitwiseAnd", "BitwiseOr", "BitwiseXor"])
def test_bits_of_integers(operator: str, type: str) -> None:
    check(operator, whole(0, type, *SHAPE), whole(1, type, 37, 1, 1))


@pytest.mark.parametrize("type", ["float32", "int32", "int64", "uint8"])
def test_where_broadcasts_three_ways(type: str) -> None:
    a, b = whole(1, type, 1, 37, 3, 1), whole(2, type, 2, 1, 1, 5)
    check("Where", bools(0, 37, 1, 1), a, b)


def test_where_takes_nan_and_infinities_as_they_are() -> None:
    check("Where", bools(0, *SHAPE), floats(1, *SHAPE), floats(2, 1))


FITS = np.array([0, 1, -1, 2.9, -2.9, 127.5, -128.9, -0.0, 1e-40], np.float32)


@pytest.mark.parametrize("to", ["bool", "int8", "int32", "int64", "float32"])
@pytest.mark.parametrize("of", ["bool", "int8", "uint8", "int32", "int64", "float32"])
def test_cast_between_types(of: str, to: str) -> None:
    x = FITS if of == "float32" else bools(0, 37) if of == "bool" else whole(0, of, 37)
    check("Cast", x, to=helper.np_dtype_to_tensor_dtype(np.dtype(to)))


def test_cast_to_unsigned_and_of_integers_that_are_too_wide() -> None:
    check("Cast", np.array([0.5, 1, 254.9, 255], np.float32), to=TensorProto.UINT8)
    check("Cast", np.array([-1, 255, 256, 2**40 + 3]), to=TensorProto.UINT8)
    check("Cast", np.array([-1, 200, 2**33 + 5]), to=TensorProto.INT8)
    check("Cast", np.array([2**24 + 1, -(2**31)], np.int32), to=TensorProto.FLOAT)
    check("Cast", np.array([NAN, INF, 0.0, -0.0, 1e-40], np.float32), to=TensorProto.BOOL)
    check("Cast", np.array([0, 255, 128], np.uint8), to=TensorProto.FLOAT)


@pytest.mark.parametrize("to", ["int8", "uint8", "int32", "int64"])
def test_cast_of_what_does_not_fit_is_the_nearest_number(to: str) -> None:
    x = np.array([3e38, -3e38, INF, -INF, NAN, 2147483520, -1, 9.3e18, 300] * 5, np.float32)
    limits = np.iinfo(to)
    exact = [0 if v != v else max(min(v, limits.max), limits.min) for v in x.astype(object)]
    wanted = np.array([int(v) for v in exact], to)
    type = helper.np_dtype_to_tensor_dtype(np.dtype(to))
    cast = [helper.make_node("Cast", ["x"], ["y"], to=type)]
    found = lamina.compile(typed_model(cast, {"x": x}, {}, to), cache=False)(x)
    np.testing.assert_array_equal(found, wanted)
    known = typed_model(
        [*cast, helper.make_node("Add", ["y", "z"], ["w"])], {"z": wanted}, {"x": x}, to
    )
    known.graph.output[0].name = "w"
    found = lamina.compile(known, cache=False)(np.zeros_like(wanted))
    np.testing.assert_array_equal(found, wanted)


def test_cast_like() -> None:
    check("CastLike", FITS, whole(0, "int32", 1))
    check("CastLike", bools(0, 37), FITS[:1])


@pytest.mark.parametrize("type", INTEGERS)
def test_sign(type: str) -> None:
    check("Sign", whole(0, type, *SHAPE))


def test_sign_of_floats_keeps_nan() -> None:
    x = floats(0, 37)
    found = lamina.compile(node("Sign", (37,)), cache=False)(x)
    np.testing.assert_array_equal(found, np.sign(x))


def test_nan_and_infinities_are_found() -> None:
    x = floats(0, *SHAPE)
    check("IsNaN", x)
    for above, below in ((1, 1), (1, 0), (0, 1), (0, 0)):
        check("IsInf", x, detect_positive=above, detect_negative=below)


@pytest.mark.parametrize("type", INTEGERS)
@pytest.mark.parametrize("fmod", [0, 1])
def test_mod_of_integers(type: str, fmod: int) -> None:
    b = whole(1, type, 37, 1, 1)
    check("Mod", whole(0, type, *SHAPE), np.where(b == 0, np.array(3, type), b), fmod=fmod)


def test_mod_of_floats_is_exact() -> None:
    a = np.array([5.3, -5.3, 1e30, 7, INF, NAN, 3, -0.0, 1e-40] * 4, np.float32)
    b = np.array([2, -2, 3.1, INF, 2, 1, 0, 5, 3e-41] * 4, np.float32)
    check("Mod", a, b, fmod=1)


@pytest.mark.parametrize("type", ["int32", "int64"])
@pytest.mark.parametrize("operator", ["Add", "Sub", "Mul", "Div", "Max", "Min"])
def test_arithmetic_on_integers(operator: str, type: str) -> None:
    b = whole(1, type, 37, 1, 1)
    b = np.where(b == 0, np.array(-3, type), b) if operator == "Div" else b
    check(operator, whole(0, type, *SHAPE), b)


@pytest.mark.parametrize("type", ["int8", "uint8", "int32", "int64"])
def test_integers_are_divided_by_zero_and_by_minus_one(type: str) -> None:
    limits = np.iinfo(type)
    a = np.array([7, 0, limits.min, limits.min, limits.max, 5] * 3, type)
    b = np.array([0, 0, 0, limits.max if type == "uint8" else -1, 1, 2] * 3, type)
    for operator in ("Div", "Mod"):
        nodes = [helper.make_node(operator, ["a", "b"], ["y"])]
        proto = typed_model(nodes, {"a": a, "b": b}, {}, type)
        found = lamina.compile(proto, cache=False).run({"a": a, "b": b})["y"]
        context = new_context()
        module = import_model(proto, context.weights)
        (meant,) = interpreters.call(module, "main", [a, b], store=context.weights)
        np.testing.assert_array_equal(found, meant)
        assert (found[b == 0] == 0).all()
    assert limits.min == 0 or found[3] == 0


@pytest.mark.parametrize("axes", [[1], [3], [2, 3], [0, 1, 2, 3]])
@pytest.mark.parametrize("kind", ["Max", "Min", "Sum", "Prod", "L1", "SumSquare"])
def test_integers_are_reduced(kind: str, axes: list[int]) -> None:
    x = whole(0, "int32", 2, 37, 3, 70)
    check(f"Reduce{kind}", np.sign(x) + (x == 0) if kind == "Prod" else x, np.array(axes))


@pytest.mark.parametrize("type", ["int8", "uint8", "int64", "bool"])
def test_extremes_of_integers_and_truth_values(type: str) -> None:
    x = bools(0, *SHAPE) if type == "bool" else whole(0, type, *SHAPE)
    if type == "uint8":
        x[0, 0] = 200
    for kind in ("Max", "Min"):
        check(f"Reduce{kind}", x, np.array([1]), opset=20)
        check(f"Reduce{kind}", x, np.array([3]), opset=20)


@pytest.mark.parametrize("operator", ["Abs", "Neg", "Relu"])
def test_signs_of_integers(operator: str) -> None:
    check(operator, whole(0, "int32", *SHAPE))


def test_clip_between_bounds_that_are_computed() -> None:
    low, high = np.float32(-0.5), np.float32(1.5)
    check("Clip", floats(0, *SHAPE), np.asarray(low), np.asarray(high))


def test_clip_of_integers() -> None:
    x = whole(0, "int32", *SHAPE)
    nodes = [helper.make_node("Clip", ["x", "low", "high"], ["y"])]
    limits = {"low": np.int32(-3), "high": np.int32(4)}
    found = lamina.compile(typed_model(nodes, {"x": x}, limits, "int32"), cache=False)(x)
    np.testing.assert_array_equal(found, x.clip(-3, 4))


@pytest.mark.parametrize("exponent", [0.5, 1.5, -0.5, 2.5, -3.5])
def test_power_of_minus_infinity(exponent: float) -> None:
    x = np.array([-INF, INF, 0.0, -0.0, 4, 2.25, -1, NAN], np.float32)
    found = lamina.compile(node("Pow", (8,), np.array(exponent, np.float32)), cache=False)(x)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(found, np.power(x, np.full_like(x, exponent)), 1e-6)


@pytest.mark.parametrize(
    ("operator", "attributes"),
    [("ThresholdedRelu", {"alpha": 0.5}), ("Shrink", {"lambd": 0.5, "bias": 0.25})],
)
def test_operators_that_onnx_defines_by_comparisons(operator: str, attributes: Any) -> None:
    check(operator, floats(0, *SHAPE), opset=18, **attributes)
