"""Index expressions as Python functions: evaluated at every point, so compiled once per op."""

from collections.abc import Callable, Sequence
from typing import Any

from lamina.dialects.expr import Div, Expr

Index = Callable[[Any], tuple[Any, ...]]


def compiled(exprs: Sequence[Expr], name: Callable[[str], str]) -> Index:
    """
    `exprs` as one function of an environment `e`; `name` writes how a name is looked up in `e`.

    The values may be ints or arrays; Python and NumPy agree on floor division and its remainder.
    """
    code = "".join(f"{text(e, name)}, " for e in exprs)
    return eval(f"lambda e: ({code})", {"__builtins__": {}})


def text(e: Expr, name: Callable[[str], str]) -> str:
    """`e` as a Python expression."""
    terms = [
        f"({text(a.of, name)} {'//' if a.kind == 'floordiv' else '%'} {a.by}) * {c}"
        if isinstance(a, Div)
        else f"{name(a)} * {c}"
        for a, c in e.terms
    ]
    return "(" + " + ".join([*terms, str(e.const)]) + ")"


def by_name(name: str) -> str:
    """Look a name up in a mapping."""
    return f"e[{name!r}]"


def by_position(name: str) -> str:
    """Look up the k-th of a sequence; the name is "k"."""
    return f"e[{int(name)}]"
