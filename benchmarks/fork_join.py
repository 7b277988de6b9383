"""
What an empty parallel region costs: that of our thread pool beside that of OpenMP (libgomp).

Each has a process of its own, which is suspended while the other one is measured; they take turns.
A region is two calls of a function that does nothing, on two threads, timed by the processor's
counter of cycles in compiled code. `warm` means one region right after the other: the one in the
middle, and the mean, which shows what others on the same processors cost. `idle` means one region
after the threads had nothing to do for two milliseconds. With `--processes 4` so many processes of
each kind run at once.

    python -m benchmarks.fork_join [--rounds 30] [--processes 4] [--check]
"""

from __future__ import annotations

import argparse
import ctypes
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from statistics import median
from typing import Any

from lamina.backends.cpu.compiler import compile_object
from lamina.backends.cpu.engine import Engine
from lamina.backends.cpu.thread_pool import LIBRARIES, ThreadPool
from lamina.backends.machine import describe
from lamina.tools import _contender, _report
from lamina.tools._rounds import Contender, choose_cpus

WARM, IDLE = 2000, 20
"""regions in one turn"""

COLUMNS = ("warm", "mean", "idle")

# cycles[i] = the i-th empty region, for i < count, in cycles; the table is {cycles, &count}
TEXT = """
define void @nothing(ptr %context, i64 %step) nounwind { ret void }
define void @regions(ptr %table) nounwind {
  %cycles = load ptr, ptr %table
  %slot = getelementptr ptr, ptr %table, i64 1
  %count = load i64, ptr %slot
  br label %loop
loop:
  %i = phi i64 [0, %0], [%next, %loop]
  %before = call i64 @llvm.readcyclecounter()
  call void @lamina_parallel(ptr @nothing, ptr null, i64 2)
  %after = call i64 @llvm.readcyclecounter()
  %time = sub i64 %after, %before
  %at = getelementptr i64, ptr %cycles, i64 %i
  store i64 %time, ptr %at
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %count
  br i1 %more, label %loop, label %end
end:
  ret void
}
declare i64 @llvm.readcyclecounter()
declare void @lamina_parallel(ptr, ptr, i64)
"""


class Regions:
    """Empty regions on two threads of this process."""

    def __init__(self) -> None:
        self.engine = Engine([compile_object(TEXT, describe("cpu"))], ["regions"])
        self.threads = ThreadPool(2)
        self.cycles = (ctypes.c_int64 * WARM)()
        self.seconds_a_cycle = _seconds_a_cycle(self)

    def take(self, count: int) -> list[int]:
        """Cycles of so many regions, one right after the other."""
        table = (ctypes.c_void_p * 2)(ctypes.addressof(self.cycles), count)
        self.threads.run(self.engine.address("regions"), table)
        return self.cycles[:count]

    def turn(self) -> dict[str, float]:
        """Microseconds of a region in the middle of many."""
        self.take(WARM)
        warm = self.take(WARM)
        idle = list[int]()
        for _ in range(IDLE):
            time.sleep(0.002)
            idle += self.take(1)
        cycles = (median(warm), sum(warm) / WARM, median(idle))
        return {k: c * self.seconds_a_cycle * 1e6 for k, c in zip(COLUMNS, cycles, strict=True)}


def _seconds_a_cycle(regions: Regions) -> float:
    """How fast the counter counts: regions fill the time between two looks at it and the clock."""
    seconds = cycles = 0.0
    while seconds < 0.05:
        start = time.perf_counter()
        found = regions.take(WARM)
        seconds += time.perf_counter() - start
        cycles += sum(found)
    return seconds / cycles


def measured(processes: int, rounds: int) -> dict[str, list[dict[str, float]]]:
    """name of a library -> round -> microseconds, in the middle of the processes"""
    program, cpus = (__file__, "--serve"), choose_cpus(2)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in LIBRARIES}
    with ExitStack() as stack, ThreadPoolExecutor(processes) as callers:
        crowds = {
            name: [
                stack.enter_context(closing(Contender(name, cpus, program, {"LAMINA_POOL": name})))
                for _ in range(processes)
            ]
            for name in LIBRARIES
        }
        for i in range(rounds):
            for name in list(LIBRARIES)[:: 1 if i % 2 else -1]:
                asked: list[Any] = [callers.submit(c.ask, "turn") for c in crowds[name]]
                answers = [each.result() for each in asked]
                found[name].append({k: median(a[k] for a in answers) for k in COLUMNS})
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table; with --check, the exit status says whether ours is twice as fast when warm."""
    parser = argparse.ArgumentParser("python -m benchmarks.fork_join", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args(argv)
    found = measured(args.processes, args.rounds)
    rows, ratios = [["", *(f"{k} us" for k in COLUMNS)]], dict[str, float]()
    for name, rounds in found.items():
        rows.append([name, *(f"{median(r[k] for r in rounds):.2f}" for k in COLUMNS)])
    for k in COLUMNS:
        pairs = zip(found["lamina"], found["openmp"], strict=True)
        ratios[k] = median(mine[k] / theirs[k] for mine, theirs in pairs)
    rows.append(["lamina / openmp", *(f"{ratio:.2f}" for ratio in ratios.values())])
    print(_report.table(rows))
    return int(args.check and (ratios["warm"] > 0.5 or ratios["idle"] > 1))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        _contender.main([int(cpu) for cpu in sys.argv[2].split(",")], Regions)
    else:
        sys.exit(main())
