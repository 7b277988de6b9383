"""
Run the pipelines of a lit test inside this process: `lamina-opt %s | filecheck %s` costs about
12 ms here and half a second as two new processes.

Only pipelines of our own tools are run here, optionally behind `not` and with `2>&1`; `parse`
returns None for every other line, and the caller then asks a real shell.
"""

import contextlib
import io
import re
import shlex
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

TOOLS: Mapping[str, tuple[str, str]] = {
    "filecheck": ("filecheck.main", "main"),
    "lamina": ("lamina.tools.lamina", "main"),
    "lamina-opt": ("lamina.tools.opt", "main"),
    "xdsl-opt": ("xdsl.tools.xdsl_opt", "main"),
}
SHELL_WORD = re.compile(r"[<>&;|()]+")
CRASH = re.compile(rb"^lamina(-opt)?: crashed: .*", re.MULTILINE)
"""how our tools report an exception that nobody meant to be read"""


@dataclass(frozen=True)
class Stage:
    """One command of a pipeline."""

    tool: str
    arguments: tuple[str, ...]
    fails: bool = False
    """the command stands behind `not`"""
    merges: bool = False
    """the command ends in `2>&1`"""


@dataclass(frozen=True)
class Finished:
    """What a command left behind."""

    status: int
    stdout: bytes
    stderr: str
    crash: str = ""
    """about an exception that the command did not turn into a message; no failure `not` needs"""


def words(line: str, substitutions: Mapping[str, str]) -> list[str]:
    """Split a command line as a shell does, then substitute: a path may hold spaces."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|<>&;()")
    lexer.whitespace_split = True
    lexer.commenters = ""
    pattern = re.compile("|".join(map(re.escape, sorted(substitutions, key=len, reverse=True))))
    return [pattern.sub(lambda found: substitutions[found[0]], word) for word in lexer]


def parse(line: str, substitutions: Mapping[str, str]) -> list[Stage] | None:
    """The pipeline in `line`, or None if only a shell can run it."""
    commands: list[list[str]] = [[]]
    for word in words(re.sub(r"2>&1(?=\s*(\||$))", " :merge:", line), substitutions):
        if word == "|":
            commands.append([])
        else:
            commands[-1].append(word)
    stages: list[Stage] = []
    for command in commands:
        if fails := command[:1] == ["not"]:
            command = command[1:]
        if merges := command[-1:] == [":merge:"]:
            command = command[:-1]
        if not command or command[0] not in TOOLS or any(map(SHELL_WORD.fullmatch, command)):
            return None
        stages.append(Stage(command[0], tuple(command[1:]), fails, merges))
    return stages


@contextlib.contextmanager
def global_state_kept() -> Iterator[None]:
    """Undo what `--disable-verify`, `--syntax-highlight` and `xdsl-opt` change for good."""
    from xdsl.ir import Attribute  # here: the parent of lit's workers need not load xDSL
    from xdsl.utils.diagnostic import Diagnostic

    post_init, colored = Attribute.__post_init__, Diagnostic.colored
    argv, stdin = sys.argv, sys.stdin
    try:
        with warnings.catch_warnings():
            yield
    finally:
        Attribute.__post_init__, Diagnostic.colored = post_init, colored
        sys.argv, sys.stdin = argv, stdin


def call(stage: Stage, stdin: bytes) -> Finished:
    """Run one command as its entry point does, with its own arguments and streams."""
    out, err = io.BytesIO(), io.BytesIO()
    stdout = io.TextIOWrapper(out, "utf-8", write_through=True)
    stderr = stdout if stage.merges else io.TextIOWrapper(err, "utf-8", write_through=True)
    status, crash = 0, ""
    with (
        global_state_kept(),
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        sys.argv = [stage.tool, *stage.arguments]
        sys.stdin = io.TextIOWrapper(io.BytesIO(stdin), "utf-8")
        try:
            module, name = TOOLS[stage.tool]
            main: Callable[[], Any] = getattr(import_module(module), name)
            raise SystemExit(main())
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
            if isinstance(stop.code, str):
                print(stop.code, file=stderr)
        except Exception:  # a tool that crashes fails this test, not the runner
            status, crash = 1, traceback.format_exc()
    if reported := CRASH.search(err.getvalue() or out.getvalue()):
        crash = reported[0].decode()
    return Finished(status, out.getvalue(), err.getvalue().decode(), crash)


def run(stages: list[Stage], folder: Path) -> str | None:
    """Run a pipeline in `folder`; None if every command did as expected, else what went wrong."""
    data = b""
    with contextlib.chdir(folder):
        for stage in stages:
            done = call(stage, data)
            shown = shlex.join((stage.tool, *stage.arguments))
            if done.crash:
                return f"{shown}: crashed\n{done.crash}"
            if (done.status != 0) != stage.fails:
                wanted = "a failure" if stage.fails else "exit status 0"
                text = f"{done.stderr}\n{done.stdout.decode()}"
                return f"{shown}: needed {wanted}, got exit status {done.status}\n{text}"
            data = done.stdout
    return None
