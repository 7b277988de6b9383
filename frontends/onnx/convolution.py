"""Convolutions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lamina.dialects import graph
from lamina.frontends.onnx.node import Node, Value
from lamina.frontends.onnx.window import Window, image, like


def _conv(node: Node) -> Sequence[Value]:
    window = Window.padded(node, node.shape(1)[2:])
    x, w = image(node, 0), image(node, 1)
    bias = node.tensor(2) if node.has(2) else None
    conv = graph.Conv2dOp(
        x,
        w,
        bias,
        strides=window.strides,
        pads=window.pads,
        dilations=window.dilations,
        groups=node.attribute("group", 1),
    )
    return [like(node, node.add(conv))]


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "Conv": _conv,
}
