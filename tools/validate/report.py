"""What one pass's check came to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from lamina.tools._likeness import Likeness
from lamina.tools.validate.compare import NATIVE
from lamina.tools.validate.stored import Steps


@dataclass
class Checked:
    """A function that computes what it did."""

    how: str
    """interpreted or native"""
    samples: int
    difference: float = 0.0
    """the largest of a result, as a part of its largest number"""
    steps: Steps = field(default_factory=Steps)
    """of tensors that are stored in 8 bits, where these are compared"""
    likeness: Likeness = field(default_factory=Likeness)
    """of results of a pass that is lossy"""

    def measure(self, before: np.ndarray, after: np.ndarray) -> None:
        """Note what a lossy pass has made of a result."""
        if before.dtype in (np.int8, np.uint8):
            self.steps.add(before, after)
        elif before.dtype.kind == "f":
            finite = np.isfinite(before) & np.isfinite(after)
            self.likeness.add(before[finite], after[finite])


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
            parts += self.measured()
        for by in dict.fromkeys(self.covered.values()):
            names = [name for name, other in self.covered.items() if other == by]
            parts.append(f"{_listed(names)} covered by {by}")
        parts += [f"not checked: @{name}: {why}" for name, why in self.problems.items()]
        return "; ".join(parts if len(parts) > 1 else [*parts, "no function changed"])

    def measured(self) -> list[str]:
        """What there is to say about passes that change more than rounding does."""
        steps, likeness = Steps(), Likeness()
        for c in self.checked.values():
            steps += c.steps
            likeness += c.likeness
        parts = [str(steps)] if steps.size else []
        if likeness.signal:
            parts.append(f"signal to noise {likeness}, cosine {likeness.cosine:.6f}")
        return parts


def _listed(names: Iterable[str]) -> str:
    names = [f"@{name}" for name in names]
    return ", ".join(names) if len(names) < 6 else f"{len(names)} functions"
