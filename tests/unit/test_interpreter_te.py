"""The meaning of te.compute, against formulas written out in NumPy."""

import re

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser
from xdsl.utils.exceptions import InterpretationError

from lamina import interpreters
from lamina.context import new_context


def parse(text: str) -> ModuleOp:
    module = Parser(new_context(), text).parse_module()
    module.verify()
    return module


MAC = """(%a: f32, %b: f32, %acc: f32) {
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %acc, %p : f32
      te.yield %s : f32
    }"""
SAME = "epilogue (%v: f32) { te.yield %v : f32 }"


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def test_contraction_with_epilogue_matches_numpy() -> None:
    module = parse(f"""
    func.func @f(
        %x: memref<5x7xf32>, %w: memref<7x3xf32>, %c: memref<3xf32>, %y: memref<5x3xf32>) {{
      te.compute axes(i: 5, j: 3, reduce k: 7) ins(%x[i, k], %w[k, j]) extras(%c[j]) out(%y[i, j])
        init 0.0 : f32 : memref<5x7xf32>, memref<7x3xf32>, memref<3xf32>, memref<5x3xf32>
        {MAC} epilogue (%v: f32, %bias: f32) {{
          %t = arith.addf %v, %bias : f32
          te.yield %t : f32
        }}
      func.return
    }}""")
    x, w, c = normal(5, 7), normal(7, 3), normal(3)
    acc = np.zeros((5, 3), np.float32)
    for k in range(7):
        acc = acc + x[:, k, None] * w[k]
    (y,) = interpreters.call(module, "f", [x, w, c])
    np.testing.assert_array_equal(y, acc + c)


def test_reduction_runs_in_the_order_of_the_axes() -> None:
    def total(axes: str) -> np.float32:
        module = parse(f"""
        func.func @f(%x: memref<2x2xf32>, %y: memref<1xf32>) {{
          te.compute axes({axes}) ins(%x[i, j]) out(%y[0]) init 0.0 : f32
            : memref<2x2xf32>, memref<1xf32> (%a: f32, %acc: f32) {{
              %s = arith.addf %acc, %a : f32
              te.yield %s : f32
            }} {SAME}
          func.return
        }}""")
        x = np.array([[1e8, 1.0], [-1e8, 1.0]], np.float32)
        return interpreters.call(module, "f", [x])[0][0]

    assert total("reduce i: 2, reduce j: 2") == 1  # 1e8 + 1 is 1e8 in f32
    assert total("reduce j: 2, reduce i: 2") == 2


def window(access: str, where: str = "") -> ModuleOp:
    return parse(f"""
    func.func @f(%x: memref<4xf32>, %y: memref<4xf32>) {{
      te.compute axes(i: 4, reduce k: 3) {where} ins(%x[{access}) out(%y[i]) init 0.0 : f32
        : memref<4xf32>, memref<4xf32> (%a: f32, %acc: f32) {{
          %s = arith.addf %acc, %a : f32
          te.yield %s : f32
        }} {SAME}
      func.return
    }}""")


def test_pad_stands_for_what_lies_outside() -> None:
    (y,) = interpreters.call(window("i + k - 1] pad 10.0"), "f", [np.arange(4, dtype=np.float32)])
    assert y.tolist() == [10 + 0 + 1, 0 + 1 + 2, 1 + 2 + 3, 2 + 3 + 10]


@pytest.mark.parametrize(
    ("read", "write", "message"),
    [
        ("row, i", "0, i", "te.compute reads [row, i] at [2, 0], outside a buffer of 2x4"),
        ("0, i", "row, i", "te.compute writes [row, i] at [2, 0], outside a buffer of 2x4"),
    ],
    ids=["read", "write"],
)
def test_access_outside_names_itself_index_and_shape(read: str, write: str, message: str) -> None:
    """The verifier does not know how far outer loops run."""
    module = parse(f"""
    func.func @f(%x: memref<2x4xf32>, %y: memref<2x4xf32>) {{
      loop.for %r < 3 {{
        te.compute at(row = %r) axes(i: 4) ins(%x[{read}]) out(%y[{write}]) init 0.0 : f32
          : memref<2x4xf32>, memref<2x4xf32> (%a: f32, %acc: f32) {{ te.yield %a : f32 }} {SAME}
      }}
      func.return
    }}""")
    with pytest.raises(InterpretationError, match=re.escape(message)):
        interpreters.call(module, "f", [normal(2, 4)])


def test_bounded_points_are_neither_read_nor_reduced() -> None:
    x = np.arange(4, dtype=np.float32)
    (y,) = interpreters.call(window("i + k]", "where i + k < 4"), "f", [x])
    assert y.tolist() == [0 + 1 + 2, 1 + 2 + 3, 2 + 3, 3]


def test_spatially_bounded_points_are_not_written() -> None:
    (y,) = interpreters.call(window("i]", "where i < 3"), "f", [np.ones(4, np.float32)])
    assert y[:3].tolist() == [3, 3, 3]
    assert np.isnan(y[3])


def test_indices_of_outer_loops_bind_names() -> None:
    module = parse(f"""
    func.func @f(%x: memref<3x4xf32>, %y: memref<3x4xf32>) {{
      loop.for %r < 3 {{
        te.compute at(row = %r) axes(i: 4) ins(%x[row, 3 - i]) out(%y[row, i]) init 0.0 : f32
          : memref<3x4xf32>, memref<3x4xf32> (%a: f32, %acc: f32) {{ te.yield %a : f32 }} {SAME}
      }}
      func.return
    }}""")
    x = normal(3, 4)
    np.testing.assert_array_equal(interpreters.call(module, "f", [x])[0], x[:, ::-1])


def test_tables_fold_like_buffers() -> None:
    module = parse(f"""
    func.func @f(%x: memref<2xf32>, %y: memref<2xf32>) {{
      %t = te.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> -> memref<2x2xf32>
      te.compute axes(i: 2, reduce k: 2) ins(%x[k], %t[i, k]) out(%y[i]) init 0.0 : f32
        : memref<2xf32>, memref<2x2xf32>, memref<2xf32> {MAC} {SAME}
      func.return
    }}""")
    (y,) = interpreters.call(module, "f", [np.array([1, 10], np.float32)])
    assert y.tolist() == [21, 43]


@pytest.mark.parametrize(
    "body",
    [
        """axes(o: 2, reduce k: 8) ins(%x[k], %w[k floordiv 4, o, k mod 4])
           out(%y[o]) init 5 : i32 : memref<8xi8>, memref<2x2x4xi8>, memref<2xi32>
           (%a: i8, %b: i8, %acc: i32) {
             %ax = arith.extui %a : i8 to i32
             %bx = arith.extsi %b : i8 to i32
             %p = arith.muli %ax, %bx : i32
             %s = arith.addi %acc, %p : i32
             te.yield %s : i32
           }""",
        """axes(o: 2, reduce q: 2) ins(%x[q * 4], %w[q, o, 0])
           out(%y[o]) init 5 : i32 : memref<8xi8>, memref<2x2x4xi8>, memref<2xi32>
           (%a: vector<4xi8>, %b: vector<4xi8>, %acc: i32) {
             %s = int8.dot4 %acc, %a, %b : i32, vector<4xi8>, vector<4xi8>
             te.yield %s : i32
           }""",
    ],
    ids=["bytes", "groups of 4"],
)
def test_bytes_and_groups_of_bytes_agree(body: str) -> None:
    module = parse(f"""
    func.func @f(%x: memref<8xi8>, %w: memref<2x2x4xi8>, %y: memref<2xi32>) {{
      te.compute {body} epilogue (%v: i32) {{ te.yield %v : i32 }}
      func.return
    }}""")
    x = np.array([255, 254, 1, 0, 128, 127, 7, 9], np.uint8)
    w = np.random.default_rng(0).integers(-128, 128, (2, 2, 4)).astype(np.int8)
    expected = 5 + np.einsum("qk,qok->o", x.reshape(2, 4).astype(np.int32), w.astype(np.int32))
    (y,) = interpreters.call(module, "f", [x.view(np.int8), w])
    assert y.tolist() == expected.tolist()


def test_integers_that_are_read_keep_what_is_promised() -> None:
    text = """
    func.func @f(%at: memref<3xi32>, %x: memref<4xf32>, %y: memref<4xf32>) {
      te.compute axes(o: 2, i: 2) where o * 2 + i < 3 ins(%at[o * 2 + i] as k: 4, %x[k])
        out(%y[o * 2 + i]) init 0.0 : f32 : memref<3xi32>, memref<4xf32>, memref<4xf32>
        (%k: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
      func.return
    }"""
    x = np.arange(4, dtype=np.float32)
    (y,) = interpreters.call(parse(text), "f", [np.array([3, 0, 3], np.int32), x])
    np.testing.assert_array_equal(y[:3], [3, 0, 3])
    for broken in (4, -1):
        with pytest.raises(InterpretationError, match=rf"reads {broken} at .* promises 0 to 3"):
            interpreters.call(parse(text), "f", [np.array([3, broken, 3], np.int32), x])
