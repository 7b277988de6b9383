"""The results of `lamina bench` as a plot: one row a network, one dot a library."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from lamina.tools._bench_page import TITLES
from lamina.tools._report import count

# Told apart also by those who see fewer colours (Okabe and Ito).
COLOURS = {
    "lamina": "#000000",
    "lamina-openmp": "#cc79a7",
    "onnxruntime": "#0072b2",
    "openvino": "#009e73",
    "pytorch": "#e69f00",
    "pytorch-compiled": "#d55e00",
}
TICKS = (0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4, 6, 8, 16)


def svg(results: Mapping[str, Any]) -> str:
    """The plot as SVG text; the same results give the same text."""
    models = results["models"]
    # Text stays text: small and searchable; and names are the same in every run.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "lamina"}):
        figure = Figure(figsize=(8, 2.0 + 0.3 * len(models)), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        _dots(axes, models)
        _frame(axes, [model["name"] for model in models])
        figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize="small")
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _dots(axes: Axes, models: list[Mapping[str, Any]]) -> None:
    """For each library and number of threads, its time over Lamina's: full with one thread."""
    contenders: dict[str, Mapping[str, Any]] = {}
    for model in models:
        contenders |= model["contenders"]
    for label, contender in contenders.items():
        if contender["name"] == "lamina":
            continue
        found = [(row, m["contenders"].get(label, {}).get("ratio")) for row, m in enumerate(models)]
        dots = [(1 / ratio["median"], row) for row, ratio in found if ratio]
        colour, threads = COLOURS[contender["name"]], contender["threads"]
        axes.plot(
            [x for x, _ in dots],
            [row for _, row in dots],
            "o" if threads == 1 else "D",
            color=colour,
            fillstyle="full" if threads == 1 else "none",
            markersize=6,
            label=f"{TITLES[contender['name']]}, {count(threads)}",
        )


def _frame(axes: Axes, names: list[str]) -> None:
    """Axes, and the line on which a library is as fast as Lamina."""
    axes.axvline(1, color=COLOURS["lamina"], linewidth=1)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(TICKS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.set_xlabel("time / time of Lamina (right of 1: Lamina is faster)")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
