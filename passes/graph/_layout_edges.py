"""
A problem of layouts, and what it costs to hand a value from its producer to its readers.

One reader that wants another layout than the producer writes costs a transform. A value with
several such readers gets a variable of its own, whose values are sets of layouts: in which of them
the tensor is there at some time. Each reader needs the one that it wants to be among them, and each
is paid for once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from typing import TypeVar

import numpy as np
from xdsl.ir import Operation, SSAValue

from lamina.dialects.graph import ConcatOp, PointwiseOp, SliceOp, TransposeOp, layout_of, shape
from lamina.dialects.layout import Layout
from lamina.passes.graph._any_layout import MOVERS
from lamina.passes.graph._layout_candidates import Candidate
from lamina.passes.graph._layout_cost import LayoutCosts
from lamina.passes.graph._layout_devices import Devices
from lamina.passes.graph._layout_problem import FORBIDDEN, Problem
from lamina.passes.graph._layout_wants import READ_ANYWHERE, wanted
from lamina.passes.graph._layout_workload import width_of
from lamina.passes.graph._padding import CHANNELS
from lamina.passes.graph.fuse_epilogues import ROOTS

A = TypeVar("A")
B = TypeVar("B")

IMPOSSIBLE = float("inf")
"""seconds of what no kernel does"""


@dataclass
class LayoutProblem:
    """A function's problem, in seconds, and what its variables stand for."""

    devices: Devices
    problem: Problem = field(default_factory=Problem)
    choices: dict[Operation, list[Candidate]] = field(
        default_factory=dict[Operation, list[Candidate]]
    )
    """of each op that has any"""
    variable: dict[Operation, int] = field(default_factory=dict[Operation, int])
    """of each op"""
    copies: dict[SSAValue, tuple[int, list[tuple[Layout, ...]]]] = field(
        default_factory=dict[SSAValue, tuple[int, list[tuple[Layout, ...]]]]
    )
    """the variable of a value with several readers, and the sets that are its values"""

    def add(self, seconds: Sequence[float]) -> int:
        """A variable with these costs."""
        return self.problem.add(seconds)

    def connect(
        self,
        a: int | None,
        rows: Sequence[A],
        b: int | None,
        columns: Sequence[B],
        seconds: Callable[[A, B], float],
    ) -> None:
        """
        Let two variables cost something beside each other that depends on what their values stand
        for. One of them may be none: then there is one row, or column.
        """
        up, left = list(dict.fromkeys(rows)), list(dict.fromkeys(columns))
        table = np.array([[seconds(i, j) for j in left] for i in up], float)
        places = [up.index(x) for x in rows], [left.index(x) for x in columns]
        costs = np.minimum(table, FORBIDDEN)[np.ix_(*places)]
        if a is None and b is not None:
            self.problem.costs[b] += costs[0]
        elif b is None and a is not None:
            self.problem.costs[a] += costs[:, 0]
        elif a is not None and b is not None:
            self.problem.connect(a, b, costs)

    def maker(self, value: SSAValue) -> int | None:
        """The variable of what produces `value`, if it has one."""
        return self.variable.get(value.owner) if isinstance(value.owner, Operation) else None

    def stored(self, value: SSAValue) -> list[Layout]:
        """How `value` may be stored by what produces it."""
        choices = self.choices.get(value.owner) if isinstance(value.owner, Operation) else None
        return [c.y for c in choices] if choices else [layout_of(value.type)]

    def wants(self, op: Operation, index: int) -> list[Layout | None]:
        """How `op` may read an operand; None is for however it is stored."""
        if op not in self.choices:
            return [layout_of(op.operands[index].type)]
        return [wanted(op, index, c) for c in self.choices[op]]


def connect_readers(found: LayoutProblem, value: SSAValue) -> None:
    """Add what it costs that all readers of `value` get it as they want it."""
    stored, producer = found.stored(value), found.maker(value)
    exact: list[tuple[Operation, int]] = []
    for use in value.uses:
        op, index = use.operation, use.index
        reader = found.variable.get(op)
        if producer is None and reader is None:
            continue
        if any(layout is not None for layout in found.wants(op, index)):
            exact.append((op, index))
        if reader is not None and (beside := _beside(op, index, found.devices.of(op))) is not None:
            found.connect(producer, stored, reader, found.choices[op], beside)
    if len(exact) == 1:
        op, index = exact[0]
        move = partial(transform, found.devices.at(value), value)
        found.connect(producer, stored, found.variable.get(op), found.wants(op, index), move)
    elif exact:
        _copies(found, value, exact)


def _copies(
    found: LayoutProblem, value: SSAValue, readers: Sequence[tuple[Operation, int]]
) -> None:
    """The variable of a value with several readers, which are ops and the operand that it is."""
    wants = [found.wants(op, index) for op, index in readers]
    layouts = list(dict.fromkeys(x for each in wants for x in each if x is not None))
    sets = list(_subsets(layouts, len(readers)))
    variable = found.add([0.0] * len(sets))
    found.copies[value] = variable, sets

    costs = found.devices.at(value)

    def copied(x: Layout, all: Sequence[Layout]) -> float:
        return sum(transform(costs, value, x, y) for y in all)

    def lacking(all: Sequence[Layout], want: Layout | None) -> float:
        return 0.0 if want is None or want in all else IMPOSSIBLE

    found.connect(found.maker(value), found.stored(value), variable, sets, copied)
    for (op, _), each in zip(readers, wants, strict=True):
        found.connect(variable, sets, found.variable.get(op), each, lacking)


def _subsets(layouts: Sequence[Layout], most: int) -> Iterator[tuple[Layout, ...]]:
    """Sets of up to `most` layouts, small ones first."""
    for size in range(min(len(layouts), most) + 1):
        yield from combinations(layouts, size)


def transform(costs: LayoutCosts, value: SSAValue, x: Layout, y: Layout | None) -> float:
    """Seconds for storing a value in another layout."""
    size = shape(value)
    if y is None or x == y:
        return 0.0
    if x.text == y.text:
        return 0.0
    if min(x.block("C"), y.block("C")) > 1 and x.padded(size) < y.padded(size):
        return IMPOSSIBLE  # the kernel would read blocks that are not there
    return costs.transform(size, x, y, width_of(value))


def _beside(
    op: Operation, index: int, costs: LayoutCosts
) -> Callable[[Layout, Candidate], float] | None:
    """
    What `op` costs more with one of its choices if this operand is stored in some way, but for
    transforms; None if nothing.
    """
    value = op.operands[index]
    size, width = shape(value), width_of(value)
    if isinstance(op, PointwiseOp) and value.owner is joins(op):

        def alone(x: Layout, candidate: Candidate) -> float:
            y = candidate.x
            if x == y:
                return 0.0
            return costs.copied(size, y, width=width) + costs.call  # a kernel of its own

        return alone
    if isinstance(op, MOVERS) and len(size) == len(shape(op.results[0])):
        return lambda x, candidate: _moved(op, index, x, candidate.y, costs)
    if isinstance(op, READ_ANYWHERE):
        reading = partial(costs.copied, size, width=width)
        return lambda x, candidate: reading(x) if candidate.y.is_plain else 0.0
    return None


def _moved(op: Operation, index: int, x: Layout, y: Layout, costs: LayoutCosts) -> float:
    """Reading elements from where they lie in order to write them elsewhere."""
    size, width = shape(op.operands[index]), width_of(op.operands[index])
    if isinstance(op, TransposeOp):
        return 0.0 if _same_bytes(op, x, y) else costs.rearranged(size, x, y, width)
    if x != y:
        return costs.rearranged(size, x, y, width)
    if isinstance(op, ConcatOp) and x.part(shape(op.y), size, op.starts()[index]) is not None:
        return 0.0  # written where it is needed
    if isinstance(op, SliceOp) and op.is_consecutive():
        if x.part(size, shape(op.y), op.starts.get_values()) is not None:
            return 0.0  # read where it is
    twice = isinstance(op, ConcatOp) and _cuts(op, x)
    return costs.copied(size, x, y, width=width) * (2 if twice else 1)


def _same_bytes(op: TransposeOp, x: Layout, y: Layout) -> bool:
    """Whether the transpose is a view, if its operand is stored so and its result so."""
    perm = op.perm.get_values()
    moved = [(perm[d.of], d.unit, d.size) for d in y.dims]
    return moved == [(d.of, d.unit, d.size) for d in x.dims]


def _cuts(op: ConcatOp, layout: Layout) -> bool:
    """Whether parts begin inside of blocks."""
    axis, block = op.axis.value.data, layout.block("C")
    return axis == CHANNELS and any(shape(x)[axis] % block for x in op.xs[:-1])


def joins(op: Operation) -> Operation | None:
    """The op whose kernel the pointwise `op` becomes a part of, if both use one layout."""
    for x in reversed(op.operands):
        owner = x.owner
        if isinstance(owner, ROOTS) and x.has_one_use() and shape(x) == shape(op.results[0]):
            return owner
    return None
