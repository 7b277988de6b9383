"""The meaning of graph ops: the formulas of their docstrings, element by element."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser
from xdsl.utils.exceptions import InterpretationError

from lamina import interpreters
from lamina.context import LaminaContext, new_context
from lamina.dialects.graph import Graph
from lamina.dialects.layout import Layout
from lamina.interpreters import graph as graph_interpreter
from lamina.interpreters import graph_devices

rng = np.random.default_rng(3)


def normal(*shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


def run(ctx: LaminaContext, text: str, *inputs: np.ndarray) -> list[np.ndarray]:
    module: ModuleOp = Parser(ctx, text).parse_module()
    module.verify()
    return interpreters.call(module, "f", inputs, store=ctx.weights)


def evaluate(op: str, *inputs: np.ndarray, to: str) -> np.ndarray:
    """Run one op; `op` names its operands %0, %1..., `to` is the type of its result."""
    types = [f"tensor<{'x'.join(map(str, x.shape))}xf32>" for x in inputs]
    names = [f"%x{i}" for i in range(len(inputs))]
    args = ", ".join(f"{n}: {t}" for n, t in zip(names, types, strict=True))
    op = op.format(*names)
    single = "graph.concat" not in op and len(inputs) == 1
    signature = f"{types[0]} -> {to}" if single else f"({', '.join(types)}) -> {to}"
    text = f"""
    func.func @f({args}) -> {to} {{
      %y = {op} : {signature}
      func.return %y : {to}
    }}"""
    (y,) = run(new_context(), text, *inputs)
    return y


def padded(x: np.ndarray, n: int, c: int, h: int, w: int) -> np.ndarray | None:
    """x[n, c, h, w], or None outside."""
    inside = 0 <= h < x.shape[2] and 0 <= w < x.shape[3]
    return x[n, c, h, w] if inside else None


@pytest.mark.parametrize("chunk", [1, 1 << 22], ids=["row by row", "at once"])
def test_conv2d_is_its_formula(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_interpreter, "_CHUNK", chunk)
    x, w, b = normal(2, 4, 6, 5), normal(6, 2, 3, 2), normal(6)
    (sh, sw), (top, left, bottom, right), (dh, dw) = (2, 1), (1, 2, 0, 1), (1, 2)
    y = evaluate(
        f"graph.conv2d {{0}}, {{1}} bias {{2}} strides [{sh}, {sw}] pads [{top}, {left}, {bottom}, "
        f"{right}] dilations [{dh}, {dw}] groups 2",
        *(x, w, b),
        to="tensor<2x6x3x6xf32>",
    )
    for n, o, i, j in np.ndindex(*y.shape):
        total = float(b[o])
        for c, kh, kw in product(range(2), range(3), range(2)):
            tap = padded(x, n, c + (o // 3) * 2, i * sh + kh * dh - top, j * sw + kw * dw - left)
            total += 0 if tap is None else float(tap) * float(w[o, c, kh, kw])
        np.testing.assert_allclose(y[n, o, i, j], total, rtol=1e-6)


def windows(x: np.ndarray, n: int, c: int, i: int, j: int) -> list[np.ndarray | None]:
    """Taps of the window of 3 by 2, stride 2 by 1, pads [1, 0, 0, 1]."""
    return [padded(x, n, c, i * 2 + kh - 1, j + kw) for kh in range(3) for kw in range(2)]


WINDOW = "kernel [3, 2] strides [2, 1] pads [1, 0, 0, 1]"


def test_max_pool2d_is_the_largest_inside() -> None:
    x = normal(1, 2, 6, 5) - 10  # all negative: padding would win if it counted
    y = evaluate(f"graph.max_pool2d {{0}} {WINDOW}", x, to="tensor<1x2x3x5xf32>")
    for at in np.ndindex(*y.shape):
        assert y[at] == max(t for t in windows(x, *at) if t is not None)


@pytest.mark.parametrize("count", [False, True])
def test_avg_pool2d_divides_by_the_taps_it_counts(count: bool) -> None:
    x = normal(1, 2, 6, 5)
    text = f"graph.avg_pool2d {{0}} {WINDOW} count_pads {str(count).lower()}"
    y = evaluate(text, x, to="tensor<1x2x3x5xf32>")
    for at in np.ndindex(*y.shape):
        taps = [float(t) for t in windows(x, *at) if t is not None]
        np.testing.assert_allclose(y[at], sum(taps) / (6 if count else len(taps)), rtol=1e-6)


def test_taps_of_a_pool_may_be_apart() -> None:
    x = normal(1, 2, 6, 5)
    text = "graph.max_pool2d {0} kernel [2, 3] strides [1, 1] pads [0, 0, 0, 0] dilations [3, 2]"
    y = evaluate(text, x, to="tensor<1x2x3x1xf32>")
    for n, c, i, j in np.ndindex(*y.shape):
        assert y[n, c, i, j] == x[n, c, i : i + 4 : 3, j : j + 5 : 2].max()


def test_interleave_is_its_formula() -> None:
    x = normal(2, 24, 4, 3)
    text = "graph.interleave {0} steps [2, 3] offsets [1, 2] groups 2"
    y = evaluate(text, x, to="tensor<2x4x6x7xf32>")
    for n, o, h, w in np.ndindex(*y.shape):
        i, j = h + 1, w + 2
        c = ((o // 2) * 6 + (i % 2) * 3 + j % 3) * 2 + o % 2
        assert y[n, o, h, w] == x[n, c, i // 2, j // 3]


def test_nan_wins_in_a_max_pool_and_in_a_relu() -> None:
    x = np.array([[[[1.0, np.nan], [2.0, 3.0]]]], np.float32)
    pool = "graph.max_pool2d {0} kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0]"
    assert np.isnan(evaluate(pool, x, to="tensor<1x1x1x1xf32>")).all()
    assert np.isnan(evaluate("graph.relu {0}", x, to="tensor<1x1x2x2xf32>")).sum() == 1
    clipped = evaluate("graph.clip {0} between 0.0 and 1.0", x, to="tensor<1x1x2x2xf32>")
    assert np.isnan(clipped).sum() == 1


def test_batch_norm_and_dense_and_softmax_are_their_formulas() -> None:
    x, p = normal(2, 3, 2, 2), [normal(3), normal(3), normal(3), abs(normal(3))]
    y = evaluate(
        "graph.batch_norm {0}, {1}, {2}, {3}, {4} epsilon 0.5", x, *p, to="tensor<2x3x2x2xf32>"
    )
    scale, bias, mean, var = (q[:, None, None] for q in p)
    wanted = (x - mean) / np.sqrt(var + 0.5) * scale + bias
    np.testing.assert_allclose(y, wanted, rtol=1e-5, atol=1e-6)

    x, w, b = normal(2, 3), normal(4, 3), normal(4)
    y = evaluate("graph.dense {0}, {1} bias {2}", x, w, b, to="tensor<2x4xf32>")
    np.testing.assert_allclose(y, x @ w.T + b, rtol=1e-5)

    x = normal(2, 3) * 100
    y = evaluate("graph.softmax axis 0 {0}", x, to="tensor<2x3xf32>")
    e = np.exp(x.astype(np.float64) - x.max(0))
    np.testing.assert_allclose(y, e / e.sum(0), rtol=1e-6, atol=1e-30)
    np.testing.assert_allclose(y.sum(0), 1, rtol=1e-6)


def test_matmul_broadcasts_the_dimensions_in_front() -> None:
    a, b = normal(2, 1, 4, 5), normal(1, 3, 5, 6)
    y = evaluate("graph.matmul {0}, {1}", a, b, to="tensor<2x3x4x6xf32>")
    for i, j in np.ndindex(2, 3):
        np.testing.assert_allclose(y[i, j], a[i, 0] @ b[0, j], rtol=1e-5, atol=1e-6)


def test_normalize_and_log_softmax_are_their_formulas() -> None:
    x = normal(2, 3, 4) + 5
    y = evaluate("graph.normalize {0} axes [0, 2] epsilon 0.5", x, to="tensor<2x3x4xf32>")
    for c in range(3):
        wanted = (x[:, c] - x[:, c].mean()) / np.sqrt(x[:, c].var() + 0.5)
        np.testing.assert_allclose(y[:, c], wanted, rtol=1e-5, atol=1e-6)

    x = normal(2, 3) * 100
    y = evaluate("graph.log_softmax axis 1 {0}", x, to="tensor<2x3xf32>")
    d = x.astype(np.float64) - x.max(1, keepdims=True)
    np.testing.assert_allclose(y, d - np.log(np.exp(d).sum(1, keepdims=True)), rtol=1e-6)


def test_elementwise_sums_are_rounded_once_to_their_own_type() -> None:
    a, b = normal(1000), normal(1000)
    for op, f in (("add", np.add), ("sub", np.subtract), ("mul", np.multiply), ("div", np.divide)):
        y = evaluate(f"graph.{op} {{0}}, {{1}}", a, b, to="tensor<1000xf32>")
        np.testing.assert_array_equal(y, f(a, b))
        assert y.dtype == np.float32


def test_stored_constant_is_read_in_its_layout() -> None:
    ctx, w = new_context(), normal(5, 3, 2, 2)
    layout = Layout.parse("OIHW4i16o")
    key = ctx.weights.put(layout.apply_array(w))
    kind = f"tensor<5x3x2x2xf32, #graph.layout<{layout}>>"
    text = f"""
    func.func @f() -> tensor<5x3x2x2xf32> {{
      %w = graph.constant "{key}" : {kind}
      %y = graph.relayout %w : {kind} -> tensor<5x3x2x2xf32>
      func.return %y : tensor<5x3x2x2xf32>
    }}"""
    np.testing.assert_array_equal(run(ctx, text)[0], w)


def test_written_constant_is_read() -> None:
    text = """
    func.func @f() -> tensor<2x2xf32> {
      %c = graph.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
      func.return %c : tensor<2x2xf32>
    }"""
    np.testing.assert_array_equal(run(new_context(), text)[0], [[1, 2], [3, 4]])


def test_fused_op_computes_what_its_region_yields() -> None:
    text = """
    func.func @f(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
      %0, %1 = graph.fused(%x) ({
      ^bb0(%a: tensor<4xf32>):
        %r = graph.relu %a : tensor<4xf32> -> tensor<4xf32>
        %s = graph.add %a, %r : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
        graph.yield %s, %r : tensor<4xf32>, tensor<4xf32>
      }) : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
      func.return %1, %0 : tensor<4xf32>, tensor<4xf32>
    }"""
    x = normal(4)
    relu, sum = run(new_context(), text, x)
    np.testing.assert_array_equal(relu, np.maximum(x, 0))
    np.testing.assert_array_equal(sum, x + np.maximum(x, 0))


def test_key_without_a_store_is_an_error() -> None:
    text = """
    func.func @f() -> tensor<2xf32> {
      %c = graph.constant "9f86d081884c7d65" : tensor<2xf32>
      func.return %c : tensor<2xf32>
    }"""
    module = Parser(new_context(), text).parse_module()
    with pytest.raises(InterpretationError, match="9f86d081884c7d65, but there is no weight store"):
        interpreters.call(module, "f", [])


def test_every_op_has_an_implementation() -> None:
    tables = graph_interpreter.IMPLEMENTATIONS, graph_devices.IMPLEMENTATIONS
    names = {op.name for table in tables for op in table}
    assert {op.name for op in Graph.operations} == names | {"graph.yield"}
