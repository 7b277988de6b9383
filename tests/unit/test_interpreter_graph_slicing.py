"""The meaning of ops that take elements and reduce dimensions: their formulas, by element."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.parser import Parser

from lamina import interpreters
from lamina.context import new_context
from tests.unit.test_interpreter_graph import evaluate, normal


def test_slice_is_its_formula() -> None:
    x = normal(2, 9)
    y = evaluate("graph.slice {0} starts [0, 7] steps [1, -3]", x, to="tensor<2x3xf32>")
    for i, j in np.ndindex(*y.shape):
        assert y[i, j] == x[i, 7 - 3 * j]


def test_gather_is_its_formula() -> None:
    x, indices = normal(2, 4, 3), [3, 0, 0, 2, 1]
    y = evaluate(f"graph.gather axis 1 {indices} {{0}}", x, to="tensor<2x5x3xf32>")
    for i, j, k in np.ndindex(*y.shape):
        assert y[i, j, k] == x[i, indices[j], k]


def test_tile_is_its_formula() -> None:
    x = normal(1, 3, 2)
    y = evaluate("graph.tile {0}", x, to="tensor<2x6x2xf32>")
    for i, j, k in np.ndindex(*y.shape):
        assert y[i, j, k] == x[0, j % 3, k]


@pytest.mark.parametrize("order", ["dcr", "crd"])
def test_depth_to_space_is_its_formula(order: str) -> None:
    x, b = normal(2, 27, 2, 4), 3
    text = f'graph.depth_to_space {{0}} block {b} order "{order}"'
    y = evaluate(text, x, to="tensor<2x3x6x12xf32>")
    for n, c, h, w in np.ndindex(*y.shape):
        k = h % b * b + w % b
        channel = k * 3 + c if order == "dcr" else c * b * b + k
        assert y[n, c, h, w] == x[n, channel, h // b, w // b]


@pytest.mark.parametrize("order", ["dcr", "crd"])
def test_space_to_depth_is_its_formula(order: str) -> None:
    x, b = normal(2, 3, 6, 4), 2
    text = f'graph.space_to_depth {{0}} block {b} order "{order}"'
    y = evaluate(text, x, to="tensor<2x12x3x2xf32>")
    for n, c, h, w in np.ndindex(*x.shape):
        k = h % b * b + w % b
        channel = k * 3 + c if order == "dcr" else c * b * b + k
        assert y[n, channel, h // b, w // b] == x[n, c, h, w]


@pytest.mark.parametrize("kind", ["sum", "mean", "max", "min", "prod", "sum_abs", "sum_square"])
def test_reduction_is_its_formula(kind: str) -> None:
    x = normal(2, 3, 4)
    y = evaluate(f'graph.reduce "{kind}" {{0}} over [0, 2]', x, to="tensor<1x3x1xf32>")
    formulas = {
        "sum": sum,
        "mean": lambda v: sum(v) / len(v),
        "max": max,
        "min": min,
        "prod": lambda v: float(np.prod(v)),
        "sum_abs": lambda v: sum(map(abs, v)),
        "sum_square": lambda v: sum(e * e for e in v),
    }
    for j in range(3):
        elements = [float(x[i, j, k]) for i in range(2) for k in range(4)]
        np.testing.assert_allclose(y[0, j, 0], formulas[kind](elements), rtol=1e-6)


def take(op: str, x: np.ndarray, i: np.ndarray, y: str) -> np.ndarray:
    """Run an op that takes elements of `x` along dimension 1 at `i`."""
    kinds = {"float32": "f32", "int32": "i32", "int64": "i64"}
    types = [f"tensor<{'x'.join(map(str, a.shape))}x{kinds[str(a.dtype)]}>" for a in (x, i)]
    text = f"""
    func.func @f(%x: {types[0]}, %i: {types[1]}) -> {y} {{
      %y = {op} axis 1 %x at %i : {", ".join(types)} -> {y}
      func.return %y : {y}
    }}"""
    (found,) = interpreters.call(Parser(new_context(), text).parse_module(), "f", [x, i])
    return found


def test_take_is_its_formula() -> None:
    x = normal(2, 4, 3)
    y = take("graph.take", x, np.array([3, -1, 9, -4, -5]), "tensor<2x5x3xf32>")
    np.testing.assert_array_equal(y, x[:, [3, 3, 3, 0, 0]])


def test_take_along_is_its_formula() -> None:
    x, i = normal(3, 4), np.array([[3, -1, 9, -4, 0], [0, 1, -9, 2, 2]], np.int32)
    y = take("graph.take_along", x, i, "tensor<2x5xf32>")
    places = [[3, 3, 3, 0, 0], [0, 1, 0, 2, 2]]
    for r, c in np.ndindex(2, 5):
        assert y[r, c] == x[r, places[r][c]]
