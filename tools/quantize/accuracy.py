"""What quantization costs: the float network and the simulated one on the same samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from lamina.interpreters.int8 import dequantize, quantize
from lamina.passes.int8._scales import Scale
from lamina.progress import Progress
from lamina.tools._arrays import Arrays
from lamina.tools._likeness import Likeness
from lamina.tools._report import table
from lamina.tools.quantize.collect import Observe
from lamina.tools.quantize.write import Scales, Weights


@dataclass
class Row:
    """A quantized tensor."""

    tensor: str
    readers: str
    """the layers and other steps that read it"""
    own: Likeness = field(default_factory=Likeness)
    """what 8 bits make of it where all before is float"""
    reached: Likeness = field(default_factory=Likeness)
    """what it is in the quantized network, before it is rounded"""
    saturated: int = 0
    size: int = 0


@dataclass
class Accuracy:
    """The rows of a report, worst first, and how like each output of the network is."""

    rows: list[Row]
    outputs: dict[str, Likeness]

    def table(self) -> str:
        """The report as text."""
        head = ["SQNR", "in the network", "cosine", "cut off"]
        numbers = table([head, *map(_line, self.rows)], left=0).splitlines()
        names = ["tensor < who reads it", *(f"{r.tensor} < {r.readers}" for r in self.rows)]
        return "\n".join(f"{n}  {name}" for n, name in zip(numbers, names, strict=True))


def measure(
    samples: Iterable[Arrays],
    exact: Observe,
    simulated: Observe,
    rows: Mapping[str, Row],
    scales: Scales,
    outputs: Iterable[str],
    weights: Iterable[Weights],
    step: Progress,
) -> Accuracy:
    """Compare two networks on all samples, and weights with what they are in 8 bits."""
    found = {name: Likeness() for name in outputs}
    for n, sample in enumerate(samples):
        step(f"accuracy, sample {n + 1}")
        x, y = exact(sample), simulated(sample)
        for name, row in rows.items():
            row.own.add(x[name], _rounded(x[name], scales[name]))
            row.reached.add(x[name], y[name])
            row.saturated += _cut_off(x[name], scales[name])
            row.size += x[name].size
        for name, likeness in found.items():
            likeness.add(x[name], y[name])
    every = [*rows.values(), *map(_weights, weights)]
    return Accuracy(sorted(every, key=lambda r: r.own.decibels), found)


def _rounded(x: np.ndarray, s: Scale) -> np.ndarray:
    """What 8 bits make of x."""
    return dequantize(quantize(x, s.scale, s.zero_point, s.dtype), s.scale, s.zero_point)


def _cut_off(x: np.ndarray, s: Scale) -> int:
    """How many numbers of x are beyond what 8 bits hold."""
    low, high = s.steps()
    steps = np.rint(x / s.scale)
    return int(np.count_nonzero((steps < low) | (steps > high)))


def _weights(w: Weights) -> Row:
    row = Row(w.name, w.layer, size=w.exact.size)
    row.own.add(w.exact, w.rounded)
    row.reached = row.own
    return row


def _line(r: Row) -> list[str]:
    share = f"{r.saturated} of {r.size}" if r.saturated else "0"
    return [str(r.own), str(r.reached), f"{r.reached.cosine:.5f}", share]
