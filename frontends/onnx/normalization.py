"""Operators that set the elements along some dimensions in relation to each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

from xdsl.ir import SSAValue

from lamina.dialects import graph
from lamina.frontends.onnx.activations import Formula
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
    axes, epsilon = _last_axes(node)
    x, rank = node.tensor(0), len(node.shape(0))
    y = node.add(graph.MulOp(node.add(graph.NormalizeOp(x, axes, epsilon)), aligned(node, 1, rank)))
    y = node.add(graph.AddOp(y, aligned(node, 2, rank))) if node.has(2) else y
    if len(node.proto.output) == 1:
        return [y]
    f = Formula(node)
    mean = _mean(node, x, axes)
    difference = node.add(graph.SubOp(x, mean))
    variance = _mean(node, f.mul(difference, difference), axes)
    return [y, mean, f.div(1.0, f(graph.SqrtOp, f.add(variance, epsilon)))]


def _rms_norm(node: Node) -> Sequence[Value]:
    """x / sqrt(mean of x * x, plus epsilon) * scale, over all dimensions from `axis` on"""
    axes, epsilon = _last_axes(node)
    f, size = Formula(node), node.shape(0)
    squares = node.add(graph.ReduceOp(f.x, "sum_square", axes))
    mean = f.mul(squares, 1 / prod(size[d] for d in axes))
    y = f.div(f.x, f(graph.SqrtOp, f.add(mean, epsilon)))
    return [f.mul(y, aligned(node, 1, len(size)))]


def _last_axes(node: Node) -> tuple[Sequence[int], float]:
    """The dimensions from `axis` on, and epsilon."""
    node.require("stash_type", 1)
    rank = len(node.shape(0))
    return range(node.axis(-1, rank), rank), node.attribute("epsilon", 1e-5)


def _mean(node: Node, x: SSAValue, axes: Sequence[int]) -> SSAValue:
    return node.add(graph.ReduceOp(x, "mean", axes))


def _mean_variance_norm(node: Node) -> Sequence[Value]:
    """(x - m) / (sqrt(mean of (x - m)^2) + 1e-9), as ONNX defines it; m is the mean of x"""
    f, rank = Formula(node), len(node.shape(0))
    found = node.attribute("axes", [0, 2, 3])
    if outside := [a for a in found if not -rank <= a < rank]:
        raise Unsupported(f"with axis {outside[0]} of {rank} dimensions")
    axes = sorted({a % rank for a in found})
    difference = node.add(graph.SubOp(f.x, _mean(node, f.x, axes)))
    deviation = f(graph.SqrtOp, _mean(node, f.mul(difference, difference), axes))
    return [f.div(difference, f.add(deviation, 1e-9))]


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


def _along_axis(node: Node, op: type[graph.AlongAxisOp]) -> Sequence[Value]:
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
    "MeanVarianceNormalization": _mean_variance_norm,
    "RMSNormalization": _rms_norm,
    "Softmax": _softmax,
}
