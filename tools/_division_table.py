"""The report on a network that is divided among devices, as text and as a page of HTML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from lamina.tools._division import Division, Placed
from lamina.tools._network_page import STYLE, row
from lamina.tools._report import count, table


@dataclass(frozen=True)
class Section:
    """One table: its rows have words first, then numbers."""

    title: str
    header: tuple[str, ...]
    rows: list[list[str]]
    words: int
    """columns to the left"""


def division_text(found: Division) -> str:
    """Where each op is and why, what is handed on, what each device takes."""
    parts = [_head(found)]
    for s in _sections(found):
        parts += ["", f"{s.title}:", table([s.header, *s.rows], s.words)]
    return "\n".join([*parts, *([""] if (notes := _notes(found)) else []), *notes])


def division_page(found: Division) -> str:
    """The same as a page that needs nothing else."""
    name = escape(Path(found.name).stem)
    body = list[str]()
    for s in _sections(found):
        rows = [row(r[: s.words], r[s.words :]) for r in s.rows]
        header = row(s.header[: s.words], s.header[s.words :], "th")
        body += [f"<h2>{escape(s.title)}</h2>", "<table>", header, *rows, "</table>"]
    lines = "<br/>".join(map(escape, [_head(found), *_notes(found)]))
    return f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"/><title>{name}</title><style>{STYLE}</style></head>
<body>
<h1>{name}</h1>
<p>{lines}</p>
{chr(10).join(body)}
</body>
</html>
"""


def _head(found: Division) -> str:
    used = ", ".join(dict.fromkeys(op.device for op in found.ops)) or "none"
    threads = f"{count(found.threads)} on the host"
    return f"targets: {', '.join(found.devices)}; used: {used}; {threads}"


def _sections(found: Division) -> Iterator[Section]:
    names = [f"us on {d}" for d in found.devices]
    yield Section(
        "ops",
        ("", "op", "computes", "on", "why", *names),
        [[str(n), *_op(op), *_claims(op, found)] for n, op in enumerate(found.ops)],
        5,
    )
    if found.edges:
        yield Section(
            "tensors that change hands",
            ("tensor", "from", "to", "how", "MB", "us"),
            [
                [e.tensor, e.source, e.to, e.way, f"{e.bytes / 1e6:.3f}", f"{e.seconds * 1e6:.1f}"]
                for e in found.edges
            ],
            4,
        )
    yield Section(
        "regions, in the order in which they run",
        ("", "on", "kernels", "measured us"),
        [[str(n), p.device, str(p.kernels), _us(p.measured)] for n, p in enumerate(found.parts)],
        2,
    )
    yield Section(
        "devices",
        ("", "ops", "claimed us", "measured us"),
        [[device, *_totals(found, device)] for device in found.devices],
        1,
    )


def _op(op: Placed) -> list[str]:
    return [op.kind.removeprefix("graph."), op.source, op.device, op.why]


def _claims(op: Placed, found: Division) -> list[str]:
    """The seconds that each device says it takes, or that it cannot."""
    return [_us(op.seconds[d]) if d in op.seconds else "cannot" for d in found.devices]


def _totals(found: Division, device: str) -> list[str]:
    ops = [op for op in found.ops if op.device == device]
    times = [p.measured for p in found.parts if p.device == device]
    measured = [t for t in times if t is not None]
    whole = sum(measured) if len(measured) == len(times) else None
    return [str(len(ops)), _us(sum(op.seconds[device] for op in ops)), _us(whole)]


def _us(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1e6:.1f}"


def _notes(found: Division) -> list[str]:
    """Why devices cannot run what they cannot, each reason once; why nothing was measured."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for op in found.ops:
        for device, reason in op.refused.items():
            reasons.setdefault((device, reason), []).append(op.source or op.kind)
    notes = [
        f"cannot run on {device}: {reason}: {', '.join(names)}"
        for (device, reason), names in reasons.items()
    ]
    return [*notes, *([f"not measured: {found.unmeasured}"] if found.unmeasured else [])]
