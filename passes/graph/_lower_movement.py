"""Formulas of ops that only move elements."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from xdsl.ir import Operation

from lamina.dialects.expr import Expr, div
from lamina.dialects.graph import ConcatOp, RelayoutOp, ReshapeOp, TransposeOp
from lamina.passes.graph._copy import copy, first
from lamina.passes.graph._formula import Kernel, point


def relayout(k: Kernel, op: RelayoutOp) -> None:
    """y[i] = x[i]"""
    y = k.tensor(op.y)
    axes, index = point(y)
    k.compute(axes, [(k.tensor(op.x), index)], (y, index), first)


def reshape(k: Kernel, op: ReshapeOp) -> None:
    """y[i] = x[j], where i and j are the same element in row-major order"""
    x, y = k.tensor(op.x), k.tensor(op.y)
    axes, index = point(y)
    position = Expr()
    for e, size in zip(index, y.shape, strict=True):
        position = position * size + e
    source: list[Expr] = []
    for d, size in enumerate(x.shape):
        step = prod(x.shape[d + 1 :])
        e = div("floordiv", position, step) if step > 1 else position
        source.append(div("mod", e, size) if d and size > 1 else e if size > 1 else Expr())
    k.compute(axes, [(x, source)], (y, index), first)


def transpose(k: Kernel, op: TransposeOp) -> None:
    """y[i] = x[j], where j[perm[d]] = i[d]"""
    y, perm = k.tensor(op.y), op.perm.get_values()
    axes, index = point(y)
    source = [index[perm.index(d)] for d in range(len(perm))]
    k.compute(axes, [(k.tensor(op.x), source)], (y, index), first)


def concat(k: Kernel, op: ConcatOp) -> None:
    """y[..., offset + i, ...] = x[..., i, ...] for each x"""
    y, d, offset = k.tensor(op.y), op.axis.value.data, 0
    axes, index = point(y)
    name = list(axes)[d]
    for n, value in enumerate(op.xs):
        x = k.tensor(value)
        target = [e + offset if i == d else e for i, e in enumerate(index)]
        last = n == len(op.xs) - 1
        copy(k, axes | {name: x.shape[d]}, (x, index), (y, target), d, halo=last)
        offset += x.shape[d]


LOWERINGS: dict[type[Operation], Callable[[Kernel, Operation], None]] = {
    RelayoutOp: relayout,
    ReshapeOp: reshape,
    TransposeOp: transpose,
    ConcatOp: concat,
}  # pyright: ignore[reportAssignmentType]
