"""Elements at places that a tensor holds, known or computed at run time, beside ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import NodeProto, helper, numpy_helper

import lamina
from lamina import interpreters
from lamina.context import LaminaContext
from lamina.dialects.graph import GatherOp, TakeOp
from lamina.frontends.onnx import import_model
from lamina.passes.pipelines import default
from tests.unit.onnx_models import run_onnxruntime

rng = np.random.default_rng(11)
MAPS = (2, 37, 5, 6)


def weight(*size: int) -> np.ndarray:
    return rng.standard_normal(size).astype(np.float32)


def build(
    nodes: Sequence[NodeProto],
    inputs: Mapping[str, np.ndarray],
    weights: Mapping[str, np.ndarray] | None = None,
) -> onnx.ModelProto:
    """A model that takes arrays of these types and shapes."""
    types = {n: helper.np_dtype_to_tensor_dtype(x.dtype) for n, x in inputs.items()}
    result = types.get("x", onnx.TensorProto.FLOAT)
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(n, types[n], x.shape) for n, x in inputs.items()],
        [helper.make_tensor_value_info("y", result, None)],
        [numpy_helper.from_array(w, n) for n, w in (weights or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def agree(proto: onnx.ModelProto, inputs: Mapping[str, np.ndarray]) -> None:
    (want,) = run_onnxruntime(proto, [*inputs.values()])
    got = lamina.compile(proto, cache=False).run(dict(inputs))["y"]
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    if want.dtype.kind == "f":
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-5 * np.abs(want).max())
    else:
        np.testing.assert_array_equal(got, want)


def indices(n: int, shape: Sequence[int], dtype: Any = np.int64) -> np.ndarray:
    return rng.integers(-n, n, shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("shape", [(), (7,), (3, 5)], ids=str)
def test_slices_at_places_of_an_input(dtype: type, axis: int, shape: tuple[int, ...]) -> None:
    inputs = {"x": weight(*MAPS), "i": indices(MAPS[axis], shape, dtype)}
    agree(build([helper.make_node("Gather", ["x", "i"], ["y"], axis=axis)], inputs), inputs)


def test_words_of_a_dictionary() -> None:
    inputs = {"i": indices(1000, (2, 9))}
    proto = build([helper.make_node("Gather", ["w", "i"], ["y"])], inputs, {"w": weight(1000, 37)})
    agree(proto, inputs)


@pytest.mark.parametrize("channels", [32, 37])
@pytest.mark.parametrize("at_run_time", [True, False])
def test_channels_between_convolutions(channels: int, at_run_time: bool) -> None:
    """In blocks on both sides; the block at the end may be cut."""
    at = indices(channels, (53,))
    nodes = [
        helper.make_node("Conv", ["x", "a"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Gather", ["c", "i"], ["g"], axis=1),
        helper.make_node("Conv", ["g", "b"], ["y"]),
    ]
    inputs = {"x": weight(2, 5, 9, 7)} | ({"i": at} if at_run_time else {})
    weights = {"a": weight(channels, 5, 3, 3), "b": weight(19, 53, 3, 3)}
    agree(build(nodes, inputs, weights | ({} if at_run_time else {"i": at})), inputs)


def test_rows_between_convolutions() -> None:
    """The last block of channels is padded with zeros, whatever lay there before."""
    nodes = [
        helper.make_node("Conv", ["x", "a"], ["c"]),
        helper.make_node("Tanh", ["c"], ["s"]),
        helper.make_node("Gather", ["s", "i"], ["g"], axis=2),
        helper.make_node("Exp", ["g"], ["l"]),
        helper.make_node("Conv", ["l", "b"], ["y"]),
    ]
    inputs = {"x": weight(1, 5, 9, 7), "i": indices(9, (6,))}
    agree(build(nodes, inputs, {"a": weight(37, 5, 1, 1), "b": weight(19, 37, 3, 3)}), inputs)


@pytest.mark.parametrize("at_run_time", [True, False])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_elements_at_places(axis: int, at_run_time: bool) -> None:
    size = [2, 20, 4, 3]
    size[axis] = 11
    at = indices(MAPS[axis], size)
    inputs = {"x": weight(*MAPS)} | ({"i": at} if at_run_time else {})
    nodes = [helper.make_node("GatherElements", ["x", "i"], ["y"], axis=axis)]
    agree(build(nodes, inputs, {} if at_run_time else {"i": at}), inputs)


@pytest.mark.parametrize(
    ("size", "shape", "batch"),
    [
        ((5, 4, 7), (3, 2), 0),
        ((5, 4, 7), (3, 2, 3), 0),
        ((5, 4, 7), (1,), 0),
        ((2, 37, 5, 6), (2, 9, 2), 1),
        ((2, 3, 5, 6), (2, 3, 4, 1), 2),
    ],
)
def test_slices_along_several_dimensions(
    size: tuple[int, ...], shape: tuple[int, ...], batch: int
) -> None:
    inputs = {"x": weight(*size)}
    at = indices(min(size[batch : batch + shape[-1]]), shape)
    proto = build(
        [helper.make_node("GatherND", ["x", "i"], ["y"], batch_dims=batch)], inputs, {"i": at}
    )
    agree(proto, inputs)


@pytest.mark.parametrize("type", ["bool", "int8", "uint8", "int16", "int32", "uint64"])
def test_elements_of_any_type(type: str) -> None:
    x = rng.integers(0, 2 if type == "bool" else 100, (3, 37, 5)).astype(type)
    inputs = {"x": x, "i": indices(37, (40,))}
    agree(build([helper.make_node("Gather", ["x", "i"], ["y"], axis=1)], inputs), inputs)


def test_places_that_were_computed() -> None:
    nodes = [
        helper.make_node("Gather", ["t", "i"], ["j"]),
        helper.make_node("Gather", ["x", "j"], ["y"], axis=1),
    ]
    inputs = {"x": weight(3, 9), "i": indices(6, (7,))}
    agree(build(nodes, inputs, {"t": np.array([8, -9, 0, 3, -1, 5])}), inputs)


def test_nothing_outside_is_read() -> None:
    """ONNX Runtime refuses such indices; here they mean the nearest slice."""
    inputs = {"x": weight(5, 3), "i": np.array([5, 2**40, -6, -(2**63), 4, -5])}
    proto = build([helper.make_node("Gather", ["x", "i"], ["y"])], inputs)
    got = lamina.compile(proto, cache=False).run(inputs)["y"]
    np.testing.assert_array_equal(got, inputs["x"][[4, 4, 0, 0, 4, 0]])


@pytest.mark.parametrize("op", ["Gather", "GatherElements"])
def test_every_pass_keeps_the_meaning(op: str) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "a"], ["c"]),
        helper.make_node(op, ["c", "i"], ["g"], axis=1),
        helper.make_node("Relu", ["g"], ["y"]),
    ]
    inputs = {"x": weight(1, 3, 4, 5), "i": indices(20, (9,) if op == "Gather" else (1, 9, 3, 5))}
    proto, ctx = build(nodes, inputs, {"a": weight(20, 3, 1, 1)}), LaminaContext()
    module = import_model(proto, ctx.weights)
    (want,) = run_onnxruntime(proto, [*inputs.values()])
    for step in default("cpu:haswell"):
        step.apply(ctx, module)
        module.verify()
        arrays = [x.copy() for x in inputs.values()]
        (got,) = interpreters.call(module, "main", arrays, store=ctx.weights)
        np.testing.assert_allclose(got, want, atol=1e-5, err_msg=step.name)


@pytest.mark.parametrize(
    ("at", "wanted"),
    [(rng.permutation(64), TakeOp), (np.arange(64).reshape(4, 16).T.ravel(), GatherOp)],
)
def test_scattered_indices_are_a_table_and_a_shuffle_is_not(at: np.ndarray, wanted: type) -> None:
    inputs = {"x": weight(2, 64, 3, 3)}
    proto = build([helper.make_node("Gather", ["x", "i"], ["y"], axis=1)], inputs, {"i": at})
    ctx = LaminaContext()
    module = import_model(proto, ctx.weights)
    found: set[type] = set()
    for step in default("cpu"):
        if step.name == "fuse-epilogues":
            found = {type(op) for op in module.walk() if isinstance(op, GatherOp | TakeOp)}
        step.apply(ctx, module)
    assert found == {wanted}
    agree(proto, inputs)


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_random_places(data: st.DataObject) -> None:
    """Any rank, axis and element, gathered by slices or one by one."""
    size = data.draw(st.lists(st.integers(1, 20), min_size=1, max_size=4))
    axis = data.draw(st.integers(0, len(size) - 1))
    op = data.draw(st.sampled_from(["Gather", "GatherElements"]))
    if op == "Gather":
        shape = data.draw(st.lists(st.integers(1, 9), max_size=2))
    else:
        shape = [data.draw(st.integers(1, n)) for n in size]
        shape[axis] = data.draw(st.integers(1, 20))
    inputs = {"x": weight(*size), "i": indices(size[axis], shape)}
    agree(build([helper.make_node(op, ["x", "i"], ["y"], axis=axis)], inputs), inputs)


@pytest.mark.parametrize(
    ("at", "attributes", "message"),
    [
        (np.array([[0, 5]]), {}, "with index 5 of 5"),
        (np.array([[0, 0, 0]]), {}, r"of \[3, 5\] at \[1, 3\] with batch_dims 0"),
        (np.array([[0], [1]]), {"batch_dims": 1}, r"of \[3, 5\] at \[2, 1\] with batch_dims 1"),
        (np.zeros((0, 1), np.int64), {}, "without indices"),
        (None, {}, "with indices that are computed at run time"),
    ],
)
def test_refused_forms_of_several_dimensions_are_named(
    at: np.ndarray | None, attributes: dict[str, Any], message: str
) -> None:
    inputs = {"x": weight(3, 5)} | ({"i": np.array([[0]])} if at is None else {})
    node = helper.make_node("GatherND", ["x", "i"], ["y"], **attributes)
    proto = build([node], inputs, {} if at is None else {"i": at})
    with pytest.raises(lamina.LaminaError, match=f"GatherND {message}"):
        lamina.compile(proto, cache=False)


@pytest.mark.parametrize("op", ["Gather", "GatherElements"])
@pytest.mark.parametrize(
    ("at", "message"),
    [
        (np.array([[0, 3]]), "with index 3 of 3"),
        (np.array([[-4, 0]]), "with index -4 of 3"),
        (np.zeros((1, 0), np.int64), "without indices; an empty result is not supported"),
    ],
)
def test_refused_forms_are_named(op: str, at: np.ndarray, message: str) -> None:
    inputs = {"x": weight(3, 5)}
    proto = build([helper.make_node(op, ["x", "i"], ["y"])], inputs, {"i": at})
    with pytest.raises(lamina.LaminaError, match=f"{op} {message}"):
        lamina.compile(proto, cache=False)
