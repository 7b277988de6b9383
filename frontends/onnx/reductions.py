"""Operators that make one number of all elements along some dimensions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from xdsl.ir import SSAValue

from lamina.dialects import graph
from lamina.frontends.onnx.movement import reshaped
from lamina.frontends.onnx.node import Node, Unsupported, Value

HEIGHT_AND_WIDTH = [2, 3]


def _axes(node: Node, rank: int, since: int) -> list[int]:
    """The dimensions to reduce, in order; `since` is the opset where they became an input."""
    axes = node.axes(since)
    noop = node.attribute("noop_with_empty_axes", 0)
    if not axes:
        return [] if noop else list(range(rank))
    if outside := [a for a in axes if not -rank <= a < rank]:
        raise Unsupported(f"with axis {outside[0]} of {rank} dimensions")
    return sorted({a % rank for a in axes})


def _reduced(node: Node, x: SSAValue, kind: str, axes: Sequence[int]) -> SSAValue:
    """The dimensions `axes` of `x` with size 1."""
    if kind == "mean" and len(graph.shape(x)) == 4 and axes == HEIGHT_AND_WIDTH:
        return node.add(graph.GlobalAvgPoolOp(x))
    if not axes and kind not in ("sum_abs", "sum_square"):
        return x
    return node.add(graph.ReduceOp(x, kind, axes))


def _log_sum_exp(node: Node, x: SSAValue, axes: Sequence[int]) -> SSAValue:
    """log(sum(exp(x - m))) + m, where m is the largest of the x, so that no exp overflows"""
    largest = _reduced(node, x, "max", axes)
    e = node.add(graph.ExpOp(node.add(graph.SubOp(x, largest))))
    log = node.add(graph.LogOp(_reduced(node, e, "sum", axes)))
    return node.add(graph.AddOp(log, largest))


def _reduction(
    reduced: Callable[[Node, SSAValue, Sequence[int]], SSAValue], since: int = 18
) -> Callable[[Node], Sequence[Value]]:
    """The operator that computes `reduced` and keeps the dimensions or not."""

    def operator(node: Node) -> Sequence[Value]:
        x, keep = node.tensor(0), node.attribute("keepdims", 1)
        size = graph.shape(x)
        axes = _axes(node, len(size), since)
        y = reduced(node, x, axes)
        return [y if keep else reshaped(node, y, [n for d, n in enumerate(size) if d not in axes])]

    return operator


def _kind(
    kind: str, *after: Callable[[SSAValue], graph.PointwiseOp], since: int = 18
) -> Callable[[Node], Sequence[Value]]:
    """A kind of `graph.reduce`, and pointwise ops on its result."""

    def reduced(node: Node, x: SSAValue, axes: Sequence[int]) -> SSAValue:
        y = _reduced(node, x, kind, axes)
        for op in after:
            y = node.add(op(y))
        return y

    return _reduction(reduced, since)


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "ReduceL1": _kind("sum_abs"),
    "ReduceL2": _kind("sum_square", graph.SqrtOp),
    "ReduceLogSum": _kind("sum", graph.LogOp),
    "ReduceLogSumExp": _reduction(_log_sum_exp),
    "ReduceMax": _kind("max"),
    "ReduceMean": _kind("mean"),
    "ReduceMin": _kind("min"),
    "ReduceProd": _kind("prod"),
    "ReduceSum": _kind("sum", since=13),
    "ReduceSumSquare": _kind("sum_square"),
}
