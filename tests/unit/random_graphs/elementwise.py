"""What works on elements: activations, arithmetic with broadcasting, bounds and powers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.unit.random_graphs.grower import Grower, Operand, Operator, Value

PLAIN = (
    *("Relu", "Sigmoid", "Tanh", "Abs", "Neg", "Exp", "Erf", "Floor", "Ceil"),
    *("Identity", "Softplus", "Softsign"),
)
SINCE = {"Round": 11, "Celu": 12, "HardSwish": 14, "Mish": 18, "Gelu": 20, "Swish": 24}
PARAMETERS = {
    "LeakyRelu": {"alpha": (None, 0.1, 1.5, -0.3)},
    "Elu": {"alpha": (None, 0.5)},
    "Celu": {"alpha": (None, 0.5, 2.0)},
    "Selu": {"gamma": (None, 2.0)},
    "HardSigmoid": {"alpha": (None, 0.3), "beta": (None, 0.4)},
    "Gelu": {"approximate": (None, "tanh")},
    "Swish": {"alpha": (None, 1.7)},
}


def unary(g: Grower, x: Value) -> Value:
    ops = [*PLAIN, *PARAMETERS, *SINCE]
    op = g.choose([op for op in ops if SINCE.get(op, 0) <= g.opset])
    return g.add(op, x, **{k: g.choose(v) for k, v in PARAMETERS.get(op, {}).items()})


def relu(g: Grower, x: Value) -> Value:
    return g.add("Relu", x)


def clip(g: Grower, x: Value) -> Value:
    low, high = g.choose(((0.0, 6.0), (-0.5, 0.7), (0.2, None), (None, 0.1), (0.25, 0.5)))
    if g.opset < 11:
        return g.add("Clip", x, min=low, max=high)
    bounds: list[Operand] = [None if b is None else np.array(b, np.float32) for b in (low, high)]
    return g.add("Clip", x, *(bounds if bounds[1] is not None else bounds[:1]))


def prelu(g: Grower, x: Value) -> Value:
    slopes = [(x.shape[1], *(1 for _ in x.shape[2:])), (1,), x.shape[1:]]
    return g.add("PRelu", x, g.numbers(*g.choose(slopes)))


def above_zero(g: Grower, x: Value) -> Value:
    """What can be divided by, and has a logarithm."""
    if x.array.min() > 0.1:
        return x
    half = np.array(0.5, np.float32)
    match g.choose(("Abs", "Sigmoid", "Mul")):
        case "Abs":
            return g.add("Add", g.add("Abs", x), half)
        case "Sigmoid":
            return g.add("Sigmoid", x)
        case _:
            return g.add("Add", g.add("Mul", x, x), half)


def of_positive(g: Grower, x: Value) -> Value:
    return g.add(g.choose(("Sqrt", "Log", "Reciprocal")), above_zero(g, x))


def power(g: Grower, x: Value) -> Value:
    exponent = g.choose((2.0, 3.0, 0.5, -1.0, 1.0, 0.0, 4.0, 1.5, 0.3, -2.5))
    if exponent not in (2.0, 3.0, 4.0):
        x = above_zero(g, x)
    if exponent in (2.0, 3.0) and g.opset >= 12 and g.maybe():
        return g.add("Pow", x, np.array([int(exponent)], np.int64))
    return g.add("Pow", x, np.array(exponent, np.float32))


def broadcast_size(g: Grower, x: Value) -> list[int]:
    """A shape that broadcasts with that of `x`, of any rank; often one for each channel."""
    if x.rank >= 3 and g.maybe():
        return [x.shape[1], *(1 for _ in x.shape[2:])]
    size = [n if g.maybe() else 1 for n in x.shape]
    if size and g.maybe():
        return size[g.between(1, len(size)) :]
    return size


def with_constant(g: Grower, x: Value) -> Value:
    op = g.choose(("Add", "Mul", "Sub", "Div", "Max", "Min"))
    size = broadcast_size(g, x)
    w = g.positive(*size) if op == "Div" else g.numbers(*size)
    if op == "Div" and g.maybe():
        return g.add("Div", w, above_zero(g, x))
    return g.add(op, *((x, w) if g.maybe() else (w, x))) if op != "Div" else g.add(op, x, w)


def with_tensor(g: Grower, x: Value) -> Value:
    """Diamonds and residuals: two values of the graph that broadcast."""
    y = g.another(x, lambda y: y.is_float and y.rank > 0 and broadcasts(x, y))
    op = g.choose(("Add", "Mul", "Sub", "Max", "Min", "Div"))
    if op == "Div":
        return g.add("Div", x, above_zero(g, y))
    return g.add(op, *((x, y) if g.maybe() else (y, x)))


def many(g: Grower, x: Value) -> Value:
    op = g.choose(("Sum", "Mean", "Max", "Min"))
    y = g.another(x, lambda y: y.is_float and broadcasts(x, y))
    operands: list[Operand] = [x, y]
    if g.maybe():
        operands.append(g.numbers(*broadcast_size(g, x)))
    return g.add(op, *operands)


def gate(g: Grower, x: Value) -> Value:
    """x times what its channels are scaled by, from their means."""
    c = x.shape[1]
    means = g.add("GlobalAveragePool", x)
    size: Any = (c, c, *(1 for _ in x.shape[2:]))
    scale = g.add("Conv", means, g.numbers(*size, scale=c**-0.5), g.numbers(c))
    return g.add("Mul", x, g.add(g.choose(("Sigmoid", "HardSigmoid")), scale))


def residual(g: Grower, x: Value) -> Value:
    """relu(x + conv(relu(x)))"""
    c, ones = x.shape[1], x.rank - 2
    w = g.numbers(c, c, *[3] * ones, scale=(9 * c) ** -0.5)
    y = g.add("Conv", g.add("Relu", x) if g.maybe() else x, w, pads=[1] * 2 * ones)
    y = g.add("Add", *((x, y) if g.maybe() else (y, x)))
    return g.add("Relu", y) if g.maybe() else y


def gelu_spelled_out(g: Grower, x: Value) -> Value:
    """x (1 + erf(x / sqrt(2))) / 2"""
    root, one, half = (np.array(n, np.float32) for n in (2**0.5, 1.0, 0.5))
    share = g.add("Add", g.add("Erf", g.add("Div", x, root)), one)
    return g.add("Mul", g.add("Mul", x, share), half)


def broadcasts(x: Value, y: Value) -> bool:
    """Whether two values can be operands of one node."""
    try:
        return len(np.broadcast_shapes(x.shape, y.shape)) > 0
    except ValueError:
        return False


def _float(x: Value) -> bool:
    return x.is_float


def _channels(x: Value) -> bool:
    return x.is_float and x.rank >= 2


def _image(x: Value) -> bool:
    return x.is_float and x.rank in (3, 4)


OPERATORS = [
    *[Operator(relu, _float)] * 2,
    *[Operator(unary, _float)] * 4,
    Operator(clip, _float),
    Operator(prelu, _channels),
    Operator(of_positive, _float),
    Operator(power, _float),
    *[Operator(with_constant, _float)] * 2,
    *[Operator(with_tensor, _float)] * 3,
    Operator(many, _float),
    Operator(gate, _image),
    Operator(residual, _image),
    Operator(gelu_spelled_out, _float),
]
