"""
What each step of the compiler is worth: networks compiled with one more of them at a time.

The steps are those of the system that this one follows: convolutions on plain channels first and on
channels last; on blocks of channels, each with the transforms of its own; without the transforms
that cancel; with layouts chosen for the whole network; with Winograd's algorithm. Contenders are
processes of their own and take turns, so a speed is a median of ratios within a round.

    python -m benchmarks.ablation [resnet50 vgg19 ...] [--threads 1] [--rounds 15]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.models import file_of
from lamina.tools import _report
from lamina.tools._arrays import random_inputs, save_npz
from lamina.tools._rounds import Contender, choose_cpus, contenders, take_turns

NETWORKS = ["resnet50", "vgg19", "densenet201", "inception_v3", "ssd512_resnet50"]

STEPS: Mapping[str, Mapping[str, str]] = {
    "NCHW": {"layouts": "nchw", "numerics": "strict"},
    "NHWC": {"layouts": "nhwc", "numerics": "strict"},
    "blocked convolutions": {"layouts": "blocked", "numerics": "strict"},
    "+ transforms eliminated": {"layouts": "local", "numerics": "strict"},
    "+ global search": {"layouts": "exact", "numerics": "strict"},
    "+ Winograd": {"layouts": "exact", "numerics": "fast"},
}
"""what each is called -> options of the compiler"""


def load(field: Mapping[str, Contender], path: str, threads: int, folder: str) -> None:
    """Let every process compile the network its own way and run it on the same input."""
    for name, contender in field.items():
        options: dict[str, Any] = {"target": "cpu", "shapes": {}, "cache": False, **STEPS[name]}
        answer = contender.ask("load", runner="lamina", path=path, threads=threads, options=options)
        file = f"{folder}/in.npz"
        if not Path(file).exists():
            save_npz(file, random_inputs(answer["inputs"], 0))
        contender.ask("outputs", inputs=file, outputs=f"{folder}/out.npz")


def row(name: str, path: Path, threads: int, rounds: int) -> str:
    """One network: milliseconds of the first step, and how many times as fast each other one is."""
    with (
        contenders(dict.fromkeys(STEPS, choose_cpus(threads))) as field,
        tempfile.TemporaryDirectory() as folder,
    ):
        load(field, str(path), threads, folder)
        turns = take_turns(field, rounds)
    first, *others = STEPS
    cells = [name, f"{_report.latency(turns[first])['median_ms']:.1f} ms"]
    for step in others:
        cells.append(f"{_report.ratio(turns, first, step)['median']:.2f}")
    return f"| {' | '.join(cells)} |"


def main(argv: Sequence[str] | None = None) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser("python -m benchmarks.ablation", description=__doc__)
    parser.add_argument("networks", nargs="*", default=NETWORKS, metavar="NETWORK")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args(argv)
    print(f"| network, {_report.count(args.threads)} | {' | '.join(STEPS)} |")
    print("|" + " --- |" * (len(STEPS) + 1))
    with tempfile.TemporaryDirectory() as folder:
        for name in args.networks:
            path = file_of(name, folder)
            print(row(path.stem, path, args.threads, args.rounds), flush=True)


if __name__ == "__main__":
    main()
