"""Chosen schedules are accepted by every lowering, and compute what the formula says."""

from math import prod

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import PassFailedException

from lamina import interpreters
from lamina.backends.machine import describe
from lamina.dialects.te import ComputeOp
from lamina.passes.te.te_choose_schedules import TeChooseSchedulesPass, choose
from lamina.passes.te.te_schedule import TeSchedulePass
from lamina.passes.te.te_simplify import TeSimplifyPass
from lamina.passes.te.te_to_loops import TeToLoopsPass
from lamina.passes.te.te_to_vec import TeToVecPass
from lamina.passes.vector.vec_join_loads import VecJoinLoadsPass
from lamina.passes.vector.vec_splat_lanes import VecSplatLanesPass
from tests.unit.te_formulas import Formula, formulas, only_compute, parse

TARGETS = ["cpu:skylake-avx512", "cpu:haswell", "cpu:x86-64", "opencl:portable"]


def lower(module: ModuleOp, target: str) -> None:
    for p in (
        TeSimplifyPass(),
        TeChooseSchedulesPass(target=target),
        TeSchedulePass(),
        TeToLoopsPass(),
        TeToVecPass(),
        *((VecSplatLanesPass(2), VecJoinLoadsPass()) if target.startswith("opencl") else ()),
    ):
        p.apply(Context(), module)
        module.verify()


def check(f: Formula, target: str) -> None:
    """The chosen schedule is accepted, and leads to what the formula says."""
    text, inputs = f.text(), f.arrays()
    (wanted,) = interpreters.call(parse(text), "f", inputs)
    module = parse(text)
    lower(module, target)
    (found,) = interpreters.call(module, "f", inputs)
    np.testing.assert_array_equal(found, wanted, err_msg=text)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(formulas(), st.sampled_from(TARGETS))
def test_any_formula_is_scheduled_lowered_and_computes_the_same(f: Formula, target: str) -> None:
    check(f, target)


def contraction(n: int, c: int, o: int, h: int, k: int, s: int, block: int, group: int) -> Formula:
    """A window over a blocked input, weights in groups: what most of the time goes into."""
    axes = {"n": (n, False), "o": (o, False), "y": (h, False), "x": (h + 1, False)}
    axes |= {"c": (c, True), "p": (k, True), "q": (k, True)}
    data = ["n", f"c floordiv {block}", f"y * {s} + p", f"x * {s} + q", f"c mod {block}"]
    weights = [f"o floordiv {group}", f"c floordiv {block}", "p", "q"]
    weights += [f"c mod {block}", f"o mod {group}"]
    out = ["n", f"o floordiv {block}", "y + 1", "x + 1", f"o mod {block}"]
    return Formula(axes, [data, weights, ["o"], out], extras=1)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "sizes",
    [
        (1, 16, 32, 5, 3, 1, 16, 32),
        (2, 32, 48, 7, 1, 1, 16, 16),
        (1, 24, 40, 4, 3, 2, 16, 16),  # the last block of both is half empty
        (1, 8, 8, 6, 3, 1, 8, 8),
    ],
)
def test_contraction_of_blocked_layouts(sizes: tuple[int, ...], target: str) -> None:
    check(contraction(*sizes), target)


def chosen(f: Formula, target: str) -> str:
    module = parse(f.text())
    TeSimplifyPass().apply(Context(), module)
    return str(choose(only_compute(module), describe(target)))


def test_contraction_gets_a_tile_that_fills_the_registers() -> None:
    text = chosen(contraction(1, 64, 64, 55, 3, 1, 16, 32), "cpu:skylake-avx512")
    assert "split o 32 oo oi, split oi 16 om ov" in text
    assert "split x 14 xo xi" in text
    assert "unroll xi om, vector ov]" in text


def test_window_of_a_contraction_stays_rolled() -> None:
    text = chosen(contraction(1, 64, 64, 27, 3, 1, 16, 16), "cpu:haswell")
    unrolled = text.partition("unroll ")[2].partition(",")[0].split()
    assert not {"p", "q", "ci"} & set(unrolled)


def test_vector_is_cut_to_the_lanes_of_the_machine() -> None:
    f = contraction(1, 16, 16, 8, 1, 1, 16, 16)
    assert "split o 8 oo ov" in chosen(f, "cpu:haswell")
    assert "split oi 4 om ov" in chosen(f, "cpu:x86-64")


def test_window_per_channel_is_unrolled_so_that_loads_are_shared() -> None:
    axes = {"c": (64, False), "y": (28, False), "x": (28, False), "p": (3, True), "q": (3, True)}
    data = ["c floordiv 16", "y + p", "x + q", "c mod 16"]
    weights, out = ["c floordiv 16", "p", "q", "c mod 16"], ["c floordiv 16", "y", "x", "c mod 16"]
    text = chosen(Formula(axes, [data, weights, out]), "cpu:skylake-avx512")
    assert "unroll p q" in text
    assert text.endswith("vector cv]")


def test_outermost_loops_are_parallel() -> None:
    text = chosen(contraction(1, 64, 64, 55, 3, 1, 16, 32), "cpu:skylake-avx512")
    order = text.partition("order ")[2].partition(",")[0].split()
    parallel = text.partition("parallel ")[2].partition(",")[0].split()
    assert parallel
    assert order[: len(parallel)] == parallel


def test_choices_are_made_on_vectors() -> None:
    f = Formula({"i": (64, False)}, [["i"], ["i"]])
    f.op = "%c = arith.cmpf olt, %v, %acc : f32\n%s = arith.select %c, %v, %acc : f32"
    assert "vector" in chosen(f, "cpu:haswell")
    check(f, "cpu:haswell")


def test_scheduled_op_keeps_its_schedule() -> None:
    f = Formula({"i": (64, False)}, [["i"], ["i"]])
    module = parse(f.text().replace("init 0.0 : f32", "init 0.0 : f32 schedule [vector i]"))
    TeChooseSchedulesPass().apply(Context(), module)
    assert str(only_compute(module).schedule) == "[vector i]"


def test_every_op_of_a_function_gets_a_schedule() -> None:
    buffer = "memref<4x66x66x16xf32>"
    fill = f"init 0.0 : f32 : {buffer} (%a: f32) {{ te.yield %a : f32 }}"
    module = parse(f"""
    func.func @borders(%y: {buffer}) {{
      te.compute axes(c: 64, h: 2, w: 66) out(%y[c floordiv 16, h * 65, w, c mod 16]) {fill}
      te.compute axes(c: 64, h: 64, w: 2) out(%y[c floordiv 16, h + 1, w * 65, c mod 16]) {fill}
      func.return
    }}""")
    TeChooseSchedulesPass(target="cpu:haswell").apply(Context(), module)
    schedules = [str(o.schedule) for o in module.walk() if isinstance(o, ComputeOp)]
    assert len(schedules) == 2
    assert all("vector cv" in s for s in schedules)


def check_text(text: str, inputs: list[np.ndarray], target: str) -> ModuleOp:
    """Lowered with the chosen schedule, @f computes what it says."""
    (wanted,) = interpreters.call(parse(text), "f", inputs)
    module = parse(text)
    lower(module, target)
    (found,) = interpreters.call(module, "f", inputs)
    np.testing.assert_array_equal(found, wanted)
    return module


@pytest.mark.parametrize("target", TARGETS)
def test_axes_of_a_table_are_unrolled(target: str) -> None:
    """A transform by a small matrix of constants: both of its axes have to be numbers."""
    text = """
    func.func @f(%x: memref<4x7x64xf32>, %y: memref<3x7x64xf32>) {
      %t = te.constant dense<[[1.0, 1.0, 1.0, 0.0], [0.0, 1.0, -1.0, 0.0], [0.0, 1.0, 1.0, 2.0]]>
        : tensor<3x4xf32> -> memref<3x4xf32>
      te.compute axes(p: 3, w: 7, c: 64, reduce k: 4) ins(%x[k, w, c], %t[p, k]) out(%y[p, w, c])
      init 0.0 : f32 : memref<4x7x64xf32>, memref<3x4xf32>, memref<3x7x64xf32>
      (%a: f32, %b: f32, %acc: f32) {
        %s = math.fma %a, %b, %acc : f32
        te.yield %s : f32
      }
      func.return
    }"""
    x = np.random.default_rng(0).integers(-9, 9, (4, 7, 64)).astype(np.float32)
    check_text(text, [x], target)


@pytest.mark.parametrize("target", TARGETS)
def test_bytes_are_converted_lane_by_lane(target: str) -> None:
    text = """
    func.func @f(%x: memref<2x5x16xi8>, %w: memref<2x16x32xi8>, %y: memref<2x5x16xi32>) {
      te.compute axes(o: 32, x: 5, reduce c: 32)
      ins(%x[c floordiv 16, x, c mod 16], %w[c floordiv 16, c mod 16, o])
      out(%y[o floordiv 16, x, o mod 16]) init 0 : i32
      : memref<2x5x16xi8>, memref<2x16x32xi8>, memref<2x5x16xi32> (%a: i8, %b: i8, %acc: i32) {
        %ax = arith.extui %a : i8 to i32
        %bx = arith.extsi %b : i8 to i32
        %p = arith.muli %ax, %bx : i32
        %s = arith.addi %acc, %p : i32
        te.yield %s : i32
      }
      func.return
    }"""
    rng = np.random.default_rng(0)
    x, w = (rng.integers(-128, 128, s).astype(np.int8) for s in ((2, 5, 16), (2, 16, 32)))
    module = check_text(text, [x, w], target)
    assert any(o.name == "vec.convert" for o in module.walk())


def test_unknown_target_is_refused() -> None:
    with pytest.raises(
        PassFailedException, match="te-choose-schedules: unknown target 'cpu:hasswell'"
    ):
        TeChooseSchedulesPass(target="cpu:hasswell").apply(Context(), ModuleOp([]))


def test_long_body_is_copied_less_often() -> None:
    """Of a sum down narrow columns, whose steps share an input: all of them would fit unrolled."""
    body = "\n".join(f"%a{i + 1} = math.fma %a{i}, %b, %a0 : f32" for i in range(30))
    module = parse(f"""
    func.func @f(%x: memref<17x16x7xf32>, %m: memref<17x7xf32>, %y: memref<17x7xf32>) {{
      te.compute axes(c: 17, w: 7, reduce h: 16) ins(%x[c, h, w], %m[c, w]) out(%y[c, w])
      init 0.0 : f32 : memref<17x16x7xf32>, memref<17x7xf32>, memref<17x7xf32>
      (%a0: f32, %b: f32, %acc: f32) {{
        {body}
        %s = arith.addf %acc, %a30 : f32
        te.yield %s : f32
      }}
      func.return
    }}""")
    TeChooseSchedulesPass(target="cpu:skylake-avx512").apply(Context(), module)
    TeSchedulePass().apply(Context(), module)
    (op,) = [o for o in module.walk() if isinstance(o, ComputeOp)]
    copies = prod(a.extent for a in op.axes.data if a.mark == "unroll")
    assert copies * 31 <= 1000
