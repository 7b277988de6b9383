"""Loads, stores, views and the addresses of both, run natively beside NumPy."""

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser

from lamina import interpreters
from lamina.backends.cpu.build import native
from lamina.backends.cpu.llvm_ir import print_module
from lamina.backends.machine import describe
from lamina.context import new_context


def parse(text: str) -> ModuleOp:
    module = Parser(new_context(), text).parse_module()
    module.verify()
    return module


def run(text: str, *arrays: np.ndarray) -> None:
    """Call @f of `text` natively; its last array holds the result."""
    native(parse(text), describe("cpu"))["f"](*arrays)


def floats(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


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


def test_vectors_of_a_run_lie_behind_each_other() -> None:
    x, y = np.arange(64, dtype=np.int8), np.zeros((3, 8), np.int8)
    text = """
func.func @f(%x: memref<64xi8>, %y: memref<24xi8>) {
  %a, %b, %c = vec.load_run %x[5] : memref<64xi8> -> vector<2x4xi8>, vector<2x4xi8>, vector<2x4xi8>
  vec.store %a, %y[16] : vector<2x4xi8>, memref<24xi8>
  vec.store %b, %y[8] : vector<2x4xi8>, memref<24xi8>
  vec.store %c, %y[0] : vector<2x4xi8>, memref<24xi8>
  func.return
}"""
    run(text, x, y)
    np.testing.assert_array_equal(y[::-1].ravel(), x[5:29])


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


def test_lanes_of_truth_values_are_bytes_in_memory() -> None:
    text = """
func.func @f(%x: memref<2x8xi1>, %y: memref<4x8xi1>) {
  %row = vec.load %x[1, 0] : memref<2x8xi1> -> vector<8xi1>
  %one = vec.load_splat %x[0, 3] : memref<2x8xi1> -> vector<8xi1>
  %column = vec.load_strided %x[0, 0] stride 2 : memref<2x8xi1> -> vector<8xi1>
  vec.store %row, %y[0, 0] : vector<8xi1>, memref<4x8xi1>
  vec.store %one, %y[1, 0] : vector<8xi1>, memref<4x8xi1>
  vec.store_strided %column, %y[2, 1] stride 2 : vector<8xi1>, memref<4x8xi1>
  func.return
}"""
    x = np.random.default_rng(0).integers(0, 2, (2, 8)).astype(bool)
    x[0, 3] = True
    y = np.zeros((4, 8), bool)
    run(text, x, y)
    np.testing.assert_array_equal(y[0], x[1])
    assert y[1].all()
    np.testing.assert_array_equal(y[2:].reshape(-1)[1::2], x.reshape(-1)[::2])
    assert not y[2:].reshape(-1)[::2].any()


@pytest.mark.parametrize("target", ["cpu", "cpu:haswell", "cpu:nehalem"])
@pytest.mark.parametrize(
    ("element", "dtype"),
    [("f32", np.float32), ("f64", np.float64), ("f16", np.float16), ("i8", np.int8)],
)
@pytest.mark.parametrize(("lanes", "at"), [("i32", np.int32), ("i64", np.int64)])
def test_lanes_are_gathered_from_anywhere(
    target: str, element: str, dtype: type, lanes: str, at: type
) -> None:
    """Before and behind the index, and groups of elements too."""
    text = f"""
func.func @f(%at: memref<7x{lanes}>, %x: memref<4x8x{element}>,
             %y: memref<7x{element}>, %z: memref<14x{element}>) {{
  %l = vec.load %at[0] : memref<7x{lanes}> -> vector<7x{lanes}>
  %a = vec.gather %x[1, 2] at %l : memref<4x8x{element}>, vector<7x{lanes}> -> vector<7x{element}>
  vec.store %a, %y[0] : vector<7x{element}>, memref<7x{element}>
  %b = vec.gather %x[1, 2] at %l : memref<4x8x{element}>, vector<7x{lanes}> -> vector<7x2x{element}>
  vec.store %b, %z[0] : vector<7x2x{element}>, memref<14x{element}>
  func.return
}}"""
    where, x = np.array([0, -10, 3, 20, 3, 5, -1], at), np.arange(32).reshape(4, 8).astype(dtype)
    y, z = np.zeros(7, dtype), np.zeros(14, dtype)
    native(parse(text), describe(target))["f"](where, x, y, z)
    np.testing.assert_array_equal(y, 10 + where)
    np.testing.assert_array_equal(z.reshape(7, 2), np.stack([10 + where, 11 + where], axis=1))
    found = interpreters.call(parse(text), "f", [where, x])
    np.testing.assert_array_equal(found[0], y)
    np.testing.assert_array_equal(found[1], z)
