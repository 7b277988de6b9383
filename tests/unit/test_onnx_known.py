"""Nodes that are computed while importing, beside ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from xdsl.ir import Operation

from lamina import interpreters
from lamina.context import new_context
from lamina.errors import LaminaError
from lamina.frontends.onnx import import_model
from lamina.frontends.onnx.known import EVALUATIONS, OPERATORS
from tests.unit.onnx_models import model, run_onnxruntime


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def bools(*values: int) -> np.ndarray:
    return np.array(values, bool)


def known(op: str, *inputs: np.ndarray, opset: int = 17, **attributes: Any) -> onnx.ModelProto:
    """A model of one node on weights, and a cast of its result."""
    names = [f"w{i}" for i in range(len(inputs))]
    nodes = [
        helper.make_node(op, names, ["z"], "n", **attributes),
        helper.make_node("Cast", ["z"], ["y"], "cast", to=TensorProto.FLOAT),
    ]
    return model(nodes, {}, dict(zip(names, inputs, strict=True)), opset=opset)


A, B = ints(7, -7, 5, 0, 9), ints(2, 2, -3, 4, -9)
P, Q = bools(0, 0, 1, 1), bools(0, 1, 0, 1)
MATRIX = np.arange(12).reshape(3, 4)
LAST = np.iinfo(np.int64).max

CASES: dict[str, onnx.ModelProto] = {
    **{op: known(op, A) for op in ("Abs", "Neg", "Sign")},
    **{op: known(op, A, B) for op in ("Add", "Sub", "Mul", "Div", "Mod", "Max", "Min")},
    **{op: known(op, A, ints(5)) for op in ("Equal", "Less", "LessOrEqual")},
    **{op: known(op, A, ints(5)) for op in ("Greater", "GreaterOrEqual")},
    **{op: known(op, P, Q) for op in ("And", "Or", "Xor")},
    **{op: known(op, floats(-1.5, 0.5, 1.5, 2.25)) for op in ("Ceil", "Floor", "Round")},
    "Cast int": known("Cast", floats(-1.7, 2.9), to=TensorProto.INT64),
    "Cast bool": known("Cast", floats(0, 2.9), to=TensorProto.BOOL),
    "CastLike": known("CastLike", floats(-1.7, 2.9), ints(1), opset=18),
    "Clip": known("Clip", A, np.array(-1), np.array(6)),
    "Clip 9": known("Clip", floats(-1, 0.5, 3), opset=9, min=0.0, max=1.0),
    "ConstantOfShape": known("ConstantOfShape", ints(2, 3)),
    "ConstantOfShape value": known(
        "ConstantOfShape", ints(2), value=numpy_helper.from_array(ints(7))
    ),
    "Div float": known("Div", floats(7, 1), floats(2, -3)),
    "Expand": known("Expand", ints(1, 2).reshape(2, 1), ints(2, 1, 3)),
    "Gather": known("Gather", MATRIX, ints(2, -1), axis=1),
    "Gather scalar": known("Gather", A, np.array(-1)),
    "Mod fmod": known("Mod", A, B, fmod=1),
    **{op: known(op, A, B, opset=18) for op in ("BitwiseAnd", "BitwiseOr", "BitwiseXor")},
    "BitwiseNot": known("BitwiseNot", A, opset=18),
    "IsInf": known("IsInf", floats(1, np.inf, -np.inf, np.nan)),
    "IsInf above": known("IsInf", floats(1, np.inf, -np.inf, np.nan), detect_negative=0),
    "IsNaN": known("IsNaN", floats(1, np.inf, np.nan)),
    "NonZero": known("NonZero", MATRIX % 3),
    "Not": known("Not", P),
    "Pow": known("Pow", ints(2, 3), ints(3, 2)),
    "Range": known("Range", np.array(7), np.array(-2), np.array(-2)),
    "Range float": known("Range", *(np.array(v, np.float32) for v in (0, 1, 0.25))),
    "Reciprocal": known("Reciprocal", floats(2, -4)),
    **{op: known(op, MATRIX, axes=[0]) for op in ("ReduceMax", "ReduceMin", "ReduceProd")},
    "ReduceMax all": known("ReduceMax", MATRIX, keepdims=0),
    "ReduceProd 18": known("ReduceProd", MATRIX, ints(-1), opset=18, keepdims=0),
    "ReduceSum": known("ReduceSum", MATRIX, ints(1), keepdims=0),
    "ReduceSum nothing": known("ReduceSum", MATRIX, noop_with_empty_axes=1),
    "Shape": known("Shape", MATRIX),
    "Shape part": known("Shape", MATRIX, start=-1),
    "Size": known("Size", MATRIX),
    "Slice": known("Slice", MATRIX, ints(1, 0), ints(LAST, -1), ints(0, 1), ints(1, 2)),
    "Slice 9": known("Slice", MATRIX, starts=[1], ends=[-1], axes=[1], opset=9),
    "Slice backwards": known("Slice", A, ints(-1), ints(-LAST), ints(0), ints(-2)),
    "Slice backwards from far before": known("Slice", A, ints(-9), ints(-LAST), ints(0), ints(-1)),
    "Slice first axes": known("Slice", MATRIX, ints(0), ints(1)),
    "Split": known("Split", A, ints(5), axis=0),
    "Split 11": known("Split", A, opset=11, split=[5]),
    "Sqrt": known("Sqrt", floats(4, 2)),
    "Sum": known("Sum", floats(4, 2), floats(1), floats(0.5, 1)),
    "Tile": known("Tile", MATRIX, ints(2, 1)),
    "Where": known("Where", Q, ints(1, 2, 3, 4), ints(-1)),
}


def imported(proto: onnx.ModelProto, *inputs: np.ndarray) -> tuple[list[Operation], np.ndarray]:
    """The operations that a model becomes, and its one output."""
    ctx = new_context()
    module = import_model(proto, ctx.weights)
    module.verify()
    (y,) = interpreters.call(module, "main", list(inputs), store=ctx.weights)
    return list(module.walk()), y


def test_every_operator_has_a_case() -> None:
    tested = {proto.graph.node[0].op_type for proto in CASES.values()}
    assert tested == {*EVALUATIONS, *OPERATORS}


@pytest.mark.parametrize("proto", CASES.values(), ids=CASES)
def test_known_node_is_a_constant_equal_to_onnxruntime(proto: onnx.ModelProto) -> None:
    ops, got = imported(proto)
    (wanted,) = run_onnxruntime(proto, [])
    assert {op.name for op in ops if op.name.startswith("graph.")} == {"graph.constant"}
    assert got.shape == wanted.shape
    np.testing.assert_array_equal(got, wanted)


def test_slice_may_be_of_nothing() -> None:
    nodes = [
        helper.make_node("Slice", ["w", "four", "one"], ["none"]),
        helper.make_node("Concat", ["none", "w"], ["z"], axis=0),
        helper.make_node("Cast", ["z"], ["y"], to=TensorProto.FLOAT),
    ]
    _, got = imported(model(nodes, {}, {"w": A, "four": ints(4), "one": ints(1)}))
    assert got.tolist() == A.tolist()


def test_split_gives_all_parts() -> None:
    nodes = [
        helper.make_node("Split", ["w"], ["a", "b"], num_outputs=2),
        helper.make_node("Concat", ["b", "a"], ["z"], axis=0),
        helper.make_node("Cast", ["z"], ["y"], to=TensorProto.FLOAT),
    ]
    _, got = imported(model(nodes, {}, {"w": A}, opset=18))
    assert got.tolist() == [0, 9, 7, -7, 5]


def test_reshape_by_shapes_is_one_reshape() -> None:
    """x.reshape(x.shape[0], 2, -1, *x.shape[2:]) and so on, as PyTorch spells it."""
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "one"], ["c"], axis=0),
        helper.make_node("Div", ["c", "two"], ["half"]),
        helper.make_node("Unsqueeze", ["half", "zero"], ["halves"]),
        helper.make_node("Slice", ["s", "two_", "four"], ["hw"]),
        helper.make_node("Concat", ["first", "two_", "halves", "hw"], ["size"], axis=0),
        helper.make_node("Reshape", ["x", "size"], ["y"]),
    ]
    weights = {
        "one": np.array(1),
        "two": np.array(2),
        "zero": ints(0),
        "two_": ints(2),
        "four": ints(4),
        "first": ints(-1),
    }
    proto = model(nodes, {"x": (3, 6, 5, 4)}, weights)
    x = np.random.default_rng(0).standard_normal((3, 6, 5, 4), np.float32)
    ops, got = imported(proto, x)
    (wanted,) = run_onnxruntime(proto, [x])
    assert [op.name for op in ops if op.name.startswith("graph.")] == ["graph.reshape"]
    np.testing.assert_array_equal(got, wanted)


def test_cast_to_the_same_type_is_nothing() -> None:
    nodes = [
        helper.make_node("Cast", ["x"], ["a"], to=TensorProto.FLOAT),
        helper.make_node("CastLike", ["a", "x"], ["b"]),
        helper.make_node("Relu", ["b"], ["y"]),
    ]
    ops, got = imported(model(nodes, {"x": (2,)}), floats(-1, 2))
    assert [op.name for op in ops if op.name.startswith("graph.")] == ["graph.relu"]
    assert got.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("proto", "message"),
    [
        (
            model([helper.make_node("NonZero", ["x"], ["y"], "n")], {"x": (2,)}),
            "model: not supported: NonZero of what is computed at run time; "
            "only of numbers known before (node 'n')",
        ),
        (
            known("Gather", A, ints(9)),
            "model: not supported: Gather of the known values int64[5], int64[1]: "
            "index 9 is out of bounds for axis 0 with size 5 (node 'n')",
        ),
        (
            model(
                [helper.make_node("Cast", ["x"], ["y"], "n", to=TensorProto.FLOAT16)], {"x": (2,)}
            ),
            "model: not supported: Cast of a tensor to float16 (node 'n')",
        ),
        (
            known("Cast", A, to=TensorProto.STRING),
            "model: not supported: Cast to string (node 'n')",
        ),
    ],
)
def test_refusal_says_what_was_found(proto: onnx.ModelProto, message: str) -> None:
    with pytest.raises(LaminaError) as error:
        import_model(proto, new_context().weights)
    assert str(error.value) == message
