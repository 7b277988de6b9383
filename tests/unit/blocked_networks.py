"""Small networks as the field builds them, of awkward widths, as ONNX models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper

from tests.unit.onnx_models import model


class Builder:
    """Appends ONNX nodes with random weights."""

    def __init__(self, channels: int, size: int = 12) -> None:
        self.rng = np.random.default_rng(11)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, np.ndarray] = {}
        self.input = (1, channels, size, size)

    def op(self, kind: str, *xs: str | np.ndarray | Sequence[int], **how: Any) -> str:
        """The result of a node; arrays become weights, sequences of integers too."""
        (made,) = self.ops(kind, 1, *xs, **how)
        return made

    def ops(
        self, kind: str, outputs: int, *xs: str | np.ndarray | Sequence[int], **how: Any
    ) -> list[str]:
        """The results of a node with several."""
        names = [x if isinstance(x, str) else self.weight(np.asarray(x)) for x in xs]
        made = [f"t{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, names, made, made[0], **how))
        return made

    def weight(self, array: np.ndarray) -> str:
        """The name of a new weight."""
        name = f"w{len(self.weights)}"
        self.weights[name] = array
        return name

    def random(self, *size: int, scale: float = 1.0) -> np.ndarray:
        """Random numbers."""
        return (self.rng.standard_normal(size) * scale).astype(np.float32)

    def number(self, value: float) -> np.ndarray:
        """One number."""
        return np.array(value, np.float32)

    def conv(
        self, x: str, ins: int, outs: int, k: int = 1, groups: int = 1, stride: int = 1
    ) -> str:
        """A convolution with a bias that keeps height and width, but for the stride."""
        w = self.random(outs, ins // groups, k, k, scale=(ins // groups * k * k) ** -0.5)
        p = k // 2
        how = {"pads": [p] * 4, "group": groups, "strides": [stride, stride]}
        return self.op("Conv", x, w, self.random(outs), **how)

    def model(self, *outputs: str, opset: int = 17) -> onnx.ModelProto:
        """The model that computes `outputs`."""
        return model(self.nodes, {"x": self.input}, self.weights, outputs, opset)


def swish(b: Builder, x: str) -> str:
    """x * sigmoid(x)"""
    return b.op("Mul", x, b.op("Sigmoid", x))


def hard_swish(b: Builder, x: str) -> str:
    """x * clip(x + 3, 0, 6) / 6"""
    inside = b.op("Clip", b.op("Add", x, b.number(3)), b.number(0), b.number(6))
    return b.op("Div", b.op("Mul", x, inside), b.number(6))


def mish(b: Builder, x: str) -> str:
    """x * tanh(softplus(x))"""
    return b.op("Mul", x, b.op("Tanh", b.op("Softplus", x)))


def gelu(b: Builder, x: str) -> str:
    """x / 2 * (1 + erf(x / sqrt(2)))"""
    e = b.op("Erf", b.op("Div", x, b.number(2**0.5)))
    return b.op("Mul", b.op("Mul", x, b.op("Add", e, b.number(1))), b.number(0.5))


def elu_plus(b: Builder, x: str) -> str:
    """elu(x) + 1, never zero"""
    return b.op("Add", b.op("Elu", x), b.number(1))


def sigmoid(b: Builder, x: str) -> str:
    """1 / (1 + exp(-x)), never zero"""
    return b.op("Sigmoid", x)


def reciprocal(b: Builder, x: str) -> str:
    """1 / (|x| + 1)"""
    return b.op("Reciprocal", b.op("Add", b.op("Abs", x), b.number(1)))


def quotient(b: Builder, x: str) -> str:
    """x divided by a constant of each channel: 0 / 0 where storage pads a block"""
    return b.op("Div", x, b.random(37, 1, 1))


def threshold(b: Builder, x: str) -> str:
    """x above 0.25, an eighth of it below, and one more where it is far below"""
    kept = b.op("Where", b.op("Greater", x, b.number(0.25)), x, b.op("Mul", x, b.number(0.125)))
    far = b.op("And", b.op("Less", x, b.number(-1)), b.op("Not", b.op("IsNaN", x)))
    return b.op("Add", kept, b.op("Cast", far, to=1))


def sign(b: Builder, x: str) -> str:
    """sign(x) * min(|x|, 1), never so on the padding: less one where it is not zero"""
    y = b.op("Mul", b.op("Sign", x), b.op("Min", b.op("Abs", x), b.number(1)))
    return b.op("Where", b.op("Equal", x, b.number(0)), b.number(3), y)


def activation(f) -> onnx.ModelProto:
    """conv, activation, conv on 37 channels"""
    b = Builder(24)
    return b.model(b.conv(f(b, b.conv("x", 24, 37, 3)), 37, 21, 3))


def gate(b: Builder, x: str, channels: int, inner: int, squash: str = "Sigmoid") -> str:
    """Squeeze and excitation: x times a factor of each channel."""
    s = b.op("Relu", b.conv(b.op("GlobalAveragePool", x), channels, inner))
    return b.op("Mul", x, b.op(squash, b.conv(s, inner, channels)))


def shuffle(b: Builder, x: str, channels: int, size: int, groups: int = 2) -> str:
    """Channels of the groups in turn."""
    apart = b.op("Reshape", x, [1, groups, channels // groups, size, size])
    turned = b.op("Transpose", apart, perm=[0, 2, 1, 3, 4])
    return b.op("Reshape", turned, [1, channels, size, size])


def shufflenet(channels: int = 116) -> onnx.ModelProto:
    """Two units of ShuffleNet-v2 after a convolution"""
    b, half = Builder(24), channels // 2
    x = b.op("Relu", b.conv("x", 24, channels))
    for _ in range(2):
        left, right = b.ops("Split", 2, x, [half, half], axis=1)
        right = b.op("Relu", b.conv(right, half, half))
        right = b.conv(right, half, half, 3, groups=half)
        right = b.op("Relu", b.conv(right, half, half))
        x = shuffle(b, b.op("Concat", left, right, axis=1), channels, 12)
    return b.model(b.op("Relu", b.conv(x, channels, 40)))


def mobilenet_v3() -> onnx.ModelProto:
    """An inverted residual with hard swish and a gate, 37 and 74 channels"""
    b = Builder(37)
    x = b.conv("x", 37, 37)
    y = hard_swish(b, b.conv(x, 37, 74))
    y = hard_swish(b, b.conv(y, 74, 74, 5, groups=74))
    y = b.conv(gate(b, y, 74, 20, "HardSigmoid"), 74, 37)
    return b.model(b.conv(b.op("Add", x, y), 37, 20))


def mbconv() -> onnx.ModelProto:
    """An inverted residual with swish and a gate, 20 and 100 channels"""
    b = Builder(20)
    x = b.conv("x", 20, 20)
    y = swish(b, b.conv(x, 20, 100))
    y = swish(b, b.conv(y, 100, 100, 3, groups=100))
    s = b.op("ReduceMean", y, axes=[2, 3])
    s = b.conv(swish(b, b.conv(s, 100, 5)), 5, 100)
    y = b.conv(b.op("Mul", y, b.op("Sigmoid", s)), 100, 20)
    return b.model(b.conv(b.op("Add", x, y), 20, 20))


def ghostnet() -> onnx.ModelProto:
    """A ghost module: half of 72 channels are made of the others by a depthwise convolution"""
    b = Builder(16)
    x = b.op("Relu", b.conv("x", 16, 36))
    cheap = b.op("Relu", b.conv(x, 36, 36, 3, groups=36))
    y = b.op("Concat", x, cheap, axis=1)
    y = b.op("Slice", y, [0], [70], [1])
    return b.model(b.conv(gate(b, y, 70, 20), 70, 24))


def spelled_norm(b: Builder, x: str, axis: int, size: Sequence[int]) -> str:
    """Layer normalization over one dimension, spelled out."""
    d = b.op("Sub", x, b.op("ReduceMean", x, axes=[axis]))
    v = b.op("ReduceMean", b.op("Mul", d, d), axes=[axis])
    n = b.op("Div", d, b.op("Sqrt", b.op("Add", v, b.number(1e-6))))
    return b.op("Add", b.op("Mul", n, b.random(*size)), b.random(*size))


def convnext(permuted: bool, c: int = 40) -> onnx.ModelProto:
    """A block of ConvNeXt with its normalization over channels, last or in their place"""
    b = Builder(c)
    x = b.conv("x", c, c)
    y = b.conv(x, c, c, 7, groups=c)
    if permuted:
        y = b.op("Transpose", y, perm=[0, 2, 3, 1])
        y = b.op("LayerNormalization", y, b.random(c), b.random(c), axis=-1)
        y = b.op("Add", b.op("MatMul", y, b.random(c, 4 * c, scale=0.1)), b.random(4 * c))
        y = gelu(b, y)
        y = b.op("Add", b.op("MatMul", y, b.random(4 * c, c, scale=0.1)), b.random(c))
        y = b.op("Transpose", b.op("Mul", b.random(c), y), perm=[0, 3, 1, 2])
    else:
        y = spelled_norm(b, y, 1, (1, c, 1, 1))
        y = b.conv(gelu(b, b.conv(y, c, 4 * c)), 4 * c, c)
    return b.model(b.conv(b.op("Add", x, y), c, 2 * c, 2, stride=2))


def unet() -> onnx.ModelProto:
    """Down, up by a transposed convolution, and a concat of ragged maps"""
    b = Builder(3)
    x = b.op("Relu", b.conv("x", 3, 20, 3))
    low = b.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    low = b.op("Relu", b.conv(low, 20, 40, 3))
    up = b.op("ConvTranspose", low, b.random(40, 20, 2, 2, scale=0.2), strides=[2, 2])
    y = b.op("Concat", x, up, axis=1)
    return b.model(b.conv(b.op("Relu", b.conv(y, 40, 20, 3)), 20, 3))


def regnet() -> onnx.ModelProto:
    """A block of RegNet-Y: groups of 8 channels and a gate"""
    b = Builder(48)
    x = b.op("Relu", b.conv("x", 48, 48))
    y = b.op("Relu", b.conv(x, 48, 48))
    y = b.op("Relu", b.conv(y, 48, 48, 3, groups=6))
    y = b.conv(gate(b, y, 48, 12), 48, 48)
    return b.model(b.op("Relu", b.op("Add", x, y)))


def slices() -> onnx.ModelProto:
    """A slice through blocks, one of a map, and their concat with the whole"""
    b = Builder(16)
    x = b.op("Relu", b.conv("x", 16, 64))
    part = b.op("Slice", x, [8], [40], [1])
    small = b.op("Slice", x, [1, 1], [11, 11], [2, 3])
    a = b.conv(part, 32, 32)
    c = b.conv(small, 64, 24, 3)
    return b.model(a, c)


def concats() -> onnx.ModelProto:
    """Concats of ragged maps, of a plain and a blocked one, and along the height"""
    b = Builder(16)
    x, y = b.conv("x", 16, 21, 3), b.conv("x", 16, 37, 3)
    a = b.op("Concat", x, y, "x", axis=1)
    z = b.conv(a, 74, 21, 3)
    return b.model(b.conv(b.op("Concat", x, z, axis=2), 21, 24, 3))


def channel_norms() -> onnx.ModelProto:
    """Softmax, maximum and LRN over channels, a group and an instance normalization"""
    b = Builder(16)
    x = b.conv("x", 16, 40, 3)
    shares = b.op("Softmax", x, axis=1)
    gated = b.op("Mul", x, b.op("Sigmoid", b.op("ReduceMax", shares, axes=[1])))
    y = b.op("InstanceNormalization", gated, b.random(40), b.random(40))
    y = b.op("LRN", b.conv(y, 40, 36, 3), size=5)
    g = b.op("Reshape", b.conv(y, 36, 40), [0, 4, -1])
    g = b.op("InstanceNormalization", g, b.number(1).repeat(4), b.number(0).repeat(4))
    g = b.op("Reshape", g, [1, 40, 12, 12])
    g = b.op("Add", b.op("Mul", g, b.random(40, 1, 1)), b.random(40, 1, 1))
    return b.model(b.conv(b.op("Relu", g), 40, 24, 3))


def halos() -> onnx.ModelProto:
    """Pads, pools and slices between convolutions"""
    b = Builder(16)
    x = b.op("Relu", b.conv("x", 16, 24, 3))
    p = b.op("Pad", x, [0, 0, 1, 1, 0, 0, 1, 1])
    w = b.random(24, 24, 3, 3, scale=0.1)
    y = b.op("Conv", p, w)
    pooled = b.op("MaxPool", y, kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])
    mean = b.op("AveragePool", y, kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])
    z = b.conv(b.op("Add", pooled, mean), 24, 24, 3)
    up = b.op("ConvTranspose", z, b.random(24, 24, 4, 4, scale=0.2), strides=[2, 2], pads=[1] * 4)
    return b.model(b.conv(up, 24, 20, 3))


def attention(heads: int = 2, c: int = 32, size: int = 6) -> onnx.ModelProto:
    """Self-attention over a map"""
    b, n, d = Builder(c, size), size * size, c // heads
    x = b.op("Transpose", b.op("Reshape", b.conv("x", c, c), [1, c, n]), perm=[0, 2, 1])
    q, k, v = (
        b.op("Reshape", b.op("MatMul", x, b.random(c, c, scale=0.2)), [1, n, heads, d])
        for _ in range(3)
    )
    q = b.op("Transpose", q, perm=[0, 2, 1, 3])
    k = b.op("Transpose", k, perm=[0, 2, 3, 1])
    v = b.op("Transpose", v, perm=[0, 2, 1, 3])
    s = b.op("Softmax", b.op("Mul", b.op("MatMul", q, k), b.number(d**-0.5)), axis=-1)
    y = b.op("Transpose", b.op("MatMul", s, v), perm=[0, 2, 1, 3])
    y = b.op("MatMul", b.op("Reshape", y, [1, n, c]), b.random(c, c, scale=0.2))
    y = b.op("Reshape", b.op("Transpose", b.op("Add", x, y), perm=[0, 2, 1]), [1, c, size, size])
    return b.model(b.conv(y, c, 24))


def channels_last() -> onnx.ModelProto:
    """Attention over channels, a sum of two maps and a normalization, all with channels last"""
    b, c = Builder(16), 40
    x, z = b.conv("x", 16, c, 3), b.conv("x", 16, c)
    u, v = (b.op("Transpose", t, perm=[0, 2, 3, 1]) for t in (x, z))
    shares = b.op("Softmax", b.op("MatMul", u, b.random(c, c, scale=0.2)), axis=-1)
    y = b.op("Add", b.op("Mul", shares, v), b.random(12, 12, 1))
    mean = b.op("ReduceMean", y, axes=[1, 2])
    y = b.op("Sub", y, b.op("Relu", b.op("Sub", mean, b.op("ReduceMax", y, axes=[3]))))
    y = b.op("LayerNormalization", y, b.random(c), b.random(c), axis=-1)
    return b.model(b.conv(b.op("Transpose", y, perm=[0, 3, 1, 2]), c, 24, 3))


NETWORKS: dict[str, onnx.ModelProto] = {
    **{
        f.__name__: activation(f)
        for f in (
            swish,
            hard_swish,
            mish,
            gelu,
            elu_plus,
            sigmoid,
            reciprocal,
            quotient,
            threshold,
            sign,
        )
    },
    "shufflenet": shufflenet(),
    "mobilenet_v3": mobilenet_v3(),
    "mbconv": mbconv(),
    "ghostnet": ghostnet(),
    "convnext_permuted": convnext(permuted=True),
    "convnext_spelled": convnext(permuted=False),
    "unet": unet(),
    "regnet": regnet(),
    "slices": slices(),
    "concats": concats(),
    "channel_norms": channel_norms(),
    "halos": halos(),
    "attention": attention(),
    "channels_last": channels_last(),
}
