"""What `lamina bench --json` wrote, as a part of a Markdown page and a plot beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import geometric_mean
from typing import Any

from lamina.errors import LaminaError
from lamina.tools import _bench_summary, _files, _report

BEGIN, END = "<!-- lamina bench: begin -->", "<!-- lamina bench: end -->"
"""the lines between which the results stand on a page"""

TITLES = {
    "lamina": "Lamina",
    "lamina-openmp": "Lamina on OpenMP",
    "onnxruntime": "ONNX Runtime",
    "openvino": "OpenVINO",
    "pytorch": "PyTorch",
    "pytorch-compiled": "PyTorch compiled",
}

Entry = Mapping[str, Any]


def report(path: str, page: str | None) -> None:
    """Print the results of one file as Markdown, or write them into a page."""
    results = _report.read(path)
    if not results["models"]:
        raise LaminaError(f"'{path}' has no models yet")
    if page is None:
        print(text(results), end="")
        return
    _files.require_readable(page)
    before, after = _around(page)
    if find_spec("matplotlib") is None:
        raise LaminaError("--write needs matplotlib; run: pip install 'lamina[bench]'")
    from lamina.tools import _bench_plot  # matplotlib takes a second that only this needs

    plot = Path(page).with_suffix(".svg")
    with _files.whole(plot) as file:
        file.write_text(_bench_plot.svg(results))
    with _files.whole(page) as file:
        file.write_text(f"{before}{BEGIN}\n{text(results, plot.name)}{END}{after}")
    print(f"wrote {page} and {plot}")


def _around(page: str) -> tuple[str, str]:
    """What stands before and after the results on a page."""
    content = Path(page).read_text()
    if content.count(BEGIN) != 1 or content.count(END) != 1:
        raise LaminaError(f"'{page}' needs the lines '{BEGIN}' and '{END}', each once")
    before, _, rest = content.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise LaminaError(f"'{page}' has '{END}' before '{BEGIN}'")
    return before, after


def text(results: Mapping[str, Any], plot: str | None = None) -> str:
    """The command, the machine, the versions, the plot, and a table for each number of threads."""
    where, models = results["machine"], results["models"]
    entries: dict[str, Entry] = {}
    for model in models:
        entries |= model["contenders"]
    peers = [entry for entry in entries.values() if entry["name"] != "lamina"]
    versions = {
        TITLES[e["name"]].removesuffix(" compiled"): e["version"]
        for e in entries.values()
        if "version" in e
    }
    rounds = sorted({model["rounds"] for model in models})
    parts = [
        f"```text\n{results['command']}\n```",
        f"{where['cpu']}, {where['cpus']} CPUs, {where['memory_gb']:.0f} GB, {where['system']}, "
        f"Python {where['python']}, xDSL {where['xdsl']}, llvmlite {where['llvmlite']}. "
        f"{', '.join(f'{name} {number}' for name, number in versions.items())}. "
        f"{results['date']}, {_range(rounds)} rounds.",
    ]
    if plot and peers:
        parts.append(f"![Time of each library over Lamina's, network by network]({plot})")
    if summary := _bench_summary.rows(models):
        parts += ["### Speed over the better of ONNX Runtime and OpenVINO", _markdown(summary)]
    for threads in sorted({entry["threads"] for entry in peers}):
        parts += _threads_part(models, threads)
    if not peers:
        parts.append(_markdown([["network", "Lamina ms"], *_alone(models)]))
    return "\n\n".join(parts) + "\n"


def _range(numbers: Sequence[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def _alone(models: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """A line for each model that was compared with nothing."""
    return [[m["name"], *_times(next(iter(m["contenders"].values())))] for m in models]


def _threads_part(models: Sequence[Mapping[str, Any]], threads: int) -> list[str]:
    """A heading and a table: the peers that run with so many threads, and Lamina beside them."""
    contenders: dict[str, Entry] = {}
    for model in models:
        contenders |= {k: c for k, c in model["contenders"].items() if c["threads"] == threads}
    peers = {label: c["name"] for label, c in contenders.items() if c["name"] != "lamina"}
    mine = next(
        (
            model["contenders"][label]["ratio"]["to"]
            for model in models
            for label in peers
            if "ratio" in model["contenders"][label]
        ),
        "lamina@1",
    )
    own = models[0]["contenders"][mine]["threads"]
    head = ["network", "Lamina ms"]
    for name in peers.values():
        head += [f"{TITLES[name]} ms", f"Lamina / {TITLES[name]}"]
    rows = [head]
    for model in models:
        found = model["contenders"]
        row = [model["name"], *_times(found[mine])]
        for label in peers:
            row += [*_times(found[label]), _ratio(found[label])]
        far = [found[label]["difference"] for label in peers if "ratio" in found[label]]
        rows.append([*row, f"{max(far):.1e}" if far else ""])
    head.append("largest difference")
    means = [["", _mean(models, label)] for label in peers]
    rows.append(["geometric mean", "", *(cell for pair in means for cell in pair), ""])
    title = f"### Libraries with {_report.count(threads)}, Lamina with {_report.count(own)}"
    return [title, _markdown(rows)]


def _times(entry: Entry) -> list[str]:
    """Milliseconds, or why there are none."""
    return [entry["cannot"] if "cannot" in entry else f"{entry['latency']['median_ms']:.3f}"]


def _ratio(entry: Entry) -> str:
    return _report.spread(entry["ratio"]) if "ratio" in entry else entry.get("wrong", "")


def _mean(models: Sequence[Mapping[str, Any]], label: str) -> str:
    entries = [model["contenders"][label] for model in models]
    ratios = [entry["ratio"]["median"] for entry in entries if "ratio" in entry]
    left_out = f" of {len(ratios)}" if len(ratios) < len(entries) else ""
    return f"{geometric_mean(ratios):.3f}{left_out}" if ratios else ""


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first row is its head."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])
