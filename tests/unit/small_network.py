"""A small network with all that the quantizer treats in its own way, and samples for it."""

import numpy as np
import onnx
from onnx import helper, numpy_helper

from tests.unit.onnx_models import model


def small_network(opset: int = 17) -> onnx.ModelProto:
    """
    x [1, 3, 9, 7] -> y [1, 4]: convolutions with and without batch norms and biases, in groups and
    with strides; pooling, a residual sum, a concat, a mean and two dense layers.
    """
    rng = np.random.default_rng(5)

    def normal(*size: int, scale: float = 1.0) -> np.ndarray:
        return (rng.standard_normal(size) * scale).astype(np.float32)

    weights = {
        "w1": normal(12, 3, 3, 3, scale=0.3),
        **{f"{n}1": normal(12, scale=0.1) for n in ("shift", "mean")},
        **{f"{n}1": rng.uniform(0.5, 1.5, 12).astype(np.float32) for n in ("scale", "var")},
        "w2": normal(12, 4, 3, 3, scale=0.2),
        "b2": normal(12, scale=0.1),
        "w3": normal(12, 12, 1, 1, scale=0.3),
        "w4": normal(5, 24, 2, 2, scale=0.1),
        "b4": normal(5, scale=0.1),
        "g5": normal(5, 6, scale=0.4),
        "g6": normal(4, 6, scale=0.4),
        "b6": normal(4, scale=0.1),
    }
    weights["w2"][3] = 0
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c1"], "conv1", pads=[1, 1, 1, 1]),
        helper.make_node(
            "BatchNormalization", ["c1", "scale1", "shift1", "mean1", "var1"], ["n1"], "norm1"
        ),
        helper.make_node("Relu", ["n1"], ["r1"], "relu1"),
        helper.make_node(
            "MaxPool", ["r1"], ["p1"], "pool1", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1
        ),
        helper.make_node("Conv", ["p1", "w2", "b2"], ["c2"], "conv2", pads=[1] * 4, group=3),
        helper.make_node("Relu", ["c2"], ["r2"], "relu2"),
        helper.make_node("Conv", ["r2", "w3"], ["c3"], "conv3"),
        helper.make_node("Add", ["c3", "p1"], ["s3"], "sum3"),
        helper.make_node("Relu", ["s3"], ["r3"], "relu3"),
        helper.make_node("Concat", ["r3", "c2"], ["k3"], "concat3", axis=1),
        helper.make_node("Conv", ["k3", "w4", "b4"], ["c4"], "conv4", strides=[2, 2]),
        helper.make_node("Sigmoid", ["c4"], ["q4"], "sigmoid4"),
        helper.make_node("GlobalAveragePool", ["q4"], ["m4"], "mean4"),
        helper.make_node("Flatten", ["m4"], ["f4"], "flatten4"),
        helper.make_node("Gemm", ["f4", "g5"], ["d5"], "dense5"),
        helper.make_node("Gemm", ["d5", "g6", "b6"], ["y"], "dense6", transB=1),
    ]
    return model(nodes, {"x": [1, 3, 9, 7]}, weights, opset=opset)


def samples(count: int, seed: int = 0) -> np.ndarray:
    """Images one after the other."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, 3, 9, 7)).astype(np.float32)


def operators(proto: onnx.ModelProto) -> list[str]:
    """The operators of a model in order."""
    return [n.op_type for n in proto.graph.node]


def constants(proto: onnx.ModelProto) -> dict[str, np.ndarray]:
    """The initializers of a model."""
    return {t.name: numpy_helper.to_array(t) for t in proto.graph.initializer}
