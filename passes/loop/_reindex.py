"""Replacing a loop index by an expression, in the index of every memory op that uses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xdsl.ir import Operation, SSAValue
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.expr import Expr, constant, var
from lamina.dialects.index import IndexAttr
from lamina.dialects.loop import extent_of
from lamina.dialects.vector import MemoryOp


@dataclass(frozen=True)
class At:
    """An index as an expression over other index values, which it names by position."""

    expr: Expr
    operands: tuple[SSAValue, ...] = ()

    @staticmethod
    def number(value: int) -> At:
        """Always the same index."""
        return At(constant(value))

    @staticmethod
    def value(index: SSAValue) -> At:
        """The index value itself."""
        return At(var("0"), (index,))


def reindex(op: MemoryOp, where: Mapping[SSAValue, At]) -> None:
    """
    vec.load %x[%i + 1] with %i at %io * 4 + %ii  ->  vec.load %x[%io * 4 + %ii + 1]

    Afterwards the index is simplified with the extents of the loops, and has no operand it does
    not need.
    """
    if not any(v in where for v in op.indices):
        return
    values: list[SSAValue] = []  # of all operands that are needed before simplification

    def position(v: SSAValue) -> str:
        if v not in values:
            values.append(v)
        return str(values.index(v))

    env: dict[str, Expr] = {}
    for k, old in enumerate(op.indices):
        at = where.get(old, At.value(old))
        local = {str(j): var(position(v)) for j, v in enumerate(at.operands)}
        env[str(k)] = at.expr.substitute(local)
    index = op.index.map(lambda e: e.substitute(env))
    ranges = {str(j): n for j, v in enumerate(values) if (n := extent_of(v)) is not None}
    set_index(op, index.map(lambda e: e.simplify(ranges)), values)


def set_index(op: MemoryOp, index: IndexAttr, values: list[SSAValue]) -> None:
    """Give `op` this index over `values`, less the values that it does not name."""
    used = set[str]().union(*(e.names() for e in index.data))
    kept = [k for k in range(len(values)) if str(k) in used]
    renumbered = {str(k): var(str(new)) for new, k in enumerate(kept)}
    others = op.operands[: len(op.operands) - len(op.indices)]
    op.operands = [*others, *(values[k] for k in kept)]
    op.index = index.map(lambda e: e.substitute(renumbered))


def reindex_all(inside: Operation, where: Mapping[SSAValue, At]) -> None:
    """`reindex` every memory op in `inside`."""
    for op in inside.walk():
        if isinstance(op, MemoryOp):
            reindex(op, where)


def require_address_only(index: SSAValue, by: str) -> None:
    """Fail, naming the op, if `index` is used for anything but the index of a memory op."""
    for use in index.uses:
        if not isinstance(use.operation, MemoryOp):
            raise PassFailedException(
                f"{by}: index '{index.name_hint}' can be rewritten in the index of vec ops only, "
                f"but {use.operation.name} uses it; lower that first"
            )
