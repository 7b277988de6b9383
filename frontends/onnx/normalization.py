"""Operators that set the elements along some dimensions in relation to each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

from xdsl.ir import SSAValue

from lamina.dialects import graph
from lamina.frontends.onnx.movement import reshaped
from lamina.frontends.onnx.node import Node, Unsupported, Value
from lamina.frontends.onnx.pointwise import aligned


def _batch_norm(node: Node) -> Sequence[Value]:
    node.ignore("momentum")
    node.require("training_mode", 0)
    return [
        node.add(
            graph.BatchNormOp(
                *(node.tensor(i) for i in range(5)), epsilon=node.attribute("epsilon", 1e-5)
            )
        )
    ]


def _instance_norm(node: Node) -> Sequence[Value]:
    """Every channel of every image over its own map."""
    x = node.tensor(0)
    rank = len(graph.shape(x))
    if rank < 3:
        raise Unsupported(f"of {list(graph.shape(x))}; N, C and more are needed")
    y = node.add(graph.NormalizeOp(x, range(2, rank), node.attribute("epsilon", 1e-5)))
    return [_scaled_and_shifted(node, y)]


def _layer_norm(node: Node) -> Sequence[Value]:
    """Over all dimensions from `axis` on; scale and bias broadcast as they are."""
    node.require("stash_type", 1)
    x = node.tensor(0)
    rank = len(graph.shape(x))
    axes = range(node.axis(-1, rank), rank)
    y = node.add(graph.NormalizeOp(x, axes, node.attribute("epsilon", 1e-5)))
    y = node.add(graph.MulOp(y, aligned(node, 1, rank)))
    return [node.add(graph.AddOp(y, aligned(node, 2, rank))) if node.has(2) else y]


def _group_norm(node: Node) -> Sequence[Value]:
    """Over the maps of neighbouring channels together; ONNX itself refuses it before opset 21."""
    node.require("stash_type", 1)
    x, groups = node.tensor(0), node.attribute("num_groups", 1)
    size = graph.shape(x)
    if len(size) < 2 or groups < 1 or size[1] % groups:
        raise Unsupported(f"of {list(size)} in {groups} groups")
    rows = _operand(reshaped(node, x, (size[0], groups, prod(size[1:]) // groups)))
    y = node.add(graph.NormalizeOp(rows, [2], node.attribute("epsilon", 1e-5)))
    return [_scaled_and_shifted(node, _operand(reshaped(node, y, size)))]


def _softmax(node: Node) -> Sequence[Value]:
    return _along_axis(node, graph.SoftmaxOp)


def _log_softmax(node: Node) -> Sequence[Value]:
    return _along_axis(node, graph.LogSoftmaxOp)


def _along_axis(
    node: Node, op: type[graph.SoftmaxOp] | type[graph.LogSoftmaxOp]
) -> Sequence[Value]:
    x = node.tensor(0)
    size = graph.shape(x)
    axis = node.axis(-1 if node.opset >= 13 else 1, len(size))
    if node.opset >= 13 or prod(size[axis + 1 :]) == 1:
        return [node.add(op(x, axis))]
    # before opset 13: over all dimensions from `axis` on, together
    flat = reshaped(node, x, (prod(size[:axis]), prod(size[axis:])))
    return [reshaped(node, node.add(op(_operand(flat), 1)), size)]


def _scaled_and_shifted(node: Node, x: SSAValue) -> SSAValue:
    """x * scale + bias with inputs 1 and 2, which run along dimension 1."""
    for i, op in ((1, graph.MulOp), (2, graph.AddOp)):
        column = reshaped(
            node, node.value(i), (1, *node.shape(i), *(1,) * (len(graph.shape(x)) - 2))
        )
        known = not isinstance(column, SSAValue)
        x = node.add(op(x, node.known(column, node.name_of(i)) if known else column))
    return x


def _operand(x: Value) -> SSAValue:
    assert isinstance(x, SSAValue)
    return x


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "BatchNormalization": _batch_norm,
    "GroupNormalization": _group_norm,
    "InstanceNormalization": _instance_norm,
    "LayerNormalization": _layer_norm,
    "LogSoftmax": _log_softmax,
    "Softmax": _softmax,
}
