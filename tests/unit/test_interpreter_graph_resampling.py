"""The meaning of ops that read between elements: their formulas, by element."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from xdsl.utils.exceptions import InterpretationError

from lamina.context import new_context
from tests.unit.test_interpreter_graph import evaluate, normal, run

AT = np.array([[0, 1], [3, 3], [2, 0], [1, 2], [3, 0]], np.int32)


def resampled(at: np.ndarray, weights: bool) -> str:
    """A function that resamples both dimensions of a 4x6 tensor, the second one by `at`."""
    i, j = "tensor<3x1xi32>", f"tensor<{'x'.join(map(str, at.shape))}xi32>"
    v, w = i.replace("i32", "f32"), j.replace("i32", "f32")
    by = f" weights(%v, %w : {v}, {w})" if weights else ""
    return f"""
    func.func @f(%x: tensor<4x6xf32>, %i: {i}, %j: {j}, %v: {v}, %w: {w}) -> tensor<3x5xf32> {{
      %y = graph.resample %x over [0, 1] at(%i, %j : {i}, {j}){by} : tensor<4x6xf32> -> tensor<3x5xf32>
      func.return %y : tensor<3x5xf32>
    }}"""  # noqa: E501


def test_repeat_is_its_formula() -> None:
    x = normal(1, 3, 2)
    y = evaluate("graph.repeat {0}", x, to="tensor<2x6x6xf32>")
    for i, j, k in np.ndindex(*y.shape):
        assert y[i, j, k] == x[0, j // 2, k // 3]


@pytest.mark.parametrize("weights", [False, True])
def test_resample_is_its_formula(weights: bool) -> None:
    x, i = normal(4, 6), np.array([[3], [0], [3]], np.int32)
    v, w = normal(3, 1), normal(*AT.shape)
    (y,) = run(new_context(), resampled(AT, weights), x, i, AT, v, w)
    for a, b in np.ndindex(*y.shape):
        terms = [
            float(x[i[a, k], AT[b, m]]) * (float(v[a, k]) * float(w[b, m]) if weights else 1.0)
            for k, m in product(range(1), range(2))
        ]
        np.testing.assert_allclose(y[a, b], sum(terms), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("outside", [-1, 6])
def test_place_outside_is_an_error(outside: int) -> None:
    at = AT.copy()
    at[4, 1] = outside
    i = np.zeros((3, 1), np.int32)
    with pytest.raises(InterpretationError, match=f"reads {outside} along axis 1 of 6 elements"):
        run(new_context(), resampled(at, False), normal(4, 6), i, at, normal(3, 1), normal(5, 2))


@pytest.mark.parametrize("weights", [False, True])
def test_sample_is_its_formula(weights: bool) -> None:
    x, rng = normal(2, 3, 4, 5), np.random.default_rng(1)
    i, j = (rng.integers(0, n, (k, 2, 6, 7)).astype(np.int32) for k, n in ((2, 4), (3, 5)))
    v, w = normal(*i.shape), normal(*j.shape)
    (y,) = run(new_context(), sampled(weights), x, i, j, v, w)
    for n, c, h, b in np.ndindex(*y.shape):
        total = 0.0
        for k, m in product(range(2), range(3)):
            by = float(v[k, n, h, b]) * float(w[m, n, h, b]) if weights else 1.0
            total += by * float(x[n, c, i[k, n, h, b], j[m, n, h, b]])
        np.testing.assert_allclose(y[n, c, h, b], total, rtol=1e-6, atol=1e-7)


def sampled(weights: bool) -> str:
    """A function that samples an image of 4x5 at 6x7 places, by 2 taps down and 3 across."""
    i, j = "tensor<2x2x6x7xi32>", "tensor<3x2x6x7xi32>"
    v, w = i.replace("i32", "f32"), j.replace("i32", "f32")
    by = f" weights(%v, %w : {v}, {w})" if weights else ""
    x, y = "tensor<2x3x4x5xf32>", "tensor<2x3x6x7xf32>"
    return f"""
    func.func @f(%x: {x}, %i: {i}, %j: {j}, %v: {v}, %w: {w}) -> {y} {{
      %y = graph.sample %x at(%i, %j : {i}, {j}){by} : {x} -> {y}
      func.return %y : {y}
    }}"""


def test_sample_outside_is_an_error() -> None:
    i, j = np.full((2, 2, 6, 7), 4, np.int32), np.zeros((3, 2, 6, 7), np.int32)
    inputs = (normal(2, 3, 4, 5), i, j, normal(*i.shape), normal(*j.shape))
    with pytest.raises(InterpretationError, match=r"graph.sample reads 4 along axis 2 of 4"):
        run(new_context(), sampled(True), *inputs)
