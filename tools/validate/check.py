"""Comparing every function of a module before and after a pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import DiagnosticException

from lamina import interpreters
from lamina.context import LaminaContext
from lamina.errors import LaminaError
from lamina.interpreters import BudgetExceeded, Unsupported
from lamina.tools.validate.compare import NATIVE, Numerics, difference
from lamina.tools.validate.native import Crashed, NativeFunction, NotNative, remaining_passes
from lamina.tools.validate.report import Checked, Report
from lamina.tools.validate.samples import kinds, sample
from lamina.tools.validate.signature import Conversion, Incompatible
from lamina.tools.validate.state import Run, State
from lamina.tools.validate.stored import OtherTensors, Recorder, Steps

PATIENCE = 5
"""how many times its estimate a function may take before the interpreter is stopped"""
OVERDRAFT = 6
"""times the budget that interpreting one function may take where machine code cannot be compared"""


class Unchecked(Exception):
    """A function could not be compared; the message says why."""


@dataclass
class Task:
    """One function to be compared across one pass."""

    name: str
    before: State
    after: State
    done: ModulePass
    numerics: Numerics

    def __post_init__(self) -> None:
        old, new = (s.signatures[self.name] for s in (self.before, self.after))
        if why := old.unsupported() or new.unsupported():
            raise Unchecked(why)
        try:
            self.conversion = Conversion(old, new)
        except Incompatible as e:
            raise Unchecked(str(e)) from e
        # a zero of a table may stand for a term that is not there, or for one that NaN makes NaN
        tables = "te.constant" in self.before.text[self.name]
        self.kinds = kinds(old, finite=tables or self.numerics.of_finite)

    def broken(self, kind: str, why: Exception) -> LaminaError:
        """The function cannot be run any more."""
        return LaminaError(
            f"validate: {self.done.name} broke @{self.name}: on sample '{kind}', {why}"
        )

    def judge(self, kind: str, run: Run, found: Run, into: Checked) -> None:
        """Note how far apart the results are; fails if the pass may not move them so far."""
        allowed = self.numerics.tolerance
        if run.native or found.native:
            allowed = max(allowed, NATIVE)
        expected = self.conversion.results(run.slots, run.results)
        for k, ((wanted, matters), got) in enumerate(zip(expected, found.results, strict=True)):
            if matters is not None:
                got = np.where(matters, got, wanted)
            d = difference(wanted, got, self.numerics.steps)
            if d.relative > allowed:
                kind_of = "result" if self.after.signatures[self.name].on_tensors else "array"
                raise LaminaError(
                    f"validate: {self.done.name} is declared {self.numerics.text}, but changed "
                    f"what @{self.name} computes: on sample '{kind}', {kind_of} {k}, {d}, "
                    f"{d.relative:.3g} of the largest magnitude"
                )
            into.difference = max(into.difference, d.relative)
            if self.numerics.is_lossy:
                into.measure(wanted, got)

    def judge_stored(self, kind: str, before: Recorder, after: Recorder, into: Checked) -> None:
        """Note how many bytes differ; fails if some are further off than the pass may move them."""
        if len(after.arrays) < len(before.arrays):
            raise OtherTensors(
                f"{before.names[len(after.arrays)]} is not stored in 8 bits any more"
            )
        for name, old, new in zip(after.names, before.arrays, after.arrays, strict=True):
            if into.steps.add(old, new) > self.numerics.steps:
                alone = Steps()
                alone.add(old, new)
                raise LaminaError(
                    f"validate: {self.done.name} is declared {self.numerics.text}, but changed "
                    f"what @{self.name} stores in 8 bits: on sample '{kind}', {name}, {alone}"
                )


class Checker:
    """Runs functions, within a budget of time for every pass."""

    def __init__(
        self, ctx: LaminaContext, seed: int, budget: float, implementations: Mapping[Any, Any]
    ):
        self.ctx, self.seed, self.budget = ctx, seed, budget
        self.implementations = implementations

    def check(self, before: State, after: State, done: ModulePass) -> Report:
        """Compare all functions that changed; those that came or went through their callers."""
        numerics = Numerics.of(done)
        report = Report(numerics.text)
        both = [name for name in before.functions if name in after.functions]
        changed = [name for name in both if before.text[name] != after.text[name]]
        changed.sort(key=lambda name: self.estimate(before, name) + self.estimate(after, name))
        left = self.budget
        for k, name in enumerate(changed):
            try:
                task = Task(name, before, after, done, numerics)
                report.checked[name], seconds = self.compare(task, left / (len(changed) - k))
                left -= seconds
            except Unchecked as e:
                report.problems[name] = str(e)
        for name in sorted(before.functions.keys() ^ after.functions.keys()):
            what = "new" if name in after.functions else "gone"
            report.problems[name] = f"it is {what}, and no function that was compared calls it"
        _cover(report, before, after)
        return report

    def estimate(self, state: State, name: str) -> float:
        """Seconds to interpret `name` once; nothing if that has been done."""
        return 0.0 if state.runs.get(name) else interpreters.estimate(state.module, name)

    def compare(self, task: Task, share: float) -> tuple[Checked, float]:
        """Compare one function in about `share` seconds of interpreting."""
        once = self.estimate(task.before, task.name) + self.estimate(task.after, task.name)
        affordable = int(min(share / once, len(task.kinds))) if once else len(task.kinds)
        if affordable:
            try:
                return self.interpreted(task, task.kinds[:affordable]), once * affordable
            except BudgetExceeded:
                pass
        try:
            if task.numerics.steps:
                raise Unchecked(
                    f"interpreting it takes about {once:.0f} s, more than "
                    "--validate-budget allows, and machine code does not show what is stored"
                )
            return self.natively(task, share), 0.0
        except Unchecked:
            if not self.bearable(once):
                raise
        try:
            return self.interpreted(task, task.kinds[:1]), once
        except BudgetExceeded as e:
            raise Unchecked(str(e)) from e

    def bearable(self, seconds: float) -> bool:
        """Whether to interpret for so long, beyond the budget, because nothing else is left."""
        return seconds <= OVERDRAFT * self.budget

    def interpreted(self, task: Task, kinds: Sequence[str]) -> Checked:
        """Compare by the interpreter on these kinds of samples."""
        if task.numerics.steps:
            return self.one_by_one(task, kinds)
        checked = Checked("interpreted", len(kinds))
        for kind in kinds:
            run = self.interpreted_before(task, kind)
            slots = task.conversion.slots(run.slots)
            try:
                found = Run(slots, self.interpret(task.after, task.name, slots))
            except BudgetExceeded:
                raise
            except Unsupported as e:
                raise Unchecked(str(e)) from e
            except DiagnosticException as e:
                raise task.broken(kind, e) from e
            task.judge(kind, run, found, checked)
            task.after.runs.setdefault(task.name, {})[kind] = found
        return checked

    def one_by_one(self, task: Task, kinds: Sequence[str]) -> Checked:
        """Compare each tensor that is stored in 8 bits, computed from those before it, as well."""
        known = {**interpreters.implementations(), **self.implementations}
        checked = Checked("interpreted", len(kinds))
        for kind in kinds:
            given = self.given(task, kind)
            before = Recorder(known)
            run = Run(given, self.interpret(task.before, task.name, given, before.implementations))
            slots = task.conversion.slots(given)
            after = Recorder(known, before.arrays)
            try:
                results = self.interpret(task.after, task.name, slots, after.implementations)
                task.judge_stored(kind, before, after, checked)
            except (OtherTensors, Unsupported) as e:
                raise Unchecked(str(e)) from e
            except BudgetExceeded:
                raise
            except DiagnosticException as e:
                raise task.broken(kind, e) from e
            task.judge(kind, run, Run(slots, results), checked)
        return checked

    def given(self, task: Task, kind: str) -> list[np.ndarray]:
        """Arrays to call the function with."""
        functions, signature = task.before.functions, task.before.signatures[task.name]
        return sample(functions[task.name], signature, kind, self.seed, functions)

    def interpreted_before(self, task: Task, kind: str) -> Run:
        """What the function computed before the pass."""
        runs = task.before.runs.setdefault(task.name, {})
        if kind not in runs:
            slots = self.given(task, kind)
            try:
                runs[kind] = Run(slots, self.interpret(task.before, task.name, slots))
            except BudgetExceeded:
                raise
            except DiagnosticException as e:
                raise Unchecked(f"{e}") from e
        return runs[kind]

    def interpret(
        self,
        state: State,
        name: str,
        slots: Sequence[np.ndarray],
        extra: Mapping[Any, Any] | None = None,
    ) -> list[np.ndarray]:
        """What a function of `state` computes, by the reference interpreter of its level."""
        signature = state.signatures[name]
        arrays = [x.copy() for x in slots]
        roles = [r for r in signature.roles if r in ("", "input", "output")]
        outputs = [a for a, r in zip(arrays, roles, strict=True) if r == "output"]
        inputs = [a for a, r in zip(arrays, roles, strict=True) if r != "output"]
        limit = max(1.0, PATIENCE * interpreters.estimate(state.module, name), self.budget)
        results = interpreters.call(
            state.module, name, inputs, outputs, self.ctx.weights,
            limit=limit, extra={**self.implementations, **(extra or {})},
        )  # fmt: skip
        return results if signature.on_tensors else _sharing(slots, arrays)

    def natively(self, task: Task, share: float) -> Checked:
        """Compare what machine code computes; before the pass the interpreter, where it can."""
        wanted = self.before_native(task, share)
        code = self.machine_code(task.after, task.name)
        checked = Checked("native", len(wanted))
        for kind, run in wanted.items():
            slots = task.conversion.slots(run.slots)
            try:
                found = Run(slots, _sharing(slots, code(slots)), native=True)
                task.judge(kind, run, found, checked)
            except (LaminaError, Crashed) as e:
                failure = e if isinstance(e, LaminaError) else task.broken(kind, e)
                if not code.passes or run.native:
                    raise failure from e
                return self.confirmed(task, kind, failure)
            task.after.runs.setdefault(task.name, {})[kind] = found
        return checked

    def machine_code(self, state: State, name: str) -> NativeFunction:
        """Function `name` of `state`, compiled."""
        try:
            return NativeFunction(self.ctx, state.module, name)
        except NotNative as e:
            raise Unchecked(f"interpreting it takes too long, and {e}") from e

    def confirmed(self, task: Task, kind: str, failure: LaminaError) -> Checked:
        """
        The machine code differs, but passes that have yet to come took part in it: interpret the
        function to know whether this pass is to blame.
        """
        task.after.runs.pop(task.name, None)
        if self.bearable(self.estimate(task.after, task.name)):
            try:
                return self.interpreted(task, [kind])
            except (BudgetExceeded, Unchecked):
                pass
        raise LaminaError(f"{failure}, in machine code, for which later passes may be to blame")

    def before_native(self, task: Task, share: float) -> dict[str, Run]:
        """What the function computed before the pass, as far as it is known or affordable."""
        once = self.estimate(task.before, task.name)
        if once:
            for kind in task.kinds[: int(share / once)]:
                self.interpreted_before(task, kind)
        if runs := task.before.runs.get(task.name):
            return runs
        later = [p.name for p in remaining_passes(task.before.module)]
        if task.done.name in later:
            raise Unchecked(
                f"interpreting it takes about {once:.0f} s, more than --validate-budget allows, "
                f"and {task.done.name} itself would take part in compiling what was there before"
            )
        code = self.machine_code(task.before, task.name)
        for kind in task.kinds:
            slots = self.given(task, kind)
            try:
                run = Run(slots, _sharing(slots, code(slots)), native=True)
            except Crashed as e:
                raise Unchecked(f"before {task.done.name}, {e}") from e
            task.before.runs.setdefault(task.name, {})[kind] = run
        return task.before.runs[task.name]


def _sharing(slots: Sequence[np.ndarray], results: list[np.ndarray]) -> list[np.ndarray]:
    """`results`, where one still is what the slot was, as the slot itself: half the memory."""
    if len(slots) != len(results):
        return results
    return [s if _same_bytes(s, r) else r for s, r in zip(slots, results, strict=True)]


def _same_bytes(a: np.ndarray, b: np.ndarray) -> bool:
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    one, other = (np.ascontiguousarray(x).reshape(-1).view(np.uint8) for x in (a, b))
    return np.array_equal(one, other)


def _cover(report: Report, before: State, after: State) -> None:
    """Move to `covered` what the check of another function includes."""
    for name in list(report.problems):
        callers = {*before.callers(name), *after.callers(name)} & report.checked.keys()
        if callers:
            report.covered[name] = (
                f"@{min(callers)}, which calls it" if len(callers) == 1 else "its callers"
            )
            del report.problems[name]
    for name in list(report.problems):
        same = before.own_text.get(name) == after.own_text.get(name)
        callees = set(after.reached.get(name, ())) - {name}
        if same and callees and not callees & report.problems.keys():
            report.covered[name] = "what it calls"
            del report.problems[name]
