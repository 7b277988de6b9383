"""What the back ends of several devices say of the ops of a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xdsl.ir import Operation
from xdsl.utils.exceptions import PassFailedException

from lamina.backends.interface import Backend
from lamina.backends.machine import Machine
from lamina.backends.registry import backend_of
from lamina.errors import LaminaError
from lamina.passes._machine import machine_of
from lamina.passes.graph._device_problem import Edges
from lamina.passes.graph._devices import is_host

CLOSE = 1.05
"""ratio of times that are called the same"""


@dataclass
class Offer:
    """Which devices may run one op."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])
    """device -> how long it takes there"""
    refused: dict[str, str] = field(default_factory=dict[str, str])
    """device -> why not there"""

    def why(self, device: str) -> str:
        """Why the op is on `device`, although it may be that others could run it."""
        others = [(d, s) for d, s in self.seconds.items() if d != device]
        if not others:
            return "; ".join(f"not on {d}: {r}" for d, r in self.refused.items()) or "the only one"
        best, seconds = min(others, key=lambda other: other[1])
        here = self.seconds[device]
        if seconds < here:
            return f"{best} is faster, but its neighbours are here"
        return f"as fast as {best}" if seconds <= CLOSE * here else f"faster than {best}"


class Devices:
    """The back ends of some targets; they are asked once about equal ops."""

    def __init__(self, targets: Sequence[str], threads: int, by: str) -> None:
        self.threads = threads
        self.of: dict[str, tuple[Backend, Machine]] = {}
        for target in targets:
            try:
                self.of[target] = backend_of(target), machine_of(target, by)
            except LaminaError as e:
                raise PassFailedException(f"{by}: {e}") from e
        self._known: dict[object, tuple[str | None, float]] = {}

    def edges(self) -> Edges:
        """What it costs to hand values from one of them to another."""
        shared = {
            device: backend.shares_host_memory(machine)
            for device, (backend, machine) in self.of.items()
        }
        machines = {device: machine for device, (_, machine) in self.of.items()}
        return Edges(machines, shared.__getitem__)

    def offer(self, needed: Sequence[Operation]) -> Offer:
        """Who may run the first of these ops, which needs the others on the same device."""
        found = Offer()
        for device in self.of:
            answers = [self._asked(op, device) for op in needed]
            if refusal := next((reason for reason, _ in answers if reason), None):
                found.refused[device] = refusal
            else:
                found.seconds[device] = answers[0][1]
        return found

    def _asked(self, op: Operation, device: str) -> tuple[str | None, float]:
        types = tuple(x.type for x in (*op.operands, *op.results))
        key = device, op.name, types, frozenset(op.properties.items())
        if op.regions or key not in self._known:
            backend, machine = self.of[device]
            refusal = backend.claims(op, machine)
            seconds = 0.0 if refusal else backend.seconds(op, machine)
            self._known[key] = refusal, seconds / (self.threads if is_host(device) else 1)
        return self._known[key]
