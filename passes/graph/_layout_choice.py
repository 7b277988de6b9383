"""Choosing the layouts of a function: its problem, how it is searched, and what was found."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Operation, SSAValue
from xdsl.utils.hints import isa

from lamina.dialects.graph import ConstantOp, Conv2dOp, layout_of, shape
from lamina.dialects.layout import Layout
from lamina.passes.graph._layout_blocks import BLOCKED, LAST, PLAIN
from lamina.passes.graph._layout_candidates import Candidate
from lamina.passes.graph._layout_devices import Devices
from lamina.passes.graph._layout_edges import LayoutProblem, transform
from lamina.passes.graph._layout_graph import build
from lamina.passes.graph._layout_problem import Problem
from lamina.passes.graph._layout_search import BOUND, Found, search
from lamina.passes.graph._layout_wants import wanted

SEARCHES = ("exact", "heuristic", "greedy", "usual", "nhwc", "nchw")


@dataclass(frozen=True)
class Transform:
    """A tensor that is stored in another layout for some of its readers."""

    value: SSAValue
    x: Layout
    y: Layout
    seconds: float


@dataclass(frozen=True)
class Choice:
    """What was chosen for a function."""

    candidates: dict[Operation, Candidate]
    transforms: tuple[Transform, ...]
    found: Found
    variables: int
    took: float
    """seconds of building and solving the problem"""


def choose(f: func.FuncOp, devices: Devices, how: str, bound: int = BOUND) -> Choice:
    """The layouts of one function."""
    start = time.thread_time()
    graph = build(f, devices)
    found = solve(graph, how, bound)
    chosen = {op: graph.choices[op][found.choice[v]] for op, v in graph.variable.items()}
    took = time.thread_time() - start
    return Choice(chosen, tuple(transforms(f, graph, chosen)), found, len(found.choice), took)


def transforms(
    f: func.FuncOp, graph: LayoutProblem, chosen: Mapping[Operation, Candidate]
) -> Iterator[Transform]:
    """What is left to be stored anew, but for constants and for what keeps its bytes."""
    for value in [*f.body.block.args, *(y for op in f.body.block.ops for y in op.results)]:
        if isinstance(value.owner, ConstantOp) or not isa(value.type, TensorType):
            continue
        maker = chosen.get(value.owner) if isinstance(value.owner, Operation) else None
        x = maker.y if maker else layout_of(value.type)
        wants = dict.fromkeys(
            wanted(use.operation, use.index, chosen[use.operation])
            if use.operation in chosen
            else layout_of(value.type)
            for use in value.uses
        )
        for y in wants:
            if y is not None and y != x and not x.stores_like(y, shape(value)):
                yield Transform(value, x, y, transform(graph.devices.at(value), value, x, y))


def solve(graph: LayoutProblem, how: str, bound: int = BOUND) -> Found:
    """A choice for all variables of the problem."""
    problem = graph.problem
    starts = (uniform(graph, layout) for layout in (BLOCKED, PLAIN, LAST))
    if how == "exact":
        return search(problem, bound, starts)
    if how == "heuristic":
        return search(problem, 1, starts)
    if how == "nchw":
        choice = tuple(uniform(graph, PLAIN))
        return Found(choice, problem.cost(choice), False, 0)
    known: dict[int, int] = {}
    for op, v in graph.variable.items():
        if isinstance(op, Conv2dOp):
            known[v] = _alone(graph.choices[op], how)
    return _completed(problem, known, bound)


def _alone(choices: Sequence[Candidate], how: str) -> int:
    """What a convolution gets that is not asked what its neighbours have."""
    if how == "greedy":
        return min(range(len(choices)), key=lambda n: choices[n].cost)
    if how == "nhwc":
        return next((n for n, c in enumerate(choices) if c.x == c.y == LAST), 0)
    return 0


def _completed(problem: Problem, known: dict[int, int], bound: int) -> Found:
    """The best choice among those in which some variables are known."""
    smaller, rest = problem.given(known)
    found = search(smaller, bound)
    known = known | dict(zip(rest, found.choice, strict=True))
    choice = tuple(known[v] for v in range(len(problem.costs)))
    return Found(choice, problem.cost(choice), False, found.table)


def uniform(graph: LayoutProblem, layout: Layout) -> list[int]:
    """The choice of one layout wherever that is possible."""
    choice = [0] * len(graph.problem.costs)
    for op, v in graph.variable.items():
        choices = enumerate(graph.choices[op])
        choice[v] = next((n for n, c in choices if c.x == c.y == layout), 0)
    for value, (variable, sets) in graph.copies.items():
        uses = ((use.operation, use.index) for use in value.uses)
        wants = {
            graph.wants(op, i)[choice[graph.variable[op]] if op in graph.variable else 0]
            for op, i in uses
        }
        needed = wants - {None}
        choice[variable] = next(n for n, s in enumerate(sets) if set(s) == needed)
    return choice
