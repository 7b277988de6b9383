"""
Activation functions, spelled out as arithmetic on elements.

Branches are computed for every element, and a comparison chooses: that is a mask and a blend on
vectors. NaN and infinities come out as in ONNX Runtime.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import pi, sqrt

import numpy as np
from xdsl.ir import SSAValue

from lamina.dialects import graph
from lamina.frontends.onnx.node import Node, Unsupported, Value
from lamina.frontends.onnx.pointwise import aligned


class Formula:
    """Appends arithmetic on tensors of the shape of the first input, which is `x`."""

    def __init__(self, node: Node) -> None:
        self.node, self.x = node, node.tensor(0)

    def __call__(self, op: type[graph.UnaryOp], x: SSAValue) -> SSAValue:
        """The result of an op with one operand."""
        return self.node.add(op(x))

    def number(self, value: float) -> SSAValue:
        """A constant that goes with every element."""
        return self.node.known(np.full((1,) * len(graph.shape(self.x)), value, np.float32))

    def add(self, a: SSAValue, b: SSAValue | float) -> SSAValue:
        """a + b"""
        return a if b == 0.0 else self.node.add(graph.AddOp(a, self._operand(b)))

    def sub(self, a: SSAValue, b: SSAValue | float) -> SSAValue:
        """a - b"""
        return self.node.add(graph.SubOp(a, self._operand(b)))

    def mul(self, a: SSAValue, b: SSAValue | float) -> SSAValue:
        """a * b"""
        return a if b == 1.0 else self.node.add(graph.MulOp(a, self._operand(b)))

    def div(self, a: SSAValue | float, b: SSAValue | float) -> SSAValue:
        """a / b"""
        return self.node.add(graph.DivOp(self._operand(a), self._operand(b)))

    def clip(self, x: SSAValue, low: float, high: float) -> SSAValue:
        """x between two bounds"""
        return self.node.add(graph.ClipOp(x, low, high))

    def positive(self) -> SSAValue:
        """max(x, 0)"""
        return self(graph.ReluOp, self.x)

    def below_zero(self, then: SSAValue) -> SSAValue:
        """`then` where x < 0, x elsewhere"""
        negative = self.node.add(graph.CompareOp("lt", self.x, self.number(0.0)))
        return self.node.add(graph.WhereOp(negative, then, self.x))

    def _operand(self, x: SSAValue | float) -> SSAValue:
        return x if isinstance(x, SSAValue) else self.number(x)


def _leaky_relu(node: Node) -> Sequence[Value]:
    """a x where x < 0, else x"""
    f = Formula(node)
    return [f.below_zero(f.mul(f.x, node.attribute("alpha", 0.01)))]


def _prelu(node: Node) -> Sequence[Value]:
    """slope x where x < 0, else x"""
    f = Formula(node)
    return [f.below_zero(f.mul(f.x, aligned(node, 1, len(graph.shape(f.x)))))]


def _exponential(f: Formula, alpha: float) -> SSAValue:
    """a (exp(x) - 1) where x < 0, else x"""
    return f.below_zero(f.mul(f(graph.Expm1Op, f.x), alpha))


def _elu(node: Node) -> Sequence[Value]:
    return [_exponential(Formula(node), node.attribute("alpha", 1.0))]


def _selu(node: Node) -> Sequence[Value]:
    f = Formula(node)
    alpha = node.attribute("alpha", 1.67326319217681884765625)
    gamma = node.attribute("gamma", 1.05070102214813232421875)
    return [f.mul(_exponential(f, alpha), gamma)]


def _celu(node: Node) -> Sequence[Value]:
    """a (exp(x / a) - 1) where x < 0, else x"""
    f, alpha = Formula(node), node.attribute("alpha", 1.0)
    if alpha == 0:
        raise Unsupported("with alpha 0.0")
    share = f.x if alpha == 1 else f.div(f.x, alpha)
    return [f.below_zero(f.mul(f(graph.Expm1Op, share), alpha))]


def _hard_sigmoid_of(f: Formula, alpha: float, beta: float) -> SSAValue:
    return f.clip(f.add(f.mul(f.x, alpha), beta), 0.0, 1.0)


def _hard_sigmoid(node: Node) -> Sequence[Value]:
    """min(max(a x + b, 0), 1)"""
    alpha, beta = node.attribute("alpha", 0.2), node.attribute("beta", 0.5)
    return [_hard_sigmoid_of(Formula(node), alpha, beta)]


def _hard_swish(node: Node) -> Sequence[Value]:
    """x min(max(x / 6 + 1/2, 0), 1)"""
    f = Formula(node)
    return [f.mul(f.x, _hard_sigmoid_of(f, 1 / 6, 0.5))]


def _swish(node: Node) -> Sequence[Value]:
    """x sigmoid(a x)"""
    f = Formula(node)
    gate = f(graph.SigmoidOp, f.mul(f.x, node.attribute("alpha", 1.0)))
    return [f.mul(f.x, gate)]


def _softplus_of(f: Formula) -> SSAValue:
    """max(x, 0) + log(1 + exp(-|x|)), which neither overflows nor loses small results"""
    e = f(graph.ExpOp, f(graph.NegOp, f(graph.AbsOp, f.x)))
    return f.add(f.positive(), f(graph.Log1pOp, e))


def _softplus(node: Node) -> Sequence[Value]:
    return [_softplus_of(Formula(node))]


def _mish(node: Node) -> Sequence[Value]:
    """x tanh(softplus(x))"""
    f = Formula(node)
    return [f.mul(f.x, f(graph.TanhOp, _softplus_of(f)))]


def _softsign(node: Node) -> Sequence[Value]:
    """x / (1 + |x|)"""
    f = Formula(node)
    return [f.div(f.x, f.add(f(graph.AbsOp, f.x), 1.0))]


def _gelu(node: Node) -> Sequence[Value]:
    """x / 2 (1 + erf(x / sqrt(2))), or with tanh(sqrt(2 / pi) (x + 0.044715 x**3)) for erf"""
    f = Formula(node)
    match node.attribute("approximate", "none"):
        case "none":
            share = f(graph.ErfOp, f.mul(f.x, sqrt(0.5)))
        case "tanh":
            cubic = f.add(f.mul(f.mul(f.x, f.x), 0.044715), 1.0)
            share = f(graph.TanhOp, f.mul(f.mul(f.x, cubic), sqrt(2 / pi)))
        case other:
            raise Unsupported(f"with approximate {other}")
    return [f.mul(f.mul(f.x, 0.5), f.add(share, 1.0))]


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "Celu": _celu,
    "Elu": _elu,
    "Gelu": _gelu,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _hard_swish,
    "LeakyRelu": _leaky_relu,
    "Mish": _mish,
    "PRelu": _prelu,
    "Selu": _selu,
    "Softplus": _softplus,
    "Softsign": _softsign,
    "Swish": _swish,
}
