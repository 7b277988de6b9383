"""Operators that move or pass on elements; on arrays that are known, they are done at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np
from xdsl.dialects.builtin import TensorType

from lamina.dialects import graph
from lamina.frontends.onnx.node import Node, Unsupported, Value


def reshaped(node: Node, x: Value, size: Sequence[int]) -> Value:
    """`x` in another shape; `x` itself if that is its shape."""
    if isinstance(x, np.ndarray):
        return x.reshape(size)
    if graph.shape(x) == tuple(size):
        return x
    type = TensorType(graph.tensor_type(x).element_type, size)
    return node.add(graph.ReshapeOp(x, type))


def transposed(node: Node, x: Value, perm: Sequence[int]) -> Value:
    """`x` with its dimensions in another order."""
    if isinstance(x, np.ndarray):
        return x.transpose(perm)
    return node.add(graph.TransposeOp(x, perm))


def _concat(node: Node) -> Sequence[Value]:
    axis = node.axis(0, len(node.shape(0)))
    values = [node.value(i) for i in range(node.inputs)]
    arrays = [v for v in values if isinstance(v, np.ndarray)]
    if len(arrays) == len(values):
        return [np.concatenate(arrays, axis)]
    return [node.add(graph.ConcatOp([node.tensor(i) for i in range(node.inputs)], axis))]


def _constant(node: Node) -> Sequence[Value]:
    for name, dtype in (
        ("value_float", np.float32),
        ("value_floats", np.float32),
        ("value_int", np.int64),
        ("value_ints", np.int64),
    ):
        if (value := node.optional(name)) is not None:
            return [np.array(value, dtype)]
    tensor = node.optional("value")
    if tensor is None:
        raise Unsupported("without numbers")
    return [node.decode(tensor)]


def _dropout(node: Node) -> Sequence[Value]:
    node.ignore("ratio", "seed")
    if node.has(2) and node.constant(2, "training_mode").item():
        raise Unsupported("in training mode")
    if node.opset < 10:  # before, the mask was undefined when nothing is dropped
        return [node.value(0)]
    return [node.value(0), np.broadcast_to(True, node.shape(0))]


def _flatten(node: Node) -> Sequence[Value]:
    size = node.shape(0)
    axis = node.attribute("axis", 1)
    axis = len(size) if axis == len(size) else node.axis(1, len(size))  # a column of all of them
    return [reshaped(node, node.value(0), (prod(size[:axis]), prod(size[axis:])))]


def _reshape(node: Node) -> Sequence[Value]:
    old = node.shape(0)
    new = [int(n) for n in node.constant(1, "shapes")]
    if not node.attribute("allowzero", 0):
        new = [old[i] if n == 0 and i < len(old) else n for i, n in enumerate(new)]
    if -1 in new:
        rest = prod(n for n in new if n != -1)
        new[new.index(-1)] = prod(old) // max(rest, 1)
    if prod(new) != prod(old):
        raise Unsupported(f"of {list(old)} to {node.constant(1, 'shapes').tolist()}")
    return [reshaped(node, node.value(0), new)]


def _squeeze(node: Node) -> Sequence[Value]:
    size, axes = node.shape(0), node.axes(since=13)
    gone = [i for i, n in enumerate(size) if n == 1] if axes is None else axes
    gone = [a + len(size) if a < 0 else a for a in gone]
    return [reshaped(node, node.value(0), [n for i, n in enumerate(size) if i not in gone])]


def _transpose(node: Node) -> Sequence[Value]:
    rank = len(node.shape(0))
    perm = node.attribute("perm", list(reversed(range(rank))))
    return [transposed(node, node.value(0), perm)]


def _unsqueeze(node: Node) -> Sequence[Value]:
    size, axes = list(node.shape(0)), node.axes(since=13) or []
    rank = len(size) + len(axes)
    for axis in sorted(a + rank if a < 0 else a for a in axes):
        size.insert(axis, 1)
    return [reshaped(node, node.value(0), size)]


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "Concat": _concat,
    "Constant": _constant,
    "Dropout": _dropout,
    "Flatten": _flatten,
    "Identity": lambda node: [node.value(0)],
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
