"""Kernels in vec and loop text, compiled and called; and what is refused."""

import re

import llvmlite.binding as llvm
import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects import arith, builtin, func, math, memref
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, ModuleOp, VectorType, f32
from xdsl.parser import Parser
from xdsl.utils.exceptions import DiagnosticException

from lamina.backends.cpu.build import native
from lamina.backends.cpu.compiler import assembly
from lamina.backends.cpu.llvm_ir import print_module
from lamina.backends.machine import describe, targets
from lamina.universe import dialects

NAN, INF = np.nan, np.inf


def parse(text: str) -> ModuleOp:
    ctx = Context()
    for dialect in (builtin.Builtin, func.Func, arith.Arith, math.Math, memref.MemRef):
        ctx.load_dialect(dialect)
    for name, load in dialects().items():
        ctx.register_dialect(name, load)
    module = Parser(ctx, text).parse_module()
    module.verify()
    return module


def run(text: str, *arrays: np.ndarray) -> None:
    """Call @f of `text` natively; its last array holds the result."""
    native(parse(text), describe("cpu"))["f"](*arrays)


def floats(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_carried_values_go_through_every_loop_of_a_nest() -> None:
    x, w, y = floats(6, 4), floats(4, 3, 16), np.zeros((6, 3, 16), np.float32)
    text = """
func.func @f(%x: memref<6x4xf32>, %w: memref<4x3x16xf32>, %y: memref<6x3x16xf32>) {
  loop.for %i < 6, %j < 3 parallel {
    %zero = arith.constant dense<0.0> : vector<16xf32>
    %sum = loop.for %k < 2, %kk < 2, %one < 1 iter(%acc = %zero) : vector<16xf32> {
      %a = vec.load_splat %x[%i, %k * 2 + %kk + %one] : memref<6x4xf32> -> vector<16xf32>
      %b = vec.load %w[%k * 2 + %kk, %j, 0] : memref<4x3x16xf32> -> vector<16xf32>
      %r = math.fma %a, %b, %acc : vector<16xf32>
      loop.yield %r : vector<16xf32>
    }
    vec.store %sum, %y[%i, %j, 0] : vector<16xf32>, memref<6x3x16xf32>
    loop.yield
  }
  func.return
}"""
    run(text, x, w, y)
    np.testing.assert_allclose(y, np.einsum("ik,kjv->ijv", x, w), rtol=1e-5, atol=1e-6)


def test_carried_values_may_trade_places_and_leave_as_they_came() -> None:
    y = np.zeros(3, np.float32)
    text = """
func.func @f(%y: memref<3xf32>) {
  %a = arith.constant 1.0 : f32
  %b = arith.constant 2.0 : f32
  %c = arith.constant 3.0 : f32
  %p, %q, %r = loop.for %i < 3 iter(%x = %a, %y_ = %b, %z = %c) : f32 {
    loop.yield %y_, %x, %z : f32, f32, f32
  }
  vec.store %p, %y[0] : f32, memref<3xf32>
  vec.store %q, %y[1] : f32, memref<3xf32>
  vec.store %r, %y[2] : f32, memref<3xf32>
  func.return
}"""
    run(text, y)
    assert y.tolist() == [2, 1, 3]


def test_floordiv_and_mod_round_towards_minus_infinity() -> None:
    y = np.zeros((2, 9), np.float32)
    text = """
func.func @f(%x: memref<16xf32>, %y: memref<2x9xf32>) {
  loop.for %i < 9 {
    %a = vec.load %x[(%i - 4) floordiv 3 + 4] : memref<16xf32> -> f32
    %b = vec.load %x[(%i - 4) mod 3] : memref<16xf32> -> f32
    vec.store %a, %y[%i floordiv 9, %i] : f32, memref<2x9xf32>
    vec.store %b, %y[1, %i mod 9] : f32, memref<2x9xf32>
    loop.yield
  }
  func.return
}"""
    run(text, np.arange(16, dtype=np.float32), y)
    i = np.arange(9)
    np.testing.assert_array_equal(y, [(i - 4) // 3 + 4, (i - 4) % 3])


def test_addresses_of_later_loops_do_not_reuse_those_of_earlier_ones() -> None:
    y = np.zeros((4, 4), np.float32)
    text = """
func.func @f(%x: memref<4x4xf32>, %y: memref<4x4xf32>) {
  loop.for %i < 4 {
    loop.for %j < 2 {
      %a = vec.load %x[%i, %j] : memref<4x4xf32> -> f32
      vec.store %a, %y[%i, %j] : f32, memref<4x4xf32>
      loop.yield
    }
    loop.for %j < 2 {
      %a = vec.load %x[%i, %j + 2] : memref<4x4xf32> -> f32
      vec.store %a, %y[%i, %j + 2] : f32, memref<4x4xf32>
      loop.yield
    }
    loop.yield
  }
  func.return
}"""
    x = floats(4, 4)
    run(text, x, y)
    np.testing.assert_array_equal(x, y)


def test_index_arithmetic_inside_a_loop_is_addressed_where_it_is_defined() -> None:
    y = np.zeros(8, np.float32)
    text = """
func.func @f(%x: memref<8xf32>, %y: memref<8xf32>) {
  %seven = arith.constant 7 : index
  loop.for %i < 8 {
    %back = arith.subi %seven, %i : index
    loop.for %j < 2 {
      %a = memref.load %x[%back] : memref<8xf32>
      memref.store %a, %y[%i] : memref<8xf32>
      loop.yield
    }
    loop.yield
  }
  func.return
}"""
    x = floats(8)
    run(text, x, y)
    np.testing.assert_array_equal(x[::-1], y)


def test_strided_loads_and_stores_move_lanes_and_groups() -> None:
    x = np.arange(64 * 4, dtype=np.int8).view(np.int8)
    y, z = np.zeros((4, 8), np.int8), np.zeros((8, 3), np.int8)
    text = """
func.func @f(%x: memref<256xi8>, %y: memref<32xi8>, %z: memref<24xi8>) {
  %a = vec.load_strided %x[2] stride 30 : memref<256xi8> -> vector<8x4xi8>
  vec.store %a, %y[0] : vector<8x4xi8>, memref<32xi8>
  %b = vec.load_strided %x[1] stride 3 : memref<256xi8> -> vector<8xi8>
  vec.store_strided %b, %z[2] stride 3 : vector<8xi8>, memref<24xi8>
  func.return
}"""
    run(text, x, y, z)
    expected = [x[2 + 30 * lane :][:4] for lane in range(8)]
    np.testing.assert_array_equal(y.reshape(8, 4), expected)
    np.testing.assert_array_equal(z[:, 2], x[1::3][:8])
    assert not z[:, :2].any()


def test_store_strided_moves_groups_as_a_whole() -> None:
    y = np.zeros((4, 8), np.int8)
    text = """
func.func @f(%x: memref<16xi8>, %y: memref<32xi8>) {
  %a = vec.load %x[0] : memref<16xi8> -> vector<4x4xi8>
  vec.store_strided %a, %y[2] stride 8 : vector<4x4xi8>, memref<32xi8>
  func.return
}"""
    x = np.arange(1, 17, dtype=np.int8)
    run(text, x, y)
    np.testing.assert_array_equal(y[:, 2:6].ravel(), x)


def test_splats_of_elements_groups_and_lanes() -> None:
    x, y = np.arange(64, dtype=np.int8), np.zeros((3, 64), np.int8)
    text = """
func.func @f(%x: memref<64xi8>, %y: memref<3x64xi8>) {
  %a = vec.load_splat %x[5] : memref<64xi8> -> vector<64xi8>
  vec.store %a, %y[0, 0] : vector<64xi8>, memref<3x64xi8>
  %b = vec.load_splat %x[6] : memref<64xi8> -> vector<16x4xi8>
  vec.store %b, %y[1, 0] : vector<16x4xi8>, memref<3x64xi8>
  %c = vec.load %x[0] : memref<64xi8> -> vector<16x4xi8>
  %d = vec.splat_lane %c[3] : vector<16x4xi8>
  vec.store %d, %y[2, 0] : vector<16x4xi8>, memref<3x64xi8>
  func.return
}"""
    run(text, x, y)
    np.testing.assert_array_equal(y[0], np.full(64, 5))
    np.testing.assert_array_equal(y[1], np.tile([6, 7, 8, 9], 16))
    np.testing.assert_array_equal(y[2], np.tile([12, 13, 14, 15], 16))


def test_strided_memrefs_subviews_and_views() -> None:
    whole, y = floats(6, 8), np.zeros((2, 4), np.float32)
    text = """
!part = memref<2x4xf32, strided<[16, 1], offset: ?>>
func.func @f(%x: memref<6x8xf32>, %raw: memref<64xi8>, %y: memref<2x4xf32>) {
  %one = arith.constant 1 : index
  %sub = memref.subview %x[%one, 2] [2, 4] [2, 1] : memref<6x8xf32> to !part
  %flat = memref.collapse_shape %y [[0, 1]] : memref<2x4xf32> into memref<8xf32>
  %shift = arith.constant 16 : index
  %part = memref.view %raw[%shift][] : memref<64xi8> to memref<4xf32>
  %last = vec.load %part[0] : memref<4xf32> -> vector<4xf32>
  %a = vec.load %sub[0, 0] : !part -> vector<4xf32>
  %b = vec.load %sub[1, 0] : !part -> vector<4xf32>
  %c = arith.addf %b, %last : vector<4xf32>
  vec.store %a, %flat[0] : vector<4xf32>, memref<8xf32>
  vec.store %c, %flat[4] : vector<4xf32>, memref<8xf32>
  func.return
}"""
    raw = floats(16)
    run(text, whole, raw, y)
    np.testing.assert_array_equal(y, [whole[1, 2:6], whole[3, 2:6] + raw[4:8]])


def test_scratch_is_aligned_and_does_not_grow_in_a_loop() -> None:
    y = np.zeros(16, np.float32)
    text = """
func.func @f(%x: memref<16xf32>, %y: memref<16xf32>) {
  loop.for %i < 100000 {
    %s = memref.alloca() : memref<4x16xf32>
    %a = vec.load %x[0] : memref<16xf32> -> vector<16xf32>
    vec.store %a, %s[3, 0] : vector<16xf32>, memref<4x16xf32>
    %b = vec.load %s[3, 0] : memref<4x16xf32> -> vector<16xf32>
    vec.store %b, %y[0] : vector<16xf32>, memref<16xf32>
    loop.yield
  }
  func.return
}"""
    x = floats(16)
    run(text, x, y)
    np.testing.assert_array_equal(x, y)
    assert "alloca [256 x i8], align 64" in print_module(parse(text), describe("cpu"))["f"]


def test_bools_are_bytes_in_memory() -> None:
    x, y = floats(16), np.zeros((2, 16), np.bool_)
    text = """
func.func @f(%x: memref<16xf32>, %y: memref<2x16xi1>) {
  %zero = arith.constant 0.0 : f32
  loop.for %i < 16 {
    %a = vec.load %x[%i] : memref<16xf32> -> f32
    %p = arith.cmpf olt, %a, %zero : f32
    vec.store %p, %y[0, %i] : i1, memref<2x16xi1>
    loop.yield
  }
  %all = vec.load %y[0, 0] : memref<2x16xi1> -> vector<16xi1>
  vec.store %all, %y[1, 0] : vector<16xi1>, memref<2x16xi1>
  func.return
}"""
    run(text, x, y)
    np.testing.assert_array_equal(y, [x < 0, x < 0])


# type, type, arith op or vec.convert, input, expected
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


@pytest.mark.parametrize("target", ["cpu", "cpu:haswell"])
@pytest.mark.parametrize("lanes", [1, 4, 8, 16, 32])
def test_dot4_is_exact_with_and_without_an_instruction_for_it(lanes: int, target: str) -> None:
    n = 4 * lanes
    text = f"""
!words = memref<{lanes}xi32>
!bytes = memref<{n}xi8>
!acc = vector<{lanes}xi32>
!groups = vector<{lanes}x4xi8>
func.func @f(%c: !words, %a: !bytes, %b: !bytes, %y: !words) {{
  %x = vec.load %c[0] : !words -> !acc
  %p = vec.load %a[0] : !bytes -> !groups
  %q = vec.load %b[0] : !bytes -> !groups
  %r = int8.dot4 %x, %p, %q : !acc, !groups, !groups
  vec.store %r, %y[0] : !acc, !words
  func.return
}}"""
    rng = np.random.default_rng(1)
    a, b = (rng.integers(-128, 128, n).astype(np.int8) for _ in "ab")
    a[:4], b[:4] = -1, -128  # 4 * 255 * -128
    c = rng.integers(-(2**31), 2**31, lanes).astype(np.int32)
    y = np.zeros(lanes, np.int32)
    native(parse(text), describe(target))["f"](c, a, b, y)
    products = a.view(np.uint8).astype(np.int64) * b
    expected = (c + products.reshape(lanes, 4).sum(1)).astype(np.int32)
    np.testing.assert_array_equal(y, expected)


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


def test_entry_calls_kernels_over_the_arena() -> None:
    text = """
func.func private @double(%x: memref<16xf32>, %y: memref<16xf32>) {
  %a = vec.load %x[0] : memref<16xf32> -> vector<16xf32>
  %b = arith.addf %a, %a : vector<16xf32>
  vec.store %b, %y[0] : vector<16xf32>, memref<16xf32>
  func.return
}
func.func private @add(memref<16xf32>, memref<16xf32>, memref<16xf32>)
func.func @main(%x: memref<16xf32> {lamina.input = "x"}, %y: memref<16xf32> {lamina.output = "y"},
                %arena: memref<128xi8> {lamina.arena}) attributes {lamina.entry} {
  %0 = arith.constant 64 : index
  %t = memref.view %arena[%0][] : memref<128xi8> to memref<16xf32>
  func.call @double(%x, %t) : (memref<16xf32>, memref<16xf32>) -> ()
  func.call @double(%t, %y) : (memref<16xf32>, memref<16xf32>) -> ()
  func.return
}"""
    module = parse(text)
    texts = print_module(module, describe("cpu"))
    assert list(texts) == ["double", "main"]
    assert "define void @main(ptr %pointer.table)" in texts["main"]
    x, y, arena = floats(16), np.zeros(16, np.float32), np.zeros(128, np.int8)
    pointers = np.array([a.ctypes.data for a in (x, y, arena)], np.uintp)
    native(module, describe("cpu"))["main"](pointers)
    np.testing.assert_array_equal(y, 4 * x)
    np.testing.assert_array_equal(arena[64:].view(np.float32), 2 * x)


def test_arguments_that_may_alias_say_so() -> None:
    text = """
!four = memref<4xf32>
func.func @f(%x: !four {lamina.may_alias}, %y: !four {lamina.may_alias}, %z: !four) {
  func.return
}"""
    line = print_module(parse(text), describe("cpu:haswell"))["f"].splitlines()[0]
    assert line.startswith("define void @f(ptr %x, ptr %y, ptr noalias %z) nounwind")
    assert '"target-cpu"="haswell"' in line


def test_argument_names_that_look_like_ours_do_not_clash() -> None:
    y = np.zeros(1, np.float32)
    text = """
func.func @f(%v1: memref<1xf32>, %"v2": memref<1xf32>) {
  %a = vec.load %v1[0] : memref<1xf32> -> f32
  %b = arith.addf %a, %a : f32
  vec.store %b, %v2[0] : f32, memref<1xf32>
  func.return
}""".replace('"', "")
    run(text, np.ones(1, np.float32), y)
    assert y == 2


BODY = "func.func @f(%x: memref<16xf32>, %d: memref<?x?xf32>) {{ {} func.return }}"
REFUSED = {
    "%a = vec.load %x[0] : memref<16xf32> -> f32 %b = math.exp %a : f32": "@f: no LLVM for math.e",
    "%m = memref.alloc() : memref<4xf32>": "@f: no LLVM for memref.alloc; run plan-memory",
    "%m = memref.alloca() : memref<300000xf32>": "1200000 bytes, at most 1048576",
    "%c = arith.constant 0 : index %a = memref.load %d[%c, %c] : memref<?x?xf32>": "strides",
    "%c = arith.constant 9 : index %a = memref.alloca(%c) : memref<?xf32>": "a static size",
    "%a = vec.load %x[0] : memref<16xf32> -> f32 %b = vec.convert %a : f32 to bf16": "no LLVM type",
}


@pytest.mark.parametrize("body", REFUSED)
def test_what_has_no_translation_is_named(body: str) -> None:
    with pytest.raises(DiagnosticException, match=REFUSED[body]):
        print_module(parse(BODY.format(body)), describe("cpu"))


def test_functions_that_are_no_kernels_are_refused() -> None:
    cpu = describe("cpu")
    with pytest.raises(DiagnosticException, match="@f: argument 0 needs a memref, got f32"):
        print_module(parse("func.func @f(%x: f32) { func.return }"), cpu)
    with pytest.raises(DiagnosticException, match="@f: a function returns nothing"):
        print_module(parse("func.func @f(%x: f32) -> f32 { func.return %x : f32 }"), cpu)
    with pytest.raises(DiagnosticException, match="LLVM needs a cpu target, got opencl:portable"):
        print_module(parse("builtin.module {}"), describe("opencl:portable"))


EVERYTHING = """
func.func @f(%x: memref<64xf32>, %b: memref<64xi8>, %y: memref<64xf32>, %z: memref<16xi32>) {
  %u = vec.load %x[0] : memref<64xf32> -> vector<16xf32>
  %v = vec.load_strided %x[0] stride 3 : memref<64xf32> -> vector<16xf32>
  %m = arith.maximumf %u, %v : vector<16xf32>
  %r = math.fma %u, %v, %m : vector<16xf32>
  vec.store %r, %y[0] : vector<16xf32>, memref<64xf32>
  %i = vec.convert %r : vector<16xf32> to vector<16xi32>
  %p = vec.load %b[0] : memref<64xi8> -> vector<16x4xi8>
  %s = int8.dot4 %i, %p, %p : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
  vec.store %s, %z[0] : vector<16xi32>, memref<16xi32>
  func.return
}"""


@pytest.mark.parametrize("target", [t for t in targets() if t.startswith("cpu")])
def test_code_is_generated_for_every_cpu_we_name(target: str) -> None:
    """An instruction the CPU lacks would abort the process."""
    machine = describe(target)
    code = assembly(print_module(parse(EVERYTHING), machine)["f"], machine)
    assert ("vpdpbusd" in code) == (machine.dot4 and machine.vector_bytes == 64)
    assert ("zmm" in code) == (machine.vector_bytes == 64)


def test_text_is_what_llvm_verifies() -> None:
    for text in print_module(parse(EVERYTHING), describe("cpu:haswell")).values():
        llvm.parse_assembly(text).verify()
