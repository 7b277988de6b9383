"""
Several processes that run one network at once, on fewer cores than they have threads.

Who ships a model seldom has a machine to himself. Here some processes of one library run the
network at the same time, pinned to the same few processors; then as many of the other do, in
turns. A thread that spins while it waits takes the processor from one that would work: this
shows how much that costs.

    python -m benchmarks.crowd [resnet50 | FILE.onnx] [--processes 4] [--threads 2] [--rounds 15]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

from benchmarks.models import file_of
from lamina.tools import _report
from lamina.tools._arrays import random_inputs, save_npz
from lamina.tools._rounds import Contender, choose_cpus, contenders

LIBRARIES = ("lamina", "openvino")


def load(field: Mapping[str, Contender], path: str, threads: int, folder: str) -> None:
    """Let every process load the network and run it once on the same input."""
    options = {"target": "cpu", "shapes": {}, "cache": True}
    for name, contender in field.items():
        answer = contender.ask(
            "load", runner=name.split()[0], path=path, threads=threads, options=options
        )
        if answer["inputs"]:  # of Lamina, which comes first
            save_npz(f"{folder}/in.npz", random_inputs(answer["inputs"], 0))
        contender.ask("outputs", inputs=f"{folder}/in.npz", outputs=f"{folder}/out.npz")


def together(crowd: Sequence[Contender], runs: int) -> list[float]:
    """The milliseconds of every run of processes that run at the same time."""
    with ThreadPoolExecutor(len(crowd)) as callers:
        asked: list[Any] = [callers.submit(c.ask, "time", warm_up=1, runs=runs) for c in crowd]
        return [ms for each in asked for ms in each.result()["times"]]


def measured(path: str, processes: int, threads: int, rounds: int) -> dict[str, list[list[float]]]:
    """library -> round -> milliseconds of each run in any of its processes"""
    cpus = choose_cpus(threads)
    names = [f"{library} {k}" for library in LIBRARIES for k in range(processes)]
    with (
        contenders(dict.fromkeys(names, cpus)) as field,
        tempfile.TemporaryDirectory() as folder,
    ):
        load(field, path, threads, folder)
        crowds = {
            library: [field[f"{library} {k}"] for k in range(processes)] for library in LIBRARIES
        }
        slowest = max(median(together(crowd, 3)) for crowd in crowds.values())
        runs = max(5, round(500 / slowest))
        found: dict[str, list[list[float]]] = {library: [] for library in LIBRARIES}
        for i in range(rounds):
            for library in LIBRARIES if i % 2 else LIBRARIES[::-1]:
                found[library].append(together(crowds[library], runs))
        return found


def main(argv: Sequence[str] | None = None) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser("python -m benchmarks.crowd", description=__doc__)
    parser.add_argument("network", nargs="?", default="resnet50")
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        path = file_of(args.network, folder)
        turns = measured(str(path), args.processes, args.threads, args.rounds)
    mine, other = LIBRARIES
    rows = [["", "median ms", "10th percentile ms"]]
    for library in LIBRARIES:
        times = _report.latency(turns[library])
        rows.append([library, f"{times['median_ms']:.1f}", f"{times['p10_ms']:.1f}"])
    print(
        f"{path.stem}: {args.processes} processes of {_report.count(args.threads)} each on "
        f"{args.threads} processors"
    )
    print(_report.table(rows))
    print(f"{mine} / {other}: {_report.spread(_report.ratio(turns, mine, other))}")


if __name__ == "__main__":
    main()
