"""
A choice for many variables at once, as pure data: what each choice costs, alone and beside others.

Nothing here knows what the variables stand for. `_layout_graph.py` makes one of a network,
`_layout_search.py` solves it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

FORBIDDEN = 1e6
"""the cost of what must not be: more than all else together, but finite, so that sums work"""


@dataclass
class Problem:
    """
    Choose a value of every variable so that the sum of all costs is least.

    Values are positions in a variable's list of costs. Of equally good choices earlier values are
    preferred, so whoever builds a problem puts first what he likes better.
    """

    costs: list[np.ndarray] = field(default_factory=list[np.ndarray])
    """of each value of each variable"""
    edges: dict[tuple[int, int], np.ndarray] = field(
        default_factory=dict[tuple[int, int], np.ndarray]
    )
    """(a, b), a < b -> a matrix: what a value of a costs beside a value of b"""

    def add(self, costs: Sequence[float] | np.ndarray) -> int:
        """A variable with these costs of its values; its number."""
        self.costs.append(np.array(costs, float))
        assert self.costs[-1].ndim == 1, costs
        assert len(self.costs[-1]), costs
        return len(self.costs) - 1

    def connect(self, a: int, b: int, costs: np.ndarray) -> None:
        """Let value i of `a` beside value j of `b` cost `costs[i, j]` more."""
        assert costs.shape == (len(self.costs[a]), len(self.costs[b])), (costs.shape, a, b)
        if a == b:
            self.costs[a] = self.costs[a] + np.diagonal(costs)
            return
        if 1 in costs.shape:  # no choice on one side
            v, alone = (b, costs[0]) if len(costs) == 1 else (a, costs[:, 0])
            self.costs[v] = self.costs[v] + alone
            return
        key, matrix = ((a, b), costs) if a < b else ((b, a), costs.T)
        self.edges[key] = self.edges[key] + matrix if key in self.edges else matrix.astype(float)

    def neighbours(self) -> list[dict[int, np.ndarray]]:
        """For each variable the ones beside it, and the matrix with its own values as rows."""
        found: list[dict[int, np.ndarray]] = [{} for _ in self.costs]
        for (a, b), matrix in self.edges.items():
            found[a][b], found[b][a] = matrix, matrix.T
        return found

    def cost(self, choice: Sequence[int]) -> float:
        """The sum of all costs of a choice."""
        alone = sum(float(c[i]) for c, i in zip(self.costs, choice, strict=True))
        return alone + sum(float(m[choice[a], choice[b]]) for (a, b), m in self.edges.items())

    def given(self, known: Mapping[int, int]) -> tuple[Problem, list[int]]:
        """The problem of the other variables when some are known, and which those are."""
        rest = [v for v in range(len(self.costs)) if v not in known]
        place = {v: n for n, v in enumerate(rest)}
        smaller = Problem([self.costs[v].copy() for v in rest])
        for (a, b), matrix in self.edges.items():
            if a in place and b in place:
                smaller.edges[place[a], place[b]] = matrix
            elif a in place:
                smaller.costs[place[a]] += matrix[:, known[b]]
            elif b in place:
                smaller.costs[place[b]] += matrix[known[a]]
        return smaller, rest

    def restricted(self, values: Sequence[np.ndarray]) -> Problem:
        """The problem in which each variable has only these of its values."""
        smaller = Problem([c[v] for c, v in zip(self.costs, values, strict=True)])
        for (a, b), matrix in self.edges.items():
            smaller.edges[a, b] = matrix[np.ix_(values[a], values[b])]
        return smaller
