"""
How close `lamina tune` comes to measuring everything, and how long it takes.

First all 23 different convolutions of ResNet-50 are tuned as the command does it, and timed, but
with nothing at all in the caches, where the command leaves what a network leaves there. Then
for five of them every register tile that the compiler knows of is measured, each with its best
loops; the best of all and the tuned one meet once more, in many turns, because the best of many
that were measured was also the luckiest.

    python -m benchmarks.tuning [--trials 16] [--check]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from xdsl.context import Context

from benchmarks.kernels import RESNET50, convolution_text, parse
from lamina.backends.cpu.measure import measured
from lamina.backends.machine import Machine, describe
from lamina.dialects.te import ScheduleAttr
from lamina.passes import pipelines
from lamina.passes.te._directives import computes
from lamina.passes.te._workload import standalone
from lamina.steps import no_garbage_collection
from lamina.tools import _cold
from lamina.tools._tuning import BEFORE, EVERY, ColdMeasure, Workload, choices, fastest, scheduled

FIVE = (2, 4, 10, 16, 22)
"""places in RESNET50: windows and points, maps of 56, 28, 14 and 7"""
MOST_SECONDS, MOST_SLOWER = 60, 1.03
"""that --check accepts"""
AT_ONCE = 24
"""schedules in memory and measured together"""


def workload(layer: tuple[int, ...]) -> Workload:
    """A layer as the tuner sees it."""
    ci, co, n, k, s = layer
    module = parse(convolution_text(ci, co, n, k, s, 32))
    for p in pipelines.default("cpu"):
        if p.name == BEFORE:
            break
        if p.name.startswith("te-"):
            p.apply(Context(), module)
    alone = standalone(computes(module)[0])
    assert alone is not None
    return Workload(str(alone), alone, f"{ci}->{co} {k}x{k} s{s} @{n}", (), 1)


def best_of_all(w: Workload, machine: Machine, measure: ColdMeasure) -> tuple[ScheduleAttr, int]:
    """The schedule that won against all others, and how many there were."""
    schedules = [c.schedule for c in choices(w, machine, EVERY) if c.schedule is not None]
    winners = list[ScheduleAttr]()
    for at in range(0, len(schedules), AT_ONCE):
        some = schedules[at : at + AT_ONCE]
        seconds = measure(w, some)
        winners.append(some[min(range(len(some)), key=seconds.__getitem__)])
    seconds = measure(w, winners)
    return winners[min(range(len(winners)), key=seconds.__getitem__)], len(schedules)


def tuned(w: Workload, machine: Machine, measure: ColdMeasure, trials: int) -> ScheduleAttr:
    """What the command would record."""
    schedules = [c.schedule for c in choices(w, machine, trials) if c.schedule is not None]
    return schedules[fastest(w, schedules, measure)[0]]


def face(
    w: Workload, rivals: Sequence[ScheduleAttr], machine: Machine, rounds: int = 101
) -> list[float]:
    """The seconds of a few schedules in many turns."""
    with no_garbage_collection():
        kernels = [scheduled(w.module, s, machine) for s in rivals]
    runs = _cold.runs_of(kernels, _cold.buffers(w.module), machine)
    return _cold.take_turns(runs, _cold.emptying(machine), rounds, enough=10)


def main() -> int:
    """Measure, print, and with --check judge."""
    parser = argparse.ArgumentParser(prog="benchmarks.tuning", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--check", action="store_true", help="exit 1 if that is too slow")
    args = parser.parse_args()
    machine = measured(describe("cpu"))
    measure = ColdMeasure(machine, rounds=15)
    layers = [workload(layer) for layer in RESNET50]
    start = time.perf_counter()
    found = [tuned(w, machine, measure, args.trials) for w in layers]
    seconds = time.perf_counter() - start
    print(f"{len(layers)} convolutions tuned in {seconds:.1f} s, {args.trials} trials each")
    worst = 0.0
    for k in FIVE:
        w = layers[k]
        best, count = best_of_all(w, machine, measure)
        first = choices(w, machine, args.trials)[0].schedule or best
        of_tuned, of_best, of_first = face(w, (found[k], best, first), machine)
        worst = max(worst, of_tuned / of_best)
        print(
            f"{w.name:20} best of {count:3} {1e6 * of_best:7.1f} us  tuned {1e6 * of_tuned:7.1f} us"
            f" ({of_tuned / of_best - 1:+.1%})  untuned {1e6 * of_first:7.1f} us"
            f" ({of_first / of_best - 1:+.1%})",
            flush=True,
        )
    slow = seconds > MOST_SECONDS or worst > MOST_SLOWER
    if slow and args.check:
        print(f"took {seconds:.0f} s, at worst {worst - 1:+.1%}", file=sys.stderr)
    return int(slow and args.check)


if __name__ == "__main__":
    sys.exit(main())
