"""Every arith and math op that prints as LLVM, run on scalars and vectors beside NumPy."""

import operator
from collections.abc import Callable

import numpy as np
import pytest
from xdsl.dialects import arith, math
from xdsl.parser import Parser

from lamina.backends.cpu import arithmetic
from lamina.backends.cpu.build import native
from lamina.backends.machine import describe
from lamina.context import new_context
from lamina.dialects import vector as vec

DTYPES = {"f16": np.float16, "f32": np.float32, "f64": np.float64}
DTYPES |= {"i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64}
FLOATS, INTEGERS = ("f16", "f32", "f64"), ("i8", "i16", "i32", "i64")
N = 32
SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-3, 7.0]


def run(text: str, *arrays: np.ndarray) -> None:
    module = Parser(new_context(), text).parse_module()
    module.verify()
    native(module, describe("cpu"))["f"](*arrays)


def elementwise(line: str, lanes: int, of: list[str], to: str) -> str:
    """A kernel that computes `%r = line(%a, %b, %c)` on N elements of the types `of`."""
    loads, stores = "", ""
    types = [f"vector<{lanes}x{t}>" if lanes else t for t in (*of, to)]
    for name, t, v in zip("abc", of, types, strict=False):
        loads += f"    %{name} = vec.load %{name}s[%i * {lanes or 1}] : memref<{N}x{t}> -> {v}\n"
    stores = f"    vec.store %r, %rs[%i * {lanes or 1}] : {types[-1]}, memref<{N}x{to}>\n"
    for k, v in enumerate(types):
        line = line.replace(f"T{k}", v)
    line = line.replace("TR", types[-1])
    args = ", ".join(f"%{n}s: memref<{N}x{t}>" for n, t in zip("abc", of, strict=False))
    return f"""
func.func @f({args}, %rs: memref<{N}x{to}>) {{
  loop.for %i < {N // (lanes or 1)} {{
{loads}    %r = {line}
{stores}    loop.yield
  }}
  func.return
}}"""


def inputs(t: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if t in FLOATS:
        x = rng.normal(size=N) * 3
        x[: len(SPECIAL)] = rng.permutation(SPECIAL)
        return x.astype(DTYPES[t])
    info = np.iinfo(DTYPES[t])
    x = rng.integers(info.min, info.max, size=N, dtype=DTYPES[t], endpoint=True)
    x[:4] = rng.permutation([info.min, info.max, 0, -1])
    return x


def fused(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    wide = np.float64 if a.dtype != np.float64 else np.longdouble
    return (a.astype(wide) * b.astype(wide) + c.astype(wide)).astype(a.dtype)


def unsigned(f: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    return lambda *xs: f(*(x.view(f"u{x.dtype.itemsize}") for x in xs)).view(xs[0].dtype)


def away_from_zero(x: np.ndarray) -> np.ndarray:
    return np.copysign(np.floor(np.abs(x) + np.array(0.5, x.dtype)), x)


def leading_zeros(x: np.ndarray) -> np.ndarray:
    bits = 8 * x.dtype.itemsize
    return np.array([bits - (int(v) % 2**bits).bit_length() for v in x], x.dtype)


def trailing_zeros(x: np.ndarray) -> np.ndarray:
    bits = 8 * x.dtype.itemsize
    return np.array([(int(v) & -int(v)).bit_length() - 1 if v else bits for v in x], x.dtype)


# op -> what NumPy says, and how many operands it has
FLOAT_OPS = {
    arith.AddfOp: (operator.add, 2),
    arith.SubfOp: (operator.sub, 2),
    arith.MulfOp: (operator.mul, 2),
    arith.DivfOp: (operator.truediv, 2),
    arith.NegfOp: (operator.neg, 1),
    arith.MaximumfOp: (np.maximum, 2),
    arith.MinimumfOp: (np.minimum, 2),
    arith.MaxnumfOp: (np.fmax, 2),
    arith.MinnumfOp: (np.fmin, 2),
    math.FmaOp: (fused, 3),
    math.AbsFOp: (np.abs, 1),
    math.CopySignOp: (np.copysign, 2),
    vec.RemOp: (np.fmod, 2),
    math.SqrtOp: (np.sqrt, 1),
    math.RsqrtOp: (lambda x: np.array(1, x.dtype) / np.sqrt(x), 1),
    math.FloorOp: (np.floor, 1),
    math.CeilOp: (np.ceil, 1),
    math.TruncOp: (np.trunc, 1),
    math.RoundOp: (away_from_zero, 1),
    math.RoundEvenOp: (np.rint, 1),
}
INTEGER_OPS = {
    arith.AddiOp: (operator.add, 2),
    arith.SubiOp: (operator.sub, 2),
    arith.MuliOp: (operator.mul, 2),
    arith.AndIOp: (operator.and_, 2),
    arith.OrIOp: (operator.or_, 2),
    arith.XOrIOp: (operator.xor, 2),
    arith.MaxSIOp: (np.maximum, 2),
    arith.MinSIOp: (np.minimum, 2),
    arith.MaxUIOp: (unsigned(np.maximum), 2),
    arith.MinUIOp: (unsigned(np.minimum), 2),
    math.AbsIOp: (np.abs, 1),
    math.CtPopOp: (lambda x: np.bitwise_count(x.view(f"u{x.dtype.itemsize}")).astype(x.dtype), 1),
    math.CountLeadingZerosOp: (leading_zeros, 1),
    math.CountTrailingZerosOp: (trailing_zeros, 1),
}
EXTREMES = {op.name for op in arithmetic.EXTREME}
# the right side must not be 0, or must be less than the width
DIVISIONS = {
    arith.DivSIOp: lambda a, b: (
        (np.abs(a.astype(object)) // np.abs(b.astype(object)))
        * np.sign(a.astype(object))
        * np.sign(b.astype(object))
    ),
    arith.RemSIOp: np.fmod,
    arith.DivUIOp: unsigned(operator.floordiv),
    arith.RemUIOp: unsigned(operator.mod),
}
SHIFTS = {
    arith.ShLIOp: operator.lshift,
    arith.ShRSIOp: operator.rshift,
    arith.ShRUIOp: unsigned(operator.rshift),
}


def check(name: str, f: Callable[..., np.ndarray], lanes: int, t: str, *xs: np.ndarray) -> None:
    line = f"{name} {', '.join('%' + n for n, _ in zip('abc', xs, strict=False))} : TR"
    got = np.zeros(N, DTYPES[t])
    run(elementwise(line, lanes, [t] * len(xs), t), *xs, got)
    with np.errstate(all="ignore"):
        expected = np.asarray(f(*xs)).astype(DTYPES[t])
    np.testing.assert_array_equal(got, expected)
    if t in FLOATS and name not in EXTREMES:  # of two zeros, either is the larger
        known = ~np.isnan(expected)  # the sign of a NaN is anyone's
        np.testing.assert_array_equal(np.signbit(got[known]), np.signbit(expected[known]))


# no instruction rounds an f16 fma once: it is refused
FLOAT_CASES = [(op, t) for op in FLOAT_OPS for t in FLOATS if (op, t) != (math.FmaOp, "f16")]


@pytest.mark.parametrize("lanes", [0, 4, 16])
@pytest.mark.parametrize(("op", "t"), FLOAT_CASES)
def test_float_op_is_numpys(op: type, t: str, lanes: int) -> None:
    f, operands = FLOAT_OPS[op]
    check(op.name, f, lanes, t, *(inputs(t, seed) for seed in range(operands)))


@pytest.mark.parametrize("t", INTEGERS)
@pytest.mark.parametrize("lanes", [0, 16])
@pytest.mark.parametrize("op", INTEGER_OPS, ids=lambda op: op.name)
def test_integer_op_is_numpys(op: type, lanes: int, t: str) -> None:
    f, operands = INTEGER_OPS[op]
    check(op.name, f, lanes, t, *(inputs(t, seed) for seed in range(operands)))


@pytest.mark.parametrize("t", INTEGERS)
@pytest.mark.parametrize("lanes", [0, 8])
@pytest.mark.parametrize("op", DIVISIONS, ids=lambda op: op.name)
def test_division_is_numpys(op: type, lanes: int, t: str) -> None:
    a, b = inputs(t, 0), inputs(t, 1)
    a[a == np.iinfo(a.dtype).min] = 5  # its quotient by -1 does not fit
    check(op.name, DIVISIONS[op], lanes, t, a, np.where(b == 0, 3, b).astype(b.dtype))


@pytest.mark.parametrize("t", INTEGERS)
@pytest.mark.parametrize("lanes", [0, 16])
@pytest.mark.parametrize("op", SHIFTS, ids=lambda op: op.name)
def test_shift_is_numpys(op: type, lanes: int, t: str) -> None:
    a, b = inputs(t, 0), inputs(t, 1)
    check(op.name, SHIFTS[op], lanes, t, a, b & (8 * a.dtype.itemsize - 1))


def test_every_op_of_the_tables_is_run_here() -> None:
    tables = {*arithmetic.BINARY, *arithmetic.PICK, *arithmetic.EXTREME, *arithmetic.INTRINSIC}
    assert tables <= {*FLOAT_OPS, *INTEGER_OPS, *DIVISIONS, *SHIFTS}
