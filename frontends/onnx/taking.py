"""Operators that take elements at places that a tensor holds, known now or at run time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from xdsl.ir import SSAValue

from lamina.dialects import graph
from lamina.frontends.onnx.movement import reshaped
from lamina.frontends.onnx.node import Node, Unsupported, Value
from lamina.frontends.onnx.slicing import gathered


def _gather(node: Node) -> Sequence[Value]:
    """Indices computed at run time that are beyond either end mean the slice there."""
    x, indices = node.tensor(0), node.value(1)
    size = graph.shape(x)
    axis = node.axis(0, len(size))
    shape = node.shape(1)
    if 0 in shape:
        raise Unsupported("without indices; an empty result is not supported")
    if isinstance(indices, SSAValue):
        flat = reshaped(node, indices, [int(np.prod(shape))])
        assert isinstance(flat, SSAValue)
        y = node.add(graph.TakeOp(x, axis, flat))
    else:
        y = gathered(node, x, axis, _inside(indices, size[axis]).ravel().tolist())
    return [reshaped(node, y, (*size[:axis], *shape, *size[axis + 1 :]))]


def _gather_elements(node: Node) -> Sequence[Value]:
    """Indices computed at run time that are beyond either end mean the element there."""
    x, indices = node.tensor(0), node.value(1)
    axis = node.axis(0, len(graph.shape(x)))
    if 0 in node.shape(1):
        raise Unsupported("without indices; an empty result is not supported")
    if not isinstance(indices, SSAValue):
        indices = node.known(_inside(indices, graph.shape(x)[axis]))
    return [node.add(graph.TakeAlongOp(x, axis, indices))]


def _gather_nd(node: Node) -> Sequence[Value]:
    """Indices that are known; slices along all indexed dimensions at once."""
    x, indices = node.tensor(0), node.constant(1, "indices")
    size, batch = graph.shape(x), node.attribute("batch_dims", 0)
    if not indices.size:
        raise Unsupported("without indices; an empty result is not supported")
    indexed = batch + indices.shape[-1]
    if indexed > len(size) or indices.shape[:batch] != size[:batch]:
        raise Unsupported(f"of {list(size)} at {list(indices.shape)} with batch_dims {batch}")
    grid = np.indices(indices.shape[:-1])[:batch]
    parts = [_inside(indices[..., j], size[batch + j]) for j in range(indices.shape[-1])]
    flat = np.ravel_multi_index((*grid, *parts), size[:indexed]).ravel().tolist()
    rows = reshaped(node, x, (int(np.prod(size[:indexed])), *size[indexed:]))
    assert isinstance(rows, SSAValue)
    y = gathered(node, rows, 0, flat)
    return [reshaped(node, y, (*indices.shape[:-1], *size[indexed:]))]


def _inside(indices: np.ndarray, n: int) -> np.ndarray:
    """Indices that are known, from the front."""
    outside = (indices < -n) | (indices >= n)
    if outside.any():
        raise Unsupported(f"with index {indices[outside][0]} of {n}")
    return indices % n


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "Gather": _gather,
    "GatherElements": _gather_elements,
    "GatherND": _gather_nd,
}
