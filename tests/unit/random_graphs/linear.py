"""Matrix products, of weights and of tensors with each other, and normalizations."""

from __future__ import annotations

from math import prod

import numpy as np

from tests.unit.random_graphs.grower import Grower, Operator, Rejected, Value

WIDTHS = (16, 1, 5, 10, 37, 64)


def gemm(g: Grower, x: Value) -> Value:
    left, right = g.maybe(), g.maybe()
    rows, inner = reversed(x.shape) if left else x.shape
    outputs = g.choose(WIDTHS)
    w = g.parameter(*((outputs, inner) if right else (inner, outputs)), scale=inner**-0.5)
    sizes = [None, (outputs,), (1, outputs), (rows, 1), (rows, outputs), (1,), ()]
    size = g.choose(sizes if g.opset >= 11 else sizes[1:])
    return g.add(
        "Gemm",
        x,
        w,
        *([] if size is None else [g.parameter(*size) if size else g.numbers()]),
        transA=int(left) if left else None,
        transB=int(right) if right else None,
        alpha=g.choose((None, 0.5)),
        beta=g.choose((None, 2.0, 0.0)),
    )


def matmul(g: Grower, x: Value) -> Value:
    outputs, inner = g.choose(WIDTHS), x.shape[-1]
    batch = g.choose([(), x.shape[:-2], (2, *x.shape[:-2])])
    return g.add("MatMul", x, g.parameter(*batch, inner, outputs, scale=inner**-0.5))


def matmul_of_weights(g: Grower, x: Value) -> Value:
    """Weights on the left."""
    rows, inner = g.choose(WIDTHS), x.shape[-2]
    return g.add("MatMul", g.numbers(rows, inner, scale=inner**-0.5), x)


def vector_product(g: Grower, x: Value) -> Value:
    return g.add("MatMul", x, g.numbers(x.shape[-1], scale=x.shape[-1] ** -0.5))


def attention(g: Grower, x: Value) -> Value:
    """softmax(x y^T / sqrt(n)) y"""
    y = g.another(x, lambda y: y.is_float and y.shape == x.shape)
    order = [*range(x.rank - 2), x.rank - 1, x.rank - 2]
    scores = g.add("MatMul", x, g.add("Transpose", y, perm=order))
    scores = g.add("Mul", scores, np.array(x.shape[-1] ** -0.5 / 4, np.float32))
    if g.maybe():
        return scores
    return g.add("MatMul", g.add("Softmax", scores, axis=x.rank - 1), y)


def batch_norm(g: Grower, x: Value) -> Value:
    c = x.shape[1]
    scales = [g.parameter(c), g.parameter(c), g.numbers(c), g.positive(c)]
    return g.add("BatchNormalization", x, *scales, epsilon=g.choose((None, 0.01)))


def instance_norm(g: Grower, x: Value) -> Value:
    if prod(x.shape[2:]) < 2:
        raise Rejected("of single elements")
    c = x.shape[1]
    return g.add("InstanceNormalization", x, g.parameter(c), g.parameter(c))


def layer_norm(g: Grower, x: Value) -> Value:
    axis = g.between(1, x.rank - 1)
    size = x.shape[axis:]
    if prod(size) > 4096:
        raise Rejected("sums of ONNX Runtime are that far off")
    parameters = [g.positive(*size), g.parameter(*size)]
    axis = g.choose((axis, axis - x.rank))
    return g.add("LayerNormalization", x, *parameters[: g.between(1, 2)], axis=axis)


def layer_norm_of_three(g: Grower, x: Value) -> list[Value]:
    """And the mean, and one over the deviation."""
    scale = g.positive(x.shape[-1])
    return g.several("LayerNormalization", 3, x, scale, g.numbers(x.shape[-1]))


def mean_variance_norm(g: Grower, x: Value) -> Value:
    axes = g.some(range(x.rank))
    return g.add("MeanVarianceNormalization", x, axes=axes)


def rms_norm(g: Grower, x: Value) -> Value:
    return g.add("RMSNormalization", x, g.positive(x.shape[-1]))


def group_norm(g: Grower, x: Value) -> Value:
    c = x.shape[1]
    groups = g.choose([n for n in (1, 2, 4, c) if c % n == 0])
    return g.add("GroupNormalization", x, g.positive(c), g.numbers(c), num_groups=groups)


def layer_norm_spelled_out(g: Grower, x: Value) -> Value:
    """(x - mean) / sqrt(mean of squares + epsilon) * scale + bias"""
    axis = x.rank - 1
    centred = g.add("Sub", x, mean(g, x, [axis]))
    two = np.array(2.0, np.float32)
    square = g.add("Pow", centred, two) if g.maybe() else g.add("Mul", centred, centred)
    deviation = g.add("Sqrt", g.add("Add", mean(g, square, [axis]), np.array(1e-5, np.float32)))
    y = g.add("Div", centred, deviation)
    if g.maybe():
        y = g.add("Add", g.add("Mul", y, g.positive(x.shape[-1])), g.numbers(x.shape[-1]))
    return y


def mean(g: Grower, x: Value, axes: list[int]) -> Value:
    """ReduceMean as its opset has it."""
    if g.opset >= 18:
        return g.add("ReduceMean", x, np.array(axes, np.int64))
    return g.add("ReduceMean", x, axes=axes)


def softmax(g: Grower, x: Value) -> Value:
    op = g.choose(("Softmax", "LogSoftmax"))
    axis = g.choose((None, *range(-x.rank, x.rank)))
    if g.opset < 11 and axis is not None and axis < 0:
        axis += x.rank
    return g.add(op, x, axis=axis)


def _matrix(x: Value) -> bool:
    return x.is_float and x.rank == 2


def _stack(x: Value) -> bool:
    return x.is_float and x.rank >= 2


def _maps(x: Value) -> bool:
    return x.is_float and x.rank >= 3


OPERATORS = [
    *[Operator(gemm, _matrix)] * 3,
    *[Operator(matmul, _stack)] * 2,
    Operator(matmul_of_weights, _stack),
    Operator(vector_product, _stack),
    Operator(attention, _stack),
    *[Operator(batch_norm, _maps)] * 2,
    Operator(instance_norm, _maps),
    Operator(layer_norm, _stack, since=17),
    Operator(layer_norm_of_three, _stack, since=17),
    Operator(mean_variance_norm, _stack),
    Operator(rms_norm, _stack, since=23),
    Operator(group_norm, _maps, since=21),
    Operator(layer_norm_spelled_out, _stack),
    *[Operator(softmax, _stack)] * 2,
]
