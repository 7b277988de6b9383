"""Convolutions and matrix products of integers, as they are and quantized."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np
from xdsl.dialects.builtin import i32
from xdsl.ir import SSAValue

from lamina.dialects import graph
from lamina.frontends.onnx.elements import dtype_like
from lamina.frontends.onnx.linear import matrices
from lamina.frontends.onnx.movement import reshaped
from lamina.frontends.onnx.node import Node, Unsupported, Value
from lamina.frontends.onnx.quantization import cast, operand, scales, shape_of
from lamina.frontends.onnx.window import Window, image, like

BYTES = ("uint8", "int8")


def _bytes(node: Node, i: int) -> Value:
    """Input `i`, of 8 bits."""
    value = node.value(i)
    if str(dtype := dtype_like(value)) not in BYTES:
        raise Unsupported(f"of {dtype}; {' and '.join(BYTES)} are supported")
    return value


def _along(node: Node, value: Value, what: str, count: int, size: Sequence[int]) -> Value:
    """One number, or `count` of them, as a tensor of shape `size`; one is of size 1 everywhere."""
    old = shape_of(value)
    if prod(old) == 1:
        return reshaped(node, value, (1,) * len(size))
    if prod(old) != count or old[-1] != count:
        needed = f"1 or {count} are" if count > 1 else "1 is"
        raise Unsupported(f"with {what} of shape {list(old)}; {needed} needed")
    return reshaped(node, value, size)


def _zeros(node: Node, i: int, of: Value, count: int, size: Sequence[int]) -> Value:
    """Input `i`: zero points of the elements of `of`; 0 if it is not given."""
    dtype = dtype_like(of)
    if not node.has(i):
        return np.zeros((1,) * len(size), dtype)
    value = node.value(i)
    if (found := dtype_like(value)) != dtype:
        raise Unsupported(f"with zero points of {found}; {dtype} is needed")
    return _along(node, value, "zero points", count, size)


def _is_zero(zero: Value) -> bool:
    return isinstance(zero, np.ndarray) and not zero.any()


def _narrow(x: Value, zero: Value) -> np.ndarray | None:
    """x - zero in 8 bits, if both are known and that holds it."""
    if isinstance(x, SSAValue) or isinstance(zero, SSAValue):
        return None
    wide = x.astype(np.int32) - zero
    for dtype in (np.int8, np.uint8):
        if (wide == wide.astype(dtype)).all():
            return wide.astype(dtype)
    return None


def _wide(node: Node, x: Value, zero: Value) -> SSAValue:
    """x - zero in i32."""
    if isinstance(x, np.ndarray) and isinstance(zero, np.ndarray):
        return node.known(x.astype(np.int32) - zero)
    wide = cast(node, operand(node, x), i32)
    if _is_zero(zero):
        return wide
    return node.add(graph.SubOp(wide, cast(node, operand(node, zero), i32)))


def _bias(node: Node, given: Value | None, zero: np.ndarray, sums: np.ndarray) -> SSAValue | None:
    """`given`, less what the zero point of x adds to sums of products, modulo 2**32."""
    less = -int(zero.item()) * sums.astype(np.int64)
    if isinstance(given, SSAValue):
        moved = node.known(less.astype(np.int32))
        return node.add(graph.AddOp(given, moved)) if less.any() else given
    whole = less if given is None else less + given
    return node.known(whole.astype(np.int32)) if given is not None or whole.any() else None


def _given_bias(node: Node, i: int, outputs: int) -> Value | None:
    """Input `i`: numbers that are added to the sums of each output, in their steps."""
    if not node.has(i):
        return None
    value, size = node.value(i), list(node.shape(i))
    if (found := dtype_like(value)) != np.int32 or size != [outputs]:
        raise Unsupported(f"with a bias of {found} {size}; int32 [{outputs}] is needed")
    return value


def _convolved(node: Node, w_at: int, zeros: tuple[int, int], bias: Value | None) -> SSAValue:
    """Sums of products of x - its zero point and w - its zero points, in i32."""
    window = Window.padded(node, node.shape(w_at)[2:])
    x, w, outputs = _bytes(node, 0), _bytes(node, w_at), node.shape(w_at)[0]
    size = node.shape(w_at)
    maps = [*size[:2], *[1] * (4 - len(size)), *size[2:]]
    w = reshaped(node, w, maps)
    zero_x = _zeros(node, zeros[0], x, 1, (1, 1, 1, 1))
    zero_w = _zeros(node, zeros[1], w, outputs, (outputs, 1, 1, 1))
    narrow = _narrow(w, zero_w) if isinstance(zero_x, np.ndarray) else None
    given = None if bias is None else operand(node, bias)
    left, fill = image(node, 0), 0
    if narrow is not None and isinstance(zero_x, np.ndarray):
        right, fill = node.known(narrow, node.name_of(w_at)), int(zero_x.item())
        given = _bias(node, bias, zero_x, narrow.sum((1, 2, 3), np.int64))
    elif _is_zero(zero_x) and _is_zero(zero_w):
        right = operand(node, w)
    else:
        left, right = _wide(node, left, zero_x), _wide(node, w, zero_w)
    conv = graph.Conv2dOp(
        left,
        right,
        given,
        strides=window.strides,
        pads=window.pads,
        dilations=window.dilations,
        groups=node.attribute("group", 1),
        fill=fill if any(window.pads) else 0,
    )
    return node.add(conv)


def _multiplied(node: Node, b_at: int, zeros: tuple[int, int]) -> tuple[SSAValue, list[int]]:
    """
    Sums of products of a - its zero point and b - its zero points, in i32, as matrices; and the
    shape of the result.
    """
    a, b = _bytes(node, 0), _bytes(node, b_at)
    rows, columns, result = matrices(shape_of(a), shape_of(b))
    a, b, count = reshaped(node, a, rows), reshaped(node, b, columns), columns[-1]
    zero_a = _zeros(node, zeros[0], a, 1, (1,) * len(rows))
    zero_b = _zeros(node, zeros[1], b, count, (*[1] * (len(columns) - 1), count))
    narrow = _narrow(b, zero_b) if isinstance(zero_a, np.ndarray) and len(columns) == 2 else None
    if narrow is not None and isinstance(zero_a, np.ndarray):
        w = node.known(np.ascontiguousarray(narrow.T), node.name_of(b_at))
        bias = _bias(node, None, zero_a, narrow.sum(0, np.int64))
        return node.add(graph.DenseOp(operand(node, a), w, bias)), result
    if _is_zero(zero_a) and _is_zero(zero_b):
        product = graph.MatmulOp(operand(node, a), operand(node, b))
    else:
        product = graph.MatmulOp(_wide(node, a, zero_a), _wide(node, b, zero_b))
    return node.add(product), result


def _ratio(node: Node, x: Value, w: Value, y: Value) -> SSAValue:
    """x * w / y, in float32: what one step of a sum is worth in steps of the result."""
    if any(isinstance(s, SSAValue) for s in (x, w, y)):
        product = node.add(graph.MulOp(operand(node, x), operand(node, w)))
        return node.add(graph.DivOp(product, operand(node, y)))
    x, w, y = (np.asarray(s, np.float32) for s in (x, w, y))
    with np.errstate(all="ignore"):
        found = x * w / y
    if bad := found[~(np.isfinite(found) & (found > 0))].tolist():
        raise Unsupported(f"with scales that make {bad[0]:g}; it must be positive and finite")
    return node.known(found)


def _requantized(node: Node, sums: SSAValue, w_scale: int, count: int, dim: int) -> SSAValue:
    """
    Sums in steps of the result: inputs 1 and `w_scale` are the scales of the factors, of which
    those of w may be one for each of `count` indices of `dim`; the two after those of w are y's.
    """
    size = [count if d == dim else 1 for d in range(len(graph.shape(sums)))]
    x, y = (_along(node, scales(node, i), "scales", 1, size) for i in (1, w_scale + 2))
    w = _along(node, scales(node, w_scale), "scales", count, size)
    given = node.value(w_scale + 3)
    if (found := dtype_like(given)) not in (np.uint8, np.int8):
        raise Unsupported(f"with zero points of the result of {found}; uint8 or int8 is needed")
    zero = _along(node, given, "zero points of the result", 1, size)
    return node.add(graph.RequantizeOp(sums, _ratio(node, x, w, y), operand(node, zero)))


def _qlinear_conv(node: Node) -> Sequence[Value]:
    """Of uint8 and int8, with scales and zero points of w for each output channel, or one."""
    sums = _convolved(node, 3, (2, 5), _given_bias(node, 8, node.shape(3)[0]))
    return [like(node, _requantized(node, sums, 4, node.shape(3)[0], 1))]


def _conv_integer(node: Node) -> Sequence[Value]:
    """Of uint8 and int8, with zero points of w for each output channel, or one."""
    return [like(node, _convolved(node, 1, (2, 3), None))]


def _qlinear_matmul(node: Node) -> Sequence[Value]:
    """Of uint8 and int8, with scales and zero points of b for each column, or one."""
    sums, result = _multiplied(node, 3, (2, 5))
    size = graph.shape(sums)
    y = _requantized(node, sums, 4, size[-1], len(size) - 1)
    return [reshaped(node, y, result)]


def _matmul_integer(node: Node) -> Sequence[Value]:
    """Of uint8 and int8, with zero points of b for each column, or one."""
    sums, result = _multiplied(node, 1, (2, 3))
    return [reshaped(node, sums, result)]


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "ConvInteger": _conv_integer,
    "MatMulInteger": _matmul_integer,
    "QLinearConv": _qlinear_conv,
    "QLinearMatMul": _qlinear_matmul,
}
