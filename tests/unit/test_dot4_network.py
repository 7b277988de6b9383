"""A network of quantized operators on machines with and without dot products: the same bytes."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import lamina
from lamina.dialects.int8 import Dot4Op, MaddubsOp
from lamina.steps import lowered

SHAPE, CHANNELS = (2, 20, 9, 7), 37  # neither are multiples of 16
TARGETS = ["cpu", "cpu:cascadelake", "cpu:skylake-avx512", "cpu:haswell", "cpu:sandybridge"]
TARGETS += ["cpu:x86-64"]


def network(largest: int) -> onnx.ModelProto:
    """Two quantized layers, one with a window, with weights up to `largest`."""
    rng = np.random.default_rng(0)
    arrays = {
        "sx": np.float32(0.02),
        "zx": np.uint8(7),
        "zw": np.int8(0),
        "sw": np.float32(0.03),
        "sy": np.float32(0.3),
        "zy": np.uint8(3),
        "w": rng.integers(-largest, largest + 1, (CHANNELS, SHAPE[1], 3, 3)).astype(np.int8),
        "b": rng.integers(-1000, 1000, CHANNELS).astype(np.int32),
        "v": rng.integers(-largest, largest + 1, (40, CHANNELS, 1, 1)).astype(np.int8),
    }
    first = ["q", "sx", "zx", "w", "sw", "zw", "sy", "zy", "b"]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "sx", "zx"], ["q"]),
        helper.make_node("QLinearConv", first, ["y"], pads=[1, 1, 1, 1], strides=[1, 2]),
        helper.make_node("QLinearConv", ["y", "sy", "zy", "v", "sw", "zw", "sy", "zy"], ["z"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
        [helper.make_tensor_value_info("z", TensorProto.UINT8, (2, 40, 9, 4))],
        [numpy_helper.from_array(np.asarray(a), name) for name, a in arrays.items()],
    )
    opset = helper.make_opsetid("", 19)
    return helper.make_model(graph, opset_imports=[opset], ir_version=9)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("largest", [64, 127])
def test_bytes_do_not_depend_on_the_machine(largest: int, target: str) -> None:
    model = network(largest)
    x = (4 * np.random.default_rng(1).standard_normal(SHAPE)).astype(np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    want = np.asarray(session.run(None, {"x": x})[0])
    assert {0, 255} <= set(want.flat)  # all of the range is used
    got = lamina.compile(model, target=target)(x)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    ("target", "largest", "pairs", "groups"),
    [
        ("cpu:skylake-avx512", 64, True, False),
        ("cpu:skylake-avx512", 127, False, False),
        ("cpu:x86-64", 64, False, False),
        ("cpu:cascadelake", 64, False, True),
    ],
)
def test_small_weights_are_proven_to_be_small(
    target: str, largest: int, pairs: bool, groups: bool
) -> None:
    _, module = lowered(network(largest), target, "vector")
    found = {type(op) for op in module.walk()}
    assert (MaddubsOp in found, Dot4Op in found) == (pairs, groups)
