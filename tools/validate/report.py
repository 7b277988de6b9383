"""What one pass's check came to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lamina.tools.validate.compare import NATIVE


@dataclass
class Checked:
    """A function that computes what it did."""

    how: str
    """interpreted or native"""
    samples: int
    difference: float


@dataclass
class Report:
    """One line about one pass."""

    numerics: str
    checked: dict[str, Checked] = field(default_factory=dict)
    covered: dict[str, str] = field(default_factory=dict)
    """function -> the one whose check includes it"""
    problems: dict[str, str] = field(default_factory=dict)
    """function -> why it is not checked"""

    def __str__(self) -> str:
        parts = [self.numerics]
        for how in ("interpreted", "native"):
            names = [name for name, c in self.checked.items() if c.how == how]
            if names:
                samples = sorted({self.checked[name].samples for name in names})
                often = " to ".join(str(n) for n in dict.fromkeys((samples[0], samples[-1])))
                kinds = "kind" if often == "1" else "kinds"
                within = f" (within {NATIVE:g})" if how == "native" else ""
                parts.append(f"{how}{within} {_listed(names)} on {often} {kinds} of samples")
        if self.checked:
            largest = max(c.difference for c in self.checked.values())
            parts.append(f"largest difference {largest:.3g}")
        for by in dict.fromkeys(self.covered.values()):
            names = [name for name, other in self.covered.items() if other == by]
            parts.append(f"{_listed(names)} covered by {by}")
        parts += [f"not checked: @{name}: {why}" for name, why in self.problems.items()]
        return "; ".join(parts if len(parts) > 1 else [*parts, "no function changed"])


def _listed(names: Iterable[str]) -> str:
    names = [f"@{name}" for name in names]
    return ", ".join(names) if len(names) < 6 else f"{len(names)} functions"
