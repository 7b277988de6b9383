"""Formulas of ops that set the elements along some dimensions in relation to each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, prod

from xdsl.dialects import arith, math
from xdsl.ir import Operation, SSAValue

from lamina.dialects.expr import Expr
from lamina.dialects.graph import LogSoftmaxOp, NormalizeOp, SoftmaxOp
from lamina.passes.graph._formula import Formula, Index, Kernel, Scalars, Tensor, point
from lamina.passes.graph._lower_windows import add, larger, scaled
from lamina.passes.graph._rows import neighbours, reduce_rows

Element = tuple[Tensor, Index]
"""a tensor and where to read or write it"""


class Rows:
    """The elements of x, and of y of the same shape, in rows along some of their dimensions."""

    def __init__(
        self, k: Kernel, op: NormalizeOp | SoftmaxOp | LogSoftmaxOp, dims: Sequence[int]
    ) -> None:
        self.kernel, self.dims = k, dims
        x, y = k.tensor(op.x), k.tensor(op.y)
        self.axes, index = point(y)
        self.element: Element = (x, index)
        self.result: Element = (y, index)
        self.along = {name: y.shape[d] for d, name in enumerate(self.axes) if d in dims}
        self._size = [1 if d in dims else n for d, n in enumerate(y.extents)]
        self._row = [Expr() if d in dims else e for d, e in enumerate(index)]

    def reduce(
        self,
        reads: Sequence[Element],
        body: Formula,
        combine: Formula,
        *,
        init: float = 0.0,
        epilogue: Formula | None = None,
    ) -> Element:
        """One number for each row: `body` of each element and of `reads`."""
        rows = {name: n for name, n in self.axes.items() if name not in self.along}
        result = (self.kernel.scratch(self._size), self._row)
        reduce_rows(
            self.kernel,
            rows,
            self.along,
            [self.element, *reads],
            result,
            body,
            combine,
            init=init,
            epilogue=epilogue,
            near=neighbours(self.element[0], dict(zip(self.dims, self.along, strict=True))),
        )
        return result


def normalize(k: Kernel, op: NormalizeOp) -> None:
    """m = mean of x; r = 1 / sqrt(mean of (x - m)^2 + epsilon); y = (x - m) * r"""
    rows = Rows(k, op, op.axes.get_values())
    share, epsilon = 1 / prod(rows.along.values()), op.epsilon.value.data

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

    mean = rows.reduce([], add, add, epilogue=scaled(share))
    factor = rows.reduce([mean], square, add, epilogue=inverse)
    k.compute(rows.axes, [rows.element, mean, factor], rows.result, apply)


def softmax(k: Kernel, op: SoftmaxOp) -> None:
    """m = max of x; e = exp(x - m); y = e / sum of e, along one dimension"""
    rows = Rows(k, op, [op.axis.value.data])

    def exponential(s: Scalars, v: list[SSAValue]) -> SSAValue:
        return s(math.ExpOp, s(arith.SubfOp, v[0], v[1]))

    def quotient(s: Scalars, v: list[SSAValue]) -> SSAValue:
        return s(arith.DivfOp, v[0], v[1])

    largest = rows.reduce([], larger, larger, init=-inf)
    k.compute(rows.axes, [rows.element, largest], rows.result, exponential)
    rows.element = rows.result
    total = rows.reduce([], add, add)
    k.compute(rows.axes, [rows.result, total], rows.result, quotient)


def log_softmax(k: Kernel, op: LogSoftmaxOp) -> None:
    """m = max of x; t = log(sum of exp(x - m)); y = x - m - t, along one dimension"""
    rows = Rows(k, op, [op.axis.value.data])

    def exponential(s: Scalars, v: list[SSAValue]) -> SSAValue:
        a, m, acc = v
        return s(arith.AddfOp, acc, s(math.ExpOp, s(arith.SubfOp, a, m)))

    def logarithm(s: Scalars, v: list[SSAValue]) -> SSAValue:
        return s(math.LogOp, v[0])

    def difference(s: Scalars, v: list[SSAValue]) -> SSAValue:
        return s(arith.SubfOp, s(arith.SubfOp, v[0], v[1]), v[2])

    largest = rows.reduce([], larger, larger, init=-inf)
    total = rows.reduce([largest], exponential, add, epilogue=logarithm)
    k.compute(rows.axes, [rows.element, largest, total], rows.result, difference)


LOWERINGS: dict[type[Operation], Callable[[Kernel, Operation], None]] = {
    LogSoftmaxOp: log_softmax,
    NormalizeOp: normalize,
    SoftmaxOp: softmax,
}  # pyright: ignore[reportAssignmentType]
