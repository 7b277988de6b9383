"""Which schedule of each workload of a model is fastest: candidates of the cost model, measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import BlockArgument

from lamina.backends.cpu.records import Record, Records
from lamina.backends.machine import Machine
from lamina.context import new_context
from lamina.dialects.te import ComputeOp, ScheduleAttr
from lamina.options import Options
from lamina.passes import pipelines
from lamina.passes.int8.int8_lower_dot4 import Int8LowerDot4Pass
from lamina.passes.te._cost import Candidate, candidates, varied
from lamina.passes.te._directives import computes, kernel_of
from lamina.passes.te._homes import Home, homes
from lamina.passes.te._workload import standalone
from lamina.passes.te.te_choose_schedules import homes_of
from lamina.progress import Progress
from lamina.steps import lower, no_garbage_collection, read
from lamina.tools import _cold

EVERY = 10_000
"""candidates: all there are"""
BEFORE, AFTER = "te-apply-records", "te-choose-schedules"
"""workloads are what a model consists of before the one pass, kernels go on after the other"""
WORTH = 0.98
"""a candidate is taken if it needs less than this part of the time of the model's first choice"""


@dataclass
class Workload:
    """An op that models compute."""

    text: str
    module: ModuleOp
    """of the op alone"""
    name: str
    """of a kernel that it is in"""
    homes: Sequence[Home]
    """where the network leaves its operands, in their order; empty: in memory"""
    calls: int = 0

    @property
    def op(self) -> ComputeOp:
        """The op itself."""
        return computes(self.module)[0]


Measure = Callable[[Workload, Sequence[ScheduleAttr]], list[float]]
"""the seconds of each of these schedules of an op"""


def workloads(
    path: str,
    machine: Machine,
    shapes: Mapping[str, Sequence[int]],
    step: Progress,
    options: Options,
) -> list[Workload]:
    """The different ops of a model, and how often it computes each."""
    with no_garbage_collection():
        ctx, module = read(path, shapes or None)
        passes = pipelines.default(machine.name, options)
        names = [p.name for p in passes]
        lower(ctx, module, passes[: names.index(BEFORE)], step)
        calls, where = _calls(module), homes(module, machine)
        found: dict[str, Workload] = {}
        for op in computes(module):
            alone, name = standalone(op), kernel_of(op)
            if alone is not None:
                near = homes_of(op, where.get(name, ()))
                entry = found.setdefault(str(alone), Workload(str(alone), alone, name, near))
                entry.calls += calls.get(name, 1)
    return list(found.values())


def _calls(module: ModuleOp) -> dict[str, int]:
    found: dict[str, int] = {}
    for op in module.walk():
        if isinstance(op, func.CallOp):
            symbol = op.callee.string_value()
            found[symbol] = found.get(symbol, 0) + 1
    return found


def together(models: Sequence[Sequence[Workload]]) -> list[Workload]:
    """Those of several models, each once."""
    found: dict[str, Workload] = {}
    for w in (w for model in models for w in model):
        if w.text in found:
            found[w.text].calls += w.calls
        else:
            found[w.text] = w
    return list(found.values())


@dataclass(frozen=True)
class Tuned:
    """What became of one workload."""

    workload: Workload
    record: Record


def choices(w: Workload, machine: Machine, trials: int) -> list[Candidate]:
    """What is worth measuring, the compiler's choice first; nothing, where there is but one way."""
    choice = candidates(w.op, machine, homes=w.homes)
    others = candidates(w.op, machine, EVERY, w.homes)  # looks at each tile more closely
    every = {c.schedule: c for c in (*choice, *others) if c.schedule is not None}
    return varied(list(every.values()), trials) if len(every) > 1 else []


def tune(
    todo: Sequence[Workload],
    machine: Machine,
    records: Records,
    measure: Measure,
    trials: int,
    step: Progress,
    done: Callable[[Tuned], None],
) -> None:
    """Measure and record each workload, those first that should take longest in all."""
    all = [(w, choices(w, machine, trials)) for w in todo]
    several = [(w, found) for w, found in all if found]
    several.sort(key=lambda entry: -entry[0].calls * entry[1][0].seconds)
    step("tune", more=len(several))
    for w, found in several:
        step(w.name)
        schedules = [c.schedule for c in found if c.schedule is not None]
        best, seconds, first = fastest(w, schedules, measure)
        record = Record(w.text, str(schedules[best]), seconds, first, found[0].seconds, len(found))
        records.put(record)
        done(Tuned(w, record))


def fastest(
    w: Workload, schedules: Sequence[ScheduleAttr], measure: Measure
) -> tuple[int, float, float]:
    """
    Which schedule to take, its seconds, and those of the first one.

    The best of many that were measured was lucky, too: it has to be faster than the first one
    again, when only these two are measured.
    """
    seconds = measure(w, schedules)
    best = min(range(len(seconds)), key=seconds.__getitem__)
    if seconds[best] > WORTH * seconds[0]:
        return 0, seconds[0], seconds[0]
    first, again = measure(w, [schedules[0], schedules[best]])
    return (best, again, first) if again <= WORTH * first else (0, first, first)


class ColdMeasure:
    """Compiles the schedules of an op and times them, nothing in the caches but what is near."""

    def __init__(self, machine: Machine, rounds: int) -> None:
        self._machine, self._rounds = machine, rounds
        self._empty = _cold.emptying(machine)

    def __call__(self, w: Workload, schedules: Sequence[ScheduleAttr]) -> list[float]:
        """The seconds of one call of each."""
        with no_garbage_collection():
            kernels = [scheduled(w.module, s, self._machine) for s in schedules]
            arrays = _cold.buffers(w.module)
            runs = _cold.runs_of(kernels, arrays, self._machine)
        near = [arrays[k] for k in _near(w)]

        def before() -> None:
            self._empty()
            for array in near:
                _cold.touch(array)

        return _cold.take_turns(runs, before, self._rounds)


def _near(w: Workload) -> list[int]:
    """The arguments of the op alone that the network leaves in a cache."""
    pairs = zip(w.op.operands_in_order, w.homes, strict=bool(w.homes))
    arguments = {v.index for v, home in pairs if home != "dram" and isinstance(v, BlockArgument)}
    return sorted(arguments)


def scheduled(module: ModuleOp, schedule: ScheduleAttr, machine: Machine) -> ModuleOp:
    """The op with this schedule, lowered to vectors."""
    kernel = module.clone()
    computes(kernel)[0].schedule = schedule
    passes = pipelines.default(machine.name)
    names = [p.name for p in passes]
    quiet = [
        replace(p, remarks=False) if isinstance(p, Int8LowerDot4Pass) else p
        for p in passes[names.index(AFTER) + 1 :]
    ]
    lower(new_context(), kernel, quiet, _silent)
    return kernel


def _silent(what: str, more: int = 0) -> None:
    pass
