"""What `lamina bench` says about the times it took: first the numbers, then their tables."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from math import comb
from pathlib import Path
from typing import Any

import numpy as np

from lamina.backends.rates import cpu_name
from lamina.errors import LaminaError
from lamina.tools import _files
from lamina.tools._arrays import Arrays
from lamina.tools._rounds import Turns


def latency(turns: list[list[float]]) -> dict[str, float]:
    """Median and 10th percentile of all runs, in milliseconds."""
    times = np.concatenate(turns)
    return {"median_ms": float(np.median(times)), "p10_ms": float(np.percentile(times, 10))}


def ratio(turns: Turns, name: str, peer: str) -> dict[str, Any]:
    """The time of `name` over that of `peer`, from the medians of each round."""
    pairs = zip(turns[name], turns[peer], strict=True)
    rounds = [float(np.median(mine) / np.median(other)) for mine, other in pairs]
    low, high = median_interval(rounds)
    return {"median": float(np.median(rounds)), "low": low, "high": high, "rounds": rounds}


def median_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """
    Between which of `values` their true median lies with this confidence, whatever they are
    distributed like: the k-th smallest and largest, k the largest number with P(B < k) at most
    (1 - confidence) / 2 for B of n coin tosses (the sign test turned round). With fewer than 6
    values, which cannot give 95 %, the smallest and the largest.
    """
    ordered, n = sorted(values), len(values)
    below, k = 0.0, 0
    while k < n // 2 and (below := below + comb(n, k) / 2**n) <= (1 - confidence) / 2:
        k += 1
    first = max(k, 1) - 1
    return ordered[first], ordered[n - 1 - first]


def difference(x: Arrays, reference: Arrays) -> float:
    """The largest difference of any output, as a part of the largest value of that output."""
    return max(_difference(x[name], reference[name]) for name in x)


def _difference(x: np.ndarray, reference: np.ndarray) -> float:
    if x.shape != reference.shape:
        return float("inf")
    scale = float(np.abs(reference).max(initial=0)) or 1.0
    far = float(np.abs(x.astype(np.float64) - reference).max(initial=0)) / scale
    return far if far == far else float("inf")  # a NaN on one side only


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    return {
        "name": platform.node(),
        "cpu": cpu_name() or platform.machine(),
        "cpus": os.cpu_count(),
        "memory_gb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "xdsl": version("xdsl"),
        "llvmlite": version("llvmlite"),
        "load": os.getloadavg()[0],
    }


def read(path: str) -> dict[str, Any]:
    """What `--json` wrote."""
    _files.require_readable(path)
    try:
        report = json.loads(Path(path).read_text())
    except ValueError:
        report = None
    if not isinstance(report, dict) or not {"machine", "settings", "models"} <= report.keys():
        raise LaminaError(f"'{path}' is not what `lamina bench --json` writes")
    return report


def complete_profile(profile: dict[str, Any]) -> None:
    """Add rates, shares of the peak if that is known, and the sum of all calls."""
    calls = profile["calls"]
    fields = ("seconds", "flops", "predicted")
    total: dict[str, Any] = {f: sum(c[f] for c in calls) for f in fields}
    profile["total"] = total
    for c in (*calls, total):
        c["gflops"] = c["flops"] / c["seconds"] / 1e9
        c["share_of_peak"] = c["gflops"] / peak if (peak := profile["peak_gflops"]) else 0.0
        c["share_of_time"] = c["seconds"] / total["seconds"]


def check_profile(profile: dict[str, Any]) -> None:
    """
    Nothing is faster than the peak: if something seems to be, no number here can be trusted. Where
    bytes are stored, products may be of bytes.
    """
    best = max(profile["calls"], key=lambda c: c["share_of_peak"])
    stores_bytes = any("quantize" in c["symbol"] for c in profile["calls"])
    most = max(1.0, profile["bytes_over_floats"]) if stores_bytes else 1.0
    if best["share_of_peak"] > 1.03 * most:
        raise LaminaError(
            f"kernel '{best['symbol']}' seems to run at {best['share_of_peak']:.0%} of the FMA "
            f"peak of {profile['peak_gflops']:.0f} GFLOP/s: the CPU was disturbed, run it again"
        )


def profile_table(profile: dict[str, Any], by: str) -> str:
    """
    A line for each kernel call, slowest first (`time`) or in order (`order`), with the time that
    the cost model predicted and its ratio to the one measured. Of several devices each has its own
    named.
    """
    calls = profile["calls"]
    if by == "time":
        calls = sorted(calls, key=lambda c: -c["seconds"])
    rows = [["kernel", "computes", "us", "predicted", "ratio", "of time", "GFLOP/s", "of peak"]]
    rows += [[c["symbol"], c["source"], *_rates(c)] for c in calls]
    rows += [["total", "", *_rates(profile["total"])]]
    if not profile["peak_gflops"]:
        rows = [row[:-1] for row in rows]
    devices = [c.get("device", "") for c in calls]
    if len(set(devices)) > 1:
        rows = [[first, on, *r] for (first, *r), on in zip(rows, ["on", *devices, ""], strict=True)]
    notes = list[str]()
    if host := profile.get("enqueueing"):
        notes.append(
            f"the host enqueues {host['kernels']} kernels in {1e3 * host['seconds']:.3f} ms, "
            f"{host['seconds'] / host['whole']:.1%} of the {1e3 * host['whole']:.3f} ms until they "
            "have run"
        )
    if peak := profile["peak_gflops"]:
        notes.append(f"FMA peak of the cores used, measured in the same run: {peak:.1f} GFLOP/s")
    return "\n".join([table(rows), *notes])


def _rates(c: dict[str, Any]) -> list[str]:
    rates = [f"{c['gflops']:.1f}", f"{c['share_of_peak']:.1%}"] if c["flops"] else ["", ""]
    guess, us = c["predicted"], f"{c['seconds'] * 1e6:.1f}"
    beside = [f"{guess * 1e6:.1f}", f"{guess / c['seconds']:.2f}"] if guess else ["", ""]
    return [us, *beside, f"{c['share_of_time']:.1%}", *rates]


def model_table(result: dict[str, Any]) -> str:
    """One model: a line for each contender."""
    rows = [["", "median", "p10", "ready in", "memory", "difference", "lamina / it"]]
    several = len({c["threads"] for c in result["contenders"].values()}) > 1
    for c in result["contenders"].values():
        if "cannot" in c:
            continue
        times = c["latency"]
        row = [f"{c['name']} {c['version']}" + f", {count(c['threads'])}" * several]
        row += [f"{times['median_ms']:.3f} ms", f"{times['p10_ms']:.3f} ms"]
        row += [f"{c['load_s'] + c['first_run_s']:.2f} s", f"{c['peak_mb']:.0f} MB"]
        row += [f"{c['difference']:.1e}" if "difference" in c else ""]
        row += [spread(c["ratio"]) if "ratio" in c else "wrong" if "wrong" in c else ""]
        rows.append(row)
    notes = {
        c["name"]: c[why]
        for c in result["contenders"].values()
        for why in ("cannot", "wrong")
        if why in c
    }
    return "\n".join([table(rows), *(f"{name}: {why}" for name, why in notes.items())])


def count(threads: int) -> str:
    """A number of threads in words."""
    return "1 thread" if threads == 1 else f"{threads} threads"


def spread(r: Mapping[str, Any]) -> str:
    """The median of a ratio, and between what it lies."""
    return f"{r['median']:.3f} ({r['low']:.3f} .. {r['high']:.3f})"


def table(rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Aligned columns, the first of them to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if n < left else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
