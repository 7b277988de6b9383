"""Formulas of matrix products whose operands are both computed at run time."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.ir import Operation

from lamina.dialects.expr import Expr, var
from lamina.dialects.graph import MatmulOp
from lamina.passes.graph._formula import Index, Kernel, Tensor
from lamina.passes.graph._lower_windows import add, products_of
from lamina.passes.graph._rows import neighbours, reduce_rows


def matmul(k: Kernel, op: MatmulOp) -> None:
    """y[..., m, n] = sum over k of a[..., m, k] * b[..., k, n]"""
    a, b, y = k.tensor(op.a), k.tensor(op.b), k.tensor(op.y)
    batch = {f"b{d}": size for d, size in enumerate(y.shape[:-2])}
    m, n, i = var("m"), var("n") if y.shape[-1] > 1 else Expr(), var("k")

    def front(t: Tensor) -> list[Expr]:
        """The dimensions in front: 0 where one matrix serves the whole batch."""
        return [Expr() if s == 1 else var(f"b{d}") for d, s in enumerate(t.shape[:-2])]

    rows, along = {**batch, "m": y.shape[-2]}, {"k": a.shape[-1]}
    reads: list[tuple[Tensor, Index]] = [(a, [*front(a), m, i]), (b, [*front(b), i, n])]
    write = (y, [*map(var, batch), m, n])
    if n == Expr():  # what is summed up are the neighbours in both operands
        near = neighbours(a, {a.layout.rank - 1: "k"})
        reduce_rows(k, rows, along, reads, write, products_of(a, b), add, near=near)
        return
    k.compute({**rows, "n": y.shape[-1]}, reads, write, products_of(a, b), reduce=along)


LOWERINGS: dict[type[Operation], Callable[[Kernel, Operation], None]] = {
    MatmulOp: matmul,  # pyright: ignore[reportAssignmentType]
}
