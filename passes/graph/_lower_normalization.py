"""Formulas of ops that set the elements along some dimensions in relation to each other."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, prod

from xdsl.dialects import arith, math
from xdsl.ir import Operation, SSAValue

from lamina.dialects.expr import Expr
from lamina.dialects.graph import LogSoftmaxOp, NormalizeOp
from lamina.passes.graph._formula import Kernel, Scalars, point
from lamina.passes.graph._lower_windows import add, larger, scaled


def normalize(k: Kernel, op: NormalizeOp) -> None:
    """m = mean of x; r = 1 / sqrt(mean of (x - m)^2 + epsilon); y = (x - m) * r"""
    x, y = k.tensor(op.x), k.tensor(op.y)
    axes, index = point(y)
    dims = op.axes.get_values()
    along = {name: y.shape[d] for d, name in enumerate(axes) if d in dims}
    rows = {name: n for name, n in axes.items() if name not in along}
    row = [Expr() if d in dims else e for d, e in enumerate(index)]
    size = [1 if d in dims else n for d, n in enumerate(y.extents)]
    mean, factor = k.scratch(size), k.scratch(size)
    share, epsilon = 1 / prod(along.values()), op.epsilon.value.data

    def square(s: Scalars, v: list[SSAValue]) -> SSAValue:
        a, m, acc = v
        d = s(arith.SubfOp, a, m)
        return s(arith.AddfOp, acc, s(arith.MulfOp, d, d))

    def inverse(s: Scalars, v: list[SSAValue]) -> SSAValue:
        variance = s(arith.MulfOp, v[0], s.constant(share))
        deviation = s(math.SqrtOp, s(arith.AddfOp, variance, s.constant(epsilon)))
        return s(arith.DivfOp, s.constant(1.0), deviation)

    def apply(s: Scalars, v: list[SSAValue]) -> SSAValue:
        return s(arith.MulfOp, s(arith.SubfOp, v[0], v[1]), v[2])

    here = [(x, index), (mean, row)]
    k.compute(rows, here[:1], (mean, row), add, reduce=along, epilogue=scaled(share))
    k.compute(rows, here, (factor, row), square, reduce=along, epilogue=inverse)
    k.compute(axes, [*here, (factor, row)], (y, index), apply)


def log_softmax(k: Kernel, op: LogSoftmaxOp) -> None:
    """m = max of x; t = log(sum of exp(x - m)); y = x - m - t, along one dimension"""
    x, y = k.tensor(op.x), k.tensor(op.y)
    axes, index = point(y)
    d = op.axis.value.data
    name = list(axes)[d]
    along = {name: axes[name]}
    rows = {a: n for a, n in axes.items() if a != name}
    row = [Expr() if i == d else e for i, e in enumerate(index)]
    size = [1 if i == d else n for i, n in enumerate(y.shape)]
    largest, total = k.scratch(size), k.scratch(size)

    def exponential(s: Scalars, v: list[SSAValue]) -> SSAValue:
        a, m, acc = v
        return s(arith.AddfOp, acc, s(math.ExpOp, s(arith.SubfOp, a, m)))

    def logarithm(s: Scalars, v: list[SSAValue]) -> SSAValue:
        return s(math.LogOp, v[0])

    def difference(s: Scalars, v: list[SSAValue]) -> SSAValue:
        return s(arith.SubfOp, s(arith.SubfOp, v[0], v[1]), v[2])

    here = [(x, index), (largest, row)]
    k.compute(rows, here[:1], (largest, row), larger, reduce=along, init=-inf)
    k.compute(rows, here, (total, row), exponential, reduce=along, epilogue=logarithm)
    k.compute(axes, [*here, (total, row)], (y, index), difference)


LOWERINGS: dict[type[Operation], Callable[[Kernel, Operation], None]] = {
    LogSoftmaxOp: log_softmax,
    NormalizeOp: normalize,
}  # pyright: ignore[reportAssignmentType]
