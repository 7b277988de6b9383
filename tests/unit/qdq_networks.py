"""Small networks with quantize and dequantize around every op, as quantizers write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


class Network:
    """
    Builds an ONNX model of float inputs in which every tensor goes through 8 bits, of `type`.

    Scales grow with the number of terms of a sum, so that few results saturate and none are all 0.
    """

    def __init__(self, type: str = "uint8", seed: int = 0) -> None:
        self.type, self.rng = np.dtype(type), np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.meant: dict[str, tuple[str, str]] = {}
        """the bytes of each tensor, and its scale"""

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:
        """One node; the name of its result."""
        y = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [y], f"n{y}", **attributes))
        return y

    def known(self, array: Any, type: Any = np.float32) -> str:
        """One weight."""
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array, type), name))
        return name

    def stored(self, x: str, scale: float, zero: int | None = None) -> str:
        """
        `x` through 8 bits of about this scale: with none of few digits nothing is half a step away.
        """
        info = np.iinfo(self.type)
        middle = (info.min + info.max + 1) // 2 - 5 if zero is None else zero
        s = self.known(scale * self.rng.uniform(0.95, 1.05))
        z = self.known(middle, self.type)
        return self.again(x, s, z)

    def again(self, x: str, s: str, z: str) -> str:
        """`x` through 8 bits that mean what others do."""
        y = self.add("DequantizeLinear", self.add("QuantizeLinear", x, s, z), s, z)
        self.meant[y] = s, z
        return y

    def input(self, *size: int, scale: float = 0.03) -> str:
        """An input, through 8 bits."""
        name = f"x{len(self.inputs)}"
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, size))
        return self.stored(name, scale)

    def matrix(
        self, size: Sequence[int], axis: int | None = 0, zero: int = 0, type: str = "int8"
    ) -> tuple[str, np.ndarray]:
        """Weights that 8 bits stand for, with a scale for each index of `axis`; and the scales."""
        info = np.iinfo(type)
        q = self.rng.integers(info.min, info.max + 1, size).astype(type)
        n = () if axis is None else (size[axis],)
        scale = self.rng.uniform(0.002, 0.006, n).astype(np.float32)
        parts = [self.known(q, type), self.known(scale), self.known(np.full(n, zero), type)]
        along = {} if axis is None else {"axis": axis}
        return self.add("DequantizeLinear", *parts, **along), scale

    def bias(self, x: str, scale: np.ndarray, outputs: int) -> str:
        """A bias in steps of the sums."""
        (of_x,) = (w for w in self.weights if w.name == self.meant[x][0])
        steps = (numpy_helper.to_array(of_x) * scale).astype(np.float32)
        q = self.rng.integers(-3000, 3000, outputs)
        zero = np.zeros(steps.shape)
        parts = [self.known(q, np.int32), self.known(steps), self.known(zero, np.int32)]
        return self.add("DequantizeLinear", *parts, **({"axis": 0} if steps.shape else {}))

    def conv(self, x: str, size: Sequence[int], bias: bool = True, **attributes: Any) -> str:
        """A convolution with weights of this size, not stored yet."""
        axis = attributes.pop("axis", 0)
        more = {k: attributes.pop(k) for k in ("zero", "type") if k in attributes}
        w, scale = self.matrix(size, axis, **more)
        extra = [self.bias(x, scale, size[0])] if bias else []
        return self.add("Conv", x, w, *extra, **attributes)

    def model(self, *results: str) -> onnx.ModelProto:
        """The model with these results."""
        outputs = [helper.make_tensor_value_info(y, TensorProto.FLOAT, None) for y in results]
        graph = helper.make_graph(self.nodes, "test", self.inputs, outputs, self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run_quantized(proto: onnx.ModelProto, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What ONNX Runtime computes, with its kernels for quantized tensors."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [i.name for i in session.get_inputs()]
    return [np.asarray(y) for y in session.run(None, dict(zip(names, inputs, strict=True)))]
