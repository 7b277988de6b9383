"""Formulas of ops that read between the elements of a tensor."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

from xdsl.dialects import arith
from xdsl.ir import Operation, SSAValue

from lamina.dialects.expr import Expr, var
from lamina.dialects.graph import ResampleOp
from lamina.passes.graph._copy import first
from lamina.passes.graph._formula import Index, Kernel, Scalars, Tensor, point


def resample(k: Kernel, op: ResampleOp) -> None:
    """y[o] = sum over k of w[o, k] * x[at[o, k]]; a weight is the product of those of the axes"""
    x, y = k.tensor(op.x), k.tensor(op.y)
    axes, index = point(y)
    source, taps = list(index), dict[str, int]()
    names: dict[str, tuple[Tensor, Index, int]] = {}
    weights: list[tuple[Tensor, Index]] = []
    for number, d in enumerate(op.axes.get_values()):
        name, at = list(axes)[d], k.tensor(op.at[number])
        tap = Expr()
        if at.shape[1] > 1:
            taps[f"k{name}"] = at.shape[1]
            tap = var(f"k{name}")
        source[d] = var(f"at_{name}")
        names[f"at_{name}"] = (at, [index[d], tap], x.shape[d])
        if op.weights:
            weights.append((k.tensor(op.weights[number]), [index[d], tap]))

    def weighted(s: Scalars, v: list[SSAValue]) -> SSAValue:
        *factors, element, total = v
        if factors:
            element = s(arith.MulfOp, reduce(lambda a, b: s(arith.MulfOp, a, b), factors), element)
        return s(arith.AddfOp, element, total)

    body = weighted if taps or weights else first
    k.compute(axes, [*weights, (x, source)], (y, index), body, reduce=taps, names=names)


LOWERINGS: dict[type[Operation], Callable[[Kernel, Operation], None]] = {ResampleOp: resample}  # pyright: ignore[reportAssignmentType]
