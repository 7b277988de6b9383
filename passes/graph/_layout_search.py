"""
Solving the problem of layouts: exactly while tables stay small, else nearly.

Exactly by variable elimination (Bertele and Brioschi, Nonserial Dynamic Programming, 1972): to
eliminate a variable is to tabulate, for all choices of those beside it, the least cost that it can
add. In a chain, a tree or a network whose branches join soon again these tables are small. Values
that another value beats whatever the neighbours choose (Goldstein's criterion of dead ends) are
removed before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from lamina.passes.graph._layout_problem import Problem

BOUND = 1 << 20
"""numbers in the largest table that is made"""
AT_ONCE = 20
"""one in so many variables is fixed at once"""


@dataclass(frozen=True)
class Found:
    """A choice for all variables."""

    choice: tuple[int, ...]
    cost: float
    exact: bool
    """whether no choice costs less"""
    table: int
    """numbers in the largest table that the exact search makes, or would have to make"""


def search(problem: Problem, bound: int = BOUND, starts: Iterable[Sequence[int]] = ()) -> Found:
    """The best choice, or a good one where tables would grow beyond `bound`; from `starts`, too."""
    values = alive(problem)
    smaller = problem.restricted(values)
    order, table = elimination_order(smaller)
    exact = table <= bound
    if exact:
        choice = eliminate(smaller, order)
    else:
        places = [{int(i): n for n, i in enumerate(v)} for v in values]
        left = ([p.get(i, 0) for p, i in zip(places, s, strict=True)] for s in starts)
        choice = nearly(smaller, bound, left)
    full = tuple(int(v[i]) for v, i in zip(values, choice, strict=True))
    return Found(full, problem.cost(full), exact, table)


# -- exactly


def alive(problem: Problem) -> list[np.ndarray]:
    """For each variable the values that no other value of it beats in every case."""
    values = [np.arange(len(c)) for c in problem.costs]
    beside = problem.neighbours()
    todo = dict.fromkeys(range(len(values)))
    while todo:
        v = next(iter(todo))
        del todo[v]
        if len(values[v]) == 1:
            continue
        own = problem.costs[v][values[v]]
        worse = own[:, None] - own[None, :]
        for u, matrix in beside[v].items():
            rows = matrix[np.ix_(values[v], values[u])]
            worse += (rows[:, None, :] - rows[None, :, :]).min(axis=2)
        kept = _unbeaten(worse)
        if len(kept) < len(values[v]):
            values[v] = values[v][kept]
            todo |= dict.fromkeys(beside[v])
    return values


def _unbeaten(worse: np.ndarray) -> list[int]:
    """Values i for which no j is left with worse[i, j] > 0, or 0 and earlier."""
    kept = list(range(len(worse)))
    for i in reversed(range(len(worse))):
        if any(worse[i, j] > 0 or (worse[i, j] == 0 and j < i) for j in kept if j != i):
            kept.remove(i)
    return kept


def elimination_order(problem: Problem) -> tuple[list[int], int]:
    """Variables in an order that keeps tables small, and the size of the largest of these."""
    sizes = [len(c) for c in problem.costs]
    beside: list[set[int]] = [set() for _ in sizes]
    for a, b in problem.edges:
        if sizes[a] > 1 and sizes[b] > 1:
            beside[a].add(b)
            beside[b].add(a)

    def table(v: int) -> int:
        return sizes[v] * prod(sizes[u] for u in beside[v])

    tables = {v: table(v) for v in range(len(sizes))}
    order: list[int] = []
    largest = 0
    while tables:
        v = min(tables, key=tables.__getitem__)
        order.append(v)
        largest = max(largest, tables.pop(v))
        for u in beside[v]:
            beside[u] |= beside[v] - {u}
            beside[u].discard(v)
        for u in beside[v]:
            tables[u] = table(u)
    return order, largest


def eliminate(problem: Problem, order: Sequence[int]) -> tuple[int, ...]:
    """The best choice, with tables as large as this order makes them."""
    buckets: list[list[tuple[tuple[int, ...], np.ndarray]]] = [
        [((v,), c)] for v, c in enumerate(problem.costs)
    ]
    position = {v: n for n, v in enumerate(order)}
    sizes = [len(c) for c in problem.costs]

    def put(scope: tuple[int, ...], table: np.ndarray) -> None:
        buckets[min(scope, key=position.__getitem__)].append((scope, table))

    for (a, b), matrix in problem.edges.items():
        if sizes[a] == 1 or sizes[b] == 1:  # no choice there, so no table of both
            put((b,), matrix[0]) if sizes[a] == 1 else put((a,), matrix[:, 0])
        else:
            put((a, b), matrix)
    best: dict[int, tuple[tuple[int, ...], np.ndarray]] = {}
    for v in order:
        others = tuple(sorted({u for scope, _ in buckets[v] for u in scope if u != v}))
        total = np.zeros([sizes[u] for u in (v, *others)])
        for scope, table in buckets[v]:
            total += _spread(scope, table, (v, *others))
        buckets[v].clear()
        best[v] = others, total.argmin(axis=0)
        if others:
            put(others, total.min(axis=0))
    choice: dict[int, int] = {}
    for v in reversed(order):
        others, found = best[v]
        choice[v] = int(found[tuple(choice[u] for u in others)])
    return tuple(choice[v] for v in range(len(sizes)))


def _spread(scope: tuple[int, ...], table: np.ndarray, wanted: tuple[int, ...]) -> np.ndarray:
    """`table` over the variables `scope`, shaped so that it adds to one over `wanted`."""
    places = [wanted.index(u) for u in scope]
    order = np.argsort(places)
    shape = [1] * len(wanted)
    for place, size in zip(places, table.shape, strict=True):
        shape[place] = size
    return table.transpose(order).reshape(shape)


# -- nearly


def nearly(
    problem: Problem, bound: int = BOUND, starts: Iterable[Sequence[int]] = ()
) -> tuple[int, ...]:
    """
    The best choice found from `starts` and from some variables fixed one after the other: all
    variables of a forest are chosen anew at once, exactly, while the others stay, until no forest
    gains anything.
    """
    known = {v: 0 for v, c in enumerate(problem.costs) if len(c) == 1}
    smaller, rest = problem.given(known)
    forests = list(_forests(smaller))
    firsts = [_with_some_fixed(smaller, bound), *(tuple(s[v] for v in rest) for s in starts)]
    found = min((_improved(smaller, f, forests) for f in dict.fromkeys(firsts)), key=smaller.cost)
    known |= dict(zip(rest, found, strict=True))
    return tuple(known[v] for v in range(len(known)))


def _with_some_fixed(problem: Problem, bound: int) -> tuple[int, ...]:
    """
    The best choice after as many variables as it takes got the value that looks best beside what
    their neighbours would like, those with the most neighbours first.
    """
    known: dict[int, int] = {}
    while True:
        smaller, rest = problem.given(known)
        order, table = elimination_order(smaller)
        if table <= bound or not rest:
            break
        beside = smaller.neighbours()
        first = sorted(
            range(len(rest)), key=lambda v: (len(smaller.costs[v]) == 1, -len(beside[v]))
        )
        for v in first[: len(rest) // AT_ONCE + 1]:
            hopes = [(m + smaller.costs[u]).min(axis=1) for u, m in beside[v].items()]
            known[rest[v]] = int(sum(hopes, smaller.costs[v]).argmin())
    known |= dict(zip(rest, eliminate(smaller, order), strict=True))
    return tuple(known[v] for v in range(len(known)))


def _improved(
    problem: Problem, choice: tuple[int, ...], forests: Sequence[set[int]]
) -> tuple[int, ...]:
    cost = problem.cost(choice)
    while True:
        before = cost
        for forest in forests:
            known = {v: i for v, i in enumerate(choice) if v not in forest}
            smaller, rest = problem.given(known)
            inside = eliminate(smaller, elimination_order(smaller)[0])
            known |= dict(zip(rest, inside, strict=True))
            better = tuple(known[v] for v in range(len(choice)))
            if (now := problem.cost(better)) < cost:
                choice, cost = better, now
        if cost > before - 1e-9 * abs(before):
            return choice


def _forests(problem: Problem) -> Iterator[set[int]]:
    """
    Sets of variables without a circle among them, each as large as it becomes when variables are
    taken in turn: every variable is in one of them.
    """
    beside = problem.neighbours()
    missing = list(range(len(beside)))
    while missing:
        trees: dict[int, set[int]] = {}
        for v in (*missing, *range(len(beside))):
            around = [trees[u] for u in beside[v] if u in trees]
            if v not in trees and len({id(tree) for tree in around}) == len(around):
                joined = {v}.union(*around)
                trees |= dict.fromkeys(joined, joined)
        missing = [v for v in missing if v not in trees]
        yield set(trees)
