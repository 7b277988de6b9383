"""
Time several contenders against each other on a computer that is never quiet.

Each contender is a process of its own; all are pinned to the same CPUs, and only the one that is
being timed is not suspended. They take turns, a round being one turn of each: what disturbs the
computer for longer than a turn hits all of them, so the ratios within a round are what counts.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from lamina.backends.cpu import cores
from lamina.errors import LaminaError
from lamina.progress import Progress

TURN_SECONDS = 0.25
"""about how long one contender runs before the next one does"""

LEAST_ROUNDS = 15
"""that are taken however slow a model is, if as many were asked for: a median of few says little"""

Turns = dict[str, list[list[float]]]
"""contender -> round -> the milliseconds of each run"""


class Died(LaminaError):
    """The process of a contender is gone."""

    def __init__(self, name: str, how: str) -> None:
        super().__init__(f"{name}: {how}")
        self.name, self.how = name, how


class Contender:
    """
    A child process with one loaded model, suspended while nothing is asked of it; or any other
    `program` whose `main` is that of `lamina.tools._contender`.
    """

    def __init__(
        self,
        name: str,
        cpus: Sequence[int],
        program: Sequence[str] = ("-m", "lamina.tools._contender"),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.stderr = tempfile.TemporaryFile("w+", errors="replace")
        # A session of its own: Ctrl-C is for this process, which then ends the others.
        self.process = subprocess.Popen(
            [sys.executable, "-P", *program, ",".join(map(str, cpus))],
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.stderr,
            start_new_session=True,
            text=True,
        )

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Let the process run until it has answered one request."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        self.process.send_signal(signal.SIGCONT)
        try:
            print(json.dumps({"do": do, **request}), file=stdin, flush=True)
        except BrokenPipeError:
            raise self._death(do) from None
        answer = stdout.readline()
        if not answer:
            raise self._death(do)
        self._suspend()
        result = json.loads(answer)
        if "error" in result:
            raise LaminaError(result["error"])
        return result

    def _suspend(self) -> None:
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def _death(self, do: str) -> Died:
        status = self.process.wait()
        how = f"of {signal.Signals(-status).name}" if status < 0 else f"with exit status {status}"
        self.stderr.seek(0)
        said = "".join(f": {line}" for line in self.stderr.read().strip().splitlines()[-1:])
        return Died(self.name, f"its process died {how} during '{do}'{said}")

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.stderr):
            with suppress(BrokenPipeError):  # what it did not live to read
                if stream:
                    stream.close()


@contextmanager
def contenders(cpus: Mapping[str, Sequence[int]]) -> Iterator[dict[str, Contender]]:
    """One suspended process for each name, pinned to its CPUs; all are gone afterwards."""
    started: dict[str, Contender] = {}
    try:
        for name, pinned in cpus.items():
            started[name] = Contender(name, pinned)
        yield started
    finally:
        for contender in started.values():
            contender.close()


def take_turns(
    field: Mapping[str, Contender],
    rounds: int,
    seconds: float = float("inf"),
    step: Progress = lambda what, more=0: None,
) -> Turns:
    """
    The times of every contender in every round; the order rotates from round to round. As many
    rounds as are asked for or fit into `seconds`, but at least `LEAST_ROUNDS`.
    """
    fastest = [min(c.ask("time", warm_up=2, runs=3)["times"]) for c in field.values()]
    runs = min(200, max(3, round(TURN_SECONDS * 1e3 / max(fastest))))
    one_round = sum(fastest) / 1e3 * (runs + 1)
    rounds = int(min(rounds, max(LEAST_ROUNDS, seconds / one_round)))
    step("rounds", more=rounds)
    turns: Turns = {name: [] for name in field}
    names = list(field)
    for i in range(rounds):
        step(f"round {i + 1}")
        first = i % len(names)
        for name in names[first:] + names[:first]:
            # The first run after another contender's turn finds that one's data in the caches.
            turns[name].append(field[name].ask("time", warm_up=1, runs=runs)["times"])
    return turns


def choose_cpus(threads: int) -> list[int]:
    """CPUs to pin to, of different cores as long as there are any."""
    allowed = cores.allowed()
    if threads > len(allowed):
        raise LaminaError(f"{threads} threads need as many CPUs, found {len(allowed)}")
    return sorted(cores.spread(allowed)[:threads])
