"""What there is to know about a compiled model beside its code and its weights.

Plain data: reading a compiled model takes no IR and no compiler.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

ROLES = ("input", "output", "weight", "arena")


@dataclass(frozen=True)
class Argument:
    """One argument of the entry, in the order of its pointer table."""

    role: str
    """one of ROLES, or in a divided network also "edge": what its regions hand on"""
    name: str
    """of an input or output, or the key of a weight"""
    shape: tuple[int, ...]
    dtype: str
    """NumPy's name of the element type"""


@dataclass(frozen=True)
class Place:
    """Where a kernel finds one of its buffers: this many bytes into an argument of the entry."""

    argument: int
    offset: int


@dataclass(frozen=True)
class Call:
    """One kernel call of the entry. A kernel's last argument is what it computes."""

    symbol: str
    places: tuple[Place, ...]
    shape: tuple[int, ...]
    """of what it computes, as it lies in memory"""
    strides: tuple[int, ...]
    """in bytes"""
    dtype: str
    source: str
    """the name in the user's model of what it computes; empty if unknown"""
    layout: str
    """how that is stored, such as NCHW16c; empty if unknown"""
    flops: int
    predicted: float = 0.0
    """the seconds that it should take, by the cost model; 0 if unknown"""
    tuned: bool = False
    """whether a schedule was measured to be the fastest"""


@dataclass(frozen=True)
class Slice:
    """Which bytes of an argument of the entry a kernel is given."""

    argument: int
    offset: int
    size: int


@dataclass(frozen=True)
class Launch:
    """One launch of a kernel on a device."""

    call: int
    """the kernel call that it is a part of"""
    kernel: str
    grid: tuple[int, ...]
    """how many work-groups there are in each dimension"""
    buffers: tuple[Slice, ...]
    """the kernel's arguments"""


@dataclass(frozen=True)
class Step:
    """One step of a network that is divided among devices."""

    kind: str
    """
    "run" a region; "map": wait for a device and hand a buffer to the host, "unmap": hand it back;
    "copy" the first buffer to the second, where devices share no memory
    """
    arguments: tuple[int, ...]
    """the buffers, among the arguments of the entry; of a region its inputs, then its outputs"""
    device: str = ""
    """the target that a buffer is taken from, or handed to"""
    region: int = -1


@dataclass(frozen=True)
class Manifest:
    """A compiled model: what it was compiled for, what it takes and gives, what it does."""

    entry: str
    target: str
    cpu: str
    triple: str
    features: tuple[str, ...]
    """instruction sets its code may use"""
    arguments: tuple[Argument, ...]
    calls: tuple[Call, ...]
    lamina: str
    """the version that compiled it"""
    threads: int = 1
    """among which its loops are shared out"""
    launches: tuple[Launch, ...] = ()
    """what the calls are made of, on a device"""
    regions: tuple[Manifest, ...] = ()
    """of a network that is divided among devices"""
    steps: tuple[Step, ...] = ()
    """in which the regions of one run"""

    def to_json(self) -> str:
        """As text, for an artifact."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """From what `to_json` gave; any exception otherwise."""
        return cls._from(json.loads(text))

    @classmethod
    def _from(cls, fields: dict[str, Any]) -> Manifest:
        arguments = tuple(Argument(**_tuples(a)) for a in fields.pop("arguments"))
        for c in fields["calls"]:
            c["places"] = [Place(**p) for p in c["places"]]
        calls = tuple(Call(**_tuples(c)) for c in fields.pop("calls"))
        for launch in fields["launches"]:
            launch["buffers"] = [Slice(**b) for b in launch["buffers"]]
        launches = tuple(Launch(**_tuples(x)) for x in fields.pop("launches"))
        regions = tuple(cls._from(r) for r in fields.pop("regions"))
        steps = tuple(Step(**_tuples(s)) for s in fields.pop("steps"))
        parts = {"arguments": arguments, "calls": calls, "launches": launches}
        return cls(**parts, regions=regions, steps=steps, **_tuples(fields))


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
