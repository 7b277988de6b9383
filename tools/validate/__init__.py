"""
`lamina-opt --validate`: what every function computes, before and after every pass.

A function that a pass changed is run by the reference interpreter on random inputs of several
kinds; if that is estimated to take too long, as machine code through the rest of the default
pipeline. The first pass that changes a result by more than it declares fails. Whatever could not be
checked is reported, with the reason.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from lamina.context import LaminaContext
from lamina.errors import LaminaError
from lamina.passes.check.verify_dominance import violations
from lamina.tools._reproducer import Reproducer
from lamina.tools._stages import Watcher
from lamina.tools.validate.check import Checker
from lamina.tools.validate.compare import Numerics
from lamina.tools.validate.state import State

if __name__ != "lamina.tools.validate":
    raise ImportError(f"import 'lamina.tools.validate', not '{__name__}'")

__all__ = ["Validation"]


class Validation(Watcher):
    """Checks every pass, and prints a line about each to stderr."""

    def __init__(
        self,
        ctx: LaminaContext,
        seed: int,
        budget: float,
        reproducer: Callable[[], Reproducer],
        implementations: Mapping[Any, Any],
    ):
        self.checker = Checker(ctx, seed, budget, implementations)
        self.unchecked = 0
        self._reproducer = reproducer
        self._state: State | None = None
        print(f"validate: seed {seed}, {budget:g} s for each pass", file=sys.stderr)

    def start(self, module: ModuleOp) -> None:
        _require_dominance(module, "in the input")
        self._state = None

    def before(self, module: ModuleOp, todo: ModulePass) -> None:
        Numerics.of(todo)  # a declaration nobody understands is found before time is spent
        if self._state is None:
            self._state = State(module.clone())

    def after(self, module: ModuleOp, done: ModulePass) -> None:
        before = self._state
        assert before is not None
        try:
            _require_dominance(module, f"after {done.name}")
            self._state = State(module.clone(), before)
            report = self.checker.check(before, self._state, done)
        except LaminaError as e:
            reproducer = self._reproducer()
            reproducer.write(before.module, done, str(e))
            raise LaminaError(f"{e}; reproducer: {reproducer.path}") from e
        self.unchecked += bool(report.problems)
        print(f"  {done}: {report}", file=sys.stderr)


def _require_dominance(module: ModuleOp, when: str) -> None:
    """xDSL's verifier lets through what no interpreter can run."""
    if found := next(violations(module), None):
        raise LaminaError(f"validate: {when}, {found}")
