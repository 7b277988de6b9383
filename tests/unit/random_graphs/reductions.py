"""Reductions, and arithmetic on shapes."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tests.unit.random_graphs.grower import Grower, Operand, Operator, Rejected, Value
from tests.unit.random_graphs.movement import has_dims, ints, is_floats, is_stack

REDUCTIONS = {
    "Mean": 18,
    "Sum": 13,
    "Max": 18,
    "Min": 18,
    "L1": 18,
    "L2": 18,
    "SumSquare": 18,
    "LogSumExp": 18,
    "Prod": 18,
    "LogSum": 18,
}
"""and the opset in which their axes became an input"""


def reduction(g: Grower, x: Value) -> Value:
    kind = g.choose([*REDUCTIONS])
    axes: list[int] | None = g.some(range(x.rank)) if g.maybe() else None
    if g.opset >= 11 and axes is not None and g.maybe():
        axes = [a - x.rank for a in axes]
    if kind == "Prod" and prod(x.shape[a] for a in axes or range(x.rank)) > 8:
        raise Rejected("a product of many numbers")
    if prod(x.shape[a] for a in axes or range(x.rank)) > 4096:
        raise Rejected("sums of ONNX Runtime are that far off")
    if kind == "LogSum":
        x = g.add("Add", g.add("Abs", x), np.array(0.1, np.float32))
    attributes: dict[str, Any] = {"keepdims": 0} if g.maybe() else {}
    if g.opset < REDUCTIONS[kind]:
        return g.add(f"Reduce{kind}", x, axes=axes, **attributes)
    if axes is None and g.maybe():
        attributes["noop_with_empty_axes"] = 1
    given: list[Operand] = [] if axes is None else [ints(*axes)]
    return g.add(f"Reduce{kind}", x, *given, **attributes)


def reduction_of_integers(g: Grower, x: Value) -> Value:
    kind, axes = g.choose(("Max", "Min", "Sum", "Prod")), ints(*g.some(range(x.rank)))
    if kind == "Prod" and prod(x.shape[a] for a in axes) > 3:
        raise Rejected("overflow, of which ONNX says nothing")
    if g.opset < REDUCTIONS[kind]:
        return g.add(f"Reduce{kind}", x, axes=axes.tolist())
    return g.add(f"Reduce{kind}", x, axes, keepdims=g.choose((None, 0)))


def count(g: Grower, x: Value) -> Value:
    """Its elements, as a number of the graph."""
    return g.add("Cast", g.add("Size", x), to=1)


def reshape_by_shape(g: Grower, x: Value) -> Value:
    """x.reshape(x.shape[0], -1, ...) as PyTorch exports it: Shape, Gather, Unsqueeze, Concat."""
    size = g.add("Shape", x)
    first = g.add("Gather", size, np.array(0, np.int64), axis=0)
    if g.opset < 13:
        first = g.add("Unsqueeze", first, axes=[0])
    else:
        first = g.add("Unsqueeze", first, ints(0))
    rest = ints(-1) if g.maybe() else ints(-1, x.shape[-1])
    if len(rest) == 2 and x.rank > 2 and g.maybe():
        last = g.add("Slice", size, ints(x.rank - 1), ints(x.rank)) if g.opset >= 10 else None
        if last is not None:
            return g.add("Reshape", x, g.add("Concat", first, ints(-1), last, axis=0))
    return g.add("Reshape", x, g.add("Concat", first, rest, axis=0))


def grow_to_shape(g: Grower, x: Value) -> Value:
    """A constant of the shape of x, added to it."""
    ones = g.add("ConstantOfShape", g.add("Shape", x), value=g.tensor([0.75]))
    return g.add("Mul", x, ones)


def _integers(x: Value) -> bool:
    return x.rank >= 1 and x.array.dtype in (np.int32, np.int64)


OPERATORS = [
    *[Operator(reduction, is_floats)] * 2,
    Operator(count, has_dims),
    *[Operator(reduction_of_integers, _integers)] * 2,
    Operator(reshape_by_shape, is_stack),
    Operator(grow_to_shape, is_floats),
]
