"""Convolutions and pools with all that their attributes can say."""

from __future__ import annotations

from typing import Any

from tests.unit.random_graphs.grower import Grower, Operator, Rejected, Value

CHANNELS = (16, 1, 3, 8, 20, 32, 37, 48)
STRIDES = (1, 2, 1, 3)


def kernel(g: Grower, x: Value) -> list[int]:
    """How large a window is: square, or of any shape."""
    rank = x.rank - 2
    if g.maybe():
        return [g.choose((3, 1, 2, 5, 7))] * rank
    return [g.choose((1, 2, 3, 5, 7)) for _ in range(rank)]


def each(g: Grower, options: tuple[int, ...], rank: int) -> list[int] | None:
    """One number for each dimension, or nothing."""
    return [g.choose(options) for _ in range(rank)] if g.maybe() else None


def padding(g: Grower, extents: list[int], *, automatic: bool = True) -> dict[str, Any]:
    """Attributes that pad a window of these extents by less than each."""
    kind = g.choose(("same", "none", "any", "auto") if automatic else ("same", "none", "any"))
    match kind:
        case "none":
            return {}
        case "same":
            return {"pads": [(n - 1) // 2 for n in extents] * 2}
        case "any":
            return {"pads": [g.between(0, n - 1) for n in extents * 2]}
        case _:
            return {"auto_pad": g.choose(("SAME_UPPER", "SAME_LOWER", "VALID"))}


def conv(g: Grower, x: Value) -> Value:
    rank, channels = x.rank - 2, x.shape[1]
    size, gaps = kernel(g, x), each(g, (1, 2, 3), x.rank - 2)
    extents = [d * (k - 1) + 1 for k, d in zip(size, gaps or [1] * rank, strict=True)]
    groups = g.choose([1, 1, *(n for n in (channels, 2, 4) if channels % n == 0)])
    outputs = g.choose(CHANNELS)
    if groups > 1:
        outputs = groups * g.choose((1, 2, 3) if groups == channels else (4, 8, 1, 16))
    inputs = channels // groups
    fan = inputs * size[0] * size[-1]
    return g.add(
        "Conv",
        x,
        g.numbers(outputs, inputs, *size, scale=fan**-0.5),
        *([g.numbers(outputs)] if g.maybe() else []),
        strides=each(g, STRIDES, rank),
        dilations=gaps,
        group=groups if groups > 1 else None,
        kernel_shape=size if g.maybe() else None,
        **padding(g, extents),
    )


def conv_transpose(g: Grower, x: Value) -> Value:
    rank, channels = x.rank - 2, x.shape[1]
    size, gaps, strides = kernel(g, x), each(g, (1, 2), rank), each(g, (2, 1, 3), rank)
    groups = g.choose([1, *(n for n in (2, channels) if channels % n == 0)])
    outputs = g.choose((8, 1, 3, 16, 20) if groups == 1 else (1, 4))
    extra = [g.between(0, s - 1) for s in strides] if strides and g.maybe() else None
    extents = [d * (k - 1) + 1 for k, d in zip(size, gaps or [1] * rank, strict=True)]
    return g.add(
        "ConvTranspose",
        x,
        g.numbers(channels, outputs, *size, scale=(channels // groups * 3) ** -0.5),
        *([g.numbers(outputs * groups)] if g.maybe() else []),
        strides=strides,
        dilations=gaps,
        group=groups if groups > 1 else None,
        output_padding=extra,
        **padding(g, extents, automatic=extra is None and gaps is None),
    )


def _pool(g: Grower, x: Value, op: str, dilated: int, **attributes: Any) -> Value:
    """`dilated` is the opset from which on the taps of the windows may lie apart."""
    rank, size = x.rank - 2, kernel(g, x)
    gaps = each(g, (1, 2), rank) if g.opset >= dilated else None
    extents = [d * (k - 1) + 1 for k, d in zip(size, gaps or [1] * rank, strict=True)]
    attributes |= padding(g, size, automatic=gaps is None)
    if any(n + 2 * (k - 1) < e for n, k, e in zip(x.shape[2:], size, extents, strict=True)):
        raise Rejected("no window fits")
    return g.add(
        op,
        x,
        kernel_shape=size,
        strides=each(g, (2, 1, 3), rank),
        dilations=gaps,
        **attributes,
    )


def _ceil(g: Grower, since: int) -> int | None:
    return 1 if g.opset >= since and g.maybe() else None


def max_pool(g: Grower, x: Value) -> Value:
    return _pool(g, x, "MaxPool", 10, ceil_mode=_ceil(g, 10))


def average_pool(g: Grower, x: Value) -> Value:
    count = 1 if g.maybe() else None
    return _pool(g, x, "AveragePool", 19, ceil_mode=_ceil(g, 10), count_include_pad=count)


def lp_pool(g: Grower, x: Value) -> Value:
    return _pool(g, x, "LpPool", 18, p=g.choose((2, 1, 3)), ceil_mode=_ceil(g, 18))


def global_pool(g: Grower, x: Value) -> Value:
    return g.add(g.choose(("GlobalAveragePool", "GlobalMaxPool")), x)


def global_lp_pool(g: Grower, x: Value) -> Value:
    return g.add("GlobalLpPool", x, p=g.choose((2, 1, 3)))


def lrn(g: Grower, x: Value) -> Value:
    return g.add(
        "LRN",
        x,
        size=g.choose((5, 1, 3)),  # ONNX Runtime has no even ones
        alpha=g.choose((0.1, 1e-4)),
        beta=g.choose((0.75, 0.5, 0.6)),
        bias=g.choose((1.0, 2.0)),
    )


def _image(x: Value) -> bool:
    return x.is_float and x.rank in (3, 4)


OPERATORS = [
    *[Operator(conv, _image)] * 5,
    *[Operator(conv_transpose, _image)] * 2,
    *[Operator(max_pool, _image)] * 2,
    *[Operator(average_pool, _image)] * 2,
    Operator(lp_pool, _image),
    Operator(global_pool, _image),
    Operator(global_lp_pool, _image),
    Operator(lrn, _image),
]
