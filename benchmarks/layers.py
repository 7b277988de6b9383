"""
The kernels of a network one by one, each where it stands in the network: how close to the peak.

Every network is compiled twice, with `numerics="strict"` and with `"fast"`, and both are profiled
in turns on one processor. Operations are those that a kernel carries out, so its share of the FMA
peak, measured in the same run, is what its code is worth; where "fast" computes the same layer
with fewer operations, the last columns say how much sooner it is done.

    python -m benchmarks.layers [resnet50 vgg19 | FILE.onnx ...] [--rounds 15]
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import lamina
from benchmarks.models import file_of
from lamina.backends.cpu.peak import fma_peak
from lamina.backends.machine import describe
from lamina.backends.model import CompiledModel
from lamina.tools._arrays import random_inputs
from lamina.tools._rounds import choose_cpus

LEAST = 0.002
"""of the network's time: what takes less is left out"""


@dataclass(frozen=True)
class Layer:
    """The calls of one kernel."""

    symbol: str
    source: str
    """the name in the model of what the first of them computes"""
    calls: int
    seconds: float
    """of all of them"""
    flops: int
    fast: float | None
    """seconds in the network compiled fast, where the same values are computed by kernels there"""


def profiles(
    models: Sequence[CompiledModel], rounds: int
) -> list[Mapping[str, tuple[str, float, int]]]:
    """For each model, by the name of what a call computes: kernel, median seconds, operations."""
    inputs = random_inputs(models[0].inputs, 0)
    turns = [[m.profile(inputs, 3) for m in models] for _ in range(rounds)]
    found = []
    for k in range(len(models)):
        calls = zip(*(turn[k] for turn in turns), strict=True)
        found.append(
            {
                c[0].source or f"{c[0].symbol}#{c[0].call}": (
                    c[0].symbol,
                    median(t.seconds for t in c),
                    c[0].flops,
                )
                for c in calls
            }
        )
    return found


def layers(path: Path, rounds: int) -> Iterator[Layer]:
    """Every kernel of the network that takes some time, in the order of its first call."""
    models = [lamina.compile(path, threads=1, numerics=n) for n in ("strict", "fast")]
    strict, fast = profiles(models, rounds)
    total = sum(seconds for _, seconds, _ in strict.values())
    kernels: dict[str, list[str]] = {}
    for source, (symbol, _, _) in strict.items():
        kernels.setdefault(symbol, []).append(source)
    for symbol, sources in kernels.items():
        seconds = sum(strict[s][1] for s in sources)
        if seconds < LEAST * total:
            continue
        same = [fast[s][1] for s in sources if s in fast]
        flops = sum(strict[s][2] for s in sources)
        quick = sum(same) if len(same) == len(sources) else None
        yield Layer(symbol, sources[0], len(sources), seconds, flops, quick)


def table(found: Sequence[Layer], peak: float) -> list[str]:
    """Lines of Markdown."""
    lines = [
        "| layer | kernel | calls | us each | GFLOP/s | of peak | fast, us each | times |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for layer in found:
        rate = layer.flops / layer.seconds / 1e9
        speed = [f"{rate:.1f}", f"{rate / peak:.1%}"] if layer.flops else ["", ""]
        quick = ["", ""]
        if layer.fast is not None:
            quick = [f"{1e6 * layer.fast / layer.calls:.1f}", f"{layer.seconds / layer.fast:.2f}"]
        each = f"{1e6 * layer.seconds / layer.calls:.1f}"
        cells = [layer.source, layer.symbol, str(layer.calls), each, *speed, *quick]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main(argv: Sequence[str] | None = None) -> None:
    """Print a table for each network."""
    parser = argparse.ArgumentParser("python -m benchmarks.layers", description=__doc__)
    parser.add_argument("networks", nargs="*", default=["resnet50", "vgg19"], metavar="NETWORK")
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args(argv)
    os.sched_setaffinity(0, choose_cpus(1))
    machine = describe("cpu")
    with tempfile.TemporaryDirectory() as folder:
        for name in args.networks:
            path = file_of(name, folder)
            peaks = [fma_peak(machine)]
            found = list(layers(path, args.rounds))
            peak = max(*peaks, fma_peak(machine))
            heavy = [f.flops / f.seconds / 1e9 / peak for f in found if "conv2d" in f.symbol]
            print(f"\n{path.stem}: FMA peak of one core {peak:.1f} GFLOP/s; ", end="")
            print(f"convolutions {median(heavy):.1%} in the median, least {min(heavy):.1%}\n")
            print("\n".join(table(found, peak)), flush=True)


if __name__ == "__main__":
    main()
