"""The report on a network as one page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from lamina.tools._network_drawing import colours, drawing
from lamina.tools._network_report import Network
from lamina.tools._network_table import (
    HEADER,
    NUMBERS,
    numbers,
    search_lines,
    transforms_line,
    words,
)
from lamina.tools._report import count
from lamina.tools._roofline import roofline

STYLE = """
body { font: 14px system-ui, sans-serif; margin: 2em auto; max-width: 76em; color: #222; }
table { border-collapse: collapse; }
td, th { padding: 0.15em 0.7em; border-bottom: 1px solid #ddd; text-align: left; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.key { display: inline-block; width: 1em; height: 1em; margin: 0 0.3em 0 1em; }
.scroll { overflow: auto; max-height: 48em; border: 1px solid #ddd; }
svg { font: 11px system-ui, sans-serif; }
"""


def page(network: Network) -> str:
    """The whole page."""
    name = escape(Path(network.name).stem)
    kernels = network.kernels
    rows = [row([str(n), *words(k)], numbers([k])) for n, k in enumerate(kernels)]
    rows.append(row(["", "total", *[""] * 4], numbers(kernels)))
    lines = [transforms_line(network), *search_lines(network)]
    keys = (
        f'<span class="key" style="background:{colour}"></span>{escape(layout)}'
        for layout, colour in colours(kernels).items()
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"/><title>{name}</title><style>{STYLE}</style></head>
<body>
<h1>{name}</h1>
<p>{escape(network.machine.name)}, {count(network.threads)}; {"<br/>".join(map(escape, lines))}</p>
<h2>Roofline</h2>
<p>Each dot is a kernel: operations for each byte that it reads and writes, and its rate, measured
(full) or predicted (hollow). No kernel can be above the lines.</p>
{roofline(kernels, network.machine, network.threads)}
<h2>Kernels by the layout that they write</h2>
<p>{"".join(keys)}; dashed: transforms</p>
<div class="scroll">{drawing(kernels)}</div>
<h2>Kernels</h2>
<table>
{row(HEADER, NUMBERS, "th")}
{chr(10).join(rows)}
</table>
</body>
</html>
"""


def row(texts: Sequence[str], figures: Sequence[str], tag: str = "td") -> str:
    """A line of a table: words, then numbers."""
    cells = [f"<{tag}>{escape(text)}</{tag}>" for text in texts]
    cells += [f'<{tag} class="n">{escape(text)}</{tag}>' for text in figures]
    return f"<tr>{''.join(cells)}</tr>"
