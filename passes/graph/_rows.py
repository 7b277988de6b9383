"""
Reductions of rows whose elements lie side by side in memory.

One element after the other would leave all but one lane of a vector idle. So neighbours are reduced
beside each other first, `row[chunk * lanes + lane]` over chunks, and then the lanes of each row. Of
a dimension that is stored in blocks the elements of a block are neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Neighbours:
    """Elements that lie side by side in memory."""

    axis: str
    """along which they do"""
    block: int = 0
    """how many of them; 0 for all"""


def neighbours(x: Tensor, along: Mapping[int, str]) -> Neighbours | None:
    """Which elements of `x` along these dimensions, and axes, are neighbours in memory, if any."""
    if not along:
        return None
    last = x.layout.dims[-1]
    if last.of not in along:
        return None
    if last.size is not None:
        return Neighbours(along[last.of], last.size) if x.shape[last.of] >= last.size else None
    return Neighbours(along[last.of])


def reduce_rows(
    k: Kernel,
    rows: Mapping[str, int],
    along: Mapping[str, int],
    reads: Sequence[tuple[Tensor, Index]],
    write: tuple[Tensor, Index],
    body: Formula,
    combine: Formula,
    *,
    near: Neighbours | None,
    init: float = 0.0,
    epilogue: Formula | None = None,
) -> None:
    """
    epilogue(reduction of `reads` with `body` over the axes `along`) to `write`, for each of `rows`.

    `near` are the elements that are neighbours; `combine` makes one of two results of `body`.
    """
    others = {a: n for a, n in along.items() if near is None or a != near.axis}
    lanes = near and (near.block or lanes_for([*others.values(), along[near.axis]]))
    if near is None or not lanes:
        k.compute(rows, reads, write, body, reduce=along, init=init, epilogue=epilogue)
        return
    name = near.axis
    chunks, rest = divmod(along[name], lanes)
    index = [*map(var, rows), var("lane")]
    parts = (k.scratch([*rows.values(), lanes], write[0].scalar), index)
    wide = _shifted(reads, name, var("chunk") * lanes + var("lane"))
    many = {**others, "chunk": chunks}
    k.compute({**rows, "lane": lanes}, wide, parts, body, reduce=many, init=init)

    def join(s: Scalars, v: list[SSAValue]) -> SSAValue:
        return combine(s, [v[1], v[0]])

    if rest and near.block:  # the first lanes of one more chunk
        k.compute(
            {**rows, "lane": rest},
            _shifted(reads, name, var("lane") + chunks * lanes),
            parts,
            body,
            reduce=others,
            init=init,
            extras=[parts],
            epilogue=join,
        )
        rest = 0
    if not rest:
        one = {"lane": lanes}
        k.compute(rows, [parts], write, combine, reduce=one, init=init, epilogue=epilogue)
        return

    def last(s: Scalars, v: list[SSAValue]) -> SSAValue:
        total = join(s, v)
        return epilogue(s, [total]) if epilogue else total

    sums = (k.scratch([*rows.values(), 1], write[0].scalar), [*map(var, rows), Expr()])
    k.compute(rows, [parts], sums, combine, reduce={"lane": lanes}, init=init)
    k.compute(
        rows,
        _shifted(reads, name, var(name) + chunks * lanes),
        write,
        body,
        reduce={**others, name: rest},
        init=init,
        extras=[sums],
        epilogue=last,
    )


def _shifted(
    reads: Sequence[tuple[Tensor, Index]], name: str, to: Expr
) -> list[tuple[Tensor, Index]]:
    """`reads` with `to` in place of the axis `name`."""
    return [(t, [e.substitute({name: to}) for e in index]) for t, index in reads]
