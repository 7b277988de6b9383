"""What decides the integers that a tensor expression reads to know where to read on."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from lamina.dialects.expr import Div, Expr, make
from lamina.dialects.te import ComputeOp


def sources(op: ComputeOp) -> dict[str, frozenset[str]]:
    """For the name of each integer, the axes and loop indices that decide which one is read."""
    found: dict[str, frozenset[str]] = {}
    for access in op.accesses.data:
        if access.binds:
            names = {n for e in access.index for n in e.names()}
            found[access.binds[0]] = frozenset(x for n in names for x in found.get(n, {n}))
    return found


def part_with(e: Expr, names: AbstractSet[str]) -> Expr:
    """The terms of `e` that depend on one of these names."""
    return make({atom: c for atom, c in e.terms if _names(atom) & names})


def mixed(index: Sequence[Expr], names: AbstractSet[str]) -> str | None:
    """A floordiv or mod of one of these names together with other ones, if there is one."""
    for e in index:
        for atom, _ in e.terms:
            if (used := _names(atom)) & names and not used <= names:
                return Expr(((atom, 1),)).show()
    return None


def _names(atom: str | Div) -> set[str]:
    return atom.of.names() if isinstance(atom, Div) else {atom}
