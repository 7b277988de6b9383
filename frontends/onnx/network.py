"""Convolutions and pooling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lamina.dialects import graph
from lamina.frontends.onnx.movement import reshaped
from lamina.frontends.onnx.node import Node, Unsupported, Value


def _reduce_mean(node: Node) -> Sequence[Value]:
    x = node.tensor(0)
    size, axes = graph.shape(x), node.axes(since=18)
    if axes is None and node.attribute("noop_with_empty_axes", 0):
        return [x]
    axes = range(len(size)) if axes is None else axes
    if len(size) != 4 or sorted(a % 4 for a in axes) != [2, 3]:
        raise Unsupported(f"of {list(size)} over {list(axes)}; height and width are supported")
    y = node.add(graph.GlobalAvgPoolOp(x))
    return [y if node.attribute("keepdims", 1) else reshaped(node, y, size[:2])]


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "ReduceMean": _reduce_mean,
}
