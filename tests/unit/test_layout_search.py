"""The search for layouts beside trying everything, on random problems."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.passes.graph._layout_problem import FORBIDDEN, Problem
from lamina.passes.graph._layout_search import (
    alive,
    elimination_order,
    nearly,
    search,
)


def by_brute_force(problem: Problem) -> float:
    return min(problem.cost(c) for c in product(*(range(len(x)) for x in problem.costs)))


@st.composite
def problems(draw: st.DrawFn, most: int = 6, values: int = 4) -> Problem:
    """Few variables, any edges, costs that are often equal, forbidden or zero."""
    seed, n = draw(st.integers(0, 2**32 - 1)), draw(st.integers(1, most))
    density = draw(st.floats(0, 1))
    rng = np.random.default_rng(seed)

    def costs(*shape: int) -> np.ndarray:
        x = np.where(rng.random(shape) < 0.5, rng.integers(0, 4, shape), rng.random(shape))
        return np.where(rng.random(shape) < 0.1, FORBIDDEN, x)

    problem = Problem()
    for _ in range(n):
        problem.add(costs(int(rng.integers(1, values + 1))))
    for a in range(n):
        for b in range(n):
            if rng.random() < density:
                problem.connect(a, b, costs(len(problem.costs[a]), len(problem.costs[b])))
    return problem


def network(seed: int, size: int, layouts: int = 4) -> Problem:
    """Like a network: agreement is free, each variable prefers something, branches join again."""
    rng = np.random.default_rng(seed)
    problem = Problem()
    problem.add(np.where(np.arange(layouts), FORBIDDEN, 0))
    for v in range(1, size):
        problem.add(rng.random(layouts) * 10)
        for u in {v - 1, int(rng.integers(max(0, v - 6), v))}:
            bytes = rng.random() * 10
            problem.connect(u, v, bytes * (1 - np.eye(layouts)))
    return problem


@settings(max_examples=300, deadline=None)
@given(problems())
def test_exact_search_finds_what_trying_everything_finds(problem: Problem) -> None:
    found = search(problem)
    assert found.exact
    assert found.cost == pytest.approx(by_brute_force(problem), rel=1e-9, abs=1e-9)
    assert problem.cost(found.choice) == found.cost


@settings(max_examples=200, deadline=None)
@given(problems())
def test_a_best_choice_is_left_when_beaten_values_are_removed(problem: Problem) -> None:
    smaller = problem.restricted(alive(problem))
    assert by_brute_force(smaller) == pytest.approx(by_brute_force(problem), rel=1e-9, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(problems(), st.data())
def test_what_is_known_leaves_the_cost_of_the_rest(problem: Problem, data: st.DataObject) -> None:
    choice = [data.draw(st.integers(0, len(c) - 1)) for c in problem.costs]
    known = {v: i for v, i in enumerate(choice) if data.draw(st.booleans())}
    smaller, rest = problem.given(known)
    other = list(choice)
    for v in rest:
        other[v] = data.draw(st.integers(0, len(problem.costs[v]) - 1))
    change = smaller.cost([other[v] for v in rest]) - smaller.cost([choice[v] for v in rest])
    assert change == pytest.approx(problem.cost(other) - problem.cost(choice), abs=1e-6)


@pytest.mark.parametrize("bound", [2, 20])
@pytest.mark.parametrize("seed", range(12))
def test_beyond_the_bound_the_choice_is_nearly_as_good(seed: int, bound: int) -> None:
    problem = network(seed, 60)
    alike = [[layout] * 60 for layout in range(4)]
    exact, other = search(problem), search(problem, bound=bound, starts=alike)
    assert exact.exact
    assert not other.exact
    assert other.table > bound
    assert exact.cost <= other.cost
    assert exact.cost / other.cost >= 0.9
    assert problem.cost(other.choice) == other.cost


def test_tables_are_as_large_as_was_said() -> None:
    rng = np.random.default_rng(0)
    grid = Problem()
    for _ in range(16):
        grid.add(rng.random(3))
    for v in range(16):
        for u in ([v + 1] if v % 4 < 3 else []) + ([v + 4] if v < 12 else []):
            grid.connect(v, u, rng.random((3, 3)))
    order, table = elimination_order(grid)
    assert sorted(order) == list(range(16))
    assert 3**4 <= table <= 3**5  # a grid 4 wide needs tables over 5 variables, less at its border
    assert search(grid, table).exact


def test_a_good_start_is_not_made_worse() -> None:
    problem = network(3, 40)
    best = search(problem)
    assert problem.cost(nearly(problem, 2, [best.choice])) == pytest.approx(best.cost)


def test_of_equal_values_the_first_is_taken() -> None:
    problem = Problem()
    for _ in range(3):
        problem.add([1.0, 1.0, 1.0])
    problem.connect(0, 1, 1 - np.eye(3))
    problem.connect(1, 2, 1 - np.eye(3))
    assert search(problem).choice == (0, 0, 0)
