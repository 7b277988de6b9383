"""Operators that compare, choose, reason about truth values and change the type of elements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from onnx import TensorProto
from xdsl.ir import SSAValue

from lamina.dialects import graph
from lamina.dialects.elements import INTEGER, kind_of
from lamina.dialects.graph.constants import element_type
from lamina.frontends.onnx import elements
from lamina.frontends.onnx.node import Node, Unsupported, Value
from lamina.frontends.onnx.pointwise import aligned, binary, unary


def _compare(predicate: str) -> Callable[[Node], Sequence[Value]]:
    def convert(node: Node) -> Sequence[Value]:
        rank = max(len(node.shape(i)) for i in range(2))
        return [
            node.add(graph.CompareOp(predicate, aligned(node, 0, rank), aligned(node, 1, rank)))
        ]

    return convert


def _where(node: Node) -> Sequence[Value]:
    rank = max(len(node.shape(i)) for i in range(3))
    cond, a, b = (aligned(node, i, rank) for i in range(3))
    return [node.add(graph.WhereOp(cond, a, b))]


def _cast(node: Node) -> Sequence[Value]:
    """To and from float32, bool and integers; what an integer cannot hold is its nearest value."""
    node.ignore("saturate", "round_mode")  # about floats of 8 bits
    to = node.attribute("to", 0)
    if (dtype := elements.dtype_of(to)) is None:
        raise Unsupported(f"of a tensor to {TensorProto.DataType.Name(to).lower()}")
    return [_converted(node, node.tensor(0), dtype)]


def _cast_like(node: Node) -> Sequence[Value]:
    """As Cast, to the type of another tensor."""
    node.ignore("saturate", "round_mode")
    x, like = node.value(0), node.value(1)
    dtype = elements.dtype_like(like)
    if isinstance(x, np.ndarray):
        return [elements.converted(x, dtype)]
    if str(dtype) not in elements.SUPPORTED:
        raise Unsupported(f"of a tensor to {dtype}")
    return [_converted(node, x, dtype)]


def _converted(node: Node, x: SSAValue, dtype: np.dtype) -> SSAValue:
    element = element_type(dtype)
    if graph.tensor_type(x).element_type == element:
        return x
    return node.add(graph.CastOp(x, graph.cast_type(x, element)))


def _mod(node: Node) -> Sequence[Value]:
    """Of integers with the sign of the divisor, or with `fmod` that of the dividend."""
    rank = max(len(node.shape(i)) for i in range(2))
    a, b = (aligned(node, i, rank) for i in range(2))
    if node.attribute("fmod", 0):
        return [node.add(graph.RemOp(a, b))]
    if kind_of(graph.tensor_type(a).element_type) != INTEGER:
        raise Unsupported("of floats without fmod")
    return [node.add(graph.ModOp(a, b))]


def _is_nan(node: Node) -> Sequence[Value]:
    x = node.tensor(0)
    return [node.add(graph.CompareOp("ne", x, x))]


def _is_inf(node: Node) -> Sequence[Value]:
    x = node.tensor(0)
    above, below = node.attribute("detect_positive", 1), node.attribute("detect_negative", 1)
    if above and below:
        x = node.add(graph.AbsOp(x))
    wanted = _number(node, x, np.inf if above else -np.inf if below else np.nan)
    return [node.add(graph.CompareOp("eq", x, wanted))]


def _thresholded_relu(node: Node) -> Sequence[Value]:
    """x where it is above alpha, else 0"""
    x, alpha = node.tensor(0), node.attribute("alpha", 1.0)
    above = node.add(graph.CompareOp("gt", x, _number(node, x, alpha)))
    return [node.add(graph.WhereOp(above, x, _number(node, x, 0.0)))]


def _shrink(node: Node) -> Sequence[Value]:
    """x + bias below -lambd, x - bias above lambd, else 0"""
    x = node.tensor(0)
    bias, lambd = node.attribute("bias", 0.0), node.attribute("lambd", 0.5)
    result = _number(node, x, 0.0)
    for predicate, bound, shift in (("gt", lambd, -bias), ("lt", -lambd, bias)):
        beyond = node.add(graph.CompareOp(predicate, x, _number(node, x, bound)))
        moved = node.add(graph.AddOp(x, _number(node, x, shift)))
        result = node.add(graph.WhereOp(beyond, moved, result))
    return [result]


def _number(node: Node, x: SSAValue, value: float) -> SSAValue:
    """A constant that goes with every element of `x`, of its type."""
    return node.known(np.full((1,) * len(graph.shape(x)), value, elements.dtype_like(x)))


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "And": binary(graph.AndOp),
    "BitwiseAnd": binary(graph.AndOp),
    "BitwiseNot": unary(graph.NotOp),
    "BitwiseOr": binary(graph.OrOp),
    "BitwiseXor": binary(graph.XorOp),
    "Cast": _cast,
    "CastLike": _cast_like,
    "Equal": _compare("eq"),
    "Greater": _compare("gt"),
    "GreaterOrEqual": _compare("ge"),
    "IsInf": _is_inf,
    "IsNaN": _is_nan,
    "Less": _compare("lt"),
    "LessOrEqual": _compare("le"),
    "Mod": _mod,
    "Not": unary(graph.NotOp),
    "Or": binary(graph.OrOp),
    "Shrink": _shrink,
    "Sign": unary(graph.SignOp),
    "ThresholdedRelu": _thresholded_relu,
    "Where": _where,
    "Xor": binary(graph.XorOp),
}
