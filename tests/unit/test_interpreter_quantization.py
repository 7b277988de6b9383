"""The meaning of graph ops on integers: exact sums, modulo 2**32, and saturation."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.parser import Parser

from lamina import interpreters
from lamina.context import new_context

TYPES = {"uint8": "ui8", "int8": "i8", "int32": "i32", "float32": "f32"}


def evaluate(op: str, *inputs: np.ndarray, to: str) -> np.ndarray:
    """Run one op; `op` names its operands %x0, %x1..., `to` is the type of its result."""
    types = [f"tensor<{''.join(f'{n}x' for n in x.shape)}{TYPES[str(x.dtype)]}>" for x in inputs]
    args = ", ".join(f"%x{i}: {t}" for i, t in enumerate(types))
    text = f"""
    func.func @f({args}) -> {to} {{
      %y = {op} : ({", ".join(types)}) -> {to}
      func.return %y : {to}
    }}"""
    ctx = new_context()
    module = Parser(ctx, text).parse_module()
    module.verify()
    (y,) = interpreters.call(module, "f", inputs, store=ctx.weights)
    return y


def wrapped(y: np.ndarray) -> np.ndarray:
    """The low 32 bits."""
    return (y.astype(object) % 2**32).astype(np.uint32).view(np.int32)


def all_of(type: str, *shape: int) -> np.ndarray:
    info = np.iinfo(type)
    return np.random.default_rng(1).integers(info.min, info.max, shape, endpoint=True).astype(type)


@pytest.mark.parametrize("x", ["uint8", "int8", "int32"])
@pytest.mark.parametrize("w", ["uint8", "int8", "int32"])
def test_products_of_integers_are_summed_up_modulo_32_bits(x: str, w: str) -> None:
    a, b, bias = all_of(x, 3, 5), all_of(w, 4, 5), all_of("int32", 4)
    exact = a.astype(object) @ b.astype(object).T
    y = evaluate("graph.matmul %x0, %x1", a, b.T.copy(), to="tensor<3x4xi32>")
    np.testing.assert_array_equal(y, wrapped(exact))
    y = evaluate("graph.dense %x0, %x1 bias %x2", a, b, bias, to="tensor<3x4xi32>")
    np.testing.assert_array_equal(y, wrapped(exact + bias.astype(object)))


@pytest.mark.parametrize(("x", "fill"), [("uint8", 131), ("int8", -7), ("int32", -(2**31))])
def test_windows_of_integers_have_the_fill_around_the_image(x: str, fill: int) -> None:
    a, w, bias = all_of(x, 2, 4, 5, 4), all_of("int8", 6, 2, 2, 3), all_of("int32", 6)
    padded = np.pad(a, ((0, 0), (0, 0), (1, 0), (2, 1)), constant_values=fill).astype(object)
    wanted = np.empty((2, 6, 5, 3), object)
    for n, o, h, v in np.ndindex(*wanted.shape):
        window = padded[n, o // 3 * 2 : o // 3 * 2 + 2, h : h + 2, 2 * v : 2 * v + 3]
        wanted[n, o, h, v] = (window * w[o].astype(object)).sum() + int(bias[o])
    op = (
        "graph.conv2d %x0, %x1 bias %x2 strides [1, 2] pads [1, 2, 0, 1] dilations [1, 1] groups 2"
        f" fill {fill}"
    )
    y = evaluate(op, a, w, bias, to="tensor<2x6x5x3xi32>")
    np.testing.assert_array_equal(y, wrapped(wanted))


def test_quantize_divides_and_requantize_multiplies() -> None:
    x = np.array([[0.5, 1.5, 2.5, -0.5, 1e9, -1e9, np.nan, np.inf]], np.float32)
    zero = np.array([[10]], np.uint8)
    one = np.array([[1]], np.float32)
    wanted = [[10, 12, 12, 10, 255, 0, 0, 255]]
    for op in ("quantize", "requantize"):
        y = evaluate(f"graph.{op} %x0, %x1, %x2", x, one, zero, to="tensor<1x8xui8>")
        np.testing.assert_array_equal(y, wanted)
    tenth = np.array([[0.1]], np.float32)
    x = np.array([[0.65, 0.35]], np.float32)  # 6.5 and 3.5 steps, or less by a rounding error
    signed = np.array([[-3]], np.int8)
    y = evaluate("graph.quantize %x0, %x1, %x2", x, tenth, signed, to="tensor<1x2xi8>")
    np.testing.assert_array_equal(y, np.rint(x / tenth).astype(np.int8) - 3)
    y = evaluate("graph.requantize %x0, %x1, %x2", x, tenth, signed, to="tensor<1x2xi8>")
    np.testing.assert_array_equal(y, [[-3, -3]])


def test_scales_and_zero_points_broadcast() -> None:
    x = all_of("int32", 2, 3, 4) // 2**20
    scale = np.array([0.5, 1.0, 0.01], np.float32).reshape(1, 3, 1)
    zero = np.array([0, 7, 255], np.uint8).reshape(1, 3, 1)
    y = evaluate("graph.quantize %x0, %x1, %x2", x, scale, zero, to="tensor<2x3x4xui8>")
    steps = np.rint(x.astype(np.float32) / scale).astype(np.int64) + zero
    np.testing.assert_array_equal(y, steps.clip(0, 255))
    back = evaluate("graph.dequantize %x0, %x1, %x2", y, scale, zero, to="tensor<2x3x4xf32>")
    np.testing.assert_array_equal(back, (y.astype(np.float32) - zero) * scale)


def test_difference_from_a_zero_point_of_32_bits_wraps_around() -> None:
    x, zero = np.array([[2**31 - 1, 5]], np.int32), np.array([[-1]], np.int32)
    one = np.array([[1]], np.float32)
    y = evaluate("graph.dequantize %x0, %x1, %x2", x, one, zero, to="tensor<1x2xf32>")
    np.testing.assert_array_equal(y, [[-(2.0**31), 6]])
