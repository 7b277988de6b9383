"""Whether a step of one tensor expression reads only what that step of another has written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod

from lamina.dialects.expr import Expr, Ranges, constant
from lamina.dialects.te import ComputeOp

Pairs = Iterable[tuple[str, str]]
"""a name of the writer and one of the reader that have the same value; `""` for none"""


@dataclass(frozen=True)
class Side:
    """The elements that one op touches: an index, and the names in it that run."""

    index: Sequence[Expr]
    ranges: Ranges


def written(op: ComputeOp, held: str = "") -> Side | None:
    """What `op` writes, if no bound cuts it but those on the name `held`, taken as held."""
    if any(held not in e.names() for e, _ in op.bounds.data):
        return None
    ranges = {a.name: a.extent for a in op.axes.data if not a.reduce}
    return Side(op.accesses.data[-1].index, ranges)


def read(op: ComputeOp, k: int) -> Side | None:
    """What `op` reads by access `k`, if that is known to lie inside the buffer."""
    access = op.accesses.data[k]
    return Side(access.index, op.ranges) if access.pad is None else None


def at_once(op: ComputeOp, k: int) -> list[int]:
    """How many elements after the one at its index access `k` reads too, in each dimension."""
    return [0] * (len(op.accesses.data[k].index) - 1) + [op.group_size(k) - 1]


def covers(writes: Side, reads: Side, same: Pairs, more: Sequence[int]) -> bool:
    """
    Whether for any values of the names in `same` all that is read is written, and nothing between.

    The writer writes one element a point; if these are as many as the box around them has, it
    writes the whole box, and the reader has to stay inside it.
    """
    pairs = list(same)
    fixed_w, fixed_r = {a for a, _ in pairs}, {b for _, b in pairs}
    inner = {n: e for n, e in writes.ranges.items() if n not in fixed_w}
    around = {n: e for n, e in reads.ranges.items() if n not in fixed_r}
    volume = 1
    for w, r, extra in zip(writes.index, reads.index, more, strict=True):
        rest = _without(w, r, pairs)
        if rest is None:
            return False
        box, reach = rest[0].bounds(inner), rest[1].bounds(around)
        if box is None or reach is None or reach[0] < box[0] or reach[1] + extra > box[1]:
            return False
        volume *= box[1] - box[0] + 1
    return prod(inner.values()) == volume


def _without(w: Expr, r: Expr, same: Pairs) -> tuple[Expr, Expr] | None:
    """`w` and `r` without the names in `same`, if both depend on them alike."""
    for a, b in same:
        c = w.coefficient(a)
        if c is None or c != r.coefficient(b):
            return None
        w, r = w.substitute({a: constant(0)}), r.substitute({b: constant(0)})
    return w, r


def same_loops(writer: ComputeOp, reader: ComputeOp) -> list[tuple[str, str]]:
    """The names of both ops for the loops around them; `""` where only one has a name."""
    names = {v: n.data for n, v in zip(writer.outer.data, writer.indices, strict=True)}
    pairs = [
        (names.pop(v, ""), n.data) for n, v in zip(reader.outer.data, reader.indices, strict=True)
    ]
    return pairs + [(n, "") for n in names.values()]
