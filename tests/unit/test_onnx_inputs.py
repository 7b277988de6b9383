"""Inputs, outputs and weights of a model: shapes left open, values used twice, data elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import lamina
from lamina.errors import LaminaError
from tests.unit.cli import Command
from tests.unit.onnx_models import model

W = np.random.default_rng(0).standard_normal((4, 3, 3, 3)).astype(np.float32)
X = np.random.default_rng(1).standard_normal((1, 3, 8, 8)).astype(np.float32)
RELU = helper.make_node("Relu", ["x"], ["y"])


def conv() -> onnx.ModelProto:
    return model([helper.make_node("Conv", ["x", "w"], ["y"])], {"x": X.shape}, {"w": W})


def refusal(proto: onnx.ModelProto | Path, **shapes: Sequence[int]) -> str:
    with pytest.raises(LaminaError) as caught:
        lamina.compile(proto, shapes=shapes, cache=False)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def results(
    proto: onnx.ModelProto | Path, inputs: Mapping[str, np.ndarray], **shapes: Sequence[int]
) -> dict[str, np.ndarray]:
    return lamina.compile(proto, shapes=shapes, cache=False).run(inputs)


# -- shapes


def two_open_inputs() -> onnx.ModelProto:
    """x and z of the same height and width, which are open; scale is one number."""
    nodes = [
        helper.make_node("Mul", ["x", "scale"], ["a"]),
        helper.make_node("Concat", ["a", "z"], ["y"], axis=1),
    ]
    return model(nodes, {"x": ["n", 3, "h", "w"], "z": ["n", 1, "h", "w"], "scale": []})


def test_dimension_that_is_known_by_name_needs_no_shape() -> None:
    z, scale = X[:, :1] + 1, np.array(3, np.float32)
    found = results(two_open_inputs(), {"x": X, "z": z, "scale": scale}, x=X.shape)
    np.testing.assert_array_equal(found["y"], np.concatenate([3 * X, z], 1))
    both = results(two_open_inputs(), {"x": X, "z": z, "scale": scale}, x=X.shape, z=z.shape)
    np.testing.assert_array_equal(both["y"], found["y"])


def test_dimension_of_one_name_has_one_size() -> None:
    assert refusal(two_open_inputs(), x=(1, 3, 8, 8), z=(1, 1, 8, 9)) == (
        "model: dimension 'w' is 8 in input 'x' and 9 in input 'z'; it needs one number"
    )


def test_open_input_beside_one_that_is_set_is_named() -> None:
    proto = model([helper.make_node("Add", ["x", "z"], ["y"])], {"x": ["a", 3], "z": ["b", 3]})
    assert refusal(proto, x=(2, 3)) == (
        "model: input 'z' is bx3, with an open dimension 'b'; set its shape, as in --shape z=1x3"
    )


def test_dimensions_without_a_name_are_not_the_same() -> None:
    proto = model([helper.make_node("MatMul", ["x", "z"], ["y"])], {"x": [2, "?"], "z": ["?", 4]})
    refused = refusal(proto, x=(2, 3))
    assert refused.startswith("model: input 'z' is ?x4, with an open dimension '?'")


def test_shape_of_a_scalar_or_beyond_any_memory_is_refused() -> None:
    assert (
        refusal(model([RELU], {"x": []}), x=(1,)) == "model: input 'x' is a scalar, it cannot be 1"
    )
    assert refusal(model([RELU], {"x": ["n"]}), x=(10**20,)) == (
        f"model: input 'x' cannot be {10**20}: no memory holds that"
    )


def test_fixed_shape_may_be_replaced() -> None:
    found = results(conv(), {"x": np.concatenate([X, X], 2)}, x=(1, 3, 16, 8))
    assert found["y"].shape == (1, 4, 14, 6)


def test_shapes_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAMINA_CACHE", str(tmp_path / "cache"))
    command = Command(capsys)
    onnx.save(two_open_inputs(), tmp_path / "open.onnx")
    run = ["run", tmp_path / "open.onnx", "--shape"]
    assert "y: 2x4x5x6 float32" in command(*run, "x=2x3x5x6")
    assert "y: 2x4x5x6 float32" in command(*run, "z=2x1x5x6", "--shape", "x=2x3x5x6")
    assert "no input 'q'; inputs are x, z, scale" in command.error(*run, "q=1")
    assert "'x' is given twice" in command.error(*run, "x=2x3x5x6", "--shape", "x=1x3x5x6")
    assert "it cannot be 2x3x5" in command.error(*run, "x=2x3x5")
    assert "'n' is 2 in input 'x' and 1 in input 'z'" in command.error(
        *run, "x=2x3x5x6", "--shape", "z=1x1x5x6"
    )
    assert command.error(*run, f"x={10**6}x3x{10**3}x{10**3}").startswith("not enough memory")


# -- outputs


ONES = np.ones((2, 2), np.float32)
PAIR = X.reshape(-1)[:6].reshape(2, 3)
POSITIVE = np.maximum(PAIR, 0)


@pytest.mark.parametrize(
    "outputs",
    [
        {"y": POSITIVE, "x": PAIR},
        {"y": POSITIVE, "w": ONES},
        {"w": ONES},
        {"y": POSITIVE, "same y": POSITIVE, "same x": PAIR},
        {"turned y": POSITIVE.reshape(3, 2), "y": POSITIVE, "turned x": PAIR.reshape(3, 2)},
        {"y": POSITIVE, "constant": np.array([1, 2], np.float32)},
        {"shape": np.array([2, 3]), "y": POSITIVE},
    ],
    ids=", ".join,
)
def test_output_may_be_any_value(outputs: dict[str, np.ndarray]) -> None:
    nodes = [
        RELU,
        helper.make_node("Identity", ["y"], ["same y"]),
        helper.make_node("Identity", ["x"], ["same x"]),
        helper.make_node("Reshape", ["y", "size"], ["turned y"]),
        helper.make_node("Reshape", ["x", "size"], ["turned x"]),
        helper.make_node("Constant", [], ["constant"], value_floats=[1.0, 2.0]),
        helper.make_node("Shape", ["x"], ["shape"]),
    ]
    weights = {"w": ONES, "size": np.array([3, 2])}
    proto = model(nodes, {"x": (2, 3)}, weights, outputs=list(outputs))
    for v in proto.graph.output:
        v.type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(outputs[v.name].dtype)
    found = results(proto, {"x": PAIR})
    assert list(found) == list(outputs)
    for name, value in found.items():
        np.testing.assert_array_equal(value, outputs[name])
        assert value.dtype == outputs[name].dtype


def test_output_that_is_there_twice_is_one_by_name() -> None:
    found = results(model([RELU], {"x": (2, 3)}, outputs=["y", "y"]), {"x": PAIR})
    assert list(found) == ["y"]
    np.testing.assert_array_equal(found["y"], POSITIVE)


def test_outputs_are_buffers_of_their_own() -> None:
    x = np.ones((2, 3), np.float32)
    found = results(model([RELU], {"x": x.shape}, outputs=["x", "y"]), {"x": x})
    found["x"][:] = 5
    assert (x == 1).all()
    assert (found["y"] == 1).all()


def test_model_without_outputs_or_with_one_that_nothing_computes_is_refused() -> None:
    assert refusal(model([RELU], {"x": (2, 3)}, outputs=[])) == (
        "model: not a valid ONNX model: it has no outputs"
    )
    assert "'nope'" in refusal(model([RELU], {"x": (2, 3)}, outputs=["nope"]))


# -- weights


def test_weight_that_is_an_input_too_is_a_weight() -> None:
    """Files of IR version 3 list all weights as inputs."""
    proto = conv()
    proto.ir_version = 3
    proto.opset_import[0].version = 9
    assert "w in initializer but not in graph input" in refusal(proto)
    proto.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, W.shape))
    compiled = lamina.compile(proto, cache=False)
    np.testing.assert_array_equal(compiled(X), lamina.compile(conv(), cache=False)(X))
    with pytest.raises(LaminaError, match="has no input 'w'; its inputs are 'x'"):
        compiled.run({"x": X, "w": W})
    assert refusal(proto, w=W.shape) == "model: no input 'w'; inputs are x"


@pytest.mark.parametrize("twice", ["initializer", "input"])
def test_name_that_is_there_twice_is_refused(twice: str) -> None:
    proto = conv()
    values = getattr(proto.graph, twice)
    values.append(values[0])
    name = values[0].name
    assert refusal(proto).startswith("model: not a valid ONNX model: ")
    assert name in refusal(proto)


def test_weight_without_elements_is_refused() -> None:
    nodes = [helper.make_node("Concat", ["x", "w"], ["y"], "n", axis=0)]
    weights = {"w": np.zeros((0, 3), np.float32)}
    assert refusal(model(nodes, {"x": (2, 3)}, weights)) == (
        "model: not supported: Concat with a constant of shape [0, 3], which has no elements "
        "(node 'n')"
    )
    assert refusal(model([RELU], {"x": (2, 3)}, weights, outputs=["w"])) == (
        "model: not supported: output with a constant of shape [0, 3], which has no elements"
    )


def test_weight_of_an_unknown_type_is_refused() -> None:
    proto = conv()
    proto.graph.initializer[0].data_type = 77
    assert refusal(proto) == "model: cannot read tensor 'w' of type 77"


@pytest.mark.parametrize("sizes", [[-1, 2], [10**6, 10**6, 10**6]])
def test_constant_of_an_impossible_shape_is_refused(sizes: list[int]) -> None:
    nodes = [
        helper.make_node("ConstantOfShape", ["s"], ["k"], "n"),
        helper.make_node("Add", ["x", "k"], ["y"]),
    ]
    assert refusal(model(nodes, {"x": (2, 3)}, {"s": np.array(sizes)})) == (
        f"model: not supported: ConstantOfShape of {sizes}, which is no size of a constant "
        "(node 'n')"
    )


# -- external data


def external(folder: Path, **entries: object) -> Path:
    """A model whose weight is in other.bin after 8 other bytes, but for what `entries` say."""
    (folder / "other.bin").write_bytes(bytes(8) + W.tobytes())
    proto = conv()
    (tensor,) = proto.graph.initializer
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entries = {"location": "other.bin", "offset": 8, "length": W.nbytes} | entries
    for key, value in entries.items():
        if value is not None:
            tensor.external_data.add(key=key, value=str(value))
    path = folder / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


def test_weight_is_read_beside_the_model_wherever_it_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = lamina.compile(conv(), cache=False)(X)
    path = external(tmp_path)
    np.testing.assert_array_equal(results(path, {"x": X})["y"], wanted)
    np.testing.assert_array_equal(results(external(tmp_path, length=None), {"x": X})["y"], wanted)
    monkeypatch.chdir(tmp_path)
    np.testing.assert_array_equal(results(Path("model.onnx"), {"x": X})["y"], wanted)
    (tmp_path / "data").mkdir()
    (tmp_path / "other.bin").rename(tmp_path / "data" / "w.bin")
    external(tmp_path, location="data/w.bin")
    np.testing.assert_array_equal(results(Path("model.onnx"), {"x": X})["y"], wanted)


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({"location": "none.bin"}, "none.bin"),
        ({"offset": 100}, "exceeds available data"),
        ({"offset": 10**20}, "exceeds file size"),
        ({"offset": -8}, "must be non-negative, got -8"),
        ({"offset": "eight"}, "'eight'"),
        ({"length": 10**6}, "length (1000000) exceeds available data"),
        ({"length": 4}, "(4,3,3,3)"),
        ({"location": "../other.bin"}, "'../other.bin' points outside the directory"),
        ({"location": "/other.bin"}, "absolute path: /other.bin"),
        ({"location": "."}, "not regular file"),
        ({"location": ""}, "should not be empty"),
        ({"location": None}, "should not be empty"),
        ({"location": "link.bin"}, "symbolic link"),
    ],
    ids=str,
)
def test_wrong_external_data_is_one_line(
    tmp_path: Path, entries: dict[str, object], reason: str
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "other.bin").write_bytes(bytes(8) + W.tobytes())
    (folder / "link.bin").symlink_to("../other.bin")
    message = refusal(external(folder, **entries))
    assert message.startswith("model.onnx: ")
    assert reason in message
    assert "tensor" in message.lower()


# -- operators with graphs inside


def test_operator_with_a_graph_inside_is_refused_by_name() -> None:
    value = helper.make_tensor_value_info("t", TensorProto.FLOAT, None)
    branch = helper.make_graph([helper.make_node("Relu", ["x"], ["t"])], "branch", [], [value])
    nodes = [helper.make_node("If", ["c"], ["y"], "n", then_branch=branch, else_branch=branch)]
    assert refusal(model(nodes, {"x": (2, 3)}, {"c": np.array(True)})) == (
        "model: not supported: If (node 'n')"
    )
    for op in ("Loop", "Scan"):
        proto = model([helper.make_node(op, ["x"], ["y"], "n", body=branch)], {"x": (2, 3)})
        assert refusal(proto) == f"model: not supported: {op} (node 'n')"
