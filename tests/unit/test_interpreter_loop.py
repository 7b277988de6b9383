"""Loops, vectors, buffers, calls and entries, one op at a time."""

import re

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser
from xdsl.utils.exceptions import InterpretationError

from lamina import interpreters
from lamina.context import new_context
from lamina.weights import WeightStore


def parse(text: str) -> ModuleOp:
    module = Parser(new_context(), text).parse_module()
    module.verify()
    return module


def run(text: str, *inputs: np.ndarray) -> list[np.ndarray]:
    return interpreters.call(parse(text), "f", inputs)


ROWS = np.arange(24, dtype=np.float32).reshape(3, 8)


def test_carried_values_go_through_the_whole_nest() -> None:
    (y,) = run(
        """
        func.func @f(%x: memref<3x8xf32>, %y: memref<4xf32>) {
          %zero = arith.constant dense<0.0> : vector<4xf32>
          %sum = loop.for %i < 3, %j < 2 iter(%acc = %zero) : vector<4xf32> {
            %v = vec.load %x[%i, %j * 4] : memref<3x8xf32> -> vector<4xf32>
            %s = arith.addf %acc, %v : vector<4xf32>
            loop.yield %s : vector<4xf32>
          }
          vec.store %sum, %y[0] : vector<4xf32>, memref<4xf32>
          func.return
        }""",
        ROWS,
    )
    assert y.tolist() == ROWS.reshape(6, 4).sum(0).tolist()


def test_dependent_iterations_of_a_parallel_nest_show() -> None:
    """Each iteration reads what the one before wrote."""
    text = """
    func.func @f(%y: memref<4xf32>) {
      %one = arith.constant 1.0 : f32
      vec.store %one, %y[0] : f32, memref<4xf32>
      loop.for %i < 3 MAPPING {
        %v = vec.load %y[%i] : memref<4xf32> -> f32
        vec.store %v, %y[%i + 1] : f32, memref<4xf32>
      }
      func.return
    }"""
    assert run(text.replace("MAPPING", ""))[0].tolist() == [1, 1, 1, 1]
    assert np.isnan(run(text.replace("MAPPING", "parallel"))[0]).any()


def test_splats_and_lanes() -> None:
    (y,) = run(
        """
        func.func @f(%x: memref<3x8xf32>, %y: memref<3x4xf32>) {
          %a = vec.load_splat %x[1, 2] : memref<3x8xf32> -> vector<4xf32>
          %r = vec.load %x[2, 4] : memref<3x8xf32> -> vector<4xf32>
          %b = vec.splat_lane %r[3] : vector<4xf32>
          %c = vec.load_strided %x[0, 1] stride 5 : memref<3x8xf32> -> vector<4xf32>
          vec.store %a, %y[0, 0] : vector<4xf32>, memref<3x4xf32>
          vec.store %b, %y[1, 0] : vector<4xf32>, memref<3x4xf32>
          vec.store %c, %y[2, 0] : vector<4xf32>, memref<3x4xf32>
          func.return
        }""",
        ROWS,
    )
    assert y.tolist() == [[10] * 4, [23] * 4, [1, 6, 11, 16]]


def test_vectors_of_a_run_lie_behind_each_other() -> None:
    (y,) = run(
        """
        func.func @f(%x: memref<3x8xf32>, %y: memref<3x4xf32>) {
          %a, %b, %c = vec.load_run %x[0, 6] : memref<3x8xf32>
            -> vector<4xf32>, vector<4xf32>, vector<4xf32>
          vec.store %a, %y[2, 0] : vector<4xf32>, memref<3x4xf32>
          vec.store %b, %y[1, 0] : vector<4xf32>, memref<3x4xf32>
          vec.store %c, %y[0, 0] : vector<4xf32>, memref<3x4xf32>
          func.return
        }""",
        ROWS,
    )
    assert y[::-1].ravel().tolist() == ROWS.ravel()[6:18].tolist()


def test_groups_are_the_second_dimension_of_a_vector() -> None:
    x = np.arange(32, dtype=np.int8)
    (y,) = run(
        """
        func.func @f(%x: memref<32xi8>, %y: memref<4x4xi8>) {
          %a = vec.load_splat %x[8] : memref<32xi8> -> vector<2x4xi8>
          %b = vec.load_strided %x[2] stride 16 : memref<32xi8> -> vector<2x4xi8>
          vec.store %a, %y[0, 0] : vector<2x4xi8>, memref<4x4xi8>
          vec.store %b, %y[2, 0] : vector<2x4xi8>, memref<4x4xi8>
          func.return
        }""",
        x,
    )
    assert y.tolist() == [[8, 9, 10, 11]] * 2 + [[2, 3, 4, 5], [18, 19, 20, 21]]


def test_strided_store_leaves_the_rest_alone() -> None:
    (y,) = run(
        """
        func.func @f(%x: memref<3x8xf32>, %y: memref<7xf32>) {
          %a = vec.load %x[0, 0] : memref<3x8xf32> -> vector<4xf32>
          vec.store_strided %a, %y[0] stride 2 : vector<4xf32>, memref<7xf32>
          func.return
        }""",
        ROWS,
    )
    assert y[::2].tolist() == [0, 1, 2, 3]
    assert np.isnan(y[1::2]).all()


def test_subview_is_a_window_into_its_buffer() -> None:
    (y,) = run(
        """
        func.func @f(%x: memref<3x8xf32>, %y: memref<2x2xf32>) {
          %w = memref.subview %x[1, 4][2, 2][1, 1]
            : memref<3x8xf32> to memref<2x2xf32, strided<[8, 1], offset: 12>>
          loop.for %i < 2 {
            %v = vec.load %w[%i, 0] : memref<2x2xf32, strided<[8, 1], offset: 12>> -> vector<2xf32>
            vec.store %v, %y[%i, 0] : vector<2xf32>, memref<2x2xf32>
          }
          func.return
        }""",
        ROWS,
    )
    assert y.tolist() == [[12, 13], [20, 21]]


@pytest.mark.parametrize(
    ("op", "message"),
    [
        (
            "%v = vec.load %x[%i, 0] : memref<3x8xf32> -> f32",
            "vec.load at [3, 0], outside a buffer of 3x8",
        ),
        (
            "%v = vec.load %x[%i, 6] : memref<3x8xf32> -> vector<4xf32>",
            "vec.load of 4 elements from [2, 6] on, beyond the end of a buffer of 3x8",
        ),
        (
            "%v = memref.load %x[%i, %i] : memref<3x8xf32>",
            "memref.load at [3, 3], outside a buffer of 3x8",
        ),
        (
            "%v = arith.constant 0.0 : f32  vec.store %v, %x[2, %i + 5] : f32, memref<3x8xf32>",
            "vec.store at [2, 8], outside a buffer of 3x8",
        ),
    ],
    ids=["first element", "last element", "memref", "store"],
)
def test_access_outside_a_buffer_names_op_index_and_shape(op: str, message: str) -> None:
    text = f"func.func @f(%x: memref<3x8xf32>) {{ loop.for %i < 4 {{ {op} }} func.return }}"
    with pytest.raises(InterpretationError, match=re.escape(message)):
        run(text, ROWS)


def test_unwritten_memory_is_nan_of_every_float() -> None:
    text = "func.func @f(%y: memref<3xf16>, %z: memref<3xf32>, %w: memref<3xf64>) { func.return }"
    assert all(np.isnan(a).all() for a in run(text))


ENTRY = """
func.func private @double(%x: memref<4xf32>, %w: memref<4xf32>, %y: memref<4xf32>) {
  %a = vec.load %x[0] : memref<4xf32> -> vector<4xf32>
  %b = vec.load %w[0] : memref<4xf32> -> vector<4xf32>
  %c = arith.addf %a, %b : vector<4xf32>
  vec.store %c, %y[0] : vector<4xf32>, memref<4xf32>
  func.return
}
func.func @main(%x: memref<4xf32> {lamina.input = "x"}, %y: memref<4xf32> {lamina.output = "y"},
    %w: memref<4xf32> {lamina.weight = "KEY"}, %arena: memref<32xi8> {lamina.arena})
    attributes {lamina.entry} {
  %c16 = arith.constant 16 : index
  %t = memref.view %arena[%c16][] : memref<32xi8> to memref<4xf32>
  func.call @double(%x, %w, %t) : (memref<4xf32>, memref<4xf32>, memref<4xf32>) -> ()
  func.call @double(%t, %w, %y) : (memref<4xf32>, memref<4xf32>, memref<4xf32>) -> ()
  func.return
}"""


def test_entry_gets_weights_and_an_arena() -> None:
    store = WeightStore()
    module = parse(ENTRY.replace("KEY", store.put(np.full(4, 10, np.float32))))
    (y,) = interpreters.call(module, "main", [np.arange(4, dtype=np.float32)], store=store)
    assert y.tolist() == [20, 21, 22, 23]


def test_missing_weight_is_named() -> None:
    with pytest.raises(InterpretationError, match=r"weight KEY, but there is no weight store"):
        interpreters.call(parse(ENTRY), "main", [np.zeros(4, np.float32)])


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([np.zeros(4, np.float64)], "argument 0 of @f needs memref<4xf32>, got float64 4"),
        ([np.zeros((2, 2), np.float32)], "argument 0 of @f needs memref<4xf32>, got float32 2x2"),
        ([np.zeros(4, np.float32)] * 2, "@f was given 1 more arrays than it takes"),
    ],
    ids=["dtype", "shape", "number"],
)
def test_wrong_input_is_refused(inputs: list[np.ndarray], message: str) -> None:
    with pytest.raises(InterpretationError, match=re.escape(message)):
        run("func.func @f(%x: memref<4xf32>) { func.return }", *inputs)


def test_op_without_interpreter_is_named() -> None:
    with pytest.raises(InterpretationError, match=r"no interpreter for ub.poison"):
        run("func.func @f() { %0 = ub.poison : f32  func.return }")


def test_estimate_grows_with_the_trip_count() -> None:
    text = "func.func @f() { loop.for %i < N { %c = arith.constant 1.0 : f32 } func.return }"
    small, large = (
        interpreters.estimate(parse(text.replace("N", n)), "f") for n in ("10", "10000")
    )
    assert 500 < large / small < 1500


def test_interpreter_stops_when_its_time_is_up() -> None:
    text = "func.func @f() { loop.for %i < 100000000 { loop.yield } func.return }"
    with pytest.raises(interpreters.BudgetExceeded, match=r"longer than 0.05 s"):
        interpreters.call(parse(text), "f", [], limit=0.05)


def test_gather_stays_inside_the_buffer() -> None:
    text = """
    func.func @f(%at: memref<2xi32>, %x: memref<4x3xf32>, %y: memref<2xf32>) {
      %l = vec.load %at[0] : memref<2xi32> -> vector<2xi32>
      %v = vec.gather %x[0, -1] at %l : memref<4x3xf32>, vector<2xi32> -> vector<2xf32>
      vec.store %v, %y[0] : vector<2xf32>, memref<2xf32>
      func.return
    }"""
    x = np.arange(12, dtype=np.float32).reshape(4, 3)
    (y,) = interpreters.call(parse(text), "f", [np.array([1, 12], np.int32), x])
    np.testing.assert_array_equal(y, [0, 11])
    with pytest.raises(InterpretationError, match=r"elements -1 to 0, outside a buffer of 4x3"):
        interpreters.call(parse(text), "f", [np.array([0, 1], np.int32), x])
