"""
Calibration: histograms of tensors over all samples, of which only one is in memory at a time.

What was collected is kept in `$LAMINA_CACHE/calibration`, in a file named by the hash of model,
data and tensors, also by a run that was interrupted: the next one goes on from there.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from onnx import ModelProto

from lamina.backends.cpu.objects import default_folder, key_of, trim
from lamina.errors import LaminaError
from lamina.progress import progress_bar
from lamina.tools import _files
from lamina.tools._arrays import load_npz, save_npz
from lamina.tools.quantize.histogram import HALF, Histogram
from lamina.tools.quantize.samples import Samples

VERSION = 1
"""of the file; another one has another name"""
LIMIT = 256 << 20
"""bytes of such files that are kept"""
PAUSE = 60.0
"""seconds after which what was collected is written, for runs that end without a word"""

Observe = Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]


@dataclass(frozen=True)
class State:
    """What is known after some samples."""

    done: int
    histograms: Mapping[str, Histogram]


def state_file(model: ModelProto, samples: Samples, tensors: Sequence[str]) -> Path:
    """Where the state of a calibration is kept."""
    digest = hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest()
    key = key_of(str(VERSION), digest, samples.key, *tensors)
    return default_folder() / "calibration" / f"{key}.npz"


def collected(
    samples: Samples,
    tensors: Sequence[str],
    observer: Callable[[], Observe],
    path: Path | None,
    again: bool = False,
) -> tuple[State, int]:
    """
    The histograms of `tensors` over all samples, and how many of those were known before.

    `observer` makes what tells the values of tensors, if there is something to do.
    """
    state = State(0, dict.fromkeys(tensors, Histogram.empty()))
    if path and path.exists() and not again:
        state = load(path, tensors, len(samples))
    before = state.done
    if before == len(samples):
        return state, before
    observe, written = observer(), time.monotonic()
    try:
        with progress_bar() as step:
            step("calibrate", more=1 + len(samples) - before)
            for sample in samples.since(before):
                step(f"calibrate, sample {state.done + 1}")
                state = _after(state, observe(sample))
                if path and time.monotonic() - written > PAUSE:
                    save(path, state)
                    written = time.monotonic()
    finally:
        if path and state.done > before:
            save(path, state)
    return state, before


def _after(state: State, values: Mapping[str, np.ndarray]) -> State:
    """The state after one more sample; whole or not at all, whenever somebody interrupts it."""
    histograms = dict[str, Histogram]()
    for name, h in state.histograms.items():
        try:
            histograms[name] = h.added(values[name])
        except ValueError as e:
            raise LaminaError(
                f"tensor '{name}' needs finite numbers to be calibrated, found {e} in sample "
                f"{state.done}; leave that sample out, or look for what overflows"
            ) from e
    return State(state.done + 1, histograms)


def save(path: Path, state: State) -> None:
    """Keep a state where that is possible: where it is not, a second run begins anew."""
    found = state.histograms.values()
    arrays = {
        "done": np.array(state.done),
        "names": np.array(list(state.histograms)),
        "counts": np.array([h.counts for h in found]),
        "exponents": np.array([h.exponent for h in found]),
        "lows": np.array([h.low for h in found]),
        "highs": np.array([h.high for h in found]),
    }
    with suppress(OSError, LaminaError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _files.whole(path) as file:
            save_npz(file, arrays)
        trim(path.parent, LIMIT, keep=path)


def load(path: Path, tensors: Sequence[str], samples: int) -> State:
    """A state that `save` wrote; LaminaError if it is damaged."""
    try:
        a = load_npz(path)
        done, names, counts = int(a["done"]), [str(n) for n in a["names"]], a["counts"]
        exponents, lows, highs = (a[name].tolist() for name in ("exponents", "lows", "highs"))
        fits = names == list(tensors) and counts.shape == (len(names), 2 * HALF)
        if not (fits and counts.dtype == np.int64 and 0 < done <= samples):
            raise ValueError
        rows = zip(names, counts, exponents, lows, highs, strict=True)
        return State(done, {n: Histogram(c, int(e), low, high) for n, c, e, low, high in rows})
    except (LaminaError, KeyError, ValueError, TypeError) as e:
        raise LaminaError(
            f"'{path}', which keeps an earlier calibration, is damaged; delete it, or collect anew "
            "with --again"
        ) from e
