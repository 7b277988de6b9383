"""Formulas of ops that take elements at places that another tensor holds."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.dialects import arith
from xdsl.dialects.builtin import i32, i64
from xdsl.ir import Operation, SSAValue

from lamina.dialects.expr import Expr, var
from lamina.dialects.graph import TakeAlongOp, TakeOp
from lamina.passes.graph._copy import first
from lamina.passes.graph._formula import Kernel, Scalars, Tensor, point

AT = "at"
"""the name of a place that was read"""


def places(k: Kernel, indices: Tensor, n: int) -> Tensor:
    """The element of n that each index means: from the end if below zero, at an end if beyond."""
    t = indices.scalar
    found = k.scratch(indices.shape, i32)

    def place(s: Scalars, v: list[SSAValue]) -> SSAValue:
        sign = s(arith.ShRSIOp, v[0], s.constant(63 if t == i64 else 31, t))
        from_end = s(arith.AddiOp, v[0], s(arith.AndIOp, sign, s.constant(n, t)))
        above = s(arith.MaxSIOp, from_end, s.constant(0, t))
        inside = s(arith.MinSIOp, above, s.constant(n - 1, t))
        return s.builder.insert(arith.TruncIOp(inside, i32)).result if t == i64 else inside

    axes = {f"i{d}": m for d, m in enumerate(indices.shape)}
    index = [var(name) for name in axes]
    k.compute(axes, [(indices, index)], (found, index), place)
    return found


def taken(k: Kernel, op: TakeOp | TakeAlongOp, where: Callable[[list[Expr]], list[Expr]]) -> None:
    """y[i] = x[.., at, ..], where the place `at` is what `where(i)` of the indices means"""
    x, y, d = k.tensor(op.x), k.tensor(op.y), op.axis.value.data
    n = x.shape[d]
    found = places(k, k.tensor(op.indices), n)
    axes, index = point(y)
    axes[list(axes)[d]] = y.shape[d]
    source = [var(AT) if i == d else e for i, e in enumerate(index)]
    names = {AT: (found, where(index), n)}
    k.compute(axes, [(x, source)], (y, index), first, names=names)


def take(k: Kernel, op: TakeOp) -> None:
    """y[.., i, ..] = x[.., indices[i], ..]"""
    taken(k, op, lambda index: [index[op.axis.value.data]])


def take_along(k: Kernel, op: TakeAlongOp) -> None:
    """y[i, j] = x[i, indices[i, j]]"""
    taken(k, op, list)


LOWERINGS: dict[type[Operation], Callable[[Kernel, Operation], None]] = {
    TakeAlongOp: take_along,
    TakeOp: take,
}  # pyright: ignore[reportAssignmentType]
