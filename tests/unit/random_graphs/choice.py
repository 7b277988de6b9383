"""Comparisons, choices, truth values, integers and changes of type."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper

from tests.unit.random_graphs.elementwise import broadcast_size, broadcasts
from tests.unit.random_graphs.grower import Grower, Operand, Operator, Value

ORDERS = {"Less": 9, "Greater": 9, "Equal": 11, "LessOrEqual": 12, "GreaterOrEqual": 12}


def partner(g: Grower, x: Value) -> Operand:
    """A constant or a value of the type of x that broadcasts with it."""
    if g.maybe():
        return g.like(x.array.dtype, broadcast_size(g, x))
    return g.another(x, lambda y: y.array.dtype == x.array.dtype and broadcasts(x, y))


def compared(g: Grower, x: Value) -> Value:
    op = g.choose([op for op, since in ORDERS.items() if since <= g.opset])
    y = partner(g, x)
    return g.add(op, *((x, y) if g.maybe() else (y, x)))


def chosen(g: Grower, x: Value) -> Value:
    """Where a comparison holds, or a truth value of the graph."""
    y = partner(g, x)
    masks = [m for m in g.values if m.array.dtype == np.bool_ and broadcasts(x, m)]
    mask = g.choose(masks) if masks and g.maybe() else compared(g, x)
    return g.add("Where", mask, *((x, y) if g.maybe() else (y, x)))


def thresholded(g: Grower, x: Value) -> Value:
    """x where it is above a number, else a part of it, as activations are spelled out."""
    mask = g.add("Greater", x, np.array(0.1, np.float32))
    if g.maybe():
        return g.add("Mul", x, g.add("Cast", mask, to=TensorProto.FLOAT))
    return g.add("Where", mask, x, g.add("Mul", x, np.array(0.2, np.float32)))


def logic(g: Grower, x: Value) -> Value:
    op = g.choose(("Not", "And", "Or", "Xor"))
    return g.add(op, x) if op == "Not" else g.add(op, x, partner(g, x))


def cast(g: Grower, x: Value) -> Value:
    types = ("float32", "int32", "int64", "bool", "uint8", "int8")
    to = helper.np_dtype_to_tensor_dtype(np.dtype(g.choose(types)))
    if x.is_float and to != TensorProto.BOOL:
        x = g.add("Mul", x, np.array(3.0, np.float32))
        if to == TensorProto.UINT8:  # what is below zero differs between processors
            x = g.add("Abs", x)
    return g.add("Cast", x, to=to)


def cast_like(g: Grower, x: Value) -> Value:
    other = g.choose(g.values)
    if other.is_float or not x.is_float:
        return g.add("CastLike", x, other)
    return g.add("CastLike", g.add("Abs", x), other)


def extreme(g: Grower, x: Value) -> Value:
    """Where the largest or the smallest element is."""
    return g.add(
        g.choose(("ArgMax", "ArgMin")),
        x,
        axis=g.between(0, x.rank - 1),
        keepdims=g.choose((None, 0)),
        select_last_index=g.choose((None, 1)) if g.opset >= 12 else None,
    )


def hardmax(g: Grower, x: Value) -> Value:
    return g.add("Hardmax", x, axis=g.choose((None, *range(x.rank))))


def trilu(g: Grower, x: Value) -> Value:
    offset = [np.array(g.between(-2, 2), np.int64)] if g.maybe() else []
    return g.add("Trilu", x, *offset, upper=g.choose((None, 0)))


def thresholds(g: Grower, x: Value) -> Value:
    if g.maybe():
        return g.add("ThresholdedRelu", x, alpha=g.choose((None, 0.3)))
    return g.add("Shrink", x, lambd=g.choose((None, 0.2)), bias=g.choose((None, 0.1)))


def bitwise(g: Grower, x: Value) -> Value:
    op = g.choose(("BitwiseNot", "BitwiseAnd", "BitwiseOr", "BitwiseXor"))
    return g.add(op, x) if op == "BitwiseNot" else g.add(op, x, partner(g, x))


def one_hot(g: Grower, x: Value) -> Value:
    """Of some of the numbers."""
    depth = np.array(g.choose((5, 1, 50)), np.int64)
    return g.add("OneHot", x, depth, g.numbers(2), axis=g.choose((None, 0)))


def sign(g: Grower, x: Value) -> Value:
    return g.add("Sign", x)


def arithmetic(g: Grower, x: Value) -> Value:
    """Of integers; a divisor is a positive constant."""
    op = g.choose(("Add", "Sub", "Mul", "Min", "Max", "Abs", "Div", "Mod"))
    if op == "Abs":
        return g.add(op, x)
    if op in ("Div", "Mod"):
        w = g.like(x.array.dtype, broadcast_size(g, x)) // 10 + 1
        return g.add(op, x, w.astype(x.array.dtype))
    return g.add(op, x, partner(g, x))


def _float(x: Value) -> bool:
    return x.is_float


def _number(x: Value) -> bool:
    return x.array.dtype != np.bool_


def _truth(x: Value) -> bool:
    return x.array.dtype == np.bool_


def _integer(x: Value) -> bool:
    return x.array.dtype.kind in "iu"


def _listed(x: Value) -> bool:
    return x.rank > 0 and x.array.dtype != np.bool_


def _floats(x: Value) -> bool:
    return x.is_float and x.rank > 1


def _matrices(x: Value) -> bool:
    return x.rank > 1


def _any(x: Value) -> bool:
    return True


OPERATORS = [
    *[Operator(compared, _number)] * 2,
    *[Operator(chosen, _number)] * 2,
    Operator(thresholded, _float),
    *[Operator(logic, _truth)] * 8,
    Operator(cast, _any),
    *[Operator(cast, _truth)] * 3,
    Operator(sign, _number),
    Operator(cast_like, _any),
    Operator(extreme, _listed),
    Operator(hardmax, _floats),
    Operator(trilu, _matrices, since=14),
    Operator(thresholds, _float, since=10),
    Operator(bitwise, _integer, since=18),
    Operator(one_hot, _integer),
    *[Operator(arithmetic, _integer)] * 8,
]
