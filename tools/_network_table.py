"""The report on a network as text."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.tools._network_report import Kernel, Network
from lamina.tools._report import table

HEADER = ("", "kernel", "computes", "reads", "writes", "how")
NUMBERS = ("predicted us", "measured us", "GFLOP/s", "MB")


def tables(network: Network) -> str:
    """Every kernel, the transforms left, totals, and how layouts were chosen."""
    kernels = network.kernels
    rows = [[*HEADER, *NUMBERS]]
    rows += [[str(n), *words(k), *numbers([k])] for n, k in enumerate(kernels)]
    rows += [["", "total", *[""] * 4, *numbers(kernels)]]
    parts = [table(rows, len(HEADER)), "", transforms_line(network)]
    moved = [(n, k) for n, k in enumerate(kernels) if k.moves]
    if moved:
        names = ("", "transform of", "from", "to")
        rows = [[*names, *NUMBERS]]
        rows += [[str(n), k.source or k.symbol, k.reads, k.writes, *numbers([k])] for n, k in moved]
        parts += [table(rows, len(names))]
    return "\n".join([*parts, "", *search_lines(network)])


def words(k: Kernel) -> list[str]:
    """Which kernel it is, and how it computes what."""
    return [k.symbol, k.source, k.reads, k.writes, k.algorithm]


def numbers(kernels: Sequence[Kernel]) -> list[str]:
    """Times, rate and bytes of some kernels together."""
    predicted = sum(k.predicted for k in kernels)
    measured = [k.measured for k in kernels if k.measured is not None]
    whole = len(measured) == len(kernels) > 0
    seconds = sum(measured) if whole else predicted
    flops = sum(k.flops for k in kernels)
    return [
        f"{predicted * 1e6:.1f}",
        f"{seconds * 1e6:.1f}" if whole else "",
        f"{flops / seconds / 1e9:.1f}" if flops and seconds else "",
        f"{sum(k.bytes for k in kernels) / 1e6:.3f}",
    ]


def transforms_line(network: Network) -> str:
    """How many kernels only store tensors anew, and what that takes of the whole."""
    moved = [k for k in network.kernels if k.moves]
    if not moved:
        return "transforms left: none"
    borders = sum(k.algorithm == "border" for k in moved)
    took, whole = (sum(k.seconds for k in each) for each in (moved, network.kernels))
    share = f", {took / whole:.2%} of the time" if whole else ""
    megabytes = sum(k.bytes for k in moved) / 1e6
    count = f"{len(moved) - borders}, and {borders} copied for a border" if borders else len(moved)
    return f"transforms left: {count}; {megabytes:.3f} MB, {took * 1e6:.1f} us{share}"


def search_lines(network: Network) -> list[str]:
    """How layouts were chosen, and what the numbers above are."""
    lines: list[str] = []
    for c in network.choices:
        proven = "no choice is better" if c.found.exact else "not proven best"
        lines.append(
            f"layouts: {network.way}, {proven} under the formula: {c.found.cost * 1e3:.3f} ms for "
            f"{c.variables} variables, tables of at most {c.found.table} numbers, {c.took:.2f} s"
        )
    if not network.choices:
        lines.append(f"layouts: {network.way}, nothing was searched")
    if network.unmeasured:
        lines.append(f"not measured: {network.unmeasured}")
    return lines
