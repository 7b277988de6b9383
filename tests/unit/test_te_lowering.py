"""Whatever legal schedule somebody writes, loops and vectors compute what the formula says."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.utils.exceptions import PassFailedException

from lamina import interpreters
from lamina.dialects.te import ComputeOp, ScheduleAttr
from lamina.passes.te._tile_legality import refusal
from lamina.passes.te.te_schedule import TeSchedulePass
from lamina.passes.te.te_to_loops import TeToLoopsPass
from lamina.passes.te.te_to_vec import TeToVecPass
from tests.unit.te_formulas import Formula, formulas, only_compute, parse

SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much]


@st.composite
def schedules(draw: st.DrawFn, f: Formula) -> str:
    """
    Split axes at random, then loops over spatial parts, then everything else in any order.

    Splits need not divide, reductions may be unrolled around rolled ones, a vector may be strided.
    """
    directives: list[str] = []
    parts: dict[str, tuple[int, bool]] = {}
    for axis, (n, reduce) in f.axes.items():
        if n > 1 and draw(st.booleans()):
            by = draw(st.integers(1, n))
            directives.append(f"split {axis} {by} {axis}o {axis}i")
            parts |= {f"{axis}o": (-(-n // by), reduce), f"{axis}i": (by, reduce)}
        else:
            parts[axis] = n, reduce
    spatial = [a for a, (n, reduce) in parts.items() if not reduce]
    vector = draw(st.sampled_from([None, *spatial]))
    room = 64
    unrolled: list[str] = []
    for a in draw(st.permutations([a for a in parts if a != vector])):
        if parts[a][0] <= room and draw(st.booleans()):
            unrolled.append(a)
            room //= parts[a][0]
    loops = [a for a in spatial if a not in unrolled and a != vector]
    inside = draw(st.permutations([a for a in parts if a not in loops]))
    directives.append(" ".join(["order", *draw(st.permutations(loops)), *inside]))
    if loops and draw(st.booleans()):
        directives.append(f"parallel {loops[0]}")
    if unrolled:
        directives.append(" ".join(["unroll", *unrolled]))
    if vector:
        directives.append(f"vector {vector}")
    return ", ".join(directives)


@settings(max_examples=80, deadline=None, suppress_health_check=SLOW)
@given(st.data(), formulas())
def test_any_schedule_computes_what_the_formula_says(data: st.DataObject, f: Formula) -> None:
    schedule = data.draw(schedules(f))
    text, inputs = f.text(), f.arrays()
    module = parse(text)
    only_compute(module).schedule = ScheduleAttr.from_text(schedule)
    TeSchedulePass().apply(Context(), module)
    TeToLoopsPass().apply(Context(), module)
    faults = [refusal(o) or "" for o in module.walk() if isinstance(o, ComputeOp)]
    assume(not any("is not linear in" in fault for fault in faults))  # a block not split at
    assume(not any("together with what all lanes share" in fault for fault in faults))
    terms = data.draw(st.sampled_from([0, 1, 2, 3, 256]))
    TeToVecPass(terms).apply(Context(), module)
    module.verify()
    (wanted,) = interpreters.call(parse(text), "f", inputs)
    (found,) = interpreters.call(module, "f", inputs)
    np.testing.assert_array_equal(found, wanted, err_msg=f"{schedule}\n{text}")


def test_long_sum_loses_few_digits() -> None:
    f = Formula({"n": (4, False), "k": (9216, True)}, [["n", "k"], ["k"], ["n"]])
    rng = np.random.default_rng(0)
    x, w = rng.random((4, 9216), np.float32), rng.random(9216, np.float32)
    exact = x.astype(np.float64) @ w
    lost: list[float] = []
    for terms in (0, 256):
        module = parse(f.text())
        TeToLoopsPass().apply(Context(), module)
        TeToVecPass(terms).apply(Context(), module)
        (y,) = interpreters.call(module, "f", [x, w])
        lost.append(float(np.abs(y / exact - 1).max()))
    assert lost[1] < lost[0] / 5


def test_loops_left_are_refused_by_name() -> None:
    f = Formula({"i": (4, False)}, [["i"], ["i"]])
    with pytest.raises(
        PassFailedException, match=r"'i: 4' is still a loop .* run te-to-loops first"
    ):
        TeToVecPass().apply(Context(), parse(f.text()))


def test_buffer_without_a_static_layout_is_refused() -> None:
    text = """
    func.func @f(%x: memref<4x8xf32, strided<[?, 1]>>, %y: memref<4x8xf32>) {
      te.compute axes(i: 4 unroll, j: 8 vector) ins(%x[i, j]) out(%y[i, j]) init 0.0 : f32
      : memref<4x8xf32, strided<[?, 1]>>, memref<4x8xf32> (%a: f32, %acc: f32) {
        te.yield %a : f32
      }
      func.return
    }"""
    with pytest.raises(PassFailedException, match=r"strided<\[\?, 1\]>> has no known strides"):
        TeToVecPass().apply(Context(), parse(text))


@pytest.mark.parametrize("element", ["f16", "f64", "i32", "i8"])
def test_lanes_hold_any_element(element: str) -> None:
    """Floats of other sizes and integers take the same way."""
    add = "arith.addf" if element.startswith("f") else "arith.addi"
    zero = "0.0" if element.startswith("f") else "0"
    buffers = f"memref<6x8x{element}>", f"memref<8x{element}>"
    text = f"""
    func.func @f(%x: {buffers[0]}, %y: {buffers[1]}) {{
      te.compute axes(j: 8, reduce i: 6) ins(%x[i, j]) out(%y[j]) init {zero} : {element}
      schedule [split j 4 jo jv, order i jo jv, unroll jo, vector jv]
      : {", ".join(buffers)} (%a: {element}, %acc: {element}) {{
        %s = {add} %acc, %a : {element}
        te.yield %s : {element}
      }}
      func.return
    }}"""
    numpy = {"f16": np.float16, "f64": np.float64, "i32": np.int32, "i8": np.int8}[element]
    x = np.arange(48).reshape(6, 8).astype(numpy)
    module = parse(text)
    for p in (TeSchedulePass(), TeToLoopsPass(), TeToVecPass()):
        p.apply(Context(), module)
    module.verify()
    (found,) = interpreters.call(module, "f", [x])
    np.testing.assert_array_equal(found, x.sum(axis=0, dtype=numpy))
