"""Formulas of matrix products whose operands are both computed at run time."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.ir import Operation

from lamina.dialects.expr import Expr, var
from lamina.dialects.graph import MatmulOp
from lamina.passes.graph._formula import Kernel
from lamina.passes.graph._lower_windows import multiply_add


def matmul(k: Kernel, op: MatmulOp) -> None:
    """y[..., m, n] = sum over k of a[..., m, k] * b[..., k, n]"""
    a, b, y = k.tensor(op.a), k.tensor(op.b), k.tensor(op.y)
    batch = {f"b{d}": size for d, size in enumerate(y.shape[:-2])}
    m, n, i = var("m"), var("n"), var("k")

    def at(size: tuple[int, ...]) -> list[Expr]:
        """The dimensions in front: 0 where one matrix serves the whole batch."""
        return [Expr() if s == 1 else var(f"b{d}") for d, s in enumerate(size[:-2])]

    k.compute(
        {**batch, "m": y.shape[-2], "n": y.shape[-1]},
        [(a, [*at(a.shape), m, i]), (b, [*at(b.shape), i, n])],
        (y, [*map(var, batch), m, n]),
        multiply_add,
        reduce={"k": a.shape[-1]},
    )


LOWERINGS: dict[type[Operation], Callable[[Kernel, Operation], None]] = {
    MatmulOp: matmul,  # pyright: ignore[reportAssignmentType]
}
