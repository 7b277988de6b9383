"""
Reductions of rows whose elements lie side by side in memory.

One element after the other would leave all but one lane of a vector idle. So neighbours are reduced
beside each other first, `row[chunk * lanes + lane]` over chunks, and then the lanes of each row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from xdsl.ir import SSAValue

from lamina.dialects.expr import Expr, var
from lamina.passes.graph._formula import Formula, Index, Kernel, Scalars, Tensor

VECTOR = 16
"""lanes that cost as much as one: a register of AVX-512, two of AVX2"""

WIDEST = 64
"""lanes beyond which only their own reduction grows"""


def lanes_for(extents: Sequence[int]) -> int | None:
    """
    How many lanes reduce rows of these extents fastest, the last that of neighbours; None to go one
    by one.
    """
    *others, extent = extents
    times = prod(others)

    def steps(lanes: int) -> int:
        chunks, rest = divmod(extent, lanes)
        return times * (chunks * -(-lanes // VECTOR) + rest) + lanes

    found = [n for n in (*range(8, WIDEST + 1, 8), extent) if n <= min(extent, WIDEST)]
    best = min(found, key=steps, default=1)
    return best if 2 * steps(best) < times * extent else None


def reduce_rows(
    k: Kernel,
    rows: Mapping[str, int],
    along: Mapping[str, int],
    reads: Sequence[tuple[Tensor, Index]],
    write: tuple[Tensor, Index],
    body: Formula,
    combine: Formula,
    *,
    init: float = 0.0,
    epilogue: Formula | None = None,
    side_by_side: bool = True,
) -> None:
    """
    epilogue(reduction of `reads` with `body` over the axes `along`) to `write`, for each of `rows`.

    The elements along the last of `along` are neighbours, if they are `side_by_side`; `combine`
    makes one of two results of `body`.
    """
    lanes = lanes_for([*along.values()]) if side_by_side else None
    if lanes is None:
        k.compute(rows, reads, write, body, reduce=along, init=init, epilogue=epilogue)
        return
    *others, name = along
    chunks, rest = divmod(along[name], lanes)
    index = [*map(var, rows), var("lane")]
    parts = k.scratch([*rows.values(), lanes])
    wide = _shifted(reads, name, var("chunk") * lanes + var("lane"))
    many = {**{a: along[a] for a in others}, "chunk": chunks}
    k.compute({**rows, "lane": lanes}, wide, (parts, index), body, reduce=many, init=init)
    if not rest:
        k.compute(
            rows,
            [(parts, index)],
            write,
            combine,
            reduce={"lane": lanes},
            init=init,
            epilogue=epilogue,
        )
        return

    def last(s: Scalars, v: list[SSAValue]) -> SSAValue:
        total = combine(s, [v[1], v[0]])
        return epilogue(s, [total]) if epilogue else total

    sums, row = k.scratch([*rows.values(), 1]), [*map(var, rows), Expr()]
    k.compute(rows, [(parts, index)], (sums, row), combine, reduce={"lane": lanes}, init=init)
    k.compute(
        rows,
        _shifted(reads, name, var(name) + chunks * lanes),
        write,
        body,
        reduce={**along, name: rest},
        init=init,
        extras=[(sums, row)],
        epilogue=last,
    )


def _shifted(
    reads: Sequence[tuple[Tensor, Index]], name: str, to: Expr
) -> list[tuple[Tensor, Index]]:
    """`reads` with `to` in place of the axis `name`."""
    return [(t, [e.substitute({name: to}) for e in index]) for t, index in reads]


def has_neighbours(x: Tensor, along: Sequence[int]) -> bool:
    """Whether the elements of `x` along the last of these dimensions are neighbours in memory."""
    return x.layout.with_halo(()).is_plain and len(x.shape) - 1 in along
