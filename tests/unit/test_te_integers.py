"""Reading at indices that are data: as machine code beside NumPy, on machines of every kind."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.context import Context

from lamina.backends.cpu.build import native
from lamina.backends.machine import describe
from lamina.dialects.te import ScheduleAttr
from lamina.dialects.vector import GatherOp
from lamina.passes.te.te_choose_schedules import TeChooseSchedulesPass
from lamina.passes.te.te_schedule import TeSchedulePass
from lamina.passes.te.te_to_loops import TeToLoopsPass
from lamina.passes.te.te_to_vec import TeToVecPass
from tests.unit.te_formulas import only_compute, parse

TARGETS = ["cpu:skylake-avx512", "cpu:haswell", "cpu:nehalem"]
rng = np.random.default_rng(5)


def text(axes: str, ins: str, out: str, types: str, integer: str, yielded: str = "%a") -> str:
    """A kernel that reads integers and then the numbers at them."""
    buffers = types.split(", ")
    arguments = ", ".join(f"%b{k}: {t}" for k, t in enumerate(buffers))
    return f"""
    func.func @f({arguments}) {{
      te.compute axes({axes}) ins({ins}) out({out}) init 0.0 : f32 : {types}
      (%i: {integer}, %a: f32, %acc: f32) {{
        %s = arith.addf %acc, %a : f32
        te.yield {yielded} : f32
      }}
      func.return
    }}"""


ROWS = text(
    "c: 37, y: 19, x: 13",
    "%b0[y] as iy: 11, %b1[c, iy, x]",
    "%b2[c, y, x]",
    "memref<19xi32>, memref<37x11x13xf32>, memref<37x19x13xf32>",
    "i32",
)
LAST = text(
    "c: 5, x: 37",
    "%b0[x] as ix: 23, %b1[c, ix]",
    "%b2[c, x]",
    "memref<37xi64>, memref<5x23xf32>, memref<5x37xf32>",
    "i64",
)
BLOCKED = text(
    "c: 48, x: 7",
    "%b0[c] as ic: 80, %b1[ic floordiv 16, x, ic mod 16]",
    "%b2[c floordiv 16, x, c mod 16]",
    "memref<48xi32>, memref<5x7x16xf32>, memref<3x7x16xf32>",
    "i32",
)
SUM = text(
    "c: 20, x: 9, reduce k: 3",
    "%b0[x, k] as ix: 15, %b1[ix, c]",
    "%b2[x, c]",
    "memref<9x3xi32>, memref<15x20xf32>, memref<9x20xf32>",
    "i32",
    "%s",
)


def run(source: str, target: str, schedule: str | None, arrays: list[np.ndarray]) -> np.ndarray:
    module = parse(source)
    if schedule:
        only_compute(module).schedule = ScheduleAttr.from_text(schedule)
    passes = TeChooseSchedulesPass(target=target), TeSchedulePass(), TeToLoopsPass(), TeToVecPass()
    for p in passes:
        p.apply(Context(), module)
    shape = only_compute(parse(source)).shape(2)
    y = np.full(shape, np.nan, np.float32)
    native(module, describe(target))["f"](*arrays, y)
    return y


def numbers(*shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "schedule",
    [
        None,
        "order c y x, vector x",
        "split c 8 co ci, order co y x ci, unroll x, vector ci",
        "split y 5 yo yi, order c yo x yi, vector yi",  # a gather, and strided stores
        "order c y x, unroll y x",
    ],
)
def test_rows(target: str, schedule: str | None) -> None:
    rows, x = rng.integers(0, 11, 19, np.int32), numbers(37, 11, 13)
    np.testing.assert_array_equal(run(ROWS, target, schedule, [rows, x]), x[:, rows])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "schedule",
    [None, "split x 16 xo xi, order c xo xi, vector xi", "order x c, vector c", "order c x"],
)
def test_last_dimension_at_integers_of_64_bits(target: str, schedule: str | None) -> None:
    at, x = rng.integers(0, 23, 37), numbers(5, 23)
    np.testing.assert_array_equal(run(LAST, target, schedule, [at, x]), x[:, at])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "schedule",
    [
        None,
        "split c 16 co ci, order co x ci, unroll x, vector ci",
        "split c 16 co ci, order co ci x, unroll ci, vector x",
    ],
)
def test_blocks_on_both_sides(target: str, schedule: str | None) -> None:
    at, x = rng.integers(0, 80, 48, np.int32), numbers(5, 7, 16)
    wanted = x.transpose(0, 2, 1).reshape(80, 7)[at].reshape(3, 16, 7).transpose(0, 2, 1)
    np.testing.assert_array_equal(run(BLOCKED, target, schedule, [at, x]), wanted)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "schedule",
    [
        None,
        "order c k x, unroll x",
        "split c 16 co ci, order co x k ci, unroll k, vector ci",
        "split x 4 xo xi, order c xo k xi, vector xi",
    ],
)
def test_reduction_over_integers(target: str, schedule: str | None) -> None:
    at, x = rng.integers(0, 15, (9, 3), np.int32), numbers(15, 20)
    wanted = x[at].sum(1)
    np.testing.assert_allclose(run(SUM, target, schedule, [at, x]), wanted, atol=1e-5)


@pytest.mark.parametrize(("source", "gathers"), [(ROWS, 0), (BLOCKED, 1), (SUM, 0)])
def test_vector_axis_is_the_cheaper_one(source: str, gathers: int) -> None:
    """Rows are vectors at an index; integers that lie along the lanes are gathered at."""
    module = parse(source)
    choose = TeChooseSchedulesPass(target="cpu:skylake-avx512")
    for p in (choose, TeSchedulePass(), TeToLoopsPass(), TeToVecPass()):
        p.apply(Context(), module)
    assert any(isinstance(o, GatherOp) for o in module.walk()) == bool(gathers)
