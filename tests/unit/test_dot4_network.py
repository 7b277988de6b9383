"""A network of quantized operators on machines with and without dot products: the same bytes."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from xdsl.dialects import scf
from xdsl.ir import Operation

import lamina
from lamina.dialects.int8 import Dot4Op, Madd16Op, MaddubsOp
from lamina.steps import lowered

SHAPE, CHANNELS = (2, 20, 9, 7), 37  # neither are multiples of 16
TARGETS = ["cpu", "cpu:cascadelake", "cpu:skylake-avx512", "cpu:haswell", "cpu:sandybridge"]
TARGETS += ["cpu:x86-64"]


def weights(rng: np.random.Generator, spread: str, shape: tuple[int, ...]) -> np.ndarray:
    """Up to 64, up to 127, or up to 127 with few that are large."""
    if spread == "bell":
        return np.clip(np.rint(rng.normal(0, 30, shape)), -127, 127).astype(np.int8)
    return rng.integers(-int(spread), int(spread) + 1, shape).astype(np.int8)


def network(spread: str) -> onnx.ModelProto:
    """Two quantized layers, one with a window."""
    rng = np.random.default_rng(0)
    arrays = {
        "sx": np.float32(0.02),
        "zx": np.uint8(7),
        "zw": np.int8(0),
        "sw": np.float32(0.03),
        "sy": np.float32(0.3),
        "zy": np.uint8(3),
        "w": weights(rng, spread, (CHANNELS, SHAPE[1], 3, 3)),
        "b": rng.integers(-1000, 1000, CHANNELS).astype(np.int32),
        "v": weights(rng, spread, (40, CHANNELS, 1, 1)),
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
@pytest.mark.parametrize("spread", ["64", "127", "bell"])
def test_bytes_do_not_depend_on_the_machine(spread: str, target: str) -> None:
    model = network(spread)
    x = (4 * np.random.default_rng(1).standard_normal(SHAPE)).astype(np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    want = np.asarray(session.run(None, {"x": x})[0])
    assert {0, 255} <= set(want.flat)  # all of the range is used
    got = lamina.compile(model, target=target)(x)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    ("target", "spread", "found"),
    [
        ("cpu:skylake-avx512", "64", {MaddubsOp, Madd16Op}),
        ("cpu:skylake-avx512", "bell", {MaddubsOp, Madd16Op, scf.IfOp}),
        ("cpu:skylake-avx512", "127", {Madd16Op}),
        ("cpu:x86-64", "64", {Madd16Op}),
        ("cpu:cascadelake", "64", {Dot4Op}),
        ("cpu:cascadelake", "bell", {Dot4Op}),
    ],
)
def test_what_is_known_of_weights_decides(
    target: str, spread: str, found: set[type[Operation]]
) -> None:
    _, module = lowered(network(spread), target, "vector")
    assert {type(op) for op in module.walk()} & {MaddubsOp, Madd16Op, Dot4Op, scf.IfOp} == found
