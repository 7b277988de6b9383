"""Powers with a known exponent, as products, quotients and square roots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from xdsl.ir import SSAValue

from lamina.dialects import graph
from lamina.frontends.onnx.activations import Formula
from lamina.frontends.onnx.node import Node, Unsupported, Value

LARGEST = 16.0
"""with larger exponents the error of products, half a unit in the last place each, would show"""


def _pow(node: Node) -> Sequence[Value]:
    """
    x ** n for a multiple of 1/2 from -16 to 16, the same for all elements.

    The square root of -inf is NaN, where C's pow(-inf, 0.5) is inf.
    """
    exponents = node.constant(1, "exponents")
    values = np.unique(exponents)
    if values.size != 1:
        raise Unsupported(f"with {values.size} different exponents")
    n = float(values[0])
    if not (abs(n) <= LARGEST and (2 * n).is_integer()):
        raise Unsupported(f"with exponent {n:g}; only multiples of 0.5 up to {LARGEST:g}")
    f = Formula(node)
    if np.broadcast_shapes(exponents.shape, graph.shape(f.x)) != graph.shape(f.x):
        raise Unsupported(f"with exponents of shape {list(exponents.shape)} that broadcast x")
    if n == 0:  # also for NaN
        return [node.known(np.ones(graph.shape(f.x), np.float32))]
    value = _product(f, abs(n))
    return [f.div(1.0, value) if n < 0 else value]


def _product(f: Formula, n: float) -> SSAValue:
    """x ** n by repeated squaring, times sqrt(x) for half of an odd n."""
    found = f(graph.SqrtOp, f.x) if n % 1 else None
    square, n = f.x, int(n)
    while n:
        if n % 2:
            found = square if found is None else f.mul(found, square)
        n //= 2
        square = f.mul(square, square) if n else square
    assert found is not None
    return found


def _reciprocal(node: Node) -> Sequence[Value]:
    f = Formula(node)
    return [f.div(1.0, f.x)]


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "Pow": _pow,
    "Reciprocal": _reciprocal,
}
