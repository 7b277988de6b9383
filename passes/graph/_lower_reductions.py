"""The formula of a reduction over whole dimensions."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, prod

from xdsl.dialects import arith, math
from xdsl.ir import Operation, SSAValue

from lamina.dialects.expr import Expr, var
from lamina.dialects.graph import ReduceOp
from lamina.passes.graph._formula import Formula, Kernel, Scalars, names_of
from lamina.passes.graph._lower_windows import add, larger, scaled
from lamina.passes.graph._rows import neighbours, reduce_rows


def smaller(s: Scalars, v: list[SSAValue]) -> SSAValue:
    """min(acc, a)"""
    return s(arith.MinimumfOp, v[1], v[0])


def times(s: Scalars, v: list[SSAValue]) -> SSAValue:
    """acc * a"""
    return s(arith.MulfOp, v[1], v[0])


def add_size(s: Scalars, v: list[SSAValue]) -> SSAValue:
    """acc + |a|"""
    return s(arith.AddfOp, v[1], s(math.AbsFOp, v[0]))


def add_square(s: Scalars, v: list[SSAValue]) -> SSAValue:
    """acc + a * a"""
    return s(arith.AddfOp, v[1], s(arith.MulfOp, v[0], v[0]))


FORMULAS: dict[str, tuple[Formula, Formula, float]] = {
    "sum": (add, add, 0.0),
    "mean": (add, add, 0.0),
    "max": (larger, larger, -inf),
    "min": (smaller, smaller, inf),
    "prod": (times, times, 1.0),
    "sum_abs": (add_size, add, 0.0),
    "sum_square": (add_square, add, 0.0),
}
"""kind -> how an element joins the accumulator, how two of those join, and what it is at first"""


def reduce(k: Kernel, op: ReduceOp) -> None:
    """y[..., 0, ...] = f over all i along the axes of x[..., i, ...]"""
    x, y, gone = k.tensor(op.x), k.tensor(op.y), op.axes.get_values()
    names = names_of(len(x.shape))
    along = {names[d]: x.shape[d] for d in gone}
    axes = {a: n for a, n in zip(names, y.extents, strict=True) if a not in along}
    body, combine, init = FORMULAS[op.kind.data]
    reduce_rows(
        k,
        axes,
        along,
        [(x, [var(a) for a in names])],
        (y, [Expr() if a in along else var(a) for a in names]),
        body,
        combine,
        init=init,
        near=neighbours(x, dict(zip(gone, along, strict=True))),
        epilogue=scaled(1 / prod(along.values())) if op.kind.data == "mean" else None,
    )


LOWERINGS: dict[type[Operation], Callable[[Kernel, Operation], None]] = {
    ReduceOp: reduce,  # pyright: ignore[reportAssignmentType]
}
