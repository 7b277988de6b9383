"""
How far the seconds that the cost model predicts are from those measured, over kernels of models.

    python -m benchmarks.predictions MODEL.onnx... [--rounds 12] [--worst 5]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import lamina
from lamina.backends.model import Timing
from lamina.tools._arrays import random_inputs
from lamina.tools._report import table


def timings(path: str, rounds: int) -> list[Timing]:
    """Each kernel call of a model, the better of two profiles."""
    model = lamina.compile(path, threads=1, cache=False, records=False)
    inputs = random_inputs(model.inputs, 0)
    pairs = zip(*(model.profile(inputs, rounds) for _ in range(2)), strict=True)
    return [min(pair, key=lambda t: t.seconds) for pair in pairs]


def row(name: str, found: Sequence[Timing]) -> list[str]:
    """Predicted over measured: percentiles over calls, and where it is off by more than 2."""
    measured = np.array([t.seconds for t in found])
    ratio = np.array([t.predicted for t in found]) / measured
    off = (ratio > 2) | (ratio < 0.5)
    cells = [f"{p:.2f}" for p in np.percentile(ratio, (5, 25, 50, 75, 95))]
    total = sum(t.predicted for t in found) / measured.sum()
    return [
        name,
        *cells,
        f"{total:.2f}",
        f"{off.mean():.1%}",
        f"{measured[off].sum() / measured.sum():.1%}",
    ]


def main() -> int:
    """Print a line for each model, and the kernels that are furthest off."""
    parser = argparse.ArgumentParser(prog="benchmarks.predictions", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("models", nargs="+")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--worst", type=int, default=5, help="kernels of each model to show")
    args = parser.parse_args()
    rows = [
        ["predicted / measured", "5 %", "25 %", "50 %", "75 %", "95 %", "sum", "off", "of time"]
    ]
    for path in args.models:
        found = timings(path, args.rounds)
        rows.append(row(Path(path).stem, found))
        for t in sorted(found, key=lambda t: -abs(t.predicted - t.seconds))[: args.worst]:
            times = f"{1e6 * t.seconds:8.1f} us, predicted {1e6 * t.predicted:8.1f}"
            print(f"  {t.symbol:32} {times}", flush=True)
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
