"""Running passes one after the other, and everything that can be watched while they run."""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import DiagnosticException, PassFailedException, ShrinkException

from lamina.errors import LaminaError
from lamina.tools._explain import crashed, explain, require_valid
from lamina.tools._pipeline import neighbours

if TYPE_CHECKING:
    from lamina.tools._reproducer import Reproducer


class Watcher:
    """Sees the module before and after every pass."""

    def start(self, module: ModuleOp) -> None:
        """A module has come, and verifies."""

    def before(self, module: ModuleOp, todo: ModulePass) -> None:
        """`todo` is about to run."""

    def after(self, module: ModuleOp, done: ModulePass) -> None:
        """`done` has run, and what it left verifies."""

    def end(self) -> None:
        """No more modules will come."""


class CrashedPass(PassFailedException):
    """A pass raised an exception that is no message: the pass has a bug."""


def run_passes(
    ctx: Context,
    module: ModuleOp,
    passes: Sequence[ModulePass],
    watchers: Sequence[Watcher],
    reproducer: Reproducer | None = None,
    verify: bool = True,
) -> None:
    """
    Apply `passes` to `module`, which verifies. A failure names its pass; what went in goes to the
    reproducer.
    """
    for watcher in watchers:
        watcher.start(module)
    for todo in passes:
        given = module.clone() if reproducer is not None else module
        for watcher in watchers:
            watcher.before(module, todo)
        try:
            _run(ctx, module, todo, verify)
        except (DiagnosticException, LaminaError) as e:
            if reproducer is not None:
                reproducer.write(given, todo, explain(e) or type(e).__name__)
            raise
        for watcher in reversed(watchers):  # the last one is told first: a timer is the innermost
            watcher.after(module, todo)


def _run(ctx: Context, module: ModuleOp, todo: ModulePass, verify: bool) -> None:
    try:
        todo.apply(ctx, module)
    except ShrinkException:
        raise
    except Exception as e:
        message = explain(e)
        if message is None:
            raise CrashedPass(f"{todo.name} {crashed(e)}") from e
        if message.startswith(f"{todo.name}: "):
            raise
        raise PassFailedException(f"{todo.name}: {message}") from e
    if verify:
        try:
            require_valid(module)
        except DiagnosticException as e:
            raise PassFailedException(f"{todo.name} left invalid IR: {e}") from e


class Timer(Watcher):
    """Adds up the time of each pass, verification apart, and prints it, slowest first."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.runs: Counter[str] = Counter()
        self._start = 0.0

    def before(self, module: ModuleOp, todo: ModulePass) -> None:
        self._start = time.perf_counter()

    def after(self, module: ModuleOp, done: ModulePass) -> None:
        self.seconds[done.name] += time.perf_counter() - self._start
        self.runs[done.name] += 1

    def end(self) -> None:
        total = sum(self.seconds.values())
        print(f"time of passes: {total:.4f} s, verification included", file=sys.stderr)
        for name, seconds in sorted(self.seconds.items(), key=lambda item: -item[1]):
            share = 100 * seconds / total if total else 0.0
            often = f" ({self.runs[name]} runs)" if self.runs[name] > 1 else ""
            print(f"{share:6.1f} % {seconds:9.4f} s  {name}{often}", file=sys.stderr)


class PrintAfter(Watcher):
    """Prints the module after certain passes, or after each that changed it."""

    def __init__(self, names: Sequence[str], after_change: bool, out: TextIO | None = None):
        self.names, self.after_change = names, after_change
        self._out = out
        self._last = ""

    def check(self, passes: Sequence[ModulePass]) -> None:
        """Fail if a pass to print after is not in the pipeline: it would be waited for in vain."""
        known = [p.name for p in passes]
        for name in self.names:
            if name not in known:
                has = neighbours(name, known) or "; the pipeline is empty"
                raise LaminaError(f"--print-ir-after: '{name}' is not in the pipeline{has}")

    def before(self, module: ModuleOp, todo: ModulePass) -> None:
        if self.after_change and not self._last:
            self._last = str(module)

    def after(self, module: ModuleOp, done: ModulePass) -> None:
        text = str(module)
        changed, self._last = text != self._last, text
        if done.name in self.names or (self.after_change and changed):
            print(f"// IR after {done}:\n{text}\n", file=self._out or sys.stderr)
        elif self.after_change:
            print(f"// {done} changed nothing", file=self._out or sys.stderr)


class PrintBetween(Watcher):
    """xdsl-opt's `--print-between-passes`: the module on stdout, before each pass but the first."""

    def __init__(self, passes: Sequence[ModulePass]):
        self._last = passes[-1] if passes else None

    def after(self, module: ModuleOp, done: ModulePass) -> None:
        if done is not self._last:
            print(f"IR after {done.name}:\n{module!s}\n\n\n")
