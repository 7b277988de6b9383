"""Graph ops that take elements, and those that reduce dimensions, on logical arrays in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from xdsl.ir import Operation

from lamina.dialects import graph

Array = np.ndarray


def _slice(op: graph.SliceOp, x: Array) -> Array:
    for d, (start, step, n) in enumerate(
        zip(op.starts.get_values(), op.steps.get_values(), graph.shape(op.y), strict=True)
    ):
        x = x.take(start + step * np.arange(n), d)
    return x


def _gather(op: graph.GatherOp, x: Array) -> Array:
    return x.take(op.indices.get_values(), op.axis.value.data)


def _places(n: int, indices: Array) -> Array:
    return np.clip(np.where(indices < 0, indices + n, indices), 0, n - 1)


def _take(op: graph.TakeOp, x: Array, indices: Array) -> Array:
    axis = op.axis.value.data
    return x.take(_places(x.shape[axis], indices), axis)


def _take_along(op: graph.TakeAlongOp, x: Array, indices: Array) -> Array:
    axis = op.axis.value.data
    n = x.shape[axis]
    inside = tuple(slice(None if d == axis else m) for d, m in enumerate(indices.shape))
    return np.take_along_axis(x[inside], _places(n, indices), axis)


def _tile(op: graph.TileOp, x: Array) -> Array:
    return np.tile(x, [m // n for m, n in zip(graph.shape(op.y), x.shape, strict=True)])


def _repeat(op: graph.RepeatOp, x: Array) -> Array:
    for d, n in enumerate(graph.shape(op.y)):
        x = x.repeat(n // x.shape[d], d)
    return x


def _depth_to_space(op: graph.DepthToSpaceOp, x: Array) -> Array:
    b, (n, c, h, w) = op.block.value.data, graph.shape(op.y)
    if op.order.data == "dcr":
        blocks = x.reshape(n, b, b, c, h // b, w // b).transpose(0, 3, 4, 1, 5, 2)
    else:
        blocks = x.reshape(n, c, b, b, h // b, w // b).transpose(0, 1, 4, 2, 5, 3)
    return blocks.reshape(n, c, h, w)


def _space_to_depth(op: graph.SpaceToDepthOp, x: Array) -> Array:
    b, (n, c, h, w) = op.block.value.data, x.shape
    perm = (0, 3, 5, 1, 2, 4) if op.order.data == "dcr" else (0, 1, 3, 5, 2, 4)
    blocks = x.reshape(n, c, h // b, b, w // b, b).transpose(perm)
    return blocks.reshape(graph.shape(op.y))


_REDUCE: Mapping[str, Callable[..., Array]] = {
    "sum": np.sum,
    "mean": np.mean,
    "max": np.max,
    "min": np.min,
    "prod": np.prod,
    "sum_abs": lambda x, axes, keepdims: np.abs(x).sum(axes, keepdims=keepdims),
    "sum_square": lambda x, axes, keepdims: np.square(x).sum(axes, keepdims=keepdims),
}


def _reduce(op: graph.ReduceOp, x: Array) -> Array:
    axes = tuple(op.axes.get_values())
    exact = x.astype(np.float64) if x.dtype.kind == "f" else x
    return _REDUCE[op.kind.data](exact, axes, keepdims=True).astype(x.dtype)


FUNCTIONS: Mapping[type[Operation], Callable[..., Array]] = {
    graph.DepthToSpaceOp: _depth_to_space,
    graph.GatherOp: _gather,
    graph.ReduceOp: _reduce,
    graph.RepeatOp: _repeat,
    graph.SliceOp: _slice,
    graph.SpaceToDepthOp: _space_to_depth,
    graph.TakeAlongOp: _take_along,
    graph.TakeOp: _take,
    graph.TileOp: _tile,
}
"""What each op computes from its operands."""
