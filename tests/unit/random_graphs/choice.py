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
    *[Operator(arithmetic, _integer)] * 8,
]
