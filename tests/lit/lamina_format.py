"""
How lit runs our tests. Two switches change what a test shows:

- `lit -Dshell=1 tests/lit` runs every command as a process of its own, as a user would.
- `lit -Dmutate=1 tests/lit/passes` replaces each pass by one that does nothing; a file then passes
  if it *fails*, because a test that never notices its pass missing tests nothing.
"""

import re
import shlex
from pathlib import Path
from typing import cast
from unittest.mock import patch

import inproc
import lit.formats
import lit.Test
import lit.TestRunner
from lit.LitConfig import LitConfig


class LaminaTest(lit.formats.ShTest):
    """Runs in this process what it can, and the rest in lit's shell."""

    def __init__(self, *, shell: bool, mutate: bool) -> None:
        super().__init__()
        self.shell, self.mutate = shell, mutate

    def execute(self, test: lit.Test.Test, litConfig: LitConfig) -> lit.Test.Result:
        """Run one test file."""
        script = lit.TestRunner.parseIntegratedTestScript(test)
        if isinstance(script, lit.Test.Result):
            return script
        folder = Path(test.getExecPath()).parent
        (folder / "Output").mkdir(parents=True, exist_ok=True)
        paths = substitutions(test)
        commands = lit.TestRunner.applySubstitutions(script, [])  # as text, "%dbg(where) what"
        lines = [re.sub(r"%dbg\(.*?\)\s*", "", command) for command in commands]
        pipelines = [inproc.parse(line, paths) for line in lines]
        if self.mutate:
            return mutated(test, folder, pipelines)
        if self.shell or None in pipelines:
            quoted = [(name, shlex.quote(path)) for name, path in paths.items()]
            self.extra_substitutions = quoted
            return cast(lit.Test.Result, super().execute(test, litConfig))
        return result(failure(pipelines, folder))


def substitutions(test: lit.Test.Test) -> dict[str, str]:
    """The paths a RUN line may name."""
    source = Path(test.getSourcePath())
    _, base = lit.TestRunner.getTempPaths(test)
    return {"%s": str(source), "%S": str(source.parent), "%t": f"{base}.tmp"}


def failure(pipelines: list[list[inproc.Stage] | None], folder: Path) -> str | None:
    """What the first pipeline that fails says."""
    for stages in pipelines:
        assert stages is not None
        if problem := inproc.run(stages, folder):
            return problem
    return None


def mutated(
    test: lit.Test.Test, folder: Path, pipelines: list[list[inproc.Stage] | None]
) -> lit.Test.Result:
    """Pass if the file fails once the pass it is named after does nothing."""
    from lamina import passes  # here: only this mode needs it

    name = Path(test.getSourcePath()).stem
    if (load := passes.available().get(name)) is None:
        return result(f"-Dmutate needs a test named after a pass, got {name}")
    if None in pipelines:
        return result("a RUN line needs a shell: the pass cannot be replaced in another process")
    with patch.object(load(), "apply", lambda self, ctx, op: None):
        if failure(pipelines, folder):
            return result(None)
    return result(f"passes although {name} does nothing")


def result(problem: str | None) -> lit.Test.Result:
    """The result with this problem, or without one."""
    if problem is None:
        return lit.Test.Result(lit.Test.PASS, "")
    return lit.Test.Result(lit.Test.FAIL, problem)
