"""Vec and int8 passes keep what a module computes, bit for bit, in the interpreter and natively."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp

from lamina import interpreters
from lamina.backends.cpu.build import native
from lamina.backends.machine import describe
from lamina.dialects.vector import LoadOp
from lamina.passes.vector._memory import shifted
from tests.unit.rewriting import parse, rewrite

CONTRACTION = """
func.func @f(%x: memref<4x16xf32>, %w: memref<16x32xf32>, %y: memref<4x32xf32>) {
  %zero = arith.constant dense<0.0> : vector<16xf32>
  loop.for %i < 4, %j < 2 {
    %r = loop.for %k < 16 iter(%acc = %zero) : vector<16xf32> {
      %b = vec.load %w[%k, %j * 16] : memref<16x32xf32> -> vector<16xf32>
      %a = vec.load_splat %x[%i, %k] : memref<4x16xf32> -> vector<16xf32>
      %s = math.fma %a, %b, %acc : vector<16xf32>
      loop.yield %s : vector<16xf32>
    }
    vec.store %r, %y[%i, %j * 16] : vector<16xf32>, memref<4x32xf32>
  }
  func.return
}
"""
TRANSPOSE = """
func.func @f(%x: memref<16x8xf32>, %y: memref<8x16xf32>) {
  %t = memref.alloca() : memref<16x8xf32>
  loop.for %i < 8 {
    %v = vec.load_strided %x[0, %i] stride 8 : memref<16x8xf32> -> vector<16xf32>
    vec.store_strided %v, %t[0, %i] stride 8 : vector<16xf32>, memref<16x8xf32>
    %w = vec.load_strided %t[0, %i] stride 8 : memref<16x8xf32> -> vector<16xf32>
    vec.store %w, %y[%i, 0] : vector<16xf32>, memref<8x16xf32>
    %a = vec.load %y[%i, 0] : memref<8x16xf32> -> vector<16xf32>
    %b = arith.addf %a, %a : vector<16xf32>
    vec.store %b, %y[%i, 0] : vector<16xf32>, memref<8x16xf32>
  }
  func.return
}
"""


def run_natively(module: ModuleOp, arrays: list[np.ndarray], y: np.ndarray) -> np.ndarray:
    out = np.full_like(y, np.nan) if y.dtype.kind == "f" else np.zeros_like(y)
    native(module, describe("cpu"))["f"](*arrays, out)
    return out


@pytest.mark.parametrize(
    ("text", "shapes", "pipeline"),
    [
        (CONTRACTION, [(4, 16), (16, 32)], "vec-split{lanes=8}"),
        (CONTRACTION, [(4, 16), (16, 32)], "vec-split{lanes=1}"),
        (CONTRACTION, [(4, 16), (16, 32)], "loop-unroll{index=k},vec-splat-lanes"),
        (
            CONTRACTION,
            [(4, 16), (16, 32)],
            "loop-unroll{index=k},vec-splat-lanes,vec-split{lanes=4}",
        ),
        (
            CONTRACTION,
            [(4, 16), (16, 32)],
            "loop-unroll{index=k},vec-splat-lanes,vec-stage-lanes",
        ),
        (TRANSPOSE, [(16, 8)], "vec-split{lanes=4}"),
        (TRANSPOSE, [(16, 8)], "vec-forward-stores"),
        (TRANSPOSE, [(16, 8)], "loop-unroll{index=i},vec-split{lanes=8},vec-forward-stores"),
    ],
)
def test_results_stay(text: str, shapes: list[tuple[int, ...]], pipeline: str) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape, dtype=np.float32) for shape in shapes]
    (before,) = interpreters.call(parse(text), "f", arrays)
    module = rewrite(text, pipeline)
    (after,) = interpreters.call(module, "f", arrays)
    assert np.isfinite(before).all()
    np.testing.assert_array_equal(after, before)
    plain = run_natively(parse(text), arrays, before)
    np.testing.assert_array_equal(run_natively(module, arrays, before), plain)
    np.testing.assert_allclose(plain, before, rtol=1e-5, atol=1e-6)


@given(
    shape=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    data=st.data(),
)
def test_shifted_index_is_inside_and_that_many_elements_behind(
    shape: list[int], data: st.DataObject
) -> None:
    size = int(np.prod(shape))
    start = data.draw(st.integers(0, size - 1))
    elements = data.draw(st.integers(0, size - 1 - start))
    at = ", ".join(map(str, np.unravel_index(start, shape)))
    type = f"memref<{'x'.join(map(str, shape))}xf32>"
    module = parse(
        f"func.func @f(%x: {type}) {{ %v = vec.load %x[{at}] : {type} -> f32 func.return }}"
    )
    (load,) = [op for op in module.walk() if isinstance(op, LoadOp)]
    want = np.unravel_index(start + elements, shape)
    assert [e.const for e in shifted(load, elements).data] == list(want)


SPECIAL = [0.0, -0.0, 0.5, 1.5, 2.5, -0.5, -1.5, 63.5, 64.0, -64.5, 1e30, -1e30]
FLOATS = np.array([*SPECIAL, np.inf, -np.inf, np.nan, 1e-40], np.float32)
BYTES = np.arange(256, dtype=np.uint8).view(np.int8)
ENDS = np.array([0, 1, -1, 2**31 - 1, -(2**31), 2**24 + 1, -(2**24) - 1, 255] * 2, np.int32)


def kernel(line: str, of: str, to: str, n: int) -> str:
    """`%r = line` of 16 elements at a time."""
    return f"""
    func.func @f(%xs: memref<{n}x{of}>, %rs: memref<{n}x{to}>) {{
      %m = arith.constant dense<0.37> : vector<16xf32>
      %h = arith.constant dense<1073741824> : vector<16xi32>
      %t = arith.constant dense<6> : vector<16xi32>
      loop.for %i < {n // 16} {{
        %x = vec.load %xs[%i * 16] : memref<{n}x{of}> -> vector<16x{of}>
        %r = {line}
        vec.store %r, %rs[%i * 16] : vector<16x{to}>, memref<{n}x{to}>
      }}
      func.return
    }}"""


@pytest.mark.parametrize("storage", ["u8, 0.5, 128", "u8, 0.3, 0", "s8, 0.5, -7", "s8, 1.0, 0"])
@pytest.mark.parametrize(
    ("line", "of", "to", "x"),
    [
        ("int8.quantize %x to <{}> : vector<16xf32>", "f32", "i8", FLOATS),
        ("int8.dequantize %x from <{}> : vector<16xi8>", "i8", "f32", BYTES),
        ("int8.requantize %x by %m to <{}> : vector<16xi32>, vector<16xf32>", "i32", "i8", ENDS),
        ("int8.requantize_fixed %x by %h shift %t to <{}> : vector<16xi32>", "i32", "i8", ENDS),
        ("int8.requantize_fixed %x by %x shift %t to <{}> : vector<16xi32>", "i32", "i8", ENDS),
    ],
)
def test_expanded_quantization_is_bit_exact(
    storage: str, line: str, of: str, to: str, x: np.ndarray
) -> None:
    text = kernel(line.format(storage), of, to, len(x))
    (want,) = interpreters.call(parse(text), "f", [x])
    module = rewrite(text, "int8-expand")
    (got,) = interpreters.call(module, "f", [x])
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(run_natively(module, [x], want), want)
