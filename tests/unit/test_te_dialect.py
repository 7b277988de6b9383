"""What passes ask a te.compute: its points, its work, copies of it."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects import arith, builtin, func, math
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, MemRefType, StringAttr, TensorType, f32
from xdsl.parser import Parser
from xdsl.traits import MemoryEffectKind, get_effects
from xdsl.utils.exceptions import VerifyException

from lamina.dialects import expr, int8, te
from lamina.dialects.expr import Expr, constant, div, make, var
from lamina.dialects.te import Axis, Bound, ComputeOp, ScheduleAttr

TEXT = """
func.func @f(%x: memref<4x58x16xf32>, %w: memref<64x3xf32>, %b: memref<32xf32>,
             %y: memref<32x56xf32>) {
  te.compute axes(o: 32, w: 56, reduce c: 64, reduce k: 3) where c < 60
    ins(%x[c floordiv 16, w + k, c mod 16], %w[c, k]) extras(%b[o]) out(%y[o, w]) init 0.0 : f32
    schedule [vector o] attributes {node = "n"}
    : memref<4x58x16xf32>, memref<64x3xf32>, memref<32xf32>, memref<32x56xf32>
    (%a: f32, %v: f32, %acc: f32) {
      %two = arith.constant 2.0 : f32
      %d = arith.mulf %a, %two : f32
      %s = math.fma %d, %v, %acc : f32
      te.yield %s : f32
    } epilogue (%s: f32, %c: f32) {
      %t = arith.addf %s, %c : f32
      te.yield %t : f32
    }
  func.return
}
"""


@pytest.fixture
def op() -> ComputeOp:
    context = Context()
    for dialect in (arith.Arith, builtin.Builtin, func.Func, math.Math, int8.Int8, te.Te):
        context.load_dialect(dialect)
    module = Parser(context, TEXT).parse_module()
    module.verify()
    return next(o for o in module.walk() if isinstance(o, ComputeOp))


def test_work_counts_the_body_per_point_and_the_epilogue_per_result(op: ComputeOp) -> None:
    assert op.points() == 32 * 56 * 60 * 3
    assert op.work() == 3 * op.points() + 32 * 56  # mulf and an fma; constants are free


def test_axes_and_buffers_can_be_asked_for_by_name_and_place(op: ComputeOp) -> None:
    assert op.ranges == {"o": 32, "w": 56, "c": 64, "k": 3}
    assert op.axis("c") == Axis("c", 64, reduce=True)
    with pytest.raises(KeyError):
        op.axis("z")
    assert op.operands_in_order == (*op.inputs, *op.extras, op.out)
    assert [op.shape(k) for k in range(4)] == [(4, 58, 16), (64, 3), (32,), (32, 56)]
    assert op.element_type(0) == f32
    assert op.group_size(0) == 1


def test_a_copy_differs_only_in_what_is_asked_for(op: ComputeOp) -> None:
    copy = op.replaced(schedule=None)
    assert copy.schedule is None
    assert copy.attributes == {"node": StringAttr("n")}
    assert copy.replaced(schedule=op.schedule).is_structurally_equivalent(op)
    assert op.schedule == ScheduleAttr.from_text("vector o")


def test_rewrite_reaches_accesses_and_bounds(op: ComputeOp) -> None:
    op.substitute({"c": var("c") + 1})
    assert [str(a) for a in op.accesses] == [
        "[(c + 1) floordiv 16, k + w, (c + 1) mod 16]",
        "[c + 1, k]",
        "[o]",
        "[o, w]",
    ]
    assert str(op.bounds) == "c + 1 < 60"


def test_effects_name_the_buffers(op: ComputeOp) -> None:
    effects = get_effects(op)
    assert effects is not None
    assert {e.value for e in effects if e.kind is MemoryEffectKind.READ} == {*op.inputs, *op.extras}
    assert {e.value for e in effects if e.kind is MemoryEffectKind.WRITE} == {op.out}


def test_a_schedule_with_an_unknown_directive_is_refused() -> None:
    with pytest.raises(
        VerifyException, match="unknown directive 'tile i 4', expected one of split"
    ):
        ScheduleAttr((("tile", "i", "4"),))


def test_the_type_of_a_table_follows_from_its_value() -> None:
    value = DenseIntOrFPElementsAttr.from_list(TensorType(f32, [2]), [1.0, 2.0])
    assert te.ConstantOp(value).res.type == MemRefType(f32, [2])


linear = st.builds(
    lambda a, b, c, k: make({"a": a, "b": b, "c": c}, k),
    *(st.integers(-3, 4) for _ in range(3)),
    st.integers(-2, 6),
)
divided = st.builds(
    lambda e, by, kind, k: div(kind, e, by) + var("a") * k,
    linear,
    st.integers(1, 4),
    st.sampled_from(("floordiv", "mod")),
    st.integers(-1, 2),
)
bounds = st.lists(st.tuples(st.one_of(linear, divided), st.integers(-2, 12)), max_size=3)


@settings(deadline=None)
@given(bounds, st.integers(1, 5), st.integers(1, 6), st.integers(1, 4))
def test_points_are_counted_as_if_one_by_one(bounds: list[Bound], a: int, b: int, c: int) -> None:
    ranges = {"a": a, "b": b, "c": c, "free": 3}
    points = (dict(zip(ranges, p, strict=True)) for p in product(*map(range, ranges.values())))
    inside = sum(all(e.evaluate(p) < n for e, n in bounds) for p in points)
    assert te.count_points(ranges, bounds) == inside


def test_bounds_on_loops_outside_are_taken_as_held() -> None:
    assert te.count_points({"i": 8}, [(var("i") + var("row"), 4), (var("i"), 5)]) == 5
    assert te.count_points({}, [(Expr(), 0)]) == 0
    assert te.count_points({}, [(constant(1), 2)]) == 1
    assert expr.RESERVED == {"floordiv", "mod"}
