"""What cannot be imported is refused in one line that says why."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from lamina.context import new_context
from lamina.errors import LaminaError
from lamina.frontends.onnx import import_model
from tests.unit.onnx_models import model, node
from tests.unit.tiny import tiny_model

W = np.ones((6, 4, 3, 3), np.float32)
IMAGE = (1, 4, 8, 8)


def refusal(what: str | Path | onnx.ModelProto, **shapes: Sequence[int]) -> str:
    with pytest.raises(LaminaError) as caught:
        import_model(what, new_context().weights, shapes)
    message = str(caught.value)
    assert "\n" not in message
    return message


UNSUPPORTED = {
    "LSTM (node 'n')": node("LSTM", (3, 1, 4), np.ones((1, 8, 4), np.float32), hidden_size=2),
    "Conv of 3 spatial dimensions; 1 to 2 are supported": node(
        "Conv", (1, 4, 8, 8, 8), np.ones((6, 4, 3, 3, 3), np.float32)
    ),
    "MaxPool of 4 spatial dimensions; 1 to 3 are supported": node(
        "MaxPool", (1, 4, 8, 8, 8, 8), kernel_shape=[2, 2, 2, 2]
    ),
    "MaxPool with auto_pad SAME_UPPER and strides [4, 1]": node(
        "MaxPool", IMAGE, kernel_shape=[2, 2], strides=[4, 1], auto_pad="SAME_UPPER"
    ),
    "ConvTranspose with auto_pad SAME_UPPER, which makes 16 elements of 15": node(
        "ConvTranspose",
        IMAGE,
        np.ones((4, 6, 1, 1), np.float32),
        auto_pad="SAME_UPPER",
        strides=[2, 2],
    ),
    "ConvTranspose with group 3 and weights [4, 6, 3, 3]": node(
        "ConvTranspose", IMAGE, np.ones((4, 6, 3, 3), np.float32), group=3
    ),
    "ConvTranspose with output_padding [1] and output_shape [], 2 of each are needed": node(
        "ConvTranspose", IMAGE, np.ones((4, 6, 3, 3), np.float32), output_padding=[1]
    ),
    "LpPool with p 17; 1 to 16 are supported": node("LpPool", IMAGE, kernel_shape=[2, 2], p=17),
    "LRN with beta 0.0; it must be positive": node("LRN", IMAGE, size=3, beta=0.0),
    "LRN of [4, 8]; 3 dimensions or more are supported": node("LRN", (4, 8), size=3),
    "Conv with kernel_shape [2, 2] and weights [3, 3]": node("Conv", IMAGE, W, kernel_shape=[2, 2]),
    "Conv with pads [1, 1]; 4 are needed": node("Conv", IMAGE, W, pads=[1, 1]),
    "Conv with strides [1]; 2 are needed": node("Conv", IMAGE, W, strides=[1]),
    "Softmax with axis 3 of 2 dimensions": node("Softmax", (2, 3), axis=3),
    "Conv with negative pads [-1, 0, 0, 0]": node("Conv", IMAGE, W, pads=[-1, 0, 0, 0]),
    "GlobalAveragePool of [1, 4]; 3 dimensions or more are supported": node(
        "GlobalAveragePool", (1, 4)
    ),
    "ReduceMean with axis 4 of 4 dimensions": node("ReduceMean", IMAGE, axes=[4]),
    "ReduceMean with axes that are computed at run time": node("ReduceMean", IMAGE, (2,), opset=18),
    "BatchNormalization with training_mode 1": node(
        "BatchNormalization", IMAGE, *4 * [np.ones(4, np.float32)], training_mode=1
    ),
    "Clip with a bound that is NaN": node("Clip", IMAGE, np.array(np.nan, np.float32)),
    "Celu with alpha 0.0": node("Celu", IMAGE, alpha=0.0),
    "Gelu with approximate cubic": node("Gelu", IMAGE, opset=20, approximate="cubic"),
    "Pad with mode mirror": node("Pad", IMAGE, np.array([0, 0, 1, 1] * 2), mode="mirror"),
    "Pad with pads that are computed at run time": node("Pad", (4,), (2,)),
    "Reshape with shapes that are computed at run time": node("Reshape", IMAGE, (2,)),
    "Reshape of [2, 3] to [4, 2]": node("Reshape", (2, 3), np.array([4, 2])),
    "Conv without input 1": model(
        [helper.make_node("Conv", ["x"], ["a"], "n"), helper.make_node("Bernoulli", ["a"], ["y"])],
        {"x": IMAGE},
        opset=18,
    ),
    "Dropout in training mode": node("Dropout", IMAGE, "", np.array(True)),
    "Add with a constant of type float64, only float32, bool and integers": node(
        "Add", (2,), np.ones(2)
    ),
    "Constant without numbers": model(
        [helper.make_node("Constant", [], ["y"], "n", value_string="a")], {"x": [1]}
    ),
    "MaxPool with its output 'indices' in use": model(
        [helper.make_node("MaxPool", ["x"], ["y", "indices"], "n", kernel_shape=[2, 2])],
        {"x": [1, 2, 4, 4]},
        outputs=["y", "indices"],
    ),
}


@pytest.mark.parametrize("reason", UNSUPPORTED)
def test_unsupported_node_is_named_with_the_reason(reason: str) -> None:
    message = refusal(UNSUPPORTED[reason])
    assert message.startswith("model: not supported: ")
    assert reason in message
    assert "(node 'n')" in message


def test_everything_that_is_not_supported_is_listed_at_once() -> None:
    pool: dict[str, Any] = {"kernel_shape": [2, 2], "p": 17}
    nodes = [
        helper.make_node("Bernoulli", ["x"], ["a"], "first"),
        helper.make_node("LpPool", ["a"], ["b"], "second", **pool),
        helper.make_node("LpPool", ["b"], ["c"], "third", **pool),
        helper.make_node("FancyOp", ["c"], ["d"], domain="com.acme"),
        helper.make_node("Relu", ["d"], ["e"], "fine, but of unknown shape"),
        helper.make_node("Bernoulli", ["e"], ["y"], "last"),
    ]
    proto = model(nodes, {"x": IMAGE}, opset=18)
    proto.opset_import.append(helper.make_opsetid("com.acme", 1))
    assert refusal(proto) == (
        "model: not supported: Bernoulli (nodes 'first', 'last'), "
        "com.acme.FancyOp (node that computes 'd'), "
        "LpPool with p 17; 1 to 16 are supported (nodes 'second', 'third')"
    )


def test_problem_is_not_hidden_by_what_follows_from_it() -> None:
    nodes = [
        helper.make_node("Bernoulli", ["x"], ["a"], "random"),
        helper.make_node("Flatten", ["a"], ["f"], "flatten"),
        helper.make_node("Gemm", ["f", "w"], ["y"], "gemm"),
    ]
    proto = model(nodes, {"x": ["n", "c"]}, {"w": np.ones((4, 5), np.float32)}, opset=18)
    assert refusal(proto, x=(1, 4)) == "model: not supported: Bernoulli (node 'random')"


@pytest.mark.parametrize("type", [TensorProto.STRING, TensorProto.DOUBLE, TensorProto.FLOAT16])
def test_input_of_another_element_type_is_named(type: int) -> None:
    relu = helper.make_node("Relu", ["x"], ["y"], "n")
    kind = TensorProto.DataType.Name(type).lower()
    assert refusal(model([relu], {"x": [1]}, opset=14, input_type=type)).startswith(
        f"model: not supported: input 'x' of type {kind}, only float32, bool and integers"
    )


def test_sparse_weight_is_named() -> None:
    proto = node("Relu", (2,))
    values = helper.make_tensor("s", TensorProto.FLOAT, [1], [1.0])
    at = helper.make_tensor("at", TensorProto.INT64, [1], [0])
    proto.graph.sparse_initializer.append(helper.make_sparse_tensor(values, at, [4]))
    assert refusal(proto) == "model: not supported: sparse weight 's'"


def test_unknown_operators_come_before_open_dimensions() -> None:
    proto = model([helper.make_node("Bernoulli", ["x"], ["y"], "m")], {"x": ["n", 3]}, opset=18)
    assert refusal(proto) == "model: not supported: Bernoulli (node 'm')"


def test_undefined_value_beside_an_unknown_operator_is_no_crash() -> None:
    nodes = [helper.make_node("Bernoulli", ["x"], ["a"]), helper.make_node("Relu", ["none"], ["y"])]
    assert refusal(model(nodes, {"x": [1]}, opset=18)) == (
        "model: not a valid ONNX model: nothing computes 'none' before its use"
    )


def test_output_of_another_element_type_is_named() -> None:
    proto = node("Identity", np.array([1.0, 2.0]))
    assert refusal(proto) == (
        "model: not supported: output with a constant of type float64, only float32, bool and"
        " integers"
    )


def test_open_dimension_is_named_with_the_way_to_set_it() -> None:
    proto = model([helper.make_node("Relu", ["x"], ["y"])], {"x": ["batch", 3, 8, 8]})
    assert refusal(proto) == (
        "model: input 'x' is batchx3x8x8, with an open dimension 'batch'; "
        "set its shape, as in --shape x=1x3x8x8"
    )


def test_input_without_shape_is_named_with_the_way_to_set_it() -> None:
    proto = model([helper.make_node("Relu", ["x"], ["y"])], {"x": None})
    assert refusal(proto) == ("model: input 'x' has no shape; set it, as in --shape x=1x3x224x224")


def test_shape_must_be_of_an_input_and_of_its_rank() -> None:
    proto = node("Relu", (2, 3))
    assert refusal(proto, data=(1,)) == "model: no input 'data'; inputs are x0"
    assert refusal(proto, x0=(2, 3, 4)) == "model: input 'x0' is 2x3, it cannot be 2x3x4"
    assert refusal(proto, x0=(2, 0)) == "model: input 'x0' is 2x3, it cannot be 2x0"


def test_shapes_that_do_not_fit_name_the_node() -> None:
    message = refusal(node("Conv", (1, 5, 8, 8), W))
    assert message.startswith("model: Conv (node 'n'): 1 groups of weights tensor<6x4x3x3xf32>")
    assert refusal(node("Add", (2, 3), (2, 4))) == (
        "model: Add (node 'n'): shapes [[2, 3], [2, 4]] do not broadcast"
    )


def test_output_of_open_rank_is_not_taken_for_a_scalar() -> None:
    nodes = [
        helper.make_node("Tan", ["x"], ["y"], "tan"),
        helper.make_node("Softmax", ["y"], ["z"], "softmax", axis=1),
    ]
    with pytest.raises(LaminaError, match=r"not supported: Tan \(node 'tan'\)$"):
        import_model(
            model(nodes, {"x": ["n", 3]}, outputs=["y", "z"]), new_context().weights, {"x": [2, 3]}
        )


def test_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.onnx"
    assert refusal(path) == f"cannot read {path}: No such file or directory"


@pytest.mark.parametrize("content", [b"", b"hello, world\n", b"\x00" * 100, b"PK\x03\x04zip"])
def test_file_that_is_not_onnx_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(content)
    assert "not an ONNX file" in refusal(path)


def test_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.onnx"
    whole = node("Conv", IMAGE, W).SerializeToString()
    for size in range(0, len(whole), 37):
        path.write_bytes(whole[:size])
        assert "cut.onnx: not a" in refusal(path)


def test_damaged_file_is_refused_or_read_as_what_it_says(tmp_path: Path) -> None:
    """Any byte may be wrong; there is no way to crash."""
    path, rng = tmp_path / "damaged.onnx", np.random.default_rng(0)
    whole = np.frombuffer(tiny_model(channels=2, size=4).SerializeToString(), np.uint8)
    for _ in range(300):
        damaged = whole.copy()
        damaged[rng.integers(whole.size, size=3)] = rng.integers(256, size=3)
        path.write_bytes(damaged.tobytes())
        with suppress(LaminaError):
            import_model(path, new_context().weights)


def test_missing_external_data_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    onnx.save(
        node("Conv", IMAGE, np.ones((6, 4, 3, 3), np.float32)),
        path,
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    import_model(path, new_context().weights)
    (tmp_path / "weights.bin").unlink()
    message = refusal(path)
    assert message.startswith("m.onnx: cannot read tensor 'w1'")
    assert "weights.bin" in message


def test_invalid_model_is_refused() -> None:
    unsorted = [helper.make_node("Relu", ["a"], ["y"]), helper.make_node("Relu", ["x"], ["a"])]
    assert refusal(model(unsorted, {"x": [1]})).startswith("model: not a valid ONNX model: ")
    assert refusal(node("Conv", IMAGE, W, padding=[1])).startswith("model: not a valid ONNX model:")


def test_opset_outside_the_range_is_refused() -> None:
    newest = onnx.defs.onnx_opset_version()
    assert refusal(node("Relu", (1,), opset=5)) == (
        f"model: needs an opset from 6 to {newest}, got 5"
    )
    assert refusal(node("Relu", (1,), opset=newest + 1)).endswith(f"got {newest + 1}")


def test_operator_of_another_domain_is_named_without_an_opset_of_onnx() -> None:
    proto = model([helper.make_node("Tokenize", ["x"], ["y"], "n", domain="acme")], {"x": [1]})
    del proto.opset_import[:]
    proto.opset_import.append(helper.make_opsetid("acme", 1))
    assert refusal(proto) == "model: not supported: acme.Tokenize (node 'n')"


def test_model_that_onnx_cannot_convert_is_refused() -> None:
    slopes = node("PRelu", IMAGE, (4,), opset=6)
    assert refusal(slopes) == "model: cannot convert opset 6: slopes 'x1'"
    upsample = node("Upsample", IMAGE, (4,), opset=8)
    assert refusal(upsample).startswith("model: cannot convert opset 8 to 9: ")


def test_missing_weights_are_named_with_their_node() -> None:
    proto = node("Conv", IMAGE, W)
    del proto.graph.initializer[:]
    message = refusal(proto)
    assert "input 'w1' of node: n" in message, message


def test_output_without_elements_is_named() -> None:
    proto = node("Identity", np.zeros((0, 3), np.float32))
    assert refusal(proto) == (
        "model: not supported: output with a constant of shape [0, 3], which has no elements"
    )
