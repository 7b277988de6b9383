"""The nest of an op: its axes in parts, cut where accesses cut them, and how they move buffers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import gcd, prod

from lamina.dialects import expr
from lamina.dialects.expr import Div, Expr
from lamina.dialects.te import Axis, ComputeOp, ConstantOp, memref_type
from lamina.passes.te._candidates_nest import Buffer, Nest, Part, Role
from lamina.passes.te._homes import Home
from lamina.passes.te._instructions import instructions
from lamina.passes.te._integers import mixed, sources
from lamina.passes.te._tile_legality import memory_strides


@dataclass(frozen=True)
class Operand:
    """One operand of an op, or of one that nobody has built yet."""

    role: Role
    shape: Sequence[int]
    """as it lies in memory"""
    index: Sequence[Expr]
    """over the names of axes, one for each dimension"""
    element_bytes: int = 4
    strides: Sequence[int] | None = None
    """in elements; None: one dimension after the other"""
    home: Home = "l3"
    """where it is before the kernel begins"""
    table: bool = False
    binds: str = ""
    """the name of the integer that is read"""


def nest_from(
    axes: Sequence[Axis],
    operands: Sequence[Operand],
    body_ops: int = 1,
    epilogue_ops: int = 0,
    integers: Mapping[str, int] | None = None,
    decided_by: Mapping[str, frozenset[str]] | None = None,
    bounded: frozenset[str] = frozenset(),
) -> Nest:
    """
    The nest of an op that need not exist: its axes, and its inputs, extras and output.

    `integers` are names with an extent that are no axes, `decided_by` the axes that decide each;
    `bounded` are the axes that a bound mentions.
    """
    parts = [p for a in axes for p in _parts(a, [e for o in operands for e in o.index])]
    if len(parts) == len(axes):
        env: dict[str, Expr] = {p.axis: expr.var(p.name) for p in parts}
    else:
        env = {
            a.name: sum(
                (expr.var(p.name) * p.step for p in parts if p.axis == a.name), expr.constant(0)
            )
            for a in axes
        }
    ranges = {p.name: p.extent for p in parts}
    known = {**(integers or {}), **ranges}
    decided: dict[str, frozenset[str]] = {
        n: frozenset(p.name for p in parts if p.axis in by) for n, by in (decided_by or {}).items()
    }
    buffers = [
        _buffer(o, [e.substitute(env).simplify(known) for e in o.index], ranges, decided)
        for o in operands
    ]
    return Nest(
        {a.name: a.extent for a in axes},
        parts,
        buffers,
        frozenset(p.name for p in parts if p.axis in bounded),
        body_ops,
        epilogue_ops,
    )


def nest_of(op: ComputeOp, homes: Sequence[Home] = ()) -> Nest | None:
    """
    The nest of an op that has no schedule yet; None if a buffer has no static layout.

    `homes` says where the operands are before, in their order; without it, all are in a cache.
    """
    values = op.operands_in_order
    strides = [memory_strides(v) for v in values]
    if None in strides:
        return None
    inputs, last = len(op.inputs), len(values) - 1
    bits = [getattr(memref_type(v).element_type, "bitwidth", 64) for v in values]
    operands = [
        Operand(
            "input" if k < inputs else "extra" if k < last else "output",
            op.shape(k),
            access.index,
            -(-bits[k] // 8),
            strides[k],
            homes[k] if homes else "l3",
            isinstance(values[k].owner, ConstantOp),
            access.binds[0] if access.binds else "",
        )
        for k, access in enumerate(op.accesses.data)
    ]
    return nest_from(
        op.axes.data,
        operands,
        instructions(op.body),
        instructions(op.epilogue),
        op.ranges,
        sources(op),
        frozenset(n for e, _ in op.bounds.data for n in e.names()),
    )


def _parts(a: Axis, expressions: Sequence[Expr]) -> list[Part]:
    """The axis cut where floordiv and mod cut it, as long as the cuts nest."""
    steps: list[int] = []
    blocks = {b for e in expressions for b in _blocks(e, a.name)}
    for block in sorted(blocks, reverse=True):
        if 1 < block < a.extent and (not steps or steps[-1] % block == 0):
            steps.append(block)
    found: list[Part] = []
    whole = a.extent
    for step in (*steps, 1):
        found.append(Part(a.name, step, -(-whole // step), a.reduce))
        whole = step
    return found


def _blocks(e: Expr, name: str) -> Iterator[int]:
    """After how many steps of `name` each floordiv or mod in `e` begins anew."""
    for atom, _ in e.terms:
        if not isinstance(atom, Div) or name not in atom.of.names():
            continue
        yield from _blocks(atom.of, name)
        for inner, c in atom.of.terms:
            if inner == name or (isinstance(inner, Div) and name in inner.of.names()):
                yield atom.by // gcd(atom.by, c)
                if offset := atom.of.const % atom.by:  # blocks that begin in the middle
                    yield gcd(atom.by, offset) // gcd(gcd(atom.by, offset), c)


def _buffer(
    o: Operand,
    index: Sequence[Expr],
    ranges: Mapping[str, int],
    decided: Mapping[str, frozenset[str]],
) -> Buffer:
    moves: list[Mapping[str, int]] = []
    loose: list[frozenset[str]] = []
    gathered: list[frozenset[str]] = []
    for e in index:
        uneven = {n for atom, _ in e.terms if isinstance(atom, Div) for n in atom.of.names()}
        plain = {atom: c for atom, c in e.terms if isinstance(atom, str)}
        moves.append({n: c for n, c in plain.items() if n in ranges and n not in uneven})
        gathered.append(frozenset(p for n in e.names() & decided.keys() for p in decided[n]))
        together = any(mixed([e], {n}) for n in decided)  # no vector of integers can do that
        loose.append(frozenset(uneven & ranges.keys()) | (gathered[-1] if together else set[str]()))
    strides = o.strides
    if strides is None:
        strides = [prod(o.shape[k + 1 :]) for k in range(len(o.shape))]
    return Buffer(
        o.role,
        o.shape,
        strides,
        o.element_bytes,
        moves,
        loose,
        gathered,
        o.table,
        bool(o.binds),
        o.home,
    )
