"""
Networks of one kind of layer each, for what the measured networks have little of.

A layer is repeated, so that what happens at the ends of a network is a small part of its time.

    python -m benchmarks.operators --out build/operators [NAME ...]
    lamina bench build/operators/*.onnx --against onnxruntime,openvino
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from benchmarks.models.network import Network

DEPTH = 8
"""layers in a network"""

Shape = tuple[int, ...]
Layer = Callable[[Network, str], str]


def conv(kernel: int | tuple[int, int], groups: int = 1, dilation: int = 1) -> Layer:
    """A convolution that keeps the shape, and a ReLU."""
    kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel

    def layer(net: Network, x: str) -> str:
        _, c, _, _ = shape = net.dims(x)
        w = net.normal(
            net.fresh("w"), (c, c // groups, kh, kw), (2 * groups / (c * kh * kw)) ** 0.5
        )
        pads = [dilation * (kh // 2), dilation * (kw // 2)] * 2
        y = net.node("Conv", [x, w], shape, pads=pads, group=groups, dilations=[dilation] * 2)
        return net.relu(y)

    return layer


def strided(depthwise: bool) -> Layer:
    """A convolution with stride 2, and the nearest neighbours of its result back to the shape."""

    def layer(net: Network, x: str) -> str:
        channels = net.dims(x)[1]
        return nearest(net, net.conv(x, channels, 3, 2, 1, groups=channels if depthwise else 1))

    return layer


def nearest(net: Network, x: str, mode: str = "nearest") -> str:
    """Twice as high and wide."""
    n, c, h, w = net.dims(x)
    scales = net.weight("scales", np.array([1, 1, 2, 2], np.float32))
    return net.node("Resize", [x, "", scales], (n, c, 2 * h, 2 * w), mode=mode)


def up_and_down(up: Layer) -> Layer:
    """`up`, which doubles height and width, and a max pooling that halves them."""
    return lambda net, x: net.max_pool(up(net, x), 2, 2)


def deconv(kernel: int, pad: int) -> Layer:
    """A transposed convolution with stride 2."""

    def layer(net: Network, x: str) -> str:
        n, c, h, w = net.dims(x)
        weight = net.normal(net.fresh("w"), (c, c, kernel, kernel), (2 / (c * kernel)) ** 0.5)
        shape = (n, c, 2 * h, 2 * w)
        return net.node("ConvTranspose", [x, weight], shape, strides=[2, 2], pads=[pad] * 4)

    return layer


def gate(net: Network, x: str) -> str:
    """Squeeze and excite behind a depthwise convolution, as in MobileNet-v3 and EfficientNet."""
    n, c, _, _ = shape = net.dims(x)
    x = net.relu(net.conv(x, c, 3, 1, 1, groups=c))
    s = net.relu(net.conv(net.global_average_pool(x), c // 4, 1, bias=True))
    s = net.node("Sigmoid", [net.conv(s, c, 1, bias=True)], (n, c, 1, 1))
    return net.node("Mul", [x, s], shape)


def shuffle(net: Network, x: str) -> str:
    """A 1x1 convolution, and its channels in another order, as in ShuffleNet."""
    n, c, h, w = shape = net.dims(x)
    x = net.relu(net.conv(x, c, 1))
    apart = net.weight("apart", np.array([n, 2, c // 2, h, w]))
    x = net.node("Reshape", [x, apart], (n, 2, c // 2, h, w))
    x = net.node("Transpose", [x], (n, c // 2, 2, h, w), perm=[0, 2, 1, 3, 4])
    return net.node("Reshape", [x, net.weight("whole", np.array(shape))], shape)


def split_concat(net: Network, x: str) -> str:
    """Half of the channels goes through a convolution and comes back beside the other half."""
    n, c, h, w = net.dims(x)
    zero, half, whole = (net.weight(f"at{k}", np.array([k])) for k in (0, c // 2, c))
    axis = net.weight("axis", np.array([1]))
    parts = [
        net.node("Slice", [x, *bounds, axis], (n, c // 2, h, w))
        for bounds in ((zero, half), (half, whole))
    ]
    return net.concat([net.relu(net.conv(parts[0], c // 2, 1)), parts[1]])


def pointwise(op: str, **attributes: Any) -> Layer:
    """A 1x1 convolution and an activation."""

    def layer(net: Network, x: str) -> str:
        y = net.conv(x, net.dims(x)[1], 1)
        return net.node(op, [y], net.dims(x), **attributes)

    return layer


def swish(net: Network, x: str) -> str:
    """A 1x1 convolution, then x * sigmoid(x)."""
    y = net.conv(x, net.dims(x)[1], 1)
    return net.node("Mul", [y, net.node("Sigmoid", [y], net.dims(x))], net.dims(x))


def pool(op: str, kernel: int) -> Layer:
    """A pooling that keeps the shape."""
    return lambda net, x: net.pool(op, x, kernel, 1, kernel // 2, False)


def linear(net: Network, x: str) -> str:
    """A matrix product and GELU, of a transformer."""
    shape = net.dims(x)
    w = net.normal(net.fresh("w"), (shape[-1], shape[-1]), (1 / shape[-1]) ** 0.5)
    return net.node("Gelu", [net.node("MatMul", [x, w], shape)], shape)


def layer_norm(net: Network, x: str) -> str:
    """A layer normalization."""
    scale = net.weight("one", np.ones(net.dims(x)[-1], np.float32))
    return net.node("LayerNormalization", [x, scale], net.dims(x), axis=-1)


def softmax(net: Network, x: str) -> str:
    """Softmax along rows."""
    return net.node("Softmax", [x], net.dims(x), axis=-1)


def attention(net: Network, x: str) -> str:
    """Scores of all pairs, softmax, weighted sums; 12 heads."""
    n, t, c = net.dims(x)
    apart, whole = (
        net.weight("heads", np.array([n, t, 12, c // 12])),
        net.weight("flat", np.array([n, t, c])),
    )
    parts = []
    for perm in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]):
        w = net.normal(net.fresh("w"), (c, c), (1 / c) ** 0.5)
        y = net.node("Reshape", [net.node("MatMul", [x, w], (n, t, c)), apart], (n, t, 12, c // 12))
        shape = tuple((n, t, 12, c // 12)[p] for p in perm)
        parts.append(net.node("Transpose", [y], shape, perm=perm))
    scores = softmax(net, net.node("MatMul", parts[:2], (n, 12, t, t)))
    y = net.node("MatMul", [scores, parts[2]], (n, 12, t, c // 12))
    y = net.node("Transpose", [y], (n, t, 12, c // 12), perm=[0, 2, 1, 3])
    return net.node("Reshape", [y, whole], (n, t, c))


def norm(op: str, **attributes: Any) -> Layer:
    """A normalization with a scale and a bias for each channel (or group)."""

    def layer(net: Network, x: str) -> str:
        c = net.dims(x)[1]
        scale = net.weight("scale", np.ones(c, np.float32))
        return net.node(
            op, [x, scale, net.weight("bias", np.zeros(c, np.float32))], net.dims(x), **attributes
        )

    return layer


MAP, SMALL, TOKENS = (1, 64, 56, 56), (1, 128, 28, 28), (1, 196, 768)

CASES: Mapping[str, tuple[Shape, Layer]] = {
    "conv3x3": (MAP, conv(3)),
    "conv3x3_wide": ((1, 512, 14, 14), conv(3)),
    "conv3x3_odd": ((1, 60, 37, 37), conv(3)),
    "conv5x5": (SMALL, conv(5)),
    "conv1x7": ((1, 192, 17, 17), lambda net, x: conv((7, 1))(net, conv((1, 7))(net, x))),
    "conv1x1": ((1, 256, 28, 28), conv(1)),
    "conv1x1_batch4": ((4, 256, 14, 14), conv(1)),
    "grouped_by_4": (SMALL, conv(3, groups=32)),
    "grouped_by_16": (SMALL, conv(3, groups=8)),
    "grouped_by_24": ((1, 240, 28, 28), conv(3, groups=10)),
    "dilated": (SMALL, conv(3, dilation=2)),
    "depthwise3": ((1, 144, 56, 56), conv(3, groups=144)),
    "depthwise5": ((1, 240, 28, 28), conv(5, groups=240)),
    "depthwise7": ((1, 192, 28, 28), conv(7, groups=192)),
    "depthwise3_stride2": ((1, 144, 56, 56), strided(True)),
    "conv3x3_stride2": (MAP, strided(False)),
    "deconv2": (SMALL, up_and_down(deconv(2, 0))),
    "deconv4": (SMALL, up_and_down(deconv(4, 1))),
    "resize_nearest": (MAP, up_and_down(nearest)),
    "resize_linear": (MAP, up_and_down(lambda net, x: nearest(net, x, "linear"))),
    "max_pool3": (MAP, pool("MaxPool", 3)),
    "average_pool3": (MAP, pool("AveragePool", 3)),
    "gate": ((1, 240, 28, 28), gate),
    "shuffle": ((1, 116, 28, 28), shuffle),
    "split_concat": ((1, 128, 28, 28), split_concat),
    "sigmoid": (MAP, pointwise("Sigmoid")),
    "swish": (MAP, swish),
    "hard_swish": (MAP, pointwise("HardSwish")),
    "elu": (MAP, pointwise("Elu")),
    "tanh": (MAP, pointwise("Tanh")),
    "lrn": (MAP, lambda net, x: net.node("LRN", [x], net.dims(x), size=5)),
    "instance_norm": (MAP, norm("InstanceNormalization")),
    "group_norm": (MAP, norm("GroupNormalization", num_groups=8)),
    "linear_gelu": (TOKENS, linear),
    "layer_norm": (TOKENS, layer_norm),
    "softmax": ((1, 12, 196, 196), lambda net, x: softmax(net, net.add(x, x))),
    "attention": (TOKENS, attention),
}


def build(name: str) -> onnx.ModelProto:
    """The network of one case."""
    shape, layer = CASES[name]
    net = Network(name, opset=21)
    x = net.input("data", shape)
    if len(shape) == 4 and layer is not CASES["softmax"][1]:
        x = net.relu(net.conv(x, shape[1], 1))  # so that layers find what they find in a network
    for _ in range(DEPTH):
        x = layer(net, x)
    net.outputs = {"output": x}
    return net.model()


def main(argv: Sequence[str] | None = None) -> None:
    """Write the files."""
    parser = argparse.ArgumentParser("python -m benchmarks.operators", description=__doc__)
    parser.add_argument("names", nargs="*", default=list(CASES), metavar="NAME")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    if unknown := [name for name in args.names if name not in CASES]:
        parser.error(f"no case '{unknown[0]}'; there are {', '.join(CASES)}")
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.names:
        onnx.save(build(name), args.out / f"{name}.onnx")


if __name__ == "__main__":
    main()
