"""Matrix products."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np
from xdsl.ir import SSAValue

from lamina.dialects import graph
from lamina.frontends.onnx.movement import reshaped, transposed
from lamina.frontends.onnx.node import Node, Unsupported, Value


def _gemm(node: Node) -> Sequence[Value]:
    """alpha * a @ b + beta * c"""
    a, b = node.value(0), node.value(1)
    for x in (a, b):
        if len(_shape(x)) != 2:
            raise Unsupported(f"of {list(_shape(a))} and {list(_shape(b))}; matrices are needed")
    if node.attribute("transA", 0):
        a = transposed(node, a, (1, 0))
    if node.attribute("transB", 0):
        b = transposed(node, b, (1, 0))
    b = _scaled(node, b, node.attribute("alpha", 1.0))
    beta, outputs = node.attribute("beta", 1.0), _shape(b)[1]
    if not node.has(2) or beta == 0:
        return [_product(node, a, b)]
    c = node.value(2)
    if isinstance(b, np.ndarray) and _is_row(c, outputs):
        if isinstance(c, np.ndarray):
            row = np.broadcast_to(c.reshape(-1), (outputs,)) * np.float32(beta)
            return [_dense(node, a, b, node.known(row, node.name_of(2)))]
        if beta == 1:
            return [_dense(node, a, b, c)]
    rest = _scaled(node, reshaped(node, c, (1,) * (2 - len(_shape(c))) + _shape(c)), beta)
    return [node.add(graph.AddOp(_product(node, a, b), _operand(node, rest, 2)))]


def _is_row(c: Value, outputs: int) -> bool:
    """Whether `c` can be the bias of a product with constant weights."""
    if isinstance(c, np.ndarray):
        return prod(c.shape[:-1]) == 1 and c.size in (1, outputs)
    return graph.shape(c) == (outputs,)


def _matmul(node: Node) -> Sequence[Value]:
    """A vector on the left is a row, on the right a column; dimensions in front broadcast."""
    a, b = node.value(0), node.value(1)
    rows, columns, result = matrices(_shape(a), _shape(b))
    y = _product(node, reshaped(node, a, rows), reshaped(node, b, columns))
    return [reshaped(node, y, result)]


def matrices(
    left: Sequence[int], right: Sequence[int]
) -> tuple[tuple[int, ...], tuple[int, ...], list[int]]:
    """The shapes of two operands as matrices of equal rank, and the shape of their product."""
    if not left or not right:
        raise Unsupported(f"of {list(left)} and {list(right)}; a number is no matrix")
    rows = left if len(left) > 1 else (1, *left)
    columns = right if len(right) > 1 else (*right, 1)
    rank = max(len(rows), len(columns))
    rows, columns = ((*[1] * (rank - len(size)), *size) for size in (rows, columns))
    batch = np.broadcast_shapes(rows[:-2], columns[:-2])
    result = [*batch, *left[-2:-1], *(right[-1:] if len(right) > 1 else ())]
    if prod(columns[:-2]) == 1:  # one matrix on the right: rows of the whole batch go side by side
        rows, columns = (prod(rows[:-1]), rows[-1]), columns[-2:]
    return rows, columns, result


def _product(node: Node, a: Value, b: Value) -> SSAValue:
    """a @ b of equal rank; a matrix `b` that is known now is weights."""
    if isinstance(b, np.ndarray) and b.ndim == 2:
        return _dense(node, a, b)
    return node.add(graph.MatmulOp(_operand(node, a, 0), _operand(node, b, 1)))


def _dense(node: Node, a: Value, b: np.ndarray, bias: SSAValue | None = None) -> SSAValue:
    return node.add(graph.DenseOp(_operand(node, a, 0), _operand(node, b.T, 1), bias))


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


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "Gemm": _gemm,
    "MatMul": _matmul,
}
