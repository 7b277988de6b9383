"""A small network of every kind of layer, as an ONNX model."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def tiny_model(channels: int = 16, size: int = 12) -> onnx.ModelProto:
    """conv, batch norm, relu, max pool, flatten, gemm; input 'data', output 'prob'."""
    rng = np.random.default_rng(7)
    half = (size - 2) // 2 + 1
    weights = {
        "w": rng.standard_normal((channels, 3, 3, 3)) * 0.3,
        "scale": rng.uniform(0.8, 1.2, channels),
        "shift": rng.standard_normal(channels) * 0.1,
        "mean": rng.standard_normal(channels) * 0.1,
        "var": rng.uniform(0.8, 1.2, channels),
        "g": rng.standard_normal((10, channels * half * half)) * 0.05,
        "c": rng.standard_normal(10) * 0.1,
    }
    nodes = [
        helper.make_node("Conv", ["data", "w"], ["a"], "conv", pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["a", "scale", "shift", "mean", "var"], ["b"], "bn"),
        helper.make_node("Relu", ["b"], ["r"], "relu"),
        helper.make_node("MaxPool", ["r"], ["p"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p"], ["f"], "flatten"),
        helper.make_node("Gemm", ["f", "g", "c"], ["prob"], "gemm", transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, size, size])],
        [helper.make_tensor_value_info("prob", TensorProto.FLOAT, [1, 10])],
        [numpy_helper.from_array(w.astype(np.float32), name) for name, w in weights.items()],
    )
    opset = helper.make_opsetid("", 17)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8)


def reference(model: onnx.ModelProto, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What ONNX Runtime makes of a model."""
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return {n: np.asarray(y) for n, y in zip(names, session.run(None, inputs), strict=True)}


def close(x: np.ndarray, want: np.ndarray) -> bool:
    """Equal but for the rounding of fp32."""
    return x.shape == want.shape and bool(np.abs(x - want).max() <= 1e-5 * np.abs(want).max())
