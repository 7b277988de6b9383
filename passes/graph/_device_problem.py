"""
The problem of which device runs which op of a network: what ops cost there, and what it costs to
hand values on. A value that several ops read has a variable, whose values are sets of devices: on
which of them it can be read. Each is paid for once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from math import prod

import numpy as np
from xdsl.dialects import func
from xdsl.dialects.builtin import FixedBitwidthType
from xdsl.ir import Operation, SSAValue

from lamina.backends.machine import Machine
from lamina.dialects.graph import shape, tensor_type
from lamina.passes.graph._devices import from_constants, host_of, is_host, last_of
from lamina.passes.graph._layout_problem import FORBIDDEN, Problem
from lamina.passes.graph._layout_search import BOUND, search


def bytes_of(value: SSAValue) -> int:
    """Of the elements of a tensor."""
    element = tensor_type(value).element_type
    assert isinstance(element, FixedBitwidthType), element
    return prod(shape(value)) * element.size


class Edges:
    """What it costs, in seconds, that a value made on one device is read on another."""

    def __init__(self, machines: Mapping[str, Machine], shared: Callable[[str], bool]) -> None:
        self.machines = machines
        self.shared = shared
        """whether a device and the host have the same memory"""

    def seconds(self, size: int, source: str, to: str) -> float:
        """To hand on so many bytes: both devices wait, and what shares no memory is copied."""
        devices = [d for d in (source, to) if not is_host(d)]
        if source == to or not devices:
            return 0.0
        copies = sum(not self.shared(d) for d in devices) + len(devices) - 1
        link = min(self.machines[d].link for d in devices)
        return sum(self.machines[d].wait for d in devices) + copies * size / link


def place(
    f: func.FuncOp,
    devices: Sequence[str],
    costs: Mapping[Operation, Mapping[str, float]],
    edges: Edges,
    bound: int = BOUND,
) -> dict[Operation, str]:
    """
    The device of each op of `costs`, which says how long those that may run it take: together with
    the edges between them, inputs and results of the network, it is the fastest.
    """
    problem = _DeviceProblem(devices, costs, edges)
    constant = from_constants(f)
    problem.fixed[last_of(f)] = host_of(devices)
    for value in [*f.body.block.args, *(y for op in f.body.block.ops for y in op.results)]:
        if value.owner not in constant:
            problem.connect(value)
    found = search(problem.problem, bound)
    return {op: problem.choices[op][found.choice[v]] for op, v in problem.variable.items()}


class _DeviceProblem:
    def __init__(
        self,
        devices: Sequence[str],
        costs: Mapping[Operation, Mapping[str, float]],
        edges: Edges,
    ) -> None:
        self.host, self.edges = host_of(devices), edges
        self.problem = Problem()
        self.fixed = dict[Operation, str]()
        self.choices = {op: list(seconds) for op, seconds in costs.items()}
        self.variable = {op: self.problem.add([*s.values()]) for op, s in costs.items()}

    def where(self, op: object) -> tuple[int, list[str]]:
        """The variable of an op, and the devices that are its values; the host for all others."""
        if isinstance(op, Operation) and op in self.variable:
            return self.variable[op], self.choices[op]
        return self.problem.add([0.0]), [self.host]

    def connect(self, value: SSAValue) -> None:
        """Add what it costs that all who read `value` get it."""
        size = bytes_of(value)
        maker, made = self.where(value.owner)
        readers = [self.where(op) for op in dict.fromkeys(u.operation for u in value.uses)]
        if len(readers) == 1:
            ((reader, wanted),) = readers
            table = [[self.edges.seconds(size, a, b) for b in wanted] for a in made]
            self.problem.connect(maker, reader, np.array(table))
        elif readers:
            self._copies(size, (maker, made), readers)

    def _copies(
        self, size: int, maker: tuple[int, list[str]], readers: list[tuple[int, list[str]]]
    ) -> None:
        wanted = dict.fromkeys(d for _, devices in readers for d in devices)
        sets = [s for n in range(1, len(wanted) + 1) for s in combinations(wanted, n)]
        copies = self.problem.add([0.0] * len(sets))
        table = [[sum(self.edges.seconds(size, a, b) for b in s) for s in sets] for a in maker[1]]
        self.problem.connect(maker[0], copies, np.array(table))
        for reader, devices in readers:
            missing = [[0.0 if d in s else FORBIDDEN for d in devices] for s in sets]
            self.problem.connect(copies, reader, np.array(missing))
