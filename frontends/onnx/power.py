"""Powers, with a known exponent as products, quotients and square roots where that is exact."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf

import numpy as np
from xdsl.dialects.builtin import f32
from xdsl.ir import SSAValue

from lamina.dialects import graph
from lamina.frontends.onnx.activations import Formula
from lamina.frontends.onnx.elements import dtype_like
from lamina.frontends.onnx.node import Node, Unsupported, Value
from lamina.frontends.onnx.pointwise import aligned

LARGEST = 16.0
"""with larger exponents the error of products, half a unit in the last place each, would show"""


def _pow(node: Node) -> Sequence[Value]:
    """
    x ** n for one n that is a multiple of 1/2 from -16 to 16, in products; else `graph.pow`.

    Of integers for known n from 0 to 16.
    """
    n, f = _exponent(node), Formula(node)
    floats = graph.tensor_type(f.x).element_type == f32
    if not floats and (n is None or n < 0 or n % 1):
        raise Unsupported("of integers to a power that is no known whole number")
    if n is None:
        rank = max(len(node.shape(0)), len(node.shape(1)))
        return [node.add(graph.PowOp(aligned(node, 0, rank), _exponents(node, rank)))]
    if n == 0:  # also for NaN
        return [node.known(np.ones(graph.shape(f.x), dtype_like(f.x)))]
    value = _product(f, abs(n))
    return [f.div(1.0, value) if n < 0 else value]


def _exponent(node: Node) -> float | None:
    """The exponent, if it is one number for all elements of the base and easy to compute with."""
    value = node.value(1)
    if isinstance(value, SSAValue) or value.size == 0:
        return None
    n = float(value.flat[0])
    if np.any(value != value.flat[0]) or not abs(n) <= LARGEST or not (2 * n).is_integer():
        return None
    size = node.shape(0)
    return n if np.broadcast_shapes(value.shape, size) == size else None


def _exponents(node: Node, rank: int) -> SSAValue:
    """The exponents as an operand: known integers as floats."""
    value = node.value(1)
    if isinstance(value, SSAValue):
        n = aligned(node, 1, rank)
        whole = graph.tensor_type(n).element_type != f32
        return node.add(graph.CastOp(n, graph.cast_type(n, f32))) if whole else n
    size = (1,) * (rank - value.ndim) + value.shape
    return node.known(value.astype(np.float32).reshape(size), node.name_of(1))


def _product(f: Formula, n: float) -> SSAValue:
    """x ** n by repeated squaring, for half of an odd n that of |x| times sqrt(x)."""
    found = _root(f) if n % 1 else None
    square, n = f.x if found is None else f(graph.AbsOp, f.x), int(n)
    while n:
        if n % 2:
            found = square if found is None else f.mul(found, square)
        n //= 2
        square = f.mul(square, square) if n else square
    assert found is not None
    return found


def _root(f: Formula) -> SSAValue:
    """sqrt(x), but inf for -inf and 0 for -0, as pow has it for 1/2, 3/2, 5/2, ..."""
    infinite = f.node.add(graph.CompareOp("eq", f.x, f.number(-inf)))
    root = f.node.add(graph.WhereOp(infinite, f.number(inf), f(graph.SqrtOp, f.x)))
    return f(graph.AbsOp, root)


def _reciprocal(node: Node) -> Sequence[Value]:
    f = Formula(node)
    return [f.div(1.0, f.x)]


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "Pow": _pow,
    "Reciprocal": _reciprocal,
}
