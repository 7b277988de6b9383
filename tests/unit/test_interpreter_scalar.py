"""Scalar ops: exact results where NumPy's own operator would differ from the IR's."""

import math

import numpy as np
import pytest
from xdsl.parser import Parser
from xdsl.utils.exceptions import InterpretationError

from lamina import interpreters
from lamina.context import new_context

NAN, INF = math.nan, math.inf


def evaluate(op: str, of: str, to: str, *operands: list[float]) -> list[float]:
    """The values of `op`, with operands written as {0} and {1}, on vectors of type `of`."""
    n = len(operands[0])
    types = {"of": f"vector<{n}x{of}>", "to": f"vector<{n}x{to}>"}
    args = [f"%a{k}: memref<{n}x{of}>" for k in range(len(operands))]
    loads = [
        f"%v{k} = vec.load %a{k}[0] : memref<{n}x{of}> -> {types['of']}"
        for k in range(len(operands))
    ]
    text = f"""
    func.func @f({", ".join(args)}, %y: memref<{n}x{to}>) {{
      {" ".join(loads)}
      %r = {op.format(*(f"%v{k}" for k in range(len(operands))), **types)}
      vec.store %r, %y[0] : {types["to"]}, memref<{n}x{to}>
      func.return
    }}"""
    dtype = {"f32": np.float32, "f64": np.float64, "i8": np.int8, "i32": np.int32}[of]
    module = Parser(new_context(), text).parse_module()
    module.verify()
    inputs = [np.array(x, dtype) for x in operands]
    return interpreters.call(module, "f", inputs)[0].tolist()


BINARY = "{0}, {1} : {of}"


@pytest.mark.parametrize(
    ("op", "a", "b", "expected"),
    [
        ("arith.maximumf", [NAN, 1, -INF], [1, NAN, 2], [NAN, NAN, 2]),
        ("arith.minimumf", [NAN, 1, -INF], [1, NAN, 2], [NAN, NAN, -INF]),
        ("arith.maxnumf", [NAN, 1, -INF], [1, NAN, 2], [1, 1, 2]),
        ("arith.divf", [1, -1, 0], [0, 0, 0], [INF, -INF, NAN]),
        ("arith.addf", [2.0**24, 1, 3e38], [1, 1, 3e38], [2.0**24, 2, INF]),
    ],
)
def test_floats(op: str, a: list[float], b: list[float], expected: list[float]) -> None:
    np.testing.assert_array_equal(evaluate(f"{op} {BINARY}", "f32", "f32", a, b), expected)


@pytest.mark.parametrize(
    ("op", "a", "b", "expected"),
    [
        ("arith.addi", [2**31 - 1], [1], [-(2**31)]),
        ("arith.muli", [2**30], [4], [0]),
        ("arith.divsi", [-7, 7, -8], [2, -2, 2], [-3, -3, -4]),
        ("arith.remsi", [-7, 7], [2, -2], [-1, 1]),
        ("arith.divui", [-2], [2], [2**31 - 1]),
        ("arith.floordivsi", [-7, 7], [2, 2], [-4, 3]),
        ("arith.ceildivsi", [-7, 7], [2, 2], [-3, 4]),
        ("arith.shrsi", [-8], [1], [-4]),
        ("arith.shrui", [-8], [1], [2**31 - 4]),
        ("arith.maxsi", [-1], [1], [1]),
        ("arith.maxui", [-1], [1], [-1]),
    ],
)
def test_integers(op: str, a: list[float], b: list[float], expected: list[float]) -> None:
    assert evaluate(f"{op} {BINARY}", "i32", "i32", a, b) == expected


def test_division_by_zero_is_an_error() -> None:
    with pytest.raises(InterpretationError, match="division by zero"):
        evaluate(f"arith.divsi {BINARY}", "i32", "i32", [1], [0])


def test_fma_rounds_the_exact_product_only_with_the_sum() -> None:
    a = float(np.float32(1 + 2**-12))
    fused = evaluate("math.fma {0}, {1}, {2} : {of}", "f32", "f32", [a], [a], [-1.0])
    assert fused == [2**-11 + 2**-24]  # a * a in f32 would lose the last term
    assert np.float32(a) * np.float32(a) - np.float32(1) == 2**-11


def test_roundeven_goes_to_even() -> None:
    halves = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]
    assert evaluate("math.roundeven {0} : {of}", "f32", "f32", halves) == [-2, -2, 0, 0, 2, 2]
    assert evaluate("math.round {0} : {of}", "f32", "f32", halves) == [-3, -2, -1, 1, 2, 3]


@pytest.mark.parametrize(
    ("name", "exact"),
    [("exp", math.exp), ("tanh", math.tanh), ("erf", math.erf), ("sqrt", math.sqrt)],
)
def test_functions_are_rounded_once(name: str, exact: object) -> None:
    x = [0.1, 0.7, 1.3, 4.0]
    expected = [float(np.float32(exact(float(np.float32(v))))) for v in x]  # type: ignore[operator]
    assert evaluate(f"math.{name} {{0}} : {{of}}", "f32", "f32", x) == expected


@pytest.mark.parametrize(
    ("flag", "of", "to", "x", "expected"),
    [
        ("", "i32", "f32", [2**24 + 1, -3], [2**24, -3]),
        ("", "f32", "i32", [-1.9, 1.9, 3e9, -3e9, NAN], [-1, 1, 2**31 - 1, -(2**31), 0]),
        ("", "f32", "i8", [200, -200, 7.5], [127, -128, 7]),
        ("unsigned", "f32", "i8", [200, -200, 300], [-56, 0, -1]),
        ("", "i8", "i32", [-1, 5], [-1, 5]),
        ("unsigned", "i8", "i32", [-1, 5], [255, 5]),
        ("unsigned", "i8", "f32", [-1, 5], [255, 5]),
        ("", "i32", "i8", [300, -1], [44, -1]),
    ],
)
def test_convert(flag: str, of: str, to: str, x: list[float], expected: list[float]) -> None:
    assert evaluate(f"vec.convert {flag} {{0}} : {{of}} to {{to}}", of, to, x) == expected


def test_comparisons_see_nan_and_sign() -> None:
    a, b = [1.0, NAN, 2.0], [2.0, 1.0, 2.0]
    for predicate, expected in [("olt", [1, 0, 0]), ("ult", [1, 1, 0]), ("uno", [0, 1, 0])]:
        op = f"arith.cmpf {predicate},"
        assert run_select(op, "f32", a, b) == expected, predicate
    assert run_select("arith.cmpi slt,", "i32", [-1], [1]) == [1]
    assert run_select("arith.cmpi ult,", "i32", [-1], [1]) == [0]


def run_select(op: str, of: str, a: list[float], b: list[float]) -> list[float]:
    """1 where the comparison holds."""
    n = len(a)
    text = f"""
    func.func @f(%a: memref<{n}x{of}>, %b: memref<{n}x{of}>, %y: memref<{n}xi32>) {{
      %one = arith.constant 1 : i32
      %zero = arith.constant 0 : i32
      loop.for %i < {n} {{
        %u = vec.load %a[%i] : memref<{n}x{of}> -> {of}
        %v = vec.load %b[%i] : memref<{n}x{of}> -> {of}
        %c = {op} %u, %v : {of}
        %s = arith.select %c, %one, %zero : i32
        vec.store %s, %y[%i] : i32, memref<{n}xi32>
      }}
      func.return
    }}"""
    dtype = {"f32": np.float32, "i32": np.int32}[of]
    module = Parser(new_context(), text).parse_module()
    return interpreters.call(module, "f", [np.array(a, dtype), np.array(b, dtype)])[0].tolist()
