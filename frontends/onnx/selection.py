"""Operators that say where something is, or choose by place: comparisons with known indices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np
from xdsl.dialects.builtin import i64
from xdsl.ir import SSAValue

from lamina.dialects import graph
from lamina.dialects.elements import FLOAT, kind_of
from lamina.frontends.onnx.elements import dtype_like
from lamina.frontends.onnx.movement import reshaped
from lamina.frontends.onnx.node import Node, Unsupported, Value
from lamina.frontends.onnx.slicing import sliced


def _places(node: Node, rank: int, axis: int, count: int, dtype: np.dtype) -> SSAValue:
    """0, 1, 2, ... along `axis`."""
    size = [count if d == axis else 1 for d in range(rank)]
    return node.known(np.arange(count).astype(dtype).reshape(size))


def _number(node: Node, rank: int, value: float, dtype: np.dtype) -> SSAValue:
    return node.known(np.full((1,) * rank, value, dtype))


def _where_extreme(node: Node, x: SSAValue, kind: str, axis: int, *, last: bool) -> SSAValue:
    """The index along `axis` of the first or last extreme element, or of such a NaN, as i32."""
    size, i32 = graph.shape(x), np.dtype(np.int32)
    hit = node.add(graph.CompareOp("eq", x, node.add(graph.ReduceOp(x, kind, [axis]))))
    if kind_of(graph.tensor_type(x).element_type) == FLOAT:
        hit = node.add(graph.OrOp(hit, node.add(graph.CompareOp("ne", x, x))))
    none = _number(node, len(size), -1 if last else size[axis], i32)
    places = _places(node, len(size), axis, size[axis], i32)
    found = node.add(graph.WhereOp(hit, places, none))
    return node.add(graph.ReduceOp(found, "max" if last else "min", [axis]))


def _extreme(kind: str) -> Callable[[Node], Sequence[Value]]:
    def convert(node: Node) -> Sequence[Value]:
        x, keep = node.tensor(0), node.attribute("keepdims", 1)
        size = graph.shape(x)
        axis, last = node.axis(0, len(size)), bool(node.attribute("select_last_index", 0))
        if not size:
            raise Unsupported("of a scalar")
        found = _where_extreme(node, x, kind, axis, last=last)
        y = node.add(graph.CastOp(found, graph.cast_type(found, i64)))
        return [y if keep else reshaped(node, y, [*size[:axis], *size[axis + 1 :]])]

    return convert


def _hardmax(node: Node) -> Sequence[Value]:
    """1 where the first of the largest elements is, 0 elsewhere"""
    x = node.tensor(0)
    size = graph.shape(x)
    axis = node.axis(1 if node.opset < 13 else -1, len(size))
    if node.opset < 13:  # of a matrix of all dimensions before `axis` and from there on
        rows = reshaped(node, x, (prod(size[:axis]), prod(size[axis:])))
        assert isinstance(rows, SSAValue)
        x, axis = rows, 1
    found = _where_extreme(node, x, "max", axis, last=False)
    rank, count = len(graph.shape(x)), graph.shape(x)[axis]
    places = _places(node, rank, axis, count, np.dtype(np.int32))
    here = node.add(graph.CompareOp("eq", found, places))
    return [reshaped(node, node.add(graph.CastOp(here, x.type)), size)]


def _one_hot(node: Node) -> Sequence[Value]:
    """The second value where an index names a place, the first elsewhere; -1 is the last place."""
    indices, depth = node.tensor(0), int(node.constant(1, "depths").item())
    rank = len(graph.shape(indices)) + 1
    if depth < 1:
        raise Unsupported(f"with depth {depth}")
    axis = node.axis(-1, rank)
    size = list(graph.shape(indices))
    wide = reshaped(node, indices, [*size[:axis], 1, *size[axis:]])
    assert isinstance(wide, SSAValue)
    dtype = dtype_like(wide)
    if dtype.kind != "u":
        below = node.add(graph.CompareOp("lt", wide, _number(node, rank, 0, dtype)))
        moved = node.add(graph.AddOp(wide, _number(node, rank, depth, dtype)))
        wide = node.add(graph.WhereOp(below, moved, wide))
    here = node.add(graph.CompareOp("eq", wide, _places(node, rank, axis, depth, dtype)))
    off, on = (_element(node, k, rank) for k in range(2))
    return [node.add(graph.WhereOp(here, on, off))]


def _element(node: Node, k: int, rank: int) -> SSAValue:
    """Element `k` of input 2, with this many dimensions."""
    values = node.tensor(2)
    if graph.shape(values) != (2,):
        raise Unsupported(f"with values of shape {list(graph.shape(values))}")
    one = reshaped(node, sliced(node, values, {0: slice(k, k + 1)}), (1,) * rank)
    assert isinstance(one, SSAValue)
    return one


def _trilu(node: Node) -> Sequence[Value]:
    """The elements on and beside one diagonal of matrices, 0 elsewhere"""
    x, k = node.tensor(0), int(node.constant(1, "diagonals").item()) if node.has(1) else 0
    size = graph.shape(x)
    if len(size) < 2:
        raise Unsupported(f"of {len(size)} dimensions")
    keep = (np.triu if node.attribute("upper", 1) else np.tril)(np.ones(size[-2:], bool), k)
    mask = node.known(keep.reshape(*(1,) * (len(size) - 2), *size[-2:]))
    return [node.add(graph.WhereOp(mask, x, _number(node, len(size), 0, dtype_like(x))))]


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "ArgMax": _extreme("max"),
    "ArgMin": _extreme("min"),
    "Hardmax": _hardmax,
    "OneHot": _one_hot,
    "Trilu": _trilu,
}
