"""Graph ops that compare, choose and convert, and divisions of integers, in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from xdsl.ir import Operation

from lamina.dialects import graph
from lamina.interpreters.arrays import dtype_of
from lamina.interpreters.scalar import to_integer

Array = np.ndarray

PREDICATES: Mapping[str, Callable[[Array, Array], Array]] = {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}


def _cast(op: graph.CastOp, x: Array) -> Array:
    dtype = dtype_of(op.y.type)
    if x.dtype.kind == "f" and dtype.kind in "iu":
        return to_integer(x, dtype)
    return x.astype(dtype)


def _sign(op: graph.SignOp, x: Array) -> Array:
    one = x.dtype.type(1)
    above = np.where(x > 0, one, x)
    return above if x.dtype.kind == "u" else np.where(x < 0, -one, above)


def _rem(op: graph.RemOp, a: Array, b: Array) -> Array:
    return np.fmod(a, b)  # of integers 0 where b is 0


def _div(op: graph.DivOp, a: Array, b: Array) -> Array:
    if a.dtype.kind == "f":
        return a / b
    by = np.where(b == 0, b.dtype.type(1), b)
    q = (a - np.fmod(a, by)) // by  # exact, so rounding it down changes nothing
    return np.where(b == 0, a.dtype.type(0), q).astype(a.dtype)


FUNCTIONS: Mapping[type[Operation], Callable[..., Array]] = {
    graph.AndOp: lambda op, a, b: a & b,
    graph.CastOp: _cast,
    graph.CompareOp: lambda op, a, b: PREDICATES[op.predicate.data](a, b),
    graph.DivOp: _div,
    graph.ModOp: lambda op, a, b: np.mod(a, b),
    graph.NotOp: lambda op, x: ~x,
    graph.OrOp: lambda op, a, b: a | b,
    graph.RemOp: _rem,
    graph.SignOp: _sign,
    graph.WhereOp: lambda op, cond, a, b: np.where(cond, a, b),
    graph.XorOp: lambda op, a, b: a ^ b,
}
