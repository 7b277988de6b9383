"""
Layers by the names the papers use, each with its weights.

How weights are scaled, so that activations stay of order one without a look at any data:

- convolution before a ReLU: N(0, 2 / fan-in), which keeps the variance through the ReLU
- convolution without one (linear bottlenecks, projections): N(0, 1 / fan-in)
- bias of a convolution: N(0, .05^2)
- batch norm: scale U(.8, 1.2), bias N(0, .1^2), mean N(0, .1^2), variance U(.8, 1.25)
- batch norm at the end of a residual branch: scale and bias also times sqrt(2 / blocks), so that
  the sum over all blocks stays of order one
- classifier: N(0, 1 / fan-in), bias N(0, .01^2)

Batch norms stay nodes of their own: folding them is the compiler's work.
"""

import math
from typing import Any

import numpy as np

from benchmarks.models.graph import Graph

Pair = int | tuple[int, int]


def pair(value: Pair) -> tuple[int, int]:
    """`3` stands for `(3, 3)`."""
    return (value, value) if isinstance(value, int) else value


class Network(Graph):
    """A graph built of layers; each takes the names of values and returns one."""

    def conv(
        self,
        x: str,
        channels: int,
        kernel: Pair,
        stride: int = 1,
        pad: Pair = 0,
        *,
        groups: int = 1,
        bias: bool = False,
        gain: float = 2.0,
    ) -> str:
        """A convolution; weights of variance `gain` / fan-in."""
        (kh, kw), (ph, pw) = pair(kernel), pair(pad)
        n, c, h, w = self.dims(x)
        name = self.fresh("conv")
        fan_in = c // groups * kh * kw
        deviation = (gain / fan_in) ** 0.5
        inputs = [x, self.normal(f"{name}.w", (channels, c // groups, kh, kw), deviation)]
        if bias:
            inputs.append(self.normal(f"{name}.b", (channels,), 0.05))
        oh, ow = (h + 2 * ph - kh) // stride + 1, (w + 2 * pw - kw) // stride + 1
        self.macs += n * channels * oh * ow * fan_in
        return self.node(
            "Conv",
            inputs,
            (n, channels, oh, ow),
            name,
            kernel_shape=[kh, kw],
            strides=[stride, stride],
            pads=[ph, pw, ph, pw],
            dilations=[1, 1],
            group=groups,
        )

    def batch_norm(self, x: str, epsilon: float = 1e-5, residual: float = 1.0) -> str:
        """A batch norm; `residual` scales what it adds to a residual sum."""
        channels = self.dims(x)[1]
        name = self.fresh("bn")
        random = self.random(name)
        scale = random.uniform(0.8, 1.2, channels).astype(np.float32) * np.float32(residual)
        bias = random.standard_normal(channels, np.float32) * np.float32(0.1 * residual)
        mean = random.standard_normal(channels, np.float32) * np.float32(0.1)
        variance = random.uniform(0.8, 1.25, channels).astype(np.float32)
        values = {"scale": scale, "bias": bias, "mean": mean, "var": variance}
        inputs = [x, *(self.weight(f"{name}.{which}", v) for which, v in values.items())]
        return self.node("BatchNormalization", inputs, self.shape[x], name, epsilon=epsilon)

    def relu(self, x: str) -> str:
        """max(x, 0)"""
        return self.node("Relu", [x], self.shape[x])

    def relu6(self, x: str) -> str:
        """min(max(x, 0), 6), as ONNX says it since opset 11"""
        low = self.weight("c0", np.array(0, np.float32))
        high = self.weight("c6", np.array(6, np.float32))
        return self.node("Clip", [x, low, high], self.shape[x])

    def max_pool(
        self, x: str, kernel: int, stride: int, pad: int = 0, *, ceil: bool = False
    ) -> str:
        """The maximum of each window; `ceil` keeps windows that reach over the border."""
        return self.pool("MaxPool", x, kernel, stride, pad, ceil)

    def average_pool(self, x: str, kernel: int, stride: int, pad: int = 0) -> str:
        """The mean of each window, with the padding counted in."""
        return self.pool("AveragePool", x, kernel, stride, pad, False, count_include_pad=1)

    def pool(
        self, op: str, x: str, kernel: int, stride: int, pad: int, ceil: bool, **attributes: Any
    ) -> str:
        """A pooling node with square windows."""
        n, c, h, w = self.dims(x)
        spans = [h + 2 * pad - kernel, w + 2 * pad - kernel]
        oh, ow = ((math.ceil(s / stride) if ceil else s // stride) + 1 for s in spans)
        return self.node(
            op,
            [x],
            (n, c, oh, ow),
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[pad] * 4,
            ceil_mode=int(ceil),
            **attributes,
        )

    def global_average_pool(self, x: str) -> str:
        """The mean of each channel."""
        n, c, _, _ = self.dims(x)
        return self.node("GlobalAveragePool", [x], (n, c, 1, 1))

    def flatten(self, x: str) -> str:
        """All dimensions but the first made one."""
        n, *rest = self.dims(x)
        return self.node("Flatten", [x], (n, math.prod(rest)), axis=1)

    def dense(self, x: str, features: int, gain: float = 1.0) -> str:
        """A fully connected layer; weights of variance `gain` / fan-in."""
        n, fan_in = self.dims(x)
        name = self.fresh("fc")
        w = self.normal(f"{name}.w", (features, fan_in), (gain / fan_in) ** 0.5)
        b = self.normal(f"{name}.b", (features,), 0.01)
        self.macs += n * fan_in * features
        return self.node("Gemm", [x, w, b], (n, features), name, transB=1)

    def add(self, a: str, b: str) -> str:
        """a + b"""
        return self.node("Add", [a, b], self.shape[a])

    def concat(self, parts: list[str], axis: int = 1) -> str:
        """The values side by side along one axis."""
        shape = list(self.dims(parts[0]))
        shape[axis] = sum(self.dims(part)[axis] for part in parts)
        return self.node("Concat", parts, tuple(shape), axis=axis)

    def conv_bn(
        self,
        x: str,
        channels: int,
        kernel: Pair,
        stride: int = 1,
        pad: Pair = 0,
        *,
        groups: int = 1,
        gain: float = 2.0,
        epsilon: float = 1e-5,
        residual: float = 1.0,
    ) -> str:
        """A convolution and its batch norm."""
        x = self.conv(x, channels, kernel, stride, pad, groups=groups, gain=gain)
        return self.batch_norm(x, epsilon, residual)

    def classifier(self, x: str, classes: int = 1000) -> dict[str, str]:
        """The end of most networks: the mean of each channel, then one dense layer."""
        return {"output": self.dense(self.flatten(self.global_average_pool(x)), classes)}
