"""Tensors of integers and truth values, from the model to machine code."""

from collections.abc import Sequence

import numpy as np
import pytest
from onnx import TensorProto, helper

import lamina
from lamina import interpreters
from lamina.context import LaminaContext
from lamina.errors import InputTypeError
from lamina.frontends.onnx import import_model
from lamina.passes.pipelines import default
from tests.unit.onnx_models import typed_model

TYPES = ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
SHAPE = (2, 37, 3, 5)

MOVEMENTS = {
    "Identity": helper.make_node("Identity", ["x"], ["y"]),
    "Transpose": helper.make_node("Transpose", ["x"], ["y"], perm=[3, 1, 0, 2]),
    "Reshape": helper.make_node("Reshape", ["x", "size"], ["y"]),
    "Slice": helper.make_node("Slice", ["x", "starts", "ends", "axes", "steps"], ["y"]),
    "Gather": helper.make_node("Gather", ["x", "indices"], ["y"], axis=1),
    "Tile": helper.make_node("Tile", ["x", "repeats"], ["y"]),
    "Concat": helper.make_node("Concat", ["x", "x", "c"], ["y"], axis=1),
}
NUMBERS = {
    "size": [74, -1],
    "starts": [-1, 4],
    "ends": [-100, 30],
    "axes": [1, 3],
    "steps": [-2, 1],
    "indices": [36, 0, 17, 17],
    "repeats": [1, 2, 1, 3],
}


def numbers(type: str, shape: Sequence[int]) -> np.ndarray:
    """All bits at random: negative and large ones too."""
    size = int(np.prod(shape)) * np.dtype(type).itemsize
    raw = np.random.default_rng(len(type)).integers(0, 256, size).astype(np.uint8)
    return (raw & 1 if type == "bool" else raw).view(type).reshape(shape)


@pytest.mark.parametrize("operator", MOVEMENTS)
@pytest.mark.parametrize("type", TYPES)
def test_elements_of_any_type_are_moved_bit_for_bit(operator: str, type: str) -> None:
    node, x, c = MOVEMENTS[operator], numbers(type, SHAPE), numbers(type, (2, 20, 3, 5))
    weights = {n: NUMBERS[n] for n in node.input if n in NUMBERS}
    weights |= {"c": c} if "c" in node.input else {}
    found = lamina.compile(typed_model([node], {"x": x}, weights, type), cache=False)(x)
    wanted = {
        "Identity": lambda: x,
        "Transpose": lambda: x.transpose(3, 1, 0, 2),
        "Reshape": lambda: x.reshape(74, -1),
        "Slice": lambda: x[:, ::-2, :, 4:],
        "Gather": lambda: x[:, NUMBERS["indices"]],
        "Tile": lambda: np.tile(x, (1, 2, 1, 3)),
        "Concat": lambda: np.concatenate([x, x, c], 1),
    }[operator]()
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("type", TYPES)
def test_each_pass_keeps_elements_of_any_type(type: str) -> None:
    nodes = [
        helper.make_node("Concat", ["x", "c"], ["a"], axis=1),
        helper.make_node("Transpose", ["a"], ["y"], perm=[0, 2, 3, 1]),
    ]
    x, c = numbers(type, (1, 5, 2, 3)), numbers(type, (1, 12, 2, 3))
    ctx = LaminaContext()
    module = import_model(typed_model(nodes, {"x": x}, {"c": c}, type), ctx.weights)
    wanted = np.concatenate([x, c], 1).transpose(0, 2, 3, 1)
    for step in default("cpu"):
        step.apply(ctx, module)
        module.verify()
        (found,) = interpreters.call(module, "main", [x.copy()], store=ctx.weights)
        np.testing.assert_array_equal(found, wanted, err_msg=step.name)


def test_model_says_what_types_it_takes_and_gives(tmp_path) -> None:
    x = numbers("uint8", (3, 4))
    node = helper.make_node("Transpose", ["x"], ["y"])
    model = lamina.compile(typed_model([node], {"x": x}, {}, "uint8"), cache=False)
    model.save(tmp_path / "m.lam")
    for m in (model, lamina.load(tmp_path / "m.lam")):
        assert [t.dtype for t in (*m.inputs, *m.outputs)] == [np.uint8, np.uint8]
        np.testing.assert_array_equal(m(x), x.T)
    with pytest.raises(InputTypeError, match="input 'x' needs uint8, got float32"):
        model(x.astype(np.float32))


def test_operator_that_knows_no_integers_is_refused_with_its_name() -> None:
    node = helper.make_node("MatMul", ["x", "x"], ["y"], "n")
    with pytest.raises(lamina.LaminaError) as refusal:
        lamina.compile(typed_model([node], {"x": numbers("int64", (4, 4))}, {}, "int64"))
    assert str(refusal.value) == (
        "model: not supported: MatMul: graph.matmul needs factors of ui8 or i8 or i32, got i64"
        " (node 'n')"
    )


def test_constant_of_integers_is_a_result() -> None:
    proto = typed_model(
        [helper.make_node("Shape", ["x"], ["y"])], {"x": numbers("int8", (3, 4))}, {}, "int64"
    )
    assert proto.graph.input[0].type.tensor_type.elem_type == TensorProto.INT8
    found = lamina.compile(proto, cache=False)(numbers("int8", (3, 4)))
    np.testing.assert_array_equal(found, [3, 4])
