"""Index expressions keep their value under every rewrite, at every point of the ranges."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.parser import Parser
from xdsl.utils.exceptions import ParseError

from lamina.dialects import expr
from lamina.dialects.expr import Expr, constant, div, make, var

NAMES = ("a", "b", "c")
leaves = st.one_of(st.sampled_from(NAMES).map(var), st.integers(-20, 20).map(constant))
by = st.sampled_from((1, 2, 3, 4, 6, 8, 16))
exprs = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(Expr.__add__, inner, inner),
        st.builds(Expr.__sub__, inner, inner),
        st.builds(Expr.__mul__, inner, st.integers(-17, 17)),
        st.builds(div, st.sampled_from(("floordiv", "mod")), inner, by),
    ),
    max_leaves=8,
)
ranges = st.fixed_dictionaries({n: st.integers(1, 9) for n in NAMES})


def points(ranges: dict[str, int]):
    """Every point of the ranges if they are small, else the corners and some between."""
    steps = (range(0, n, max(1, n // 4)) for n in ranges.values())
    return (dict(zip(ranges, p, strict=True)) for p in product(*steps))


def read(text: str) -> Expr:
    parser = Parser(Context(), text)
    return expr.parse(parser, parser.parse_optional_identifier)


@given(exprs, ranges)
def test_simplify_keeps_the_value(e: Expr, ranges: dict[str, int]):
    simple = e.simplify(ranges)
    for p in points(ranges):
        assert simple.evaluate(p) == e.evaluate(p)


@given(exprs, ranges)
def test_simplify_twice_keeps_the_value(e: Expr, ranges: dict[str, int]):
    twice = e.simplify(ranges).simplify(ranges)
    for p in points(ranges):
        assert twice.evaluate(p) == e.evaluate(p)


@given(exprs, ranges)
def test_bounds_contain_every_value(e: Expr, ranges: dict[str, int]):
    limits = e.bounds(ranges)
    assert limits is not None
    for p in points(ranges):
        assert limits[0] <= e.evaluate(p) <= limits[1]


@given(exprs, exprs, ranges)
def test_substitute_is_evaluation_of_the_replacement(e: Expr, r: Expr, ranges: dict[str, int]):
    replaced = e.substitute({"a": r})
    for p in points(ranges):
        assert replaced.evaluate(p) == e.evaluate(p | {"a": r.evaluate(p)})


@given(exprs, exprs, st.integers(-5, 5), ranges)
def test_arithmetic_is_arithmetic_of_values(e: Expr, f: Expr, k: int, ranges: dict[str, int]):
    for p in points(ranges):
        x, y = e.evaluate(p), f.evaluate(p)
        assert (e + f).evaluate(p) == x + y
        assert (e - f).evaluate(p) == x - y
        assert (e * k - 3).evaluate(p) == x * k - 3


@given(exprs, ranges)
def test_coefficient_is_the_growth_per_step(e: Expr, ranges: dict[str, int]):
    if (c := e.coefficient("a")) is not None:
        for p in points(ranges):
            assert e.evaluate(p | {"a": p["a"] + 1}) - e.evaluate(p) == c


@given(exprs)
def test_text_reads_back_as_the_same_expression(e: Expr):
    assert read(e.show()) == e


@given(exprs)
def test_only_names_decide_the_value(e: Expr):
    env = dict.fromkeys(e.names(), 1)
    assert isinstance(e.evaluate(env), int)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("oh + kh - 1", "kh + oh - 1"),
        ("-x", "-x"),
        ("-(x + 3) floordiv 2", "-(x + 3) floordiv 2"),
        ("2 * x + 4 * 3", "x * 2 + 12"),
        ("(x floordiv 16) mod 4", "(x floordiv 16) mod 4"),
        ("x * 2 mod 3 * 5", "((x * 2) mod 3) * 5"),
        ("7 mod 4 - 9 floordiv 2", "-1"),
        ("x - x", "0"),
    ],
)
def test_text_is_shown_in_one_form(text: str, shown: str):
    assert read(text).show() == shown


@pytest.mark.parametrize(
    ("text", "ranges", "short"),
    [
        ("(co * 16 + cv) floordiv 16", {"co": 4, "cv": 16}, "co"),
        ("(co * 16 + cv) mod 16", {"co": 4, "cv": 16}, "cv"),
        ("(co * 16 + cv + 32) floordiv 16", {"co": 4, "cv": 16}, "co + 2"),
        ("(m * 16 + v) floordiv 32", {"m": 4, "v": 16}, "m floordiv 2"),
        ("(m * 16 + v) mod 32", {"m": 4, "v": 16}, "v + (m mod 2) * 16"),
        ("(x floordiv 4) floordiv 4", {}, "x floordiv 16"),
        ("(x mod 16) mod 4", {}, "x mod 4"),
        ("(c floordiv 16) * 16 + c mod 16", {"c": 64}, "c"),
        ("x * 20 mod 16", {}, "(x mod 4) * 4"),
        ("c mod 16", {"c": 16}, "c"),
        ("c floordiv 16", {"c": 17}, "c floordiv 16"),
        ("n + h", {"n": 1, "h": 4}, "h"),
        ("(h - 1) floordiv 4", {"h": 4}, "(h + 3) floordiv 4 - 1"),
    ],
)
def test_simplify_finds_the_short_form(text: str, ranges: dict[str, int], short: str):
    assert read(text).simplify(ranges).show() == short


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x floordiv 0", "the divisor must be at least 1, got 0"),
        ("x mod -4", "the divisor must be at least 1, got -4"),
        ("x * y", "one factor must be a number, got (x) * (y)"),
        ("x + ", "expected an axis, a number or '('"),
    ],
)
def test_malformed_text_is_refused(text: str, message: str):
    with pytest.raises(ParseError) as error:
        read(text)
    assert message in str(error.value)


def test_equal_forms_are_equal_values():
    assert var("a") + var("b") == var("b") + var("a")
    assert var("a") * 2 - var("a") == var("a")
    assert make({"a": 0, "b": 2}, 1) == var("b") * 2 + 1
    assert hash(var("a") + 0) == hash(var("a"))


def test_bounds_are_unknown_without_a_range():
    assert (var("a") + var("x")).bounds({"a": 3}) is None
    assert div("mod", var("x"), 8).bounds({}) == (0, 7)
