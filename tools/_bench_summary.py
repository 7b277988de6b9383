"""How much faster than the better of two libraries: network by network, and by families of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from statistics import geometric_mean
from typing import Any

from lamina.tools import _report

RIVALS = ("onnxruntime", "openvino")
"""made for inference on CPUs, as Lamina is"""

Model = Mapping[str, Any]


def better(model: Model, threads: int) -> Mapping[str, Any] | None:
    """
    The ratio of Lamina's time to that of the rival with the lower median time, all with so many
    threads, among the rivals that ran the model and were right; None unless Lamina was measured
    with them and each rival was tried.
    """
    tried = {e["name"]: e for e in model["contenders"].values() if e["threads"] == threads}
    if not {"lamina", *RIVALS} <= tried.keys():
        return None
    right = [tried[name] for name in RIVALS if "ratio" in tried[name]]
    return min(right, key=lambda e: e["latency"]["median_ms"])["ratio"] if right else None


def family(name: str) -> str:
    """What networks of several depths share: densenet121 -> densenet, vgg16 -> vgg."""
    letters = re.match(r"[a-z]+", name)
    return letters[0] if letters else name


def rows(models: Sequence[Model]) -> list[list[str]]:
    """
    A table: a line for each network, one for each family of several, one for all; a column for
    each number of threads. A number is how many times as fast Lamina is. Empty if there is none.
    """
    counts = sorted({e["threads"] for m in models for e in m["contenders"].values()})
    ratios = {t: {m["name"]: r for m in models if (r := better(m, t))} for t in counts}
    ratios = {t: found for t, found in ratios.items() if found}
    if not ratios:
        return []
    table = [["network", *(_report.count(t) for t in ratios)]]
    for m in models:
        table.append([m["name"], *(_speed(found.get(m["name"])) for found in ratios.values())])
    families = [family(m["name"]) for m in models]
    for each in dict.fromkeys(f for f in families if families.count(f) > 1):
        means = [_mean(found, each) for found in ratios.values()]
        table.append([f"mean of {each}*", *means])
    return [*table, ["geometric mean", *(_mean(found, "") for found in ratios.values())]]


def _speed(ratio: Mapping[str, Any] | None) -> str:
    if ratio is None:
        return ""
    return f"{1 / ratio['median']:.2f} ({1 / ratio['high']:.2f} .. {1 / ratio['low']:.2f})"


def _mean(found: Mapping[str, Mapping[str, Any]], prefix: str) -> str:
    speeds = [1 / r["median"] for name, r in found.items() if name.startswith(prefix)]
    return f"{geometric_mean(speeds):.2f}" if speeds else ""
