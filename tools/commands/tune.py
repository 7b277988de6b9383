"""`lamina tune`: measure schedules, keep the fastest, show what is kept."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from xdsl.dialects.builtin import StringAttr
from xdsl.parser import Parser

from lamina.backends.cpu.measure import measured
from lamina.backends.cpu.records import Record, Records
from lamina.backends.machine import Machine
from lamina.compiler import machine_of
from lamina.context import new_context
from lamina.dialects.te import ScheduleAttr
from lamina.errors import LaminaError
from lamina.options import Options
from lamina.passes.te._directives import computes
from lamina.progress import progress_bar
from lamina.tools import _files
from lamina.tools._report import table
from lamina.tools._tuning import ColdMeasure, Tuned, Workload, together, tune, workloads


def run(args: Namespace) -> None:
    """Tune models, or list or export records."""
    shows = args.list or args.export
    if bool(args.models) == bool(shows):
        raise LaminaError(
            "needs MODEL to tune, or --list or --export FILE without one; see 'lamina tune --help'"
        )
    machine = machine_of(args.target)
    if machine.kind != "cpu":
        raise LaminaError(f"schedules are measured on CPUs, found {args.target}")
    if args.trials < 2:
        raise LaminaError(f"--trials needs at least 2 schedules to choose from, got {args.trials}")
    if not shows:
        _tune(args, measured(machine))
        return
    found = Records(machine).all()
    if args.list:
        print(_listed(found))
    if args.export:
        with _files.whole(args.export) as path:
            path.write_text(_module_of(found), encoding="utf-8")


def _tune(args: Namespace, machine: Machine) -> None:
    for path in args.models:
        _files.require_readable(path)
    records = Records(machine)
    known = records.schedules()
    results: list[Tuned] = []
    with progress_bar() as step:
        step("read", more=len(args.models))
        shapes = dict(args.shape)
        options = Options(numerics=args.numerics, requantize=args.requantize, storage=args.storage)
        models = [workloads(m, machine, shapes, step, options) for m in args.models]
        everything = together(models)
        todo = [w for w in everything if args.again or w.text not in known]
        print(f"{len(everything)} workloads, {len(everything) - len(todo)} of them tuned before")
        try:
            if todo:
                measure = ColdMeasure(machine, args.rounds)
                tune(todo, machine, records, measure, args.trials, step, results.append)
        finally:
            _say(results, todo)


def _say(results: Sequence[Tuned], todo: Sequence[Workload]) -> None:
    """What was found, also by a run that was interrupted."""
    if results:
        rows = [["workload", "calls", "us", "untuned", "gain"], *map(_row, results)]
        print(table(rows))
        before = sum(t.workload.calls * t.record.first for t in results)
        after = sum(t.workload.calls * t.record.seconds for t in results)
        print(f"{1e3 * before:.2f} ms in all, {1e3 * after:.2f} ms tuned")
    if len(results) < len(todo):
        print(f"{len(results)} of {len(todo)} measured; the others have one schedule or wait")


def _row(t: Tuned) -> list[str]:
    r = t.record
    return [t.workload.name, str(t.workload.calls), *_times(r)]


def _times(r: Record) -> list[str]:
    return [f"{1e6 * r.seconds:.1f}", f"{1e6 * r.first:.1f}", f"{1 - r.seconds / r.first:.1%}"]


def _listed(found: Sequence[Record]) -> str:
    if not found:
        return "no records for this target, machine and version"
    rows = [["workload", "us", "untuned", "gain", "trials", "measured"]]
    rows += [[_axes(r), *_times(r), str(r.trials), r.measured] for r in found]
    return f"{table(rows)}\n{len(found)} records"


def _axes(r: Record) -> str:
    """The axes stand for the workload in a table; its text has them in a line of their own."""
    return next((line.strip() for line in r.workload.splitlines() if "axes(" in line), "")


def _module_of(found: Sequence[Record]) -> str:
    """All records as one module of scheduled ops, for `te-apply-records{file=...}`."""
    module = None
    for n, r in enumerate(found):
        other = Parser(new_context(), r.workload).parse_module()
        computes(other)[0].schedule = ScheduleAttr.from_text(r.schedule.strip("[]"))
        (kernel,) = other.ops
        kernel.properties["sym_name"] = StringAttr(f"kernel_{n}")
        if module is None:
            module = other
        else:
            kernel.detach()
            module.body.block.add_op(kernel)
    return "builtin.module {}\n" if module is None else f"{module!s}\n"
