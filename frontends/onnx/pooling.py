"""Pooling: the largest element, the mean or the norm of each window, or of the whole image."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np
from xdsl.dialects.builtin import IntegerType, Signedness, f32
from xdsl.ir import SSAValue

from lamina.dialects import graph
from lamina.frontends.onnx.movement import reshaped
from lamina.frontends.onnx.node import Node, Unsupported, Value
from lamina.frontends.onnx.window import Window, image, like

LARGEST_NORM = 16
"""with larger p the error of products, half a unit in the last place each, would show"""


def _window(node: Node) -> Window:
    return Window.padded(node, node.attribute("kernel_shape", []), most=3)


def _over_windows(
    node: Node, x: SSAValue, window: Window, reduce: Callable[[SSAValue, Window], SSAValue]
) -> Value:
    """`reduce` over every window of `x`; over a volume first along the depth, then across."""
    if len(window.size) == 2:
        return like(node, reduce(x, window))
    n, c, d, h, w = graph.shape(x)
    along, across = window.apart()
    y = reduce(_as(node, x, (n, c, d, h * w)), along)
    d = graph.shape(y)[2]
    y = reduce(_as(node, y, (n, c * d, h, w)), across)
    return reshaped(node, y, (n, c, d, *graph.shape(y)[2:]))


def _as(node: Node, x: SSAValue, size: Sequence[int]) -> SSAValue:
    y = reshaped(node, x, size)
    assert isinstance(y, SSAValue)
    return y


def _max_pool(node: Node) -> Sequence[Value]:
    node.ignore("storage_order")  # concerns the second output, which is not supported

    def largest(x: SSAValue, window: Window) -> SSAValue:
        pads = window.covering_pads()  # padding does not count, so there may be more of it
        gaps = window.dilations
        return node.add(graph.MaxPool2dOp(x, window.kernel, window.strides, pads, dilations=gaps))

    x = image(node, 0)
    type = graph.tensor_type(x).element_type
    if type not in (IntegerType(8), IntegerType(8, Signedness.UNSIGNED)):
        return [_over_windows(node, x, _window(node), largest)]
    floats = node.add(graph.CastOp(x, graph.cast_type(x, f32)))  # which hold every byte
    y = _over_windows(node, floats, _window(node), largest)
    assert isinstance(y, SSAValue)
    return [node.add(graph.CastOp(y, graph.cast_type(y, type)))]


def _average_pool(node: Node) -> Sequence[Value]:
    count_pads = bool(node.attribute("count_include_pad", 0))

    def average(x: SSAValue, window: Window) -> SSAValue:
        y = node.add(_mean(x, window, count_pads=count_pads))
        inside, every = np.multiply.outer(*window.counted()), prod(window.kernel)
        if not count_pads or (inside == every).all():
            return y
        # windows of ceil_mode that end beyond the padding
        factor = (every / inside).astype(np.float32)[None, None]
        return node.add(graph.MulOp(y, node.known(factor)))

    return [_over_windows(node, image(node, 0), _window(node), average)]


def _mean(x: SSAValue, window: Window, *, count_pads: bool) -> graph.AvgPool2dOp:
    return graph.AvgPool2dOp(
        x,
        window.kernel,
        window.strides,
        window.covering_pads(),
        count_pads,
        dilations=window.dilations,
    )


def _global_average_pool(node: Node) -> Sequence[Value]:
    return _over_image(node, lambda x: node.add(graph.GlobalAvgPoolOp(x)))


def _global_max_pool(node: Node) -> Sequence[Value]:
    return _over_image(node, lambda x: node.add(graph.MaxPool2dOp(x, graph.shape(x)[2:])))


def _over_image(node: Node, reduce: Callable[[SSAValue], SSAValue]) -> Sequence[Value]:
    """`reduce` over height and width, of which there are as many dimensions as the node has."""
    size = node.shape(0)
    if len(size) < 3:
        raise Unsupported(f"of {list(size)}; 3 dimensions or more are supported")
    flat = _as(node, node.tensor(0), (*size[:2], prod(size[2:-1]), size[-1]))
    return [reshaped(node, reduce(flat), (*size[:2], *(1 for _ in size[2:])))]


def _lp_pool(node: Node) -> Sequence[Value]:
    """p-th root of the sum of |x| ** p over each window; padding adds nothing"""
    p, window = node.attribute("p", 2), _window(node)
    powers = _power(node, image(node, 0), p)
    means = _over_windows(
        node, powers, window, lambda x, part: node.add(_mean(x, part, count_pads=True))
    )
    assert isinstance(means, SSAValue)
    return [_root(node, means, prod(window.kernel), p)]


def _global_lp_pool(node: Node) -> Sequence[Value]:
    p, taps = node.attribute("p", 2), prod(node.shape(0)[2:])

    def norm(x: SSAValue) -> SSAValue:
        return _root(node, node.add(graph.GlobalAvgPoolOp(_power(node, x, p))), taps, p)

    return _over_image(node, norm)


def _power(node: Node, x: SSAValue, p: int) -> SSAValue:
    """|x| ** p by repeated squaring"""
    if not 1 <= p <= LARGEST_NORM:
        raise Unsupported(f"with p {p}; 1 to {LARGEST_NORM} are supported")
    power, square = None, node.add(graph.AbsOp(x)) if p % 2 else x
    while p:
        if p % 2:
            power = square if power is None else node.add(graph.MulOp(power, square))
        p //= 2
        square = node.add(graph.MulOp(square, square)) if p else square
    assert power is not None
    return power


def _root(node: Node, mean: SSAValue, taps: int, p: int) -> SSAValue:
    """The p-th root of the sum whose mean over `taps` is given."""
    root = node.add(graph.MulOp(mean, _number(node, taps, mean)))
    if p & (p - 1):
        return _exp_log(node, root, 1 / p)
    for _ in range(p.bit_length() - 1):
        root = node.add(graph.SqrtOp(root))
    return root


def _exp_log(node: Node, x: SSAValue, exponent: float) -> SSAValue:
    """x ** exponent of numbers that are not negative, as exp(log(x) * exponent)"""
    log = node.add(graph.LogOp(x))
    return node.add(graph.ExpOp(node.add(graph.MulOp(log, _number(node, exponent, x)))))


def _lrn(node: Node) -> Sequence[Value]:
    """x / (bias + alpha / size * sum of x * x over `size` neighbouring channels) ** beta"""
    taps, x, beta = node.attribute("size", 0), node.tensor(0), node.attribute("beta", 0.75)
    size = graph.shape(x)
    if beta <= 0:
        raise Unsupported(f"with beta {beta}; it must be positive")
    if len(size) < 3:
        raise Unsupported(f"of {list(size)}; 3 dimensions or more are supported")
    # channels as the height of an image
    square = _as(node, node.add(graph.MulOp(x, x)), (size[0], 1, size[1], prod(size[2:])))
    pads = ((taps - 1) // 2, 0, taps // 2, 0)
    mean = node.add(graph.AvgPool2dOp(square, (taps, 1), (1, 1), pads, count_pads=True))
    alpha, bias = node.attribute("alpha", 1e-4), node.attribute("bias", 1.0)
    scaled = node.add(graph.MulOp(mean, _number(node, alpha, mean)))
    base = node.add(graph.AddOp(scaled, _number(node, bias, mean)))
    power = _as(node, _base_power(node, base, beta), size)
    return [node.add(graph.DivOp(x, power))]


def _base_power(node: Node, x: SSAValue, beta: float) -> SSAValue:
    """x ** beta, for multiples of 1/4 from x, its square root and the square root of that"""
    quarters = round(4 * beta)
    if quarters != 4 * beta or not 0 < quarters <= 16:
        return _exp_log(node, x, beta)
    factors = [x] * (quarters // 4)
    if quarters % 4:
        root = node.add(graph.SqrtOp(x))
        factors += [root] * (quarters % 4 // 2)
        if quarters % 2:
            factors.append(node.add(graph.SqrtOp(root)))
    power = factors[0]
    for factor in factors[1:]:
        power = node.add(graph.MulOp(power, factor))
    return power


def _number(node: Node, value: float, against: SSAValue) -> SSAValue:
    """A number that broadcasts `against` a tensor."""
    return node.known(np.full((1,) * len(graph.shape(against)), value, np.float32))


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "AveragePool": _average_pool,
    "GlobalAveragePool": _global_average_pool,
    "GlobalLpPool": _global_lp_pool,
    "GlobalMaxPool": _global_max_pool,
    "LRN": _lrn,
    "LpPool": _lp_pool,
    "MaxPool": _max_pool,
}
