"""A roofline plot as SVG: rates of kernels below what arithmetic and memory allow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, floor, log10

from lamina.backends.machine import Machine
from lamina.tools._network_report import Kernel

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 60, 150, 12, 44
STYLES = {"L2": "2 3", "L3": "6 3", "memory": "none"}
"""how the line of each level is dashed"""


class _Axes:
    """Logarithmic axes around all points, from one power of ten to another."""

    def __init__(self, xs: Sequence[float], ys: Sequence[float]) -> None:
        self.x = floor(log10(min(xs))), ceil(log10(max(xs)) + 1e-9)
        self.y = floor(log10(min(ys))), ceil(log10(max(ys)) + 1e-9)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point lies on the page."""
        across = (log10(x) - self.x[0]) / (self.x[1] - self.x[0])
        up = (log10(y) - self.y[0]) / (self.y[1] - self.y[0])
        return (
            LEFT + across * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM),
        )


def roofline(kernels: Sequence[Kernel], machine: Machine, threads: int = 1) -> str:
    """The plot of all kernels that compute something."""
    rates = machine.rates
    peak = threads * rates.flops_per_cycle * rates.ghz
    levels = {
        name: threads * rate * rates.ghz
        for name, rate in (("L2", rates.l2), ("L3", rates.l3), ("memory", rates.dram))
    }
    shown = [k for k in kernels if k.flops and k.bytes and k.seconds]
    points = [(k.flops / k.bytes, k.flops / k.seconds / 1e9) for k in shown]
    corners = [peak / bandwidth for bandwidth in levels.values()]
    xs = [*(x for x, _ in points), *corners, max(corners) * 4]
    axes = _Axes(xs, [*(y for _, y in points), peak, peak / 20])
    parts = [*_grid(axes), *_roofs(axes, peak, levels)]
    for k, (x, y) in zip(shown, points, strict=True):
        u, v = axes.at(x, y)
        full = "#1f78b4" if k.measured is not None else "none"
        title = f"{k.symbol}: {k.source}\n{y:.1f} GFLOP/s, {x:.2f} FLOP for each byte"
        parts.append(
            f'<circle cx="{u:.1f}" cy="{v:.1f}" r="4" fill="{full}" fill-opacity="0.6"'
            f' stroke="#1f78b4"><title>{escape(title)}</title></circle>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"'
        f' viewBox="0 0 {WIDTH} {HEIGHT}">{"".join(parts)}</svg>'
    )


def _grid(axes: _Axes) -> Iterator[str]:
    """A line and a number at each power of ten."""
    low, high = 10.0 ** axes.x[0], 10.0 ** axes.y[0]
    for power in range(axes.x[0], axes.x[1] + 1):
        (x, y), (_, top) = axes.at(10.0**power, high), axes.at(10.0**power, 10.0 ** axes.y[1])
        yield f'<path d="M{x:.1f} {y:.1f}V{top:.1f}" stroke="#ddd"/>'
        yield f'<text x="{x:.1f}" y="{y + 16:.1f}" text-anchor="middle">{10.0**power:g}</text>'
    for power in range(axes.y[0], axes.y[1] + 1):
        (x, y), (right, _) = axes.at(low, 10.0**power), axes.at(10.0 ** axes.x[1], 10.0**power)
        yield f'<path d="M{x:.1f} {y:.1f}H{right:.1f}" stroke="#ddd"/>'
        yield f'<text x="{x - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>'
    yield f'<text x="{LEFT}" y="{HEIGHT - 8}">FLOP for each byte read or written</text>'
    yield f'<text x="14" y="{HEIGHT / 2}" transform="rotate(-90 14 {HEIGHT / 2})">GFLOP/s</text>'


def _roofs(axes: _Axes, peak: float, levels: dict[str, float]) -> Iterator[str]:
    """Up along each level's bandwidth, then level at the peak."""
    right = 10.0 ** axes.x[1]
    for name, bandwidth in levels.items():
        start = max(10.0 ** axes.x[0], 10.0 ** axes.y[0] / bandwidth)
        (a, b), (c, d) = axes.at(start, start * bandwidth), axes.at(peak / bandwidth, peak)
        yield (
            f'<path d="M{a:.1f} {b:.1f}L{c:.1f} {d:.1f}" stroke="#e31a1c"'
            f' stroke-dasharray="{STYLES[name]}"><title>{name}</title></path>'
        )
        text = f"{name} {bandwidth:.0f} GB/s"
        yield f'<text x="{(a + c) / 2 + 8:.1f}" y="{(b + d) / 2 + 12:.1f}">{text}</text>'
    corner = peak / max(levels.values())
    (a, b), (c, _) = axes.at(corner, peak), axes.at(right, peak)
    yield f'<path d="M{a:.1f} {b:.1f}H{c:.1f}" stroke="#e31a1c"/>'
    yield f'<text x="{c + 6:.1f}" y="{b + 4:.1f}">peak {peak:.0f} GFLOP/s</text>'
