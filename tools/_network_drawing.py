"""A network of kernels as SVG: rows of boxes, each below all whose results it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from lamina.tools._network_report import Kernel

PALETTE = (
    *("#a6cee3", "#fdbf6f", "#b2df8a", "#fb9a99", "#cab2d6", "#ffff99", "#1f78b4", "#ff7f00"),
    *("#33a02c", "#e31a1c"),
)
"""ColorBrewer's Paired, light ones first"""

WIDTH, HEIGHT, GAP, ROW = 190, 34, 16, 58
LETTERS = 30
"""that fit into a box"""


def colours(kernels: Sequence[Kernel]) -> Mapping[str, str]:
    """A colour for each layout that is written, in the order in which they occur."""
    layouts = dict.fromkeys(k.writes for k in kernels)
    return {layout: PALETTE[n % len(PALETTE)] for n, layout in enumerate(layouts)}


def drawing(kernels: Sequence[Kernel]) -> str:
    """The boxes, and the curves between them."""
    places = _places(kernels)
    columns = max((column for column, _ in places), default=0) + 1
    rows = max((row for _, row in places), default=0) + 1
    colour = colours(kernels)
    parts = [_curve(places[n], places[p]) for n, k in enumerate(kernels) for p in k.after if p >= 0]
    parts += [_box(k, places[n], colour[k.writes]) for n, k in enumerate(kernels)]
    width, height = columns * (WIDTH + GAP) + GAP, rows * ROW + GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}"'
        f' viewBox="0 0 {width:.0f} {height}">{"".join(parts)}</svg>'
    )


def _places(kernels: Sequence[Kernel]) -> list[tuple[float, int]]:
    """Column and row of each: rows by the longest way from an input, in each beside its makers."""
    row: list[int] = []
    for k in kernels:
        row.append(max((row[p] + 1 for p in k.after if p >= 0), default=0))
    column = [0.0] * len(kernels)
    for r in range(max(row, default=-1) + 1):
        here = [n for n in range(len(kernels)) if row[n] == r]
        for n in here:
            makers = [column[p] for p in kernels[n].after if p >= 0]
            column[n] = sum(makers) / len(makers) if makers else 0.0
        taken = -1.0
        for n in sorted(here, key=lambda n: column[n]):
            column[n] = taken = max(column[n], taken + 1)
    return list(zip(column, row, strict=True))


def _corner(place: tuple[float, int]) -> tuple[float, float]:
    return GAP + place[0] * (WIDTH + GAP), GAP + place[1] * ROW


def _box(k: Kernel, place: tuple[float, int], colour: str) -> str:
    x, y = _corner(place)
    dashes = ' stroke-dasharray="4 2"' if k.moves else ""
    title = f"{k.symbol}: {k.source}\n{k.reads} -> {k.writes}\n{k.seconds * 1e6:.1f} us"
    lines = (" ".join(k.ops), f"{k.source or k.symbol}, {k.seconds * 1e6:.0f} us")
    texts = "".join(
        f'<text x="{x + 6:.0f}" y="{y + 14 + 14 * n:.0f}">{escape(_short(line))}</text>'
        for n, line in enumerate(lines)
    )
    return (
        f"<g><title>{escape(title)}</title>"
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{WIDTH}" height="{HEIGHT}" rx="4" fill="{colour}"'
        f' stroke="#555"{dashes}/>{texts}</g>'
    )


def _short(line: str) -> str:
    return line if len(line) <= LETTERS else f"{line[: LETTERS - 1]}\u2026"


def _curve(place: tuple[float, int], maker: tuple[float, int]) -> str:
    (x, y), (u, v) = _corner(place), _corner(maker)
    x, u, v = x + WIDTH / 2, u + WIDTH / 2, v + HEIGHT
    half = (y + v) / 2
    return (
        f'<path d="M{u:.0f} {v:.0f}C{u:.0f} {half:.0f} {x:.0f} {half:.0f} {x:.0f} {y:.0f}"'
        ' fill="none" stroke="#888"/>'
    )
