"""Casts, comparisons, constants and NaN in maxima, run natively beside NumPy."""

import re

import numpy as np
import pytest
from xdsl.dialects import arith
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, ModuleOp, VectorType, f32
from xdsl.parser import Parser

from lamina import interpreters
from lamina.backends.cpu.build import native
from lamina.backends.machine import describe
from lamina.context import new_context
from lamina.dialects import vector as vec


def parse(text: str) -> ModuleOp:
    module = Parser(new_context(), text).parse_module()
    module.verify()
    return module


def run(text: str, *arrays: np.ndarray) -> None:
    """Call @f of `text` natively; its last array holds the result."""
    native(parse(text), describe("cpu"))["f"](*arrays)


NAN, INF = np.nan, np.inf


CASTS = [
    ("f16", "f32", "arith.extf", [1.5, INF, NAN], [1.5, INF, NAN]),
    ("f64", "f32", "arith.truncf", [0.1, 1e300, NAN], [np.float32(0.1), INF, NAN]),
    ("i8", "i32", "arith.extsi", [-1, 127, 3], [-1, 127, 3]),
    ("i8", "i32", "arith.extui", [-1, 127, 3], [255, 127, 3]),
    ("i32", "i8", "arith.trunci", [511, -2, 3], [-1, -2, 3]),
    ("i32", "f32", "arith.sitofp", [-5, 7, 2**24 + 1], [-5, 7, 2**24]),
    ("i8", "f32", "arith.uitofp", [-1, 7, 0], [255, 7, 0]),
    ("f32", "i32", "arith.fptosi", [-1.9, 1.9, 0.5], [-1, 1, 0]),
    ("f32", "i32", "arith.fptoui", [3.9, 1.9, 0.5], [3, 1, 0]),
    ("f32", "i32", "arith.bitcast", [1.0, 0.0, -2.0], [0x3F800000, 0, -0x40000000]),
    ("f32", "i32", "vec.convert", [1e10, -1e10, NAN], [2**31 - 1, -(2**31), 0]),
    ("f32", "i8", "vec.convert", [127.9, -300.0, -1.9], [127, -128, -1]),
    ("f32", "i8", "vec.convert unsigned", [255.9, -3.0, 200.0], [-1, 0, -56]),
    ("i32", "f32", "vec.convert", [-5, 7, 2**24 + 3], [-5, 7, 2**24 + 4]),
    ("i8", "f32", "vec.convert unsigned", [-1, 7, 0], [255, 7, 0]),
    ("i8", "i32", "vec.convert", [-1, 7, 0], [-1, 7, 0]),
    ("i8", "i32", "vec.convert unsigned", [-1, 7, 0], [255, 7, 0]),
    ("i32", "i8", "vec.convert", [257, -1, 128], [1, -1, -128]),
    ("f16", "f32", "vec.convert", [1.5, INF, NAN], [1.5, INF, NAN]),
    ("f32", "f16", "vec.convert", [1.5, 1e30, NAN], [1.5, INF, NAN]),
    ("f32", "i32", "vec.bitcast", [1.0, 0.0, -2.0], [0x3F800000, 0, -0x40000000]),
]
DTYPES = {"f16": np.float16, "f32": np.float32, "f64": np.float64, "i8": np.int8, "i32": np.int32}


# xDSL's casts to and from integers take no vectors
SCALAR = re.compile(r"arith\.(ext.i|trunci|.itofp|fpto.i)")
CAST_CASES = [(0, *c) for c in CASTS] + [(8, *c) for c in CASTS if not SCALAR.match(c[2])]


@pytest.mark.parametrize(("lanes", "of", "to", "op", "x", "expected"), CAST_CASES)
def test_cast(lanes: int, of: str, to: str, op: str, x: list, expected: list) -> None:
    xs, ys = np.resize(np.array(x, DTYPES[of]), 8), np.zeros(8, DTYPES[to])
    shape = "vector<8x{}>" if lanes else "{}"
    text = f"""
func.func @f(%x: memref<8x{of}>, %y: memref<8x{to}>) {{
  loop.for %i < {1 if lanes else 8} {{
    %a = vec.load %x[%i] : memref<8x{of}> -> {shape.format(of)}
    %b = {op} %a : {shape.format(of)} to {shape.format(to)}
    vec.store %b, %y[%i] : {shape.format(to)}, memref<8x{to}>
    loop.yield
  }}
  func.return
}}"""
    run(text, xs, ys)
    np.testing.assert_array_equal(ys, np.resize(np.array(expected, DTYPES[to]), 8))


def test_index_casts_and_selects() -> None:
    y = np.zeros(6, np.int64)
    text = """
func.func @f(%y: memref<6xi64>) {
  %two = arith.constant 2 : i8
  loop.for %i < 6 {
    %n = arith.index_cast %i : index to i64
    %small = arith.index_cast %i : index to i8
    %p = arith.cmpi sgt, %small, %two : i8
    %minus = arith.constant -7 : i64
    %r = arith.select %p, %n, %minus : i64
    vec.store %r, %y[%i] : i64, memref<6xi64>
    loop.yield
  }
  func.return
}"""
    run(text, y)
    assert y.tolist() == [-7, -7, -7, 3, 4, 5]


CMPF = ["false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord"]
CMPF += ["ueq", "ugt", "uge", "ult", "ule", "une", "uno", "true"]


@pytest.mark.parametrize("predicate", CMPF)
def test_cmpf_orders_nan_as_its_name_says(predicate: str) -> None:
    values = np.array([1, 2, NAN], np.float32)
    a, b = (v.ravel().copy() for v in np.meshgrid(values, values))
    y = np.zeros(9, np.bool_)
    text = f"""
func.func @f(%a: memref<9xf32>, %b: memref<9xf32>, %y: memref<9xi1>) {{
  loop.for %i < 9 {{
    %p = vec.load %a[%i] : memref<9xf32> -> f32
    %q = vec.load %b[%i] : memref<9xf32> -> f32
    %r = arith.cmpf {predicate}, %p, %q : f32
    vec.store %r, %y[%i] : i1, memref<9xi1>
    loop.yield
  }}
  func.return
}}"""
    run(text, a, b, y)
    unordered = np.isnan(a) | np.isnan(b)
    plain = {"eq": a == b, "gt": a > b, "ge": a >= b, "lt": a < b, "le": a <= b, "ne": a != b}
    if predicate in ("false", "true"):
        expected = np.full(9, predicate == "true")
    elif predicate in ("ord", "uno"):
        expected = unordered == (predicate == "uno")
    else:
        expected = np.where(unordered, predicate[0] == "u", plain[predicate[1:]])
    np.testing.assert_array_equal(y, expected)


CMPI = {"eq": np.equal, "ne": np.not_equal, "slt": np.less, "sle": np.less_equal}
CMPI |= {"sgt": np.greater, "sge": np.greater_equal}
CMPI |= {"u" + k[1:]: f for k, f in CMPI.items() if k[0] == "s"}


@pytest.mark.parametrize("predicate", CMPI)
def test_cmpi_is_numpys(predicate: str) -> None:
    values = np.array([-2, 0, 3], np.int32)
    a, b = (v.ravel().copy() for v in np.meshgrid(values, values))
    y = np.zeros(9, np.bool_)
    text = f"""
func.func @f(%a: memref<9xi32>, %b: memref<9xi32>, %y: memref<9xi1>) {{
  loop.for %i < 9 {{
    %p = vec.load %a[%i] : memref<9xi32> -> i32
    %q = vec.load %b[%i] : memref<9xi32> -> i32
    %r = arith.cmpi {predicate}, %p, %q : i32
    vec.store %r, %y[%i] : i1, memref<9xi1>
    loop.yield
  }}
  func.return
}}"""
    run(text, a, b, y)
    kind = np.uint32 if predicate[0] == "u" else np.int32
    np.testing.assert_array_equal(y, CMPI[predicate](a.view(kind), b.view(kind)))


@pytest.mark.parametrize("op", ["maximumf", "minimumf"])
@pytest.mark.parametrize("constant", [0, -1.5, NAN, -INF])
@pytest.mark.parametrize("constant_first", [False, True])
def test_maximum_with_a_constant_keeps_nan(op: str, constant: float, constant_first: bool) -> None:
    x = np.array([1, -1, NAN, INF, -INF, 0, -0.0, 3] * 2, np.float32)
    y = np.zeros(16, np.float32)
    operands = "%c, %v" if constant_first else "%v, %c"
    text = f"""
func.func @f(%x: memref<16xf32>, %y: memref<16xf32>) {{
  %c = arith.constant dense<1.0> : vector<16xf32>
  %v = vec.load %x[0] : memref<16xf32> -> vector<16xf32>
  %r = arith.{op} {operands} : vector<16xf32>
  vec.store %r, %y[0] : vector<16xf32>, memref<16xf32>
  func.return
}}"""
    module = parse(text)
    c = next(o for o in module.walk() if isinstance(o, arith.ConstantOp))
    # xDSL has no text for NaN and infinity in a vector
    c.value = DenseIntOrFPElementsAttr.from_list(VectorType(f32, [16]), [constant])
    native(module, describe("cpu"))["f"](x, y)
    reference = {"maximumf": np.maximum, "minimumf": np.minimum}[op]
    np.testing.assert_array_equal(y, reference(x, np.float32(constant)))


def test_constants_of_every_type_are_exact() -> None:
    y = (
        np.zeros(4, np.float16),
        np.zeros(4, np.float32),
        np.zeros(4, np.float64),
        np.zeros(4, np.int8),
    )
    text = """
func.func @f(%h: memref<4xf16>, %s: memref<4xf32>, %d: memref<4xf64>, %b: memref<4xi8>) {
  %0 = arith.constant dense<[0.1, -65504.0, 0.0, 6.0e-8]> : vector<4xf16>
  vec.store %0, %h[0] : vector<4xf16>, memref<4xf16>
  %1 = arith.constant dense<[0.1, 3.0e38, -0.0, 1.0e-45]> : vector<4xf32>
  vec.store %1, %s[0] : vector<4xf32>, memref<4xf32>
  %2 = arith.constant dense<0.1> : vector<4xf64>
  vec.store %2, %d[0] : vector<4xf64>, memref<4xf64>
  %3 = arith.constant dense<[[1, -128], [127, -1]]> : vector<2x2xi8>
  vec.store %3, %b[0] : vector<2x2xi8>, memref<4xi8>
  func.return
}"""
    run(text, *y)
    np.testing.assert_array_equal(y[0], np.array([0.1, -65504, 0, 6e-8], np.float16))
    np.testing.assert_array_equal(y[1], np.array([0.1, 3e38, 0, 1e-45], np.float32))
    assert np.signbit(y[1][2])
    np.testing.assert_array_equal(y[2], np.full(4, 0.1))
    np.testing.assert_array_equal(y[3], [1, -128, 127, -1])


@pytest.mark.parametrize("predicate", CMPF)
def test_vectors_are_compared_as_scalars_are(predicate: str) -> None:
    values = np.array([1, -0.0, 0.0, NAN], np.float32)
    a, b = (v.ravel().copy() for v in np.meshgrid(values, values))
    y, z, chosen = np.zeros(16, np.bool_), np.zeros(16, np.bool_), np.zeros(16, np.float32)
    text = f"""
func.func @f(%a: memref<16xf32>, %b: memref<16xf32>, %y: memref<16xi1>, %s: memref<16xf32>) {{
  %p = vec.load %a[0] : memref<16xf32> -> vector<16xf32>
  %q = vec.load %b[0] : memref<16xf32> -> vector<16xf32>
  %r = vec.compare "{predicate}" %p, %q : vector<16xf32> -> vector<16xi1>
  vec.store %r, %y[0] : vector<16xi1>, memref<16xi1>
  %t = vec.select %r, %p, %q : vector<16xi1>, vector<16xf32>
  vec.store %t, %s[0] : vector<16xf32>, memref<16xf32>
  func.return
}}"""
    run(text, a, b, y, chosen)
    interpreters.call(parse(text), "f", [a, b, z, wanted := np.zeros(16, np.float32)])
    np.testing.assert_array_equal(y, z)
    np.testing.assert_array_equal(chosen, wanted)
    np.testing.assert_array_equal(chosen, np.where(y, a, b))


@pytest.mark.parametrize("predicate", vec.INTEGER_PREDICATES)
@pytest.mark.parametrize("type", ["i1", "i8", "i32", "i64"])
def test_vectors_of_integers_are_compared_with_and_without_sign(type: str, predicate: str) -> None:
    dtype = np.bool_ if type == "i1" else np.dtype(f"int{type[1:]}")
    values = np.array([0, 1, -1, -128]).astype(dtype)
    a, b = (v.ravel().copy() for v in np.meshgrid(values, values))
    y, z = np.zeros(16, np.bool_), np.zeros(16, np.bool_)
    text = f"""
func.func @f(%a: memref<16x{type}>, %b: memref<16x{type}>, %y: memref<16xi1>) {{
  %p = vec.load %a[0] : memref<16x{type}> -> vector<16x{type}>
  %q = vec.load %b[0] : memref<16x{type}> -> vector<16x{type}>
  %r = vec.compare "{predicate}" %p, %q : vector<16x{type}> -> vector<16xi1>
  vec.store %r, %y[0] : vector<16xi1>, memref<16xi1>
  func.return
}}"""
    run(text, a, b, y)
    interpreters.call(parse(text), "f", [a, b, z])
    np.testing.assert_array_equal(y, z)
    x, w = (v.astype(np.int64) * (-1 if type == "i1" else 1) for v in (a, b))
    if predicate[0] == "u":
        x, w = x.view(np.uint64), w.view(np.uint64)
    plain = {"lt": x < w, "le": x <= w, "gt": x > w, "ge": x >= w, "eq": x == w, "ne": x != w}
    np.testing.assert_array_equal(y, plain[predicate if len(predicate) == 2 else predicate[1:]])
