"""exp, log, tanh, erf and the like as arithmetic: stated error bounds and special values."""

import math as libm
from collections.abc import Callable

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects import arith, builtin, func, math, memref
from xdsl.parser import Parser

from lamina import interpreters
from lamina.dialects import te
from lamina.passes.te.te_expand_math import TeExpandMathPass

REFERENCE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "exp": np.exp,
    "tanh": np.tanh,
    "erf": np.vectorize(libm.erf, otypes=[np.float64]),
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
}
BOUND = {"exp": 1.1, "tanh": 1.5, "erf": 1.1, "expm1": 2.0, "log": 1.1, "log1p": 2.0}
"""the largest error in units in the last place, as the docstrings state it"""
TINY = 2.0**-149
LARGEST = float(np.finfo(np.float32).max)


def expanded(name: str, x: np.ndarray) -> np.ndarray:
    """What the arithmetic for `name` makes of `x`, one f32 operation after the other."""
    context, n = Context(), len(x)
    for dialect in (arith.Arith, builtin.Builtin, func.Func, math.Math, memref.MemRef, te.Te):
        context.load_dialect(dialect)
    text = f"""
func.func @f(%x: memref<{n}xf32>, %y: memref<{n}xf32>) {{
  te.compute axes(i: {n}) ins(%x[i]) out(%y[i]) init 0.0 : f32 : memref<{n}xf32>, memref<{n}xf32>
    (%a: f32, %acc: f32) {{ %r = math.{name} %a : f32  te.yield %r : f32 }}
  func.return
}}"""
    module = Parser(context, text).parse_module()
    TeExpandMathPass().apply(context, module)
    module.verify()
    assert f"math.{name}" not in str(module)
    with np.errstate(all="ignore"):
        (y,) = interpreters.call(module, "f", [x])
    return y


def powers(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What the arithmetic for math.powf makes of `x` and `y`."""
    context, n = Context(), len(x)
    for dialect in (arith.Arith, builtin.Builtin, func.Func, math.Math, memref.MemRef, te.Te):
        context.load_dialect(dialect)
    m = f"memref<{n}xf32>"
    text = f"""
func.func @f(%x: {m}, %p: {m}, %y: {m}) {{
  te.compute axes(i: {n}) ins(%x[i], %p[i]) out(%y[i]) init 0.0 : f32 : {m}, {m}, {m}
    (%a: f32, %b: f32, %acc: f32) {{ %r = math.powf %a, %b : f32  te.yield %r : f32 }}
  func.return
}}"""
    module = Parser(context, text).parse_module()
    TeExpandMathPass().apply(context, module)
    module.verify()
    assert "powf" not in str(module)
    with np.errstate(all="ignore"):
        (z,) = interpreters.call(module, "f", [x, y])
    return z


def floats(low: float, high: float, count: int) -> np.ndarray:
    """About `count` f32 between two positive numbers, equally many in every binade."""
    first, last = np.array([low, high], np.float32).view(np.int32)
    return np.arange(first, last, max(1, (last - first) // count), dtype=np.int32).view(np.float32)


def ulps(got: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """The error in units in the last place of the exact result."""
    _, exponent = np.frexp(exact)
    unit = np.maximum(np.ldexp(1.0, exponent - 24), TINY)
    return np.abs(got.astype(np.float64) - exact) / unit


def worst(name: str, x: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        exact = REFERENCE[name](x.astype(np.float64))
    finite = np.abs(exact) <= LARGEST  # and not NaN
    return float(ulps(expanded(name, x)[finite], exact[finite]).max())


@pytest.mark.parametrize("name", REFERENCE)
def test_error_over_all_magnitudes(name: str) -> None:
    x = floats(TINY, 3.4e38, 200_000)
    assert worst(name, np.concatenate([x, -x])) <= BOUND[name]


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("exp", 1e-3, 104.5),
        ("exp", 87.0, 88.7229),
        ("tanh", 0.05, 9.5),
        ("tanh", 0.6, 0.66),
        ("erf", 0.05, 4.1),
        ("erf", 0.9, 1.1),
        ("expm1", 1e-8, 1.0),
        ("expm1", 87.0, 88.7229),
        ("log", 0.5, 2.0),
        ("log", TINY, 1e-37),
        ("log1p", 1e-8, 1e-3),
        ("log1p", 0.1, 1.0),
    ],
)
def test_error_where_the_function_bends(name: str, low: float, high: float) -> None:
    x = floats(low, high, 150_000)
    assert worst(name, np.concatenate([x, -x])) <= BOUND[name]


@pytest.mark.parametrize("name", REFERENCE)
def test_neighbours_of_thresholds(name: str) -> None:
    overflow, underflow, cases = (
        (87.3365, 88.02969, 88.72283, 89.0),
        (103.2789, 103.9721, 104.0),
        (0.34657, 0.625, 0.925, 4.0, 9.02, 10.0),
    )
    edges = np.array(overflow + underflow + cases, np.float32)
    around = (edges.view(np.int32)[:, None] + np.arange(-300, 300, dtype=np.int32)).view(np.float32)
    x = around.ravel()
    assert worst(name, np.concatenate([x, -x])) <= BOUND[name]


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [
        ("exp", np.inf, np.inf),
        ("exp", -np.inf, 0.0),
        ("exp", np.nan, np.nan),
        ("exp", 0.0, 1.0),
        ("exp", -0.0, 1.0),
        ("exp", 1e-45, 1.0),
        ("exp", 88.72284, np.inf),
        ("exp", 3e38, np.inf),
        ("exp", -103.0, 1e-45),
        ("exp", -103.98, 0.0),
        ("exp", -3e38, 0.0),
        ("tanh", np.inf, 1.0),
        ("tanh", -np.inf, -1.0),
        ("tanh", np.nan, np.nan),
        ("tanh", 0.0, 0.0),
        ("tanh", -0.0, -0.0),
        ("tanh", 1e-45, 1e-45),
        ("tanh", -1e-40, -1e-40),
        ("tanh", -3e38, -1.0),
        ("erf", np.inf, 1.0),
        ("erf", -np.inf, -1.0),
        ("erf", np.nan, np.nan),
        ("erf", 0.0, 0.0),
        ("erf", -0.0, -0.0),
        ("erf", -1e-45, -1e-45),
        ("erf", 3e38, 1.0),
        ("expm1", np.inf, np.inf),
        ("expm1", -np.inf, -1.0),
        ("expm1", np.nan, np.nan),
        ("expm1", 0.0, 0.0),
        ("expm1", -0.0, -0.0),
        ("expm1", 3e38, np.inf),
        ("log", np.inf, np.inf),
        ("log", -np.inf, np.nan),
        ("log", np.nan, np.nan),
        ("log", -np.nan, np.nan),
        ("log", 0.0, -np.inf),
        ("log", -0.0, -np.inf),
        ("log", -1e-45, np.nan),
        ("log", -3e38, np.nan),
        ("log", 1.0, 0.0),
        ("log", 1e-45, -103.27893),
        ("log1p", np.inf, np.inf),
        ("log1p", -np.inf, np.nan),
        ("log1p", np.nan, np.nan),
        ("log1p", 0.0, 0.0),
        ("log1p", -0.0, -0.0),
        ("log1p", 1e-45, 1e-45),
        ("log1p", -1.0, -np.inf),
        ("log1p", -1.0000001, np.nan),
    ],
)
def test_special_value(name: str, x: float, y: float) -> None:
    got = expanded(name, np.array([x], np.float32))
    np.testing.assert_array_equal(got, np.array([y], np.float32))
    if not np.isnan(y):
        assert np.signbit(got[0]) == np.signbit(np.float32(y))


@pytest.mark.parametrize("name", ["tanh", "erf"])
def test_results_stay_within_one(name: str) -> None:
    x = floats(0.1, 20.0, 300_000)
    assert np.all(expanded(name, x) <= 1.0)


@pytest.mark.parametrize("spread", [1e-3, 0.1, 1.0, 10.0, 40.0])
def test_error_of_powers_up_to_overflow(spread: float) -> None:
    rng = np.random.default_rng(1)
    x = np.exp(np.clip(rng.standard_normal(100_000) * spread, -103, 88)).astype(np.float32)
    logs = np.log(x.astype(np.float64))
    y = (rng.uniform(-87, 88.5, x.size) / np.where(logs == 0, 1, logs)).astype(np.float32)
    with np.errstate(over="ignore"):
        exact = x.astype(np.float64) ** y
    normal = (exact > np.finfo(np.float32).tiny) & (exact < LARGEST)
    assert normal.sum() > 50_000
    got = powers(x, y)
    assert ulps(got[normal], exact[normal]).max() <= 16
    assert (np.abs(got[normal] - exact[normal]) / exact[normal]).max() <= 1e-6


def test_powers_have_the_special_values_of_c() -> None:
    special = [0, -0.0, 1, -1, np.inf, -np.inf, np.nan, 0.5, -0.5, 2, -2, 3, -3, 3e38, -3e38, 1.5]
    special += [1e-45, -1e-45, 1e-40, 2.0**-126, -(2.0**-140), 2.0**127]
    values = np.array([*special, 1e10, 16777217.0, 1.0000001, 7.25], np.float32)
    x, y = (v.ravel() for v in np.meshgrid(values, values))
    with np.errstate(all="ignore"):
        wanted = np.power(x, y)
    got = powers(x, y)
    np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-44)
    number = ~np.isnan(wanted)
    np.testing.assert_array_equal(np.signbit(got[number]), np.signbit(wanted[number]))
