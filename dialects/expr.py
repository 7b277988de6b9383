"""
Index expressions over named axes: a linear form whose atoms are names, floordivs and mods.

Names, not positions: reordering, adding and removing axes leaves every expression untouched.
All arithmetic is exact; `floordiv` rounds towards minus infinity and `mod` is never negative.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import gcd
from typing import Any, Literal

from xdsl.parser import AttrParser

Kind = Literal["floordiv", "mod"]
Ranges = Mapping[str, int]
"""A name runs over 0 <= name < ranges[name]."""

RESERVED = frozenset({"floordiv", "mod"})
"""Words of the syntax, which no axis may have as its name."""


@dataclass(frozen=True, slots=True)
class Div:
    """`of floordiv by` or `of mod by`, for by >= 1; `div` builds it."""

    kind: Kind
    of: Expr
    by: int

    def show(self, name: Callable[[str], str] = str) -> str:
        """The text of it, with parentheses unless it divides a plain name."""
        inner = self.of.show(name)
        ((atom, c), *more) = self.of.terms
        plain = isinstance(atom, str) and c == 1 and not more and not self.of.const
        return f"{inner if plain else f'({inner})'} {self.kind} {self.by}"


@dataclass(frozen=True, slots=True)
class Expr:
    """
    sum(coefficient * atom) + const

    Atoms are unique, sorted (names first) and have coefficients other than 0, so equal forms are
    equal values. Build one with `var`, `constant`, `div`, arithmetic, `make` or `parse`.
    """

    terms: tuple[tuple[str | Div, int], ...] = ()
    const: int = 0

    def __add__(self, other: Expr | int) -> Expr:
        if isinstance(other, int):
            return Expr(self.terms, self.const + other)
        if not other.terms:
            return Expr(self.terms, self.const + other.const)
        sums = dict(self.terms)
        for atom, c in other.terms:
            sums[atom] = sums.get(atom, 0) + c
        return make(sums, self.const + other.const)

    def __sub__(self, other: Expr | int) -> Expr:
        return self + (-other)

    def __neg__(self) -> Expr:
        return self * -1

    def __mul__(self, k: int) -> Expr:
        if k == 0:
            return Expr()
        return Expr(tuple((a, c * k) for a, c in self.terms), self.const * k)

    def coefficient(self, name: str) -> int | None:
        """How much the value grows per step of `name`; None if that is not constant."""
        found = 0
        for atom, c in self.terms:
            if isinstance(atom, Div):
                if name in atom.of.names():
                    return None
            elif atom == name:
                found = c
        return found

    def names(self) -> set[str]:
        """Every name in it."""
        found: set[str] = set()
        for atom, _ in self.terms:
            if isinstance(atom, Div):
                found |= atom.of.names()
            else:
                found.add(atom)
        return found

    def substitute(self, env: Mapping[str, Expr]) -> Expr:
        """Replace names, all at once."""
        if not self.terms:
            return self
        sums: dict[str | Div, int] = {}
        const = self.const
        for atom, c in self.terms:
            if isinstance(atom, Div):
                e = div(atom.kind, atom.of.substitute(env), atom.by)
            elif (e := env.get(atom)) is None:
                sums[atom] = sums.get(atom, 0) + c
                continue
            const += e.const * c
            for a, k in e.terms:
                sums[a] = sums.get(a, 0) + k * c
        return make(sums, const)

    def evaluate(self, env: Mapping[str, Any]) -> Any:
        """The value at a point; integers and integer arrays both do."""
        total: Any = self.const
        for atom, c in self.terms:
            if isinstance(atom, Div):
                inner = atom.of.evaluate(env)
                value = inner // atom.by if atom.kind == "floordiv" else inner % atom.by
            else:
                value = env[atom]
            total = total + value * c
        return total

    def bounds(self, ranges: Ranges) -> tuple[int, int] | None:
        """
        A smallest and a largest value, or None if some name has no range.

        They are attained when every name occurs once and there is no mod; otherwise the values may
        lie closer together.
        """
        lo = hi = self.const
        for atom, c in self.terms:
            if isinstance(atom, Div):
                limits = _div_bounds(atom, ranges)
            else:
                limits = (0, n - 1) if (n := ranges.get(atom)) is not None else None
            if limits is None:
                return None
            a, b = limits
            lo, hi = (lo + a * c, hi + b * c) if c > 0 else (lo + b * c, hi + a * c)
        return lo, hi

    def simplify(self, ranges: Ranges) -> Expr:
        """
        The shortest form we know with the same value at every point of `ranges`.

        Whole multiples leave floordiv and mod, those that the ranges decide vanish, a name of
        extent 1 is 0, and (e floordiv n) * n + e mod n is e again.
        """
        if all(isinstance(a, str) and ranges.get(a) != 1 for a, _ in self.terms):
            return self
        out = Expr((), self.const)
        for atom, c in self.terms:
            if isinstance(atom, Div):
                part = _simplify_div(atom.kind, atom.of.simplify(ranges), atom.by, ranges)
            else:
                part = Expr() if ranges.get(atom) == 1 else Expr(((atom, 1),))
            out = out + part * c
        return _join(out)

    def show(self, name: Callable[[str], str] = str) -> str:
        """Its text, which `parse` reads back; `name` says how a name is written."""
        text = ""
        for atom, c in self.terms:
            shown = atom.show(name) if isinstance(atom, Div) else name(atom)
            shown = f"({shown})" if isinstance(atom, Div) and abs(c) != 1 else shown
            sign = (" - " if c < 0 else " + ") if text else ("-" if c < 0 else "")
            text += sign + shown + (f" * {abs(c)}" if abs(c) != 1 else "")
        if not text:
            return str(self.const)
        return text + (f" {'-' if self.const < 0 else '+'} {abs(self.const)}" if self.const else "")

    def __str__(self) -> str:
        return self.show()


def _key(term: tuple[str | Div, int]) -> tuple[bool, str]:
    atom = term[0]
    return (True, atom.show()) if isinstance(atom, Div) else (False, atom)


def make(sums: Mapping[str | Div, int], const: int = 0) -> Expr:
    """The expression with these coefficients."""
    terms = [(a, c) for a, c in sums.items() if c]
    if len(terms) > 1:
        terms.sort(key=_key)
    return Expr(tuple(terms), const)


def var(name: str) -> Expr:
    """The value of one name."""
    return Expr(((name, 1),))


def constant(value: int) -> Expr:
    """The same value everywhere."""
    return Expr((), value)


def div(kind: Kind, e: Expr, by: int) -> Expr:
    """`e floordiv by` or `e mod by`; a number if `e` is one."""
    assert by > 0, f"{kind} by {by}"
    if not e.terms:
        return Expr((), e.const // by if kind == "floordiv" else e.const % by)
    return Expr(((Div(kind, e, by), 1),))


def _div_bounds(d: Div, ranges: Ranges) -> tuple[int, int] | None:
    inner = d.of.bounds(ranges)
    if d.kind == "floordiv":
        return None if inner is None else (inner[0] // d.by, inner[1] // d.by)
    if inner is not None and inner[0] >= 0:
        return 0, min(inner[1], d.by - 1)
    return 0, d.by - 1


def _simplify_div(kind: Kind, e: Expr, by: int, ranges: Ranges) -> Expr:
    """
    (by*q + r) floordiv by = q + r floordiv by; (by*q + r) mod by = r mod by

    After that r is divided on: it vanishes where 0 <= r < by, a common factor g of r and `by` is
    taken out as long as the rest lies in 0 .. g-1, and nested divisions of one kind are merged.
    """
    whole = make({a: c // by for a, c in e.terms if c % by == 0}, e.const // by)
    rest = make({a: c % by if c > 0 else c for a, c in e.terms if c % by}, e.const % by)
    moved = make({a: (c - c % by) // by for a, c in e.terms if c % by and c > 0})
    whole = whole + moved
    limits = rest.bounds(ranges)
    if limits is not None and 0 <= limits[0] and limits[1] < by:
        return whole if kind == "floordiv" else rest
    shorter = _common_factor(kind, rest, by, ranges) or _merge_nested(kind, rest, by)
    if shorter is None:
        shorter = div(kind, rest, by)
    return whole + shorter if kind == "floordiv" else shorter


def _common_factor(kind: Kind, e: Expr, by: int, ranges: Ranges) -> Expr | None:
    """(g*a + r) floordiv (g*b) = a floordiv b, and mod: g * (a mod b) + r, where 0 <= r < g"""
    for g in sorted({gcd(c, by) for _, c in e.terms} - {1, by}, reverse=True):
        a = make({x: c // g for x, c in e.terms if c % g == 0}, e.const // g)
        r = make({x: c for x, c in e.terms if c % g}, e.const % g)
        limits = r.bounds(ranges)
        if limits is not None and 0 <= limits[0] and limits[1] < g:
            inner = _simplify_div(kind, a, by // g, ranges)
            return inner if kind == "floordiv" else inner * g + r
    return None


def _merge_nested(kind: Kind, e: Expr, by: int) -> Expr | None:
    """(x floordiv m) floordiv n = x floordiv (m*n), and (x mod m) mod n = x mod n if n divides m"""
    if e.const or len(e.terms) != 1 or e.terms[0][1] != 1:
        return None
    inner = e.terms[0][0]
    if not isinstance(inner, Div) or inner.kind != kind:
        return None
    if kind == "floordiv":
        return div(kind, inner.of, inner.by * by)
    return div(kind, inner.of, by) if inner.by % by == 0 else None


def _join(e: Expr) -> Expr:
    """(x floordiv n) * (n * k) + (x mod n) * k = x * k"""
    sums = dict(e.terms)
    for atom, k in e.terms:
        if not isinstance(atom, Div) or atom.kind != "mod":
            continue
        if sums.get(Div("floordiv", atom.of, atom.by)) == k * atom.by:
            pair = (Div("floordiv", atom.of, atom.by), atom)
            return _join(make({a: c for a, c in e.terms if a not in pair}, e.const) + atom.of * k)
    return e


def parse(parser: AttrParser, leaf: Callable[[], str | None]) -> Expr:
    """
    Read an expression; `leaf` reads a name, or returns None if there is none.

    sum := `-`? product ((`+` | `-`) product)*
    product := (integer | name | `(` sum `)`) (`*` factor | (`floordiv` | `mod`) integer)*
    """
    total = Expr()
    sign = -1 if parser.parse_optional_punctuation("-") else 1
    while True:
        total = total + _parse_product(parser, leaf) * sign
        if parser.parse_optional_punctuation("+"):
            sign = 1
        elif parser.parse_optional_punctuation("-"):
            sign = -1
        else:
            return total


def _parse_product(parser: AttrParser, leaf: Callable[[], str | None]) -> Expr:
    e = _parse_factor(parser, leaf)
    while True:
        pos = parser.pos
        if parser.parse_optional_punctuation("*"):
            other = _parse_factor(parser, leaf)
            if e.terms and other.terms:
                text = f"({e.show()}) * ({other.show()})"
                parser.raise_error(f"one factor must be a number, got {text}", pos, parser.pos)
            e = e * other.const if not other.terms else other * e.const
        elif parser.parse_optional_keyword("floordiv"):
            e = div("floordiv", e, _parse_divisor(parser))
        elif parser.parse_optional_keyword("mod"):
            e = div("mod", e, _parse_divisor(parser))
        else:
            return e


def _parse_divisor(parser: AttrParser) -> int:
    pos = parser.pos
    by = parser.parse_integer(allow_boolean=False)
    if by < 1:
        parser.raise_error(f"the divisor must be at least 1, got {by}", pos, parser.pos)
    return by


def _parse_factor(parser: AttrParser, leaf: Callable[[], str | None]) -> Expr:
    if parser.parse_optional_punctuation("("):
        e = parse(parser, leaf)
        parser.parse_punctuation(")")
        return e
    if (n := parser.parse_optional_integer(allow_boolean=False)) is not None:
        return Expr((), n)
    if (name := leaf()) is not None:
        return var(name)
    parser.raise_error("expected an axis, a number or '('")
