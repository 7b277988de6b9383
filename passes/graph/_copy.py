"""Copies along a dimension in blocks, by vectors although they cut through blocks."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from xdsl.ir import SSAValue

from lamina.dialects.expr import var
from lamina.passes.graph._formula import Index, Kernel, Scalars, Tensor, names_of

MOST_PIECES = 8
"""with more pieces than this, compiling them takes longer than one copy by elements ever loses"""


def first(s: Scalars, v: list[SSAValue]) -> SSAValue:
    """The element read."""
    return v[0]


def copy(
    k: Kernel,
    axes: Mapping[str, int],
    read: tuple[Tensor, Index],
    write: tuple[Tensor, Index],
    d: int,
    *,
    halo: bool = True,
) -> None:
    """y[target] = x[source] over `axes`, of which that of dimension `d` may cut through blocks."""
    (x, source), (y, target) = read, write
    name = names_of(len(y.shape))[d]
    shifts = [index[d] + var(name) * -1 for index in (source, target)]
    blocks = {t.layout.block(t.layout.logical[d]) for t in (x, y)}
    block, parts = blocks.pop(), list[tuple[int, int, int]]()
    if block > 1 and not blocks and not any(e.terms for e in shifts):
        parts = pieces(axes[name], shifts[0].const, shifts[1].const, block)
    if not 1 < len(parts) <= MOST_PIECES:
        k.compute(axes, [(x, source)], (y, target), first, halo=halo)
        return
    for n, (start, size, times) in enumerate(parts):
        outer = f"{name}o"
        at = {name: var(outer) * block + var(name) + start if times > 1 else var(name) + start}
        each = {a: size if a == name else e for a, e in axes.items()}
        if times > 1:
            each = {outer: times} | each
        moved = [[e.substitute(at) for e in index] for index in (source, target)]
        last = halo and n == len(parts) - 1
        k.compute(each, [(x, moved[0])], (y, moved[1]), first, halo=last)


def pieces(count: int, read: int, write: int, block: int) -> list[tuple[int, int, int]]:
    """
    `count` elements, read from index `read` on and written from `write` on, as runs that lie inside
    one block on both sides: (first, size, times), each of the times one block further.
    """
    if read % block == write % block == 0:
        return [(0, count, 1)]
    ends = {i for i in range(1, count) if (read + i) % block == 0 or (write + i) % block == 0}
    found: list[tuple[int, int, int]] = []
    for start, end in pairwise([0, *sorted(ends), count]):
        for n, (first, size, times) in enumerate(found):
            if size == end - start and first + times * block == start:
                found[n] = (first, size, times + 1)
                break
        else:
            found.append((start, end - start, 1))
    return found
