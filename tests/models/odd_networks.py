"""Networks with odd shapes, in a few lines each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper


class Net:
    """Makes nodes; the values of an ONNX graph are names, and their channels are remembered."""

    def __init__(self, size: Sequence[int]) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: dict[str, np.ndarray] = {}
        self.channels = {"data": size[1]}
        self.size = size
        self.rng = np.random.default_rng(0)

    def add(self, op: str, *inputs: str | np.ndarray, **attributes: Any) -> str:
        """A node of one result."""
        return self.several(op, 1, *inputs, **attributes)[0]

    def several(
        self, op: str, results: int, *inputs: str | np.ndarray, **attributes: Any
    ) -> list[str]:
        """A node of several results."""
        names = [self.weight(x) if isinstance(x, np.ndarray) else x for x in inputs]
        outputs = [f"{op.lower()}{len(self.nodes)}.{i}" for i in range(results)]
        self.nodes.append(helper.make_node(op, names, outputs, outputs[0], **attributes))
        self.channels |= dict.fromkeys(outputs, self.channels.get(names[0], 0))
        return outputs

    def weight(self, array: np.ndarray) -> str:
        """An initializer."""
        name = f"w{len(self.weights)}"
        self.weights[name] = array
        return name

    def numbers(self, *size: int, scale: float = 1.0) -> np.ndarray:
        """Normally distributed numbers."""
        return self.rng.standard_normal(size, np.float32) * np.float32(scale)

    # -- what networks are made of

    def conv(
        self, x: str, outputs: int, kernel: Sequence[int] = (3, 3), group: int = 1, **rest: Any
    ) -> str:
        """A convolution with bias, padded so that its result has the size of x."""
        inputs = self.channels[x] // group
        w = self.numbers(outputs, inputs, *kernel, scale=(inputs * np.prod(kernel) / 2) ** -0.5)
        rest = {"pads": [(k - 1) // 2 for k in kernel] * 2} | rest
        y = self.add("Conv", x, w, self.numbers(outputs, scale=0.1), group=group, **rest)
        self.channels[y] = outputs
        return y

    def norm(self, x: str) -> str:
        """A batch normalization."""
        c = self.channels[x]
        scale, bias = 1 + self.numbers(c, scale=0.1), self.numbers(c, scale=0.1)
        return self.add("BatchNormalization", x, scale, bias, bias, abs(scale))

    def block(self, x: str, outputs: int, *args: Any, **rest: Any) -> str:
        """Convolution, normalization and relu."""
        return self.add("Relu", self.norm(self.conv(x, outputs, *args, **rest)))

    def concat(self, *parts: str) -> str:
        """Channels of all parts."""
        y = self.add("Concat", *parts, axis=1)
        self.channels[y] = sum(self.channels[x] for x in parts)
        return y

    def up(self, x: str, outputs: int, kernel: Sequence[int] = (2, 2), **rest: Any) -> str:
        """A transposed convolution of stride 2."""
        c = self.channels[x]
        w = self.numbers(c, outputs, *kernel, scale=c**-0.5)
        y = self.add("ConvTranspose", x, w, self.numbers(outputs), strides=[2, 2], **rest)
        self.channels[y] = outputs
        return y

    def dense(self, x: str, inputs: int, outputs: int) -> str:
        """A product with a matrix of weights, with bias."""
        w = self.numbers(outputs, inputs, scale=inputs**-0.5)
        return self.add("Gemm", x, w, self.numbers(outputs), transB=1)

    def head(self, x: str, outputs: int) -> str:
        """Mean of each channel, then one dense layer."""
        y = self.add("Flatten", self.add("GlobalAveragePool", x))
        return self.dense(y, self.channels[x], outputs)

    def shuffle(self, x: str, groups: int, height: int, width: int) -> str:
        """Channels of groups, in turn; the shape is computed from that of x."""
        c, n = self.channels[x], self.add("Shape", x)
        n = self.add("Slice", n, ints(0), ints(1), ints(0))
        apart = self.add("Concat", n, ints(groups, c // groups, height, width), axis=0)
        y = self.add("Transpose", self.add("Reshape", x, apart), perm=[0, 2, 1, 3, 4])
        y = self.add("Reshape", y, self.add("Concat", n, ints(c, height, width), axis=0))
        self.channels[y] = c
        return y

    def gated(self, x: str, inner: int) -> str:
        """Squeeze and excitation."""
        y = self.add("Relu", self.conv(self.add("GlobalAveragePool", x), inner, (1, 1)))
        return self.add("Mul", x, self.add("Sigmoid", self.conv(y, self.channels[x], (1, 1))))

    def model(self, outputs: Sequence[str]) -> onnx.ModelProto:
        """The network."""
        graph = helper.make_graph(
            self.nodes,
            "odd",
            [helper.make_tensor_value_info("data", TensorProto.FLOAT, self.size)],
            [helper.make_tensor_value_info(y, TensorProto.FLOAT, None) for y in outputs],
            [numpy_helper.from_array(w, name) for name, w in self.weights.items()],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def odd_channels(net: Net) -> Iterator[str]:
    """37 channels everywhere, windows of 1x7 and 5x3, strides of 2x1"""
    x = net.block("data", 37, (5, 3), strides=[2, 1])
    x = net.block(x, 37, (1, 7))
    x = net.block(x, 37, (7, 1), strides=[1, 2])
    x = net.add("MaxPool", x, kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1])
    x = net.block(x, 53, (3, 5), dilations=[2, 1], pads=[2, 2, 2, 2])
    x = net.add("AveragePool", x, kernel_shape=[2, 3], strides=[1, 2], ceil_mode=1)
    yield net.head(net.block(x, 41, (1, 1)), 11)


def residual(net: Net) -> Iterator[str]:
    """bottlenecks of 37 channels whose shortcuts are sums"""
    x = net.block("data", 37, (7, 7), strides=[2, 2])
    x = net.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    for width, stride in ((19, 1), (37, 2), (37, 1)):
        y = net.block(x, width, (1, 1))
        y = net.block(y, width, (3, 3), strides=[stride] * 2)
        y = net.norm(net.conv(y, 2 * width, (1, 1)))
        if net.channels[x] != 2 * width or stride > 1:
            x = net.norm(net.conv(x, 2 * width, (1, 1), strides=[stride] * 2))
        x = net.add("Relu", net.add("Add", y, x))
    yield net.add("Softmax", net.head(x, 10), axis=-1)


def inverted_residuals(net: Net) -> Iterator[str]:
    """depthwise convolutions between wide ones, with gates and hard swish"""
    x = net.add("HardSwish", net.norm(net.conv("data", 13, strides=[2, 2])))
    for outputs, kernel, strides in ((13, 3, [1, 1]), (21, 5, [2, 1]), (21, 5, [1, 1])):
        wide = 6 * net.channels[x] + 1
        y = net.add("HardSwish", net.norm(net.conv(x, wide, (1, 1))))
        y = net.conv(y, wide, (kernel, kernel), wide, strides=strides)
        y = net.gated(net.add("HardSwish", net.norm(y)), 9)
        y = net.norm(net.conv(y, outputs, (1, 1)))
        x = net.add("Add", x, y) if net.channels[x] == outputs and strides == [1, 1] else y
    x = net.add("ReduceMean", x, axes=[2, 3], keepdims=0)
    yield net.dense(x, 21, 7)


def shuffled_groups(net: Net) -> Iterator[str]:
    """grouped convolutions, whose channels are shuffled, and halves that pass by"""
    x = net.block("data", 36, strides=[2, 2])
    height, width = (-(-n // 2) for n in net.size[2:])
    for groups in (3, 2, 4):
        y = net.shuffle(net.block(x, 36, (1, 1), groups), groups, height, width)
        y = net.norm(net.conv(y, 36, (3, 3), 36))
        x = net.add("Relu", net.add("Add", x, net.norm(net.conv(y, 36, (1, 1), groups))))
    for _ in range(2):
        a, b = net.several("Split", 2, x, axis=1)
        net.channels |= {a: 18, b: 18}
        b = net.block(net.norm(net.conv(net.block(b, 18, (1, 1)), 18, (3, 3), 18)), 18, (1, 1))
        x = net.shuffle(net.concat(a, b), 2, height, width)
    yield net.head(x, 5)


def u_net(net: Net) -> Iterator[str]:
    """down twice, up twice, with what was there concatenated, cut where sizes differ"""
    a = net.block(net.block("data", 12), 12)
    b = net.block(net.add("MaxPool", a, kernel_shape=[2, 2], strides=[2, 2]), 25)
    c = net.block(net.add("MaxPool", b, kernel_shape=[2, 2], strides=[2, 2]), 37)
    for skip, outputs, n in ((b, 25, 2), (a, 12, 4)):
        ends = ints(*(side // 4 * n for side in net.size[2:]))
        cut = net.add("Slice", skip, ints(0, 0), ends, ints(2, 3))
        c = net.block(net.concat(net.up(c, outputs), cut), outputs)
    yield net.add("Sigmoid", net.conv(c, 1, (1, 1)))
    yield net.conv(c, 3, (1, 1))


def branches(net: Net) -> Iterator[str]:
    """windows of all shapes side by side, concatenated, twice"""
    x = net.block("data", 23, strides=[1, 2])
    for _ in range(2):
        pooled = net.add("AveragePool", x, kernel_shape=[3, 3], pads=[1] * 4, strides=[1, 1])
        tall = net.block(net.block(x, 11, (1, 1)), 13, (1, 7))
        x = net.concat(
            net.block(x, 17, (1, 1)),
            net.block(tall, 15, (7, 1)),
            net.block(net.block(x, 9, (1, 1)), 10, (5, 5)),
            net.block(pooled, 6, (1, 1)),
            net.add("MaxPool", x, kernel_shape=[3, 3], pads=[1] * 4),
        )
    yield net.head(x, 12)


def several_heads(net: Net) -> Iterator[str]:
    """a map that is flattened, boxes and classes for each place, a mean and a class"""
    x = net.block(net.block("data", 20, strides=[2, 2]), 37, strides=[2, 2])
    x = net.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    height, width = (n for n in _ceil_half(net.size[2:], 2))
    height, width = (-(-(n - 3) // 2) + 1 for n in (height, width))
    for outputs in (4, 3):
        y = net.add("Transpose", net.conv(x, 2 * outputs), perm=[0, 2, 3, 1])
        y = net.add("Reshape", y, ints(0, -1, outputs))
        yield net.add("Softmax", y, axis=2) if outputs == 3 else y
    flat = net.add("Flatten", net.add("LeakyRelu", net.conv(x, 5, (1, 1)), alpha=0.1))
    hidden = net.add("Tanh", net.dense(flat, 5 * height * width, 33))
    yield net.dense(hidden, 33, 9)
    yield net.add("ReduceMax", x, axes=[2, 3], keepdims=0)


def tokens(net: Net) -> Iterator[str]:
    """patches, layer normalization spelled out, attention and gelu"""
    x, c = net.conv("data", 24, (8, 8), strides=[8, 8], pads=[0] * 4), 24
    x = net.add("Transpose", net.add("Reshape", x, ints(0, c, -1)), perm=[0, 2, 1])
    for _ in range(2):
        y = _layer_norm(net, x, c)
        q, k, v = (net.add("MatMul", y, net.numbers(c, c, scale=c**-0.5)) for _ in range(3))
        scores = net.add("MatMul", q, net.add("Transpose", k, perm=[0, 2, 1]))
        scores = net.add("Mul", scores, np.array(c**-0.5, np.float32))
        y = net.add("MatMul", net.add("Softmax", scores, axis=-1), v)
        x = net.add("Add", x, y)
        y = net.add("MatMul", _layer_norm(net, x, c), net.numbers(c, 50, scale=c**-0.5))
        share = net.add("Erf", net.add("Div", y, np.array(2**0.5, np.float32)))
        y = net.add("Mul", y, net.add("Add", share, np.array(1, np.float32)))
        y = net.add("Mul", y, np.array(0.5, np.float32))
        x = net.add("Add", x, net.add("MatMul", y, net.numbers(50, c, scale=50**-0.5)))
    first = net.add("Gather", x, np.array(0, np.int64), axis=1)
    yield net.dense(first, c, 6)


def _layer_norm(net: Net, x: str, size: int) -> str:
    centred = net.add("Sub", x, net.add("ReduceMean", x, axes=[-1]))
    square = net.add("Pow", centred, np.array(2, np.float32))
    variance = net.add("Add", net.add("ReduceMean", square, axes=[-1]), np.array(1e-5, np.float32))
    y = net.add("Div", centred, net.add("Sqrt", variance))
    return net.add("Add", net.add("Mul", y, net.numbers(size)), net.numbers(size))


def dense_blocks(net: Net) -> Iterator[str]:
    """each layer sees the concatenation of all before it"""
    x = net.block("data", 19, (3, 3), strides=[2, 2])
    for _ in range(2):
        for _ in range(3):
            y = net.add("Relu", net.norm(x))
            y = net.add("Relu", net.norm(net.conv(y, 31, (1, 1))))
            x = net.concat(x, net.conv(y, 7))
        x = net.conv(net.add("Relu", net.norm(x)), net.channels[x] // 2, (1, 1))
        x = net.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    yield net.head(net.add("Relu", net.norm(x)), 8)


def _ceil_half(size: Sequence[int], times: int) -> Iterator[int]:
    for n in size:
        for _ in range(times):
            n = -(-n // 2)
        yield n


NETWORKS: Mapping[str, Callable[[Net], Iterator[str]]] = {
    f.__name__: f
    for f in (
        branches,
        dense_blocks,
        inverted_residuals,
        odd_channels,
        residual,
        several_heads,
        shuffled_groups,
        tokens,
        u_net,
    )
}


def build(name: str, size: Sequence[int]) -> onnx.ModelProto:
    """A network on images of this size."""
    net = Net(size)
    return net.model(list(NETWORKS[name](net)))
