"""Operators on single elements, with broadcasting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from xdsl.dialects.builtin import f32
from xdsl.ir import SSAValue

from lamina.dialects import graph
from lamina.dialects.graph import tensor_type
from lamina.frontends.onnx.movement import reshaped
from lamina.frontends.onnx.node import Node, Unsupported, Value

_LARGEST = float(np.finfo(np.float32).max)


def unary(op: type[graph.UnaryOp]) -> Callable[[Node], Sequence[Value]]:
    return lambda node: [node.add(op(node.tensor(0)))]


def binary(op: type[graph.BinaryOp]) -> Callable[[Node], Sequence[Value]]:
    """Two operands or, for those operators that allow it, any number: (a op b) op c."""

    def convert(node: Node) -> Sequence[Value]:
        rank = max(len(node.shape(i)) for i in range(node.inputs))
        result = aligned(node, 0, rank)
        for i in range(1, node.inputs):
            result = node.add(op(result, aligned(node, i, rank)))
        return [result]

    return convert


def aligned(node: Node, i: int, rank: int) -> SSAValue:
    """Input `i` with dimensions of size 1 in front, as ONNX broadcasts."""
    size = node.shape(i)
    if len(size) == rank:
        return node.tensor(i)
    value = reshaped(node, node.value(i), (1,) * (rank - len(size)) + size)
    return value if isinstance(value, SSAValue) else node.known(value, node.name_of(i))


def _mean(node: Node) -> Sequence[Value]:
    """The sum times 1 / n."""
    (total,) = binary(graph.AddOp)(node)
    if node.inputs == 1:
        return [total]
    assert isinstance(total, SSAValue)
    share = np.full((1,) * len(graph.shape(total)), 1 / node.inputs, np.float32)
    return [node.add(graph.MulOp(total, node.known(share)))]


def _clip(node: Node) -> Sequence[Value]:
    if node.opset < 11:
        low, high = node.attribute("min", -_LARGEST), node.attribute("max", _LARGEST)
    elif _has_open_bounds(node) or tensor_type(node.tensor(0)).element_type != f32:
        return _clip_between(node)
    else:
        low, high = _bound(node, 1, -np.inf), _bound(node, 2, np.inf)
    x = node.tensor(0)
    if low == -np.inf and high == np.inf:
        return [x]
    return [node.add(graph.ClipOp(x, min(low, high), high))]  # ONNX: high wins


def _has_open_bounds(node: Node) -> bool:
    return any(node.has(i) and isinstance(node.value(i), SSAValue) for i in (1, 2))


def _clip_between(node: Node) -> Sequence[Value]:
    """Bounds that are computed at run time, or of integers."""
    x = node.tensor(0)
    rank = len(graph.shape(x))
    for i, op in ((1, graph.MaximumOp), (2, graph.MinimumOp)):
        if node.has(i):
            x = node.add(op(x, aligned(node, i, rank)))
    return [x]


def _bound(node: Node, i: int, default: float) -> float:
    bound = float(node.constant(i, "bounds").item()) if node.has(i) else default
    if np.isnan(bound):
        raise Unsupported("with a bound that is NaN")
    return bound


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "Abs": unary(graph.AbsOp),
    "Add": binary(graph.AddOp),
    "Ceil": unary(graph.CeilOp),
    "Clip": _clip,
    "Div": binary(graph.DivOp),
    "Erf": unary(graph.ErfOp),
    "Exp": unary(graph.ExpOp),
    "Floor": unary(graph.FloorOp),
    "Log": unary(graph.LogOp),
    "Max": binary(graph.MaximumOp),
    "Mean": _mean,
    "Min": binary(graph.MinimumOp),
    "Mul": binary(graph.MulOp),
    "Neg": unary(graph.NegOp),
    "Relu": unary(graph.ReluOp),
    "Round": unary(graph.RoundOp),
    "Sigmoid": unary(graph.SigmoidOp),
    "Sqrt": unary(graph.SqrtOp),
    "Sub": binary(graph.SubOp),
    "Sum": binary(graph.AddOp),
    "Tanh": unary(graph.TanhOp),
}
