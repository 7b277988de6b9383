"""Convolutions, and transposed ones as convolutions with small windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.ir import SSAValue

from lamina.dialects import graph
from lamina.frontends.onnx.movement import reshaped, transposed
from lamina.frontends.onnx.node import Node, Unsupported, Value, whole
from lamina.frontends.onnx.window import Window, image, like


def _conv(node: Node) -> Sequence[Value]:
    window = Window.padded(node, node.shape(1)[2:])
    conv = graph.Conv2dOp(
        image(node, 0),
        image(node, 1),
        node.tensor(2) if node.has(2) else None,
        strides=window.strides,
        pads=window.pads,
        dilations=window.dilations,
        groups=node.attribute("group", 1),
    )
    return [like(node, node.add(conv))]


@dataclass(frozen=True)
class Side:
    """
    One dimension of a transposed convolution: y[h] = sum over i of x[i] * w[t], where t = h +
    before - i * stride. Every `stride`-th element of y uses the same taps of w, so that it is
    `stride` convolutions, whose results are interleaved.
    """

    size: int
    """elements of x"""
    result: int
    """elements of y"""
    before: int
    """how many elements in front of y are left out"""
    stride: int
    kernel: int
    dilation: int

    @property
    def taps(self) -> int:
        """Taps of each of the convolutions."""
        return -(-(self.dilation * (self.kernel - 1) + 1) // self.stride)

    @property
    def first(self) -> int:
        """The first result of the convolutions that y needs."""
        return min(self.before // self.stride, self.taps - 1)

    @property
    def pads(self) -> tuple[int, int]:
        """Padding of the convolutions: from their first result to the last that y needs."""
        last = max((self.before + self.result - 1) // self.stride, self.size - 1)
        return self.taps - 1 - self.first, last - self.size + 1

    @property
    def offset(self) -> int:
        """Where y starts in the interleaved results."""
        return self.before - self.first * self.stride

    def selection(self) -> list[int | None]:
        """Which tap of w each tap of each convolution is; None if it is zero."""
        chosen: list[int | None] = []
        for phase, tap in np.ndindex(self.stride, self.taps):
            k, between = divmod((self.taps - 1 - tap) * self.stride + phase, self.dilation)
            chosen.append(None if between or k >= self.kernel else k)
        return chosen


def _sides(node: Node, window: Window) -> list[Side]:
    """Height and width, with the padding and the sizes that attributes ask for."""
    rank = len(node.shape(0)) - 2
    extra = whole(node.optional("output_padding"), [0] * rank)
    asked, auto_pad = node.optional("output_shape"), node.attribute("auto_pad", "NOTSET")
    results = [None] * rank if asked is None else list(asked)
    if len(extra) != rank or len(results) != rank:
        raise Unsupported(
            f"with output_padding {extra} and output_shape {asked or []}, {rank} of each are needed"
        )
    if auto_pad not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise Unsupported(f"with auto_pad {auto_pad}")
    extra, results = [0] * (2 - rank) + extra, [None] * (2 - rank) + results
    sides: list[Side] = []
    for i, (n, stride, extent) in enumerate(
        zip(window.size, window.strides, window.extent, strict=True)
    ):
        every, result = (n - 1) * stride + extent + extra[i], results[i]
        before, after = (0, 0) if auto_pad == "VALID" else (window.pads[i], window.pads[i + 2])
        if auto_pad.startswith("SAME") and result is None:
            result = n * stride
        if result is None:
            result = every - before - after
        else:
            before = (every - result + (auto_pad != "SAME_UPPER")) // 2
        if result < 1 or before < 0 or (auto_pad.startswith("SAME") and result > every):
            raise Unsupported(f"with auto_pad {auto_pad}, which makes {result} elements of {every}")
        sides.append(Side(n, result, before, stride, window.kernel[i], window.dilations[i]))
    return sides


def _conv_transpose(node: Node) -> Sequence[Value]:
    window = Window.read(node, node.shape(1)[2:])
    groups, sides = node.attribute("group", 1), _sides(node, window)
    x, channels = image(node, 0), node.shape(1)[1] * groups
    (top, bottom), (left, right) = (side.pads for side in sides)
    w = _small_windows(node, sides, groups)
    y = node.add(graph.Conv2dOp(x, w, pads=(top, left, bottom, right), groups=groups))
    size = [graph.shape(x)[0], channels, *(side.result for side in sides)]
    if window.strides != [1, 1] or list(graph.shape(y)) != size:
        interleave = graph.InterleaveOp(
            y,
            TensorType(graph.tensor_type(x).element_type, size),
            steps=window.strides,
            offsets=[side.offset for side in sides],
            groups=groups,
        )
        y = node.add(interleave)
    if node.has(2):
        bias = reshaped(node, node.value(2), (1, channels, 1, 1))
        bias = bias if isinstance(bias, SSAValue) else node.known(bias, node.name_of(2))
        y = node.add(graph.AddOp(y, bias))
    return [like(node, y)]


def _small_windows(node: Node, sides: Sequence[Side], groups: int) -> SSAValue:
    """
    Weights [inputs, outputs of a group, h, w] as those of one convolution that computes the
    results of all phases, [groups, phase, outputs of a group; inputs of a group; taps].
    """
    w, (inputs, outputs) = node.value(1), node.shape(1)[:2]
    if groups < 1 or inputs % groups:
        raise Unsupported(f"with group {groups} and weights {list(node.shape(1))}")
    count = prod(side.kernel for side in sides)
    chosen = [
        count if i is None or j is None else i * sides[1].kernel + j
        for i, j in product(*(side.selection() for side in sides))
    ]
    flat = reshaped(node, w, (inputs * outputs, count))
    zero = np.zeros((inputs * outputs, 1), np.float32)
    if isinstance(flat, SSAValue):
        flat = node.add(graph.ConcatOp([flat, node.known(zero)], 1))
        flat = node.add(graph.GatherOp(flat, 1, chosen))
    else:
        flat = np.concatenate([flat, zero], 1)[:, chosen]
    phases = [n for side in sides for n in (side.stride, side.taps)]
    apart = reshaped(node, flat, (groups, inputs // groups, outputs, *phases))
    apart = transposed(node, apart, (0, 3, 5, 2, 1, 4, 6))
    filters = groups * outputs * prod(side.stride for side in sides)
    small = reshaped(node, apart, (filters, inputs // groups, *(side.taps for side in sides)))
    return small if isinstance(small, SSAValue) else node.known(small, node.name_of(1))


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
}
