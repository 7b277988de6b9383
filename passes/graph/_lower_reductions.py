"""The formula of a reduction over whole dimensions."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, prod

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import IntegerType
from xdsl.ir import Operation, SSAValue
from xdsl.utils.hints import isa

from lamina.dialects.elements import is_unsigned
from lamina.dialects.expr import Expr, var
from lamina.dialects.graph import ReduceOp, tensor_type
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


def _joined_by(op: Callable[..., Operation]) -> Formula:
    """An operation on the accumulator and an element."""
    return lambda s, v: s(op, v[1], v[0])


def _summands(kind: str, unsigned: bool) -> Formula:
    """acc + a, acc + |a| or acc + a * a on integers"""

    def body(s: Scalars, v: list[SSAValue]) -> SSAValue:
        a, acc = v
        if kind == "sum_square":
            a = s(arith.MuliOp, a, a)
        elif kind == "sum_abs" and not unsigned:
            a = s(arith.MaxSIOp, a, s(arith.SubiOp, s.constant(0, a.type), a))
        return s(arith.AddiOp, acc, a)

    return body


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


def formulas(op: ReduceOp) -> tuple[Formula, Formula, float]:
    """Those of FORMULAS, on elements of the type of `op`."""
    element = tensor_type(op.x).element_type
    if not isa(element, IntegerType):
        return FORMULAS[op.kind.data]
    unsigned, bits = is_unsigned(element), element.width.data
    if bits == 1:
        some = op.kind.data == "max"
        join = _joined_by(arith.OrIOp if some else arith.AndIOp)
        return join, join, 0 if some else 1
    match op.kind.data:
        case "max":
            join = _joined_by(arith.MaxUIOp if unsigned else arith.MaxSIOp)
            return join, join, 0 if unsigned else -(1 << bits - 1)
        case "min":
            join = _joined_by(arith.MinUIOp if unsigned else arith.MinSIOp)
            return join, join, -1 if unsigned else (1 << bits - 1) - 1  # all bits set
        case "prod":
            return _joined_by(arith.MuliOp), _joined_by(arith.MuliOp), 1
        case kind:
            total = _joined_by(arith.AddiOp)
            return _summands(kind, unsigned), total, 0


def reduce(k: Kernel, op: ReduceOp) -> None:
    """y[..., 0, ...] = f over all i along the axes of x[..., i, ...]"""
    x, y, gone = k.tensor(op.x), k.tensor(op.y), op.axes.get_values()
    names = names_of(len(x.shape))
    along = {names[d]: x.shape[d] for d in gone}
    axes = {a: n for a, n in zip(names, y.extents, strict=True) if a not in along}
    body, combine, init = formulas(op)
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
