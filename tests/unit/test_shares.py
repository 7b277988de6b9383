"""Loops shared out among threads: steps that do not meet, and results that stay what they were."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import IndexType, ModuleOp
from xdsl.utils.exceptions import PassFailedException

from lamina import interpreters
from lamina.backends.cpu.build import native
from lamina.backends.cpu.thread_pool import ThreadPool
from lamina.backends.machine import describe
from lamina.dialects.loop import ForOp, IfOp
from lamina.options import Options
from lamina.passes.pipelines import default
from lamina.passes.te._shares import divide
from lamina.passes.te.te_choose_schedules import TeChooseSchedulesPass
from lamina.passes.te.te_to_loops import TeToLoopsPass
from tests.unit.shares import however_small
from tests.unit.te_formulas import Formula, formulas, only_compute, parse

THREADS = (2, 3, 5)


def lower(module: ModuleOp, threads: int, target: str = "cpu:haswell") -> None:
    """The default pipeline from te on."""
    with however_small():
        for p in default(target, Options(threads)):
            if p.name.startswith(("te-", "loop-", "vec-")):
                p.apply(Context(), module)
                module.verify()


def written(module: ModuleOp, inputs: list[np.ndarray]) -> Iterator[np.ndarray]:
    """Which elements of the result each step of each parallel loop writes, run alone."""
    functions = {f.sym_name.data: f for f in module.ops if isinstance(f, func.FuncOp)}
    for nest in [o for o in functions["f"].walk() if isinstance(o, ForOp)]:
        call = nest.body.block.first_op
        if nest.mapping.data != "parallel" or not isinstance(call, func.CallOp):
            continue
        (extent,) = nest.extents.get_values()
        order = [functions["f"].body.block.args.index(a) for a in call.arguments[1:]]
        step = functions[call.callee.string_value()]
        assert [type(t) is IndexType for t in step.function_type.inputs][:2] == [True, False]
        shape = step.function_type.inputs.data[-1].get_shape()  # pyright: ignore
        for k in range(extent):
            y = np.full(shape, np.nan, np.float32)
            buffers = [*inputs, y]
            name = call.callee.string_value()
            interpreters.call(module, name, [np.array(k), *(buffers[i] for i in order)])
            yield ~np.isnan(y)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(formulas(), st.sampled_from(THREADS))
def test_steps_write_what_no_other_step_writes(f: Formula, threads: int) -> None:
    """And any order of them leads to what the formula says."""
    text, inputs = f.text(), f.arrays()
    (wanted,) = interpreters.call(parse(text), "f", inputs)
    module = parse(text)
    lower(module, threads)
    (found,) = interpreters.call(module, "f", inputs)  # runs parallel loops backwards
    np.testing.assert_array_equal(found, wanted, err_msg=text)
    masks = list(written(module, inputs))
    assert not masks or np.sum(masks, axis=0).max() == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(formulas(), st.sampled_from(THREADS))
def test_code_on_threads_computes_the_same(f: Formula, threads: int) -> None:
    text, inputs = f.text(), f.arrays()
    (wanted,) = interpreters.call(parse(text), "f", inputs)
    module = parse(text)
    lower(module, threads, "cpu")
    kernel = native(module, describe("cpu"))["f"]
    y = np.full_like(wanted, np.nan)
    ThreadPool.shared(threads).call(lambda: kernel(*map(np.ascontiguousarray, inputs), y))
    np.testing.assert_array_equal(y, wanted, err_msg=text)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("extent", [1, 2, 3, 7, 16])
def test_any_axis_can_be_divided(extent: int, threads: int) -> None:
    f = Formula(
        {"j": (5, False), "i": (extent, False), "k": (3, True)}, [["i + k", "j"], ["j", "i"]]
    )
    (wanted,) = interpreters.call(parse(f.text()), "f", f.arrays())
    module = parse(f.text())
    divide(op := only_compute(module), "i", threads)
    steps = -(-extent // threads)
    assert str(op.axes).startswith(f"(it: {-(-extent // steps)} parallel, j: 5, ii: {steps}")
    TeToLoopsPass().apply(Context(), module)
    module.verify()
    (found,) = interpreters.call(module, "f", f.arrays())
    np.testing.assert_array_equal(found, wanted)


def schedule(f: Formula, threads: int) -> str:
    module = parse(f.text())
    TeChooseSchedulesPass("cpu:skylake-avx512", threads).apply(Context(), module)
    return str(only_compute(module).schedule)


def contraction(channels: int, outputs: int, rows: int, window: int) -> Formula:
    """Over channels and a window, on layouts blocked by 16, with weights for 32 outputs a row."""
    axes = {"o": (outputs, False), "y": (rows, False), "x": (rows, False)}
    axes |= {"c": (channels, True), "p": (window, True), "q": (window, True)}
    data = ["c floordiv 16", "y + p", "x + q", "c mod 16"]
    weights = ["o floordiv 32", "c floordiv 16", "p", "q", "c mod 16", "o mod 32"]
    return Formula(axes, [data, weights, ["o floordiv 16", "y", "x", "o mod 16"]])


@pytest.mark.parametrize(
    ("sizes", "shared"),
    [
        ((64, 64, 56, 3), "split y 28 yt"),  # few weights, which both may read
        ((1024, 2048, 7, 1), "split o 1024 ot"),  # many, of which each reads its own
    ],
)
def test_what_makes_the_longest_share_shortest_is_divided(
    sizes: tuple[int, int, int, int], shared: str
) -> None:
    assert shared in schedule(contraction(*sizes), 2)


def test_shares_are_even_where_no_axis_is() -> None:
    """3 blocks of outputs, 35 rows and columns, of which tiles take several."""
    f = contraction(64, 96, 35, 3)
    found = re.search(r"split (\w)i? (\d+) \wt ", schedule(f, 2))
    assert found
    assert int(found[2]) / f.extents[found[1]] < 0.55


def test_shares_of_any_thread_compute_the_whole() -> None:
    """Three threads for 7 rows and 5 tiles of outputs: the last share is smaller."""
    f = contraction(16, 80, 7, 3)
    (wanted,) = interpreters.call(parse(f.text()), "f", f.arrays())
    module = parse(f.text())
    lower(module, 3)
    assert any(isinstance(o, IfOp) for o in module.walk())
    (found,) = interpreters.call(module, "f", f.arrays())
    np.testing.assert_array_equal(found, wanted)


def test_what_is_soon_done_stays_with_one_thread() -> None:
    text = schedule(Formula({"i": (1000, False)}, [["i"], ["i"]]), 2)
    assert "parallel" not in text


def test_borders_of_shares_are_borders_of_lines() -> None:
    """Rows: between channels, which are neighbours in memory, threads would share every line."""
    text = schedule(Formula({"y": (5000, False), "c": (24, False)}, [["y", "c"], ["y", "c"]]), 2)
    assert "split y 2500 yt" in text


def test_a_vector_of_outputs_is_divided_where_there_is_nothing_else() -> None:
    axes = {"o": (1000, False), "k": (2048, True)}
    text = schedule(Formula(axes, [["k"], ["o floordiv 8", "k", "o mod 8"], ["o"]]), 2)
    assert "ot" in text.partition("parallel ")[2].partition(",")[0]


def test_no_threads_are_refused() -> None:
    with pytest.raises(PassFailedException, match="needs at least 1 thread, got 0"):
        TeChooseSchedulesPass(threads=0).apply(Context(), ModuleOp([]))
