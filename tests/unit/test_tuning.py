"""Tuning: what is measured in which order, what is kept, interrupted and gone on with."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

import lamina
from lamina.backends.cpu.records import Records
from lamina.backends.machine import describe
from lamina.context import new_context
from lamina.dialects.te import ScheduleAttr
from lamina.errors import LaminaError
from lamina.passes.te._cost import candidates, varied
from lamina.passes.te._workload import standalone, workload
from lamina.passes.te.te_apply_records import TeApplyRecordsPass, schedules_in
from lamina.tools import _cold, _tuning
from lamina.tools._tuning import Tuned, Workload, choices, fastest, together, tune
from tests.unit.cli import Command
from tests.unit.qdq_networks import Network
from tests.unit.te_formulas import only_compute, parse
from tests.unit.test_cost import contraction

CPU = describe("cpu")
A, B, C = (ScheduleAttr.from_text(f"vector {name}") for name in "abc")


def quiet(what: str, more: int = 0) -> None:
    pass


def known(n: int, calls: int = 1) -> Workload:
    module = standalone(only_compute(contraction(32, 32, n)))
    assert module is not None
    return Workload(str(module), module, f"kernel_{n}", (), calls)


class Fake:
    """Says how long each schedule takes, by its place; remembers what it was asked."""

    def __init__(self, *seconds: float, stop_at: int | None = None) -> None:
        self.seconds, self.stop_at = seconds, stop_at
        self.asked: list[str] = []
        self.all: list[ScheduleAttr] = []
        self.text = ""

    def __call__(self, w: Workload, schedules: Sequence[ScheduleAttr]) -> list[float]:
        if len(schedules) > 2 or w.text != self.text:
            if len(self.asked) == self.stop_at:
                raise KeyboardInterrupt
            self.asked.append(w.name)
            self.text = w.text
            self.all = list(schedules)
        times = [*self.seconds, *[9.0] * len(self.all)]
        return [times[self.all.index(s)] for s in schedules]


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(CPU, tmp_path / "records.sqlite")


def run(todo: Sequence[Workload], records: Records, measure: Fake) -> list[Tuned]:
    results: list[Tuned] = []
    tune(todo, CPU, records, measure, 6, quiet, results.append)
    return results


def test_fastest_is_recorded(records: Records) -> None:
    w = known(28)
    (result,) = run([w], records, Fake(3.0, 2.0, 1.0, 2.5))
    schedules = [c.schedule for c in choices(w, CPU, 6)]
    assert result.record.schedule == str(schedules[2])
    assert (result.record.seconds, result.record.first, result.record.trials) == (1.0, 3.0, 6)
    assert records.schedules() == {w.text: str(schedules[2])}


def test_first_choice_stays_unless_another_is_clearly_faster(records: Records) -> None:
    w = known(28)
    (result,) = run([w], records, Fake(1.0, 0.99))
    assert result.record.schedule == str(choices(w, CPU, 6)[0].schedule)
    assert result.record.seconds == result.record.first == 1.0


def test_lucky_winner_has_to_win_again() -> None:
    answers = iter([[1.0, 0.9, 0.5], [1.0, 1.1]])

    def measure(w: Workload, schedules: Sequence[ScheduleAttr]) -> list[float]:
        return next(answers)

    assert fastest(known(28), [A, B, C], measure) == (0, 1.0, 1.0)
    answers = iter([[1.0, 0.9, 0.5], [1.2, 0.6]])
    assert fastest(known(28), [A, B, C], measure) == (2, 0.6, 1.2)


def test_what_takes_longest_in_all_is_measured_first(records: Records) -> None:
    fake = Fake(1.0)
    run([known(7), known(56), known(14, calls=100), known(28)], records, fake)
    assert fake.asked == ["kernel_14", "kernel_56", "kernel_28", "kernel_7"]


def test_interruption_keeps_what_is_measured(records: Records) -> None:
    results: list[Tuned] = []
    todo = [known(7), known(56), known(28)]
    with pytest.raises(KeyboardInterrupt):
        tune(todo, CPU, records, Fake(1.0, stop_at=2), 6, quiet, results.append)
    assert [t.workload.name for t in results] == ["kernel_56", "kernel_28"]
    assert records.schedules().keys() == {todo[1].text, todo[2].text}


def test_equal_ops_of_several_models_are_one() -> None:
    found = together([[known(7, 2), known(14, 1)], [known(14, 4)]])
    assert [(w.name, w.calls) for w in found] == [("kernel_7", 2), ("kernel_14", 5)]


def test_candidates_of_different_kinds_are_tried() -> None:
    op = only_compute(contraction(256, 64, 28, 1))
    every = candidates(op, describe("cpu:znver5"), 1000)
    some = varied(every, 6)
    kinds = {str([d for d in c.schedule.data if d[0] == "unroll"]) for c in some if c.schedule}
    assert some[0] == every[0]
    assert len(some) == 6
    assert len(kinds) > 1


class Clock:
    """A clock that only runs call, each for as long as it says."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[str] = []

    def __call__(self) -> float:
        return self.now

    def run(self, name: str, *seconds: float) -> Callable[[], None]:
        times = iter(seconds)

        def call() -> None:
            self.calls.append(name)
            self.now += next(times, seconds[-1])

        return call


def test_runs_take_turns_each_from_cold() -> None:
    clock = Clock()
    runs = [clock.run("a", 1e-3), clock.run("b", 1e-3)]
    _cold.take_turns(runs, clock.run("-", 5.0), 4, clock)
    assert "".join(clock.calls) == "-a-b-b-a-a-b-b-a"


def test_emptying_is_not_counted_and_outliers_neither() -> None:
    clock = Clock()
    runs = [clock.run("a", 9.0, 1.0, 8.0, 1.1, 1.2, 7.0, 1.0, 1.0), clock.run("b", 1.1)]
    a, b = _cold.take_turns(runs, clock.run("-", 5.0), 8, clock, enough=1e9)
    assert a == 1.0
    assert b == pytest.approx(1.1)


def test_what_is_far_behind_drops_out() -> None:
    clock = Clock()
    runs = [clock.run("a", 1.0), clock.run("b", 2.0)]
    assert _cold.take_turns(runs, lambda: None, 10, clock, enough=1e9) == [1.0, 2.0]
    assert clock.calls.count("a") == 10
    assert clock.calls.count("b") == _cold.FEW


def test_enough_is_enough() -> None:
    clock = Clock()
    _cold.take_turns([clock.run("a", 1.0)], lambda: None, 100, clock, enough=0.5)
    assert len(clock.calls) == 2 * _cold.FEW


def test_measured_schedules_compute_what_others_do() -> None:
    """The same buffers before and after: only the result is written."""
    w = known(7)
    schedules = [c.schedule for c in choices(w, CPU, 4) if c.schedule is not None]
    arrays = _cold.buffers(w.module)
    kernels = [_tuning.scheduled(w.module, s, CPU) for s in schedules]
    results = []
    for call in _cold.runs_of(kernels, arrays, CPU):
        arrays[-1][:] = 0
        call()
        results.append(arrays[-1].copy())
    assert results[0].any()
    for r in results[1:]:
        np.testing.assert_allclose(r, results[0], rtol=1e-5)


def test_integers_that_say_where_to_read_are_zero() -> None:
    module = parse("""
    func.func @f(%at: memref<16xi32>, %x: memref<8x16xf32>, %n: memref<16xi32>,
                 %y: memref<16xf32>) {
      te.compute axes(c: 16) ins(%at[c] as i: 8, %x[i, c], %n[c]) out(%y[c]) init 0.0 : f32
        : memref<16xi32>, memref<8x16xf32>, memref<16xi32>, memref<16xf32>
        (%i: i32, %a: f32, %b: i32, %acc: f32) {
          te.yield %a : f32
        }
      func.return
    }""")
    at, x, n, _ = _cold.buffers(module)
    assert (at == 0).all()
    assert (n == 1).all()
    assert len(set(x)) > 100
    assert all(a.ctypes.data % 64 == 0 for a in (at, x, n))


def model_file(folder: Path) -> str:
    rng = np.random.default_rng(0)
    w = rng.standard_normal((32, 16, 3, 3)).astype(np.float32)
    node = onnx.helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [node],
        "g",
        [value("x", 1, [1, 16, 30, 30])],
        [value("y", 1, [1, 32, 30, 30])],
        [onnx.numpy_helper.from_array(w, "w")],
    )
    opset = onnx.helper.make_opsetid("", 17)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=9), folder / "m.onnx")
    return str(folder / "m.onnx")


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Command:
    monkeypatch.setenv("LAMINA_CACHE", str(tmp_path / "cache"))
    return Command(capsys)


def test_tune_command_records_and_compile_uses_it(command: Command, tmp_path: Path) -> None:
    path = model_file(tmp_path)
    x = np.random.default_rng(1).standard_normal((1, 16, 30, 30)).astype(np.float32)
    before = lamina.compile(path, threads=1)
    assert not any(c.tuned for c in before.manifest.calls)
    text = command("tune", path, "--trials", 4, "--rounds", 3)
    assert "tuned before" in text
    assert "gain" in text
    after = lamina.compile(path, threads=1)  # not what was cached before there were records
    assert any(c.tuned for c in after.manifest.calls)
    assert not any(c.tuned for c in lamina.compile(path, threads=1, records=False).manifest.calls)
    np.testing.assert_allclose(after(x), before(x), rtol=1e-4, atol=1e-4)
    again = command("tune", path)
    count = again.split()[0]
    assert again.startswith(f"{count} workloads, ")
    assert "kernel calls have schedules from lamina tune" in command(
        "compile", path, "-o", tmp_path / "m.lam", "--threads", 1
    )
    assert "records" in command("tune", "--list")


def test_products_of_bytes_are_tuned_in_groups_of_four(command: Command, tmp_path: Path) -> None:
    net = Network("int8", seed=2)
    a = net.stored(net.conv(net.input(1, 32, 12, 12), (64, 32, 1, 1)), 0.05)
    y = net.stored(net.conv(a, (64, 64, 3, 3), pads=[1] * 4), 0.1)
    path = tmp_path / "bytes.onnx"
    onnx.save(net.model(y), path)
    x = np.random.default_rng(1).standard_normal((1, 32, 12, 12)).astype(np.float32)
    before = lamina.compile(path, threads=1)(x)
    command("tune", path, "--trials", 4, "--rounds", 1)
    records = Records(CPU)
    products = [r for r in records.all() if "reduce ic: 32" in r.workload or "kh: 3" in r.workload]
    assert len(products) == 2
    assert all("dot4 icg" in r.schedule for r in products)
    for r in products:  # not what the compiler would choose
        schedules = choices(Workload(r.workload, parse(r.workload), "", ()), CPU, 4)
        records.put(replace(r, schedule=str(schedules[-1].schedule)))
        assert "dot4" in str(schedules[-1].schedule)
    for threads in (1, 2):
        model = lamina.compile(path, threads=threads)
        assert threads > 1 or sum(c.tuned for c in model.manifest.calls) >= 2
        np.testing.assert_array_equal(model(x), before)


def test_exported_records_are_applied_by_the_pass(command: Command, tmp_path: Path) -> None:
    path = model_file(tmp_path)
    command("tune", path, "--trials", 3, "--rounds", 1)
    command("tune", "--export", tmp_path / "records.mlir")
    module = parse((tmp_path / "records.mlir").read_text())
    assert schedules_in(module) == Records(CPU).schedules()


def test_recorded_schedule_is_the_one_that_is_compiled(command: Command, tmp_path: Path) -> None:
    """A schedule that the cost model would never choose is found in the lowered module."""
    path = model_file(tmp_path)
    command("tune", path, "--trials", 3, "--rounds", 1)
    records = Records(CPU)
    for r in records.all():
        records.put(replace(r, schedule="[vector oc]" if "oc:" in r.workload else r.schedule))
    words = ["compile", path, "--emit", "te", "--threads", 1]
    assert "schedule [vector oc]" in command(*words)
    assert "schedule [vector oc]" not in command(*words, "--no-records")


def test_second_run_measures_only_what_is_new(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = model_file(tmp_path)
    fake = Fake(1.0)
    monkeypatch.setattr("lamina.tools.commands.tune.ColdMeasure", lambda machine, rounds: fake)
    command("tune", path)
    measured = list(fake.asked)
    assert measured
    command("tune", path)
    assert fake.asked == measured
    command("tune", path, "--again")
    assert fake.asked == measured * 2


def test_interrupted_command_says_what_it_keeps(
    capsys: pytest.CaptureFixture[str],
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from lamina.tools.lamina import main

    path = model_file(tmp_path)
    fake = Fake(1.0, stop_at=1)
    monkeypatch.setattr("lamina.tools.commands.tune.ColdMeasure", lambda machine, rounds: fake)
    assert main(["tune", path]) == 1
    out, err = capsys.readouterr()
    assert err == "lamina: interrupted\n"
    assert "1 of " in out
    assert len(Records(CPU).all()) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "needs MODEL to tune, or --list or --export FILE"),
        (["m.onnx", "--list"], "needs MODEL to tune"),
        (["m.onnx", "--trials", "1"], "--trials needs at least 2"),
        (["m.onnx", "--target", "opencl:portable"], "schedules are measured on CPUs"),
        (["missing.onnx"], "cannot read 'missing.onnx'"),
    ],
)
def test_what_cannot_be_tuned(command: Command, words: list[str], message: str) -> None:
    assert message in command.error("tune", *words)


def test_damaged_records_stop_a_compilation_with_the_remedy(
    command: Command, tmp_path: Path
) -> None:
    path = model_file(tmp_path)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "records.sqlite").write_bytes(b"damaged" * 1000)
    message = command.error("compile", path, "-o", tmp_path / "m.lam")
    assert "records.sqlite" in message
    assert "remove that file" in message
    command("compile", path, "-o", tmp_path / "m.lam", "--no-records")
    with pytest.raises(LaminaError, match="remove that file"):
        lamina.compile(path)


def test_recorded_schedule_is_shared_out_among_threads() -> None:
    module, machine = contraction(64, 64, 56), describe("cpu:znver5")
    op = only_compute(module)
    third = candidates(op, machine, 3, threads=2)[2]
    ctx = new_context()
    ctx.schedules = {workload(op) or "": str(third.alone)}
    TeApplyRecordsPass(target=machine.name, threads=2).apply(ctx, module)
    assert op.schedule == third.schedule
    assert op.schedule != third.alone


def test_record_that_nobody_can_share_out_is_ignored() -> None:
    module = contraction(64, 64, 56)
    op = only_compute(module)
    ctx = new_context()
    ctx.schedules = {workload(op) or "": "[vector o]"}
    TeApplyRecordsPass(target="cpu:znver5", threads=2).apply(ctx, module)
    assert op.schedule is None
    TeApplyRecordsPass(target="cpu:znver5").apply(ctx, module)
    assert str(op.schedule) == "[vector o]"


def test_op_inside_a_loop_is_no_workload() -> None:
    module = parse("""
    func.func @f(%x: memref<4x64xf32>, %y: memref<4x64xf32>) {
      loop.for %k < 4 {
        te.compute at(k = %k) axes(i: 64) ins(%x[k, i]) out(%y[k, i]) init 0.0 : f32
          : memref<4x64xf32>, memref<4x64xf32> (%a: f32, %acc: f32) { te.yield %a : f32 }
      }
      func.return
    }""")
    assert workload(only_compute(module)) is None
