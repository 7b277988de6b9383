"""
Graph ops on logical arrays, in NumPy: how a tensor is stored makes no difference here.

Sums of products and means are formed in float64 and rounded once at the end. So a result is as
close to the true one as its type allows, and what a kernel differs by is the kernel's own error.
Everything else is one correctly rounded operation of the element type; `softmax`, `batch_norm` and
the transcendental functions are computed in float64 and then rounded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Operation
from xdsl.utils.exceptions import InterpretationError

from lamina.dialects import graph
from lamina.dialects.graph.constants import array_of
from lamina.interpreters import (
    graph_choice,
    graph_quantization,
    graph_resampling,
    graph_slicing,
    graph_winograd,
)
from lamina.interpreters.arrays import dtype_of
from lamina.interpreters.cost import STEP, Cost, Estimate
from lamina.interpreters.graph_quantization import exactly, rounded
from lamina.interpreters.run import Implementation, Run
from lamina.interpreters.scalar import fma
from lamina.weights import WeightStore

Array = np.ndarray
Function = Callable[..., Array]
"""(op, operands...) -> result"""

_CHUNK = 1 << 22
"""elements of the matrix of windows that exist at once: 32 MB"""


def _double(f: Callable[..., Array]) -> Function:
    """Compute `f` in float64, round to the type of the operand."""
    return lambda op, x: f(x.astype(np.float64)).astype(x.dtype)


def _sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))  # never overflows
    return np.where(x < 0, e, 1.0) / (1.0 + e)


# -- windows


def _windows(op: graph.WindowOp, x: Array, fill: float) -> Array:
    """Every window of `x`: [n, c, oh, ow, kh, kw], a view of one padded copy."""
    x = np.pad(x, ((0, 0), (0, 0), *op.sides()), constant_values=fill)
    (dh, dw), (sh, sw) = op.dilation(), op.strides.get_values()
    kh, kw = op.window()
    extent = (dh * (kh - 1) + 1, dw * (kw - 1) + 1)
    views = np.lib.stride_tricks.sliding_window_view(x, extent, (2, 3))
    return views[:, :, ::sh, ::sw, ::dh, ::dw]


def _conv2d(op: graph.Conv2dOp, x: Array, w: Array, bias: Array | None = None) -> Array:
    """Per group: weights [o, i kh kw] times windows [i kh kw, oh ow], some output rows a time."""
    groups, (o, i, kh, kw) = op.groups.value.data, w.shape
    x, w = exactly(x, w, i * kh * kw, op.outside())
    windows = _windows(op, x, op.outside()).transpose(0, 1, 4, 5, 2, 3)
    n, *_, height, width = windows.shape
    weights = w.reshape(groups, o // groups, i * kh * kw)
    y = np.empty((n, groups, o // groups, height, width), x.dtype)
    rows = max(1, _CHUNK // (n * groups * i * kh * kw * width))
    for h in range(0, height, rows):
        part = windows[..., h : h + rows, :]
        columns = part.reshape(n, groups, i * kh * kw, -1)
        y[..., h : h + rows, :] = (weights @ columns).reshape(y[..., h : h + rows, :].shape)
    y = y.reshape(n, o, height, width)
    return rounded(y if bias is None else y + bias[:, None, None], dtype_of(op.y.type))


def _max_pool2d(op: graph.MaxPool2dOp, x: Array) -> Array:
    lowest = np.iinfo(x.dtype).min if x.dtype.kind in "iu" else -np.inf
    windows = _windows(op, x, lowest)
    taps = [windows[..., i, j] for i in range(windows.shape[4]) for j in range(windows.shape[5])]
    y = taps[0].copy()
    for tap in taps[1:]:
        np.maximum(y, tap, out=y)
    return y


def _avg_pool2d(op: graph.AvgPool2dOp, x: Array) -> Array:
    sums = _windows(op, x.astype(np.float64), 0).sum((4, 5))
    inside = np.ones((1, 1, *x.shape[2:]))
    fill = 1 if op.count_pads else 0
    return (sums / _windows(op, inside, fill).sum((4, 5))).astype(x.dtype)


def _global_avg_pool(op: graph.GlobalAvgPoolOp, x: Array) -> Array:
    return x.mean((2, 3), np.float64, keepdims=True).astype(x.dtype)


def _interleave(op: graph.InterleaveOp, x: Array) -> Array:
    (sh, sw), (top, left) = op.steps.get_values(), op.offsets.get_values()
    n, _, h, w = x.shape
    _, channels, height, width = graph.shape(op.y)
    x = x.reshape(n, op.groups.value.data, sh, sw, -1, h, w).transpose(0, 1, 4, 5, 2, 6, 3)
    whole = x.reshape(n, channels, h * sh, w * sw)
    return whole[:, :, top : top + height, left : left + width]


# -- the rest of the network


def _batch_norm(
    op: graph.BatchNormOp, x: Array, scale: Array, bias: Array, mean: Array, var: Array
) -> Array:
    per_channel = (-1,) + (1,) * (x.ndim - 2)
    s, b, m, v = (p.astype(np.float64).reshape(per_channel) for p in (scale, bias, mean, var))
    return ((x - m) / np.sqrt(v + op.epsilon.value.data) * s + b).astype(x.dtype)


def _log_softmax(op: graph.LogSoftmaxOp, x: Array) -> Array:
    axis = op.axis.value.data
    d = x.astype(np.float64) - x.max(axis, keepdims=True)
    return (d - np.log(np.exp(d).sum(axis, keepdims=True))).astype(x.dtype)


def _normalize(op: graph.NormalizeOp, x: Array) -> Array:
    axes, exact = op.axes.get_values(), x.astype(np.float64)
    d = exact - exact.mean(axes, keepdims=True)
    variance = np.square(d).mean(axes, keepdims=True)
    return (d / np.sqrt(variance + op.epsilon.value.data)).astype(x.dtype)


def _softmax(op: graph.SoftmaxOp, x: Array) -> Array:
    axis = op.axis.value.data
    e = np.exp(x.astype(np.float64) - x.max(axis, keepdims=True))
    return (e / e.sum(axis, keepdims=True)).astype(x.dtype)


def _clip(op: graph.ClipOp, x: Array) -> Array:
    low, high = (x.dtype.type(bound.value.data) for bound in (op.low, op.high))
    return np.minimum(np.maximum(x, low), high)


def _concat(op: graph.ConcatOp, *xs: Array) -> Array:
    return np.concatenate(xs, op.axis.value.data)


FUNCTIONS: Mapping[type[Operation], Function] = {
    **graph_quantization.FUNCTIONS,
    **graph_resampling.FUNCTIONS,
    **graph_slicing.FUNCTIONS,
    **graph_choice.FUNCTIONS,
    **graph_winograd.FUNCTIONS,
    graph.AbsOp: lambda op, x: np.abs(x),
    graph.AddOp: lambda op, a, b: a + b,
    graph.AvgPool2dOp: _avg_pool2d,
    graph.BatchNormOp: _batch_norm,
    graph.CeilOp: lambda op, x: np.ceil(x),
    graph.ClipOp: _clip,
    graph.ConcatOp: _concat,
    graph.Conv2dOp: _conv2d,
    graph.ErfOp: _double(np.vectorize(math.erf, otypes=[np.float64])),
    graph.ExpOp: _double(np.exp),
    graph.Expm1Op: _double(np.expm1),
    graph.FloorOp: lambda op, x: np.floor(x),
    graph.FmaOp: lambda op, a, b, c: fma(a, b, c),
    graph.GlobalAvgPoolOp: _global_avg_pool,
    graph.InterleaveOp: _interleave,
    graph.LogSoftmaxOp: _log_softmax,
    graph.Log1pOp: _double(np.log1p),
    graph.LogOp: _double(np.log),
    graph.MaximumOp: lambda op, a, b: np.maximum(a, b),
    graph.MaxPool2dOp: _max_pool2d,
    graph.MinimumOp: lambda op, a, b: np.minimum(a, b),
    graph.MulOp: lambda op, a, b: a * b,
    graph.NormalizeOp: _normalize,
    graph.NegOp: lambda op, x: -x,
    graph.PowOp: lambda op, a, b: np.power(a.astype(np.float64), b).astype(a.dtype),
    graph.ReluOp: lambda op, x: np.maximum(x, x.dtype.type(0)),
    graph.RelayoutOp: lambda op, x: x,
    graph.ReshapeOp: lambda op, x: x.reshape(graph.shape(op.y)),
    graph.RoundOp: lambda op, x: np.rint(x),
    graph.SigmoidOp: _double(_sigmoid),
    graph.SoftmaxOp: _softmax,
    graph.SqrtOp: _double(np.sqrt),
    graph.SubOp: lambda op, a, b: a - b,
    graph.TanhOp: _double(np.tanh),
    graph.TransposeOp: lambda op, x: x.transpose(op.perm.get_values()),
}
"""What each op without a region and without a constant computes from its operands."""


def _implementation(f: Function) -> Implementation:
    return lambda run, op, args: (f(op, *args),)


def _constant(run: Run, op: graph.ConstantOp, args: Sequence[Any]) -> Sequence[Any]:
    if run.store is None and isinstance(op.value, StringAttr):
        raise InterpretationError(
            f"constant is weight {op.value.data}, but there is no weight store"
        )
    store = run.store or WeightStore()
    return (run.once(op, lambda: array_of(op, store)),)


def _fused(run: Run, op: graph.FusedOp, args: Sequence[Any]) -> Sequence[Any]:
    return run.block(op.body.block, args)


IMPLEMENTATIONS: Mapping[type[Operation], Implementation] = {
    **{op: _implementation(f) for op, f in FUNCTIONS.items()},
    graph.ConstantOp: _constant,
    graph.FusedOp: _fused,
}


# -- how long it takes, roughly: 20 G multiply-adds a second, 0.5 G window taps, 20 M erf


def _products(op: graph.Conv2dOp | graph.DenseOp) -> int:
    """How many products are summed up."""
    return prod(graph.shape(op.y)) * prod(graph.shape(op.w)[1:])


def _fused_cost(estimate: Estimate, op: graph.FusedOp) -> float:
    return STEP + estimate.block(op.body.block)


def _matmul_cost(estimate: Estimate, op: graph.MatmulOp) -> float:
    return STEP + prod(graph.shape(op.y)) * graph.shape(op.a)[-1] / 2e9


def _pool_cost(estimate: Estimate, op: graph.PoolOp) -> float:
    return 5 * STEP + prod(graph.shape(op.y)) * prod(op.window()) * 2e-9


COSTS: Mapping[type[Operation], Cost] = {
    graph.AvgPool2dOp: _pool_cost,
    graph.Conv2dOp: lambda estimate, op: 5 * STEP + _products(op) / 20e9,
    graph.DenseOp: lambda estimate, op: STEP + _products(op) / 2e9,
    graph.ErfOp: lambda estimate, op: STEP + prod(graph.shape(op.y)) * 50e-9,
    graph.FusedOp: _fused_cost,
    graph.MatmulOp: _matmul_cost,
    graph.MaxPool2dOp: _pool_cost,
    graph.WinogradInputOp: lambda estimate, op: 5 * STEP + prod(graph.shape(op.y)) * 20e-9,
    graph.WinogradOutputOp: lambda estimate, op: 5 * STEP + prod(graph.shape(op.x)) * 20e-9,
}
