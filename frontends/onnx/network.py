"""Convolutions, pooling, normalisation, matrix products and softmax."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np
from xdsl.ir import SSAValue

from lamina.dialects import graph
from lamina.frontends.onnx.movement import reshaped, transposed
from lamina.frontends.onnx.node import Node, Unsupported, Value
from lamina.frontends.onnx.window import Window


def _conv(node: Node) -> Sequence[Value]:
    window = Window.read(node, node.shape(1)[2:])
    x, w = node.tensor(0), node.tensor(1)
    bias = node.tensor(2) if node.has(2) else None
    conv = graph.Conv2dOp(
        x,
        w,
        bias,
        strides=window.strides,
        pads=window.pads,
        dilations=window.dilations,
        groups=node.attribute("group", 1),
    )
    return [node.add(conv)]


def _max_pool(node: Node) -> Sequence[Value]:
    node.ignore("storage_order")  # concerns the second output, which is not supported
    window = Window.read(node, node.attribute("kernel_shape", [])).undilated()
    pads = window.covering_pads()  # padding does not count, so there may be more of it
    return [node.add(graph.MaxPool2dOp(node.tensor(0), window.kernel, window.strides, pads))]


def _average_pool(node: Node) -> Sequence[Value]:
    window = Window.read(node, node.attribute("kernel_shape", [])).undilated()
    pads, count = window.covering_pads(), bool(node.attribute("count_include_pad", 0))
    if pads != window.pads and count and any(window.pads):
        # ceil_mode added windows that end beyond the padding; what is beyond does not count
        raise Unsupported(f"with ceil_mode, count_include_pad and pads {window.pads}")
    x = node.tensor(0)
    count = count and pads == window.pads
    return [node.add(graph.AvgPool2dOp(x, window.kernel, window.strides, pads, count))]


def _global_average_pool(node: Node) -> Sequence[Value]:
    x = node.tensor(0)
    if len(graph.shape(x)) != 4:
        raise Unsupported(f"of {graph.shape(x)}; 4 dimensions are supported")
    return [node.add(graph.GlobalAvgPoolOp(x))]


def _reduce_mean(node: Node) -> Sequence[Value]:
    x = node.tensor(0)
    size, axes = graph.shape(x), node.axes(since=18)
    if axes is None and node.attribute("noop_with_empty_axes", 0):
        return [x]
    axes = range(len(size)) if axes is None else axes
    if len(size) != 4 or sorted(a % 4 for a in axes) != [2, 3]:
        raise Unsupported(f"of {list(size)} over {list(axes)}; height and width are supported")
    y = node.add(graph.GlobalAvgPoolOp(x))
    return [y if node.attribute("keepdims", 1) else reshaped(node, y, size[:2])]


def _batch_norm(node: Node) -> Sequence[Value]:
    node.ignore("momentum")
    node.require("training_mode", 0)
    return [
        node.add(
            graph.BatchNormOp(
                *(node.tensor(i) for i in range(5)), epsilon=node.attribute("epsilon", 1e-5)
            )
        )
    ]


def _gemm(node: Node) -> Sequence[Value]:
    """alpha * a @ b + beta * c"""
    a, b = node.value(0), node.value(1)
    if node.attribute("transA", 0):
        a = transposed(node, a, (1, 0))
    if not node.attribute("transB", 0):
        b = transposed(node, b, (1, 0))
    b = _scaled(node, b, node.attribute("alpha", 1.0))
    beta, outputs = node.attribute("beta", 1.0), _shape(b)[0]
    x, w = _operand(node, a, 0), _operand(node, b, 1)
    if not node.has(2) or beta == 0:
        return [node.add(graph.DenseOp(x, w))]
    c = node.value(2)
    if isinstance(c, np.ndarray) and prod(c.shape[:-1]) == 1 and c.size in (1, outputs):
        bias = np.broadcast_to(c.reshape(-1), (outputs,)) * np.float32(beta)
        return [node.add(graph.DenseOp(x, w, node.known(bias, node.name_of(2))))]
    if isinstance(c, SSAValue) and graph.shape(c) == (outputs,) and beta == 1:
        return [node.add(graph.DenseOp(x, w, c))]
    product = node.add(graph.DenseOp(x, w))
    rest = _scaled(node, reshaped(node, c, (1,) * (2 - len(_shape(c))) + _shape(c)), beta)
    return [node.add(graph.AddOp(product, _operand(node, rest, 2)))]


def _matmul(node: Node) -> Sequence[Value]:
    """The last dimension of the left against a matrix on the right."""
    size, right = node.shape(0), node.shape(1)
    if len(right) != 2 or len(size) < 2:
        raise Unsupported(f"of {list(size)} and {list(right)}; a matrix on the right is supported")
    w = _operand(node, transposed(node, node.value(1), (1, 0)), 1)
    x = _operand(node, reshaped(node, node.value(0), (prod(size[:-1]), size[-1])), 0)
    return [reshaped(node, node.add(graph.DenseOp(x, w)), (*size[:-1], right[1]))]


def _scaled(node: Node, x: Value, by: float) -> Value:
    if by == 1:
        return x
    if isinstance(x, np.ndarray):
        return x * np.float32(by)
    factor = np.full((1,) * len(graph.shape(x)), by, np.float32)
    return node.add(graph.MulOp(x, node.known(factor)))


def _operand(node: Node, x: Value, i: int) -> SSAValue:
    """`x`, which comes from input `i`, as an operand."""
    return x if isinstance(x, SSAValue) else node.known(x, node.name_of(i))


def _shape(x: Value) -> tuple[int, ...]:
    return graph.shape(x) if isinstance(x, SSAValue) else x.shape


def _softmax(node: Node) -> Sequence[Value]:
    x = node.tensor(0)
    size = graph.shape(x)
    axis = node.axis(-1 if node.opset >= 13 else 1, len(size))
    if node.opset >= 13 or prod(size[axis + 1 :]) == 1:
        return [node.add(graph.SoftmaxOp(x, axis))]
    # before opset 13: over all dimensions from `axis` on, together
    flat = reshaped(node, x, (prod(size[:axis]), prod(size[axis:])))
    return [reshaped(node, node.add(graph.SoftmaxOp(_operand(node, flat, 0), 1)), size)]


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Conv": _conv,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_average_pool,
    "MatMul": _matmul,
    "MaxPool": _max_pool,
    "ReduceMean": _reduce_mean,
    "Softmax": _softmax,
}
