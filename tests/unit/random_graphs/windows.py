"""Convolutions and pools with all that their attributes can say."""

from __future__ import annotations

from typing import Any

import numpy as np

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
        g.parameter(outputs, inputs, *size, scale=fan**-0.5),
        *([g.parameter(outputs)] if g.maybe() else []),
        strides=each(g, STRIDES, rank),
        dilations=gaps,
        group=groups if groups > 1 else None,
        kernel_shape=size if g.maybe() else None,
        **padding(g, extents),
    )


def plain_conv(g: Grower, x: Value) -> Value:
    """A convolution of many channels, so that they are stored in blocks."""
    rank, channels, k = x.rank - 2, x.shape[1], g.choose((1, 3))
    outputs = g.choose((16, 20, 32, 36, 37, 48))
    w = g.numbers(outputs, channels, *[k] * rank, scale=(channels * k**rank) ** -0.5)
    return g.add("Conv", x, w, pads=[(k - 1) // 2] * 2 * rank)


def conv_transpose(g: Grower, x: Value) -> Value:
    rank, channels = x.rank - 2, x.shape[1]
    size, gaps, strides = kernel(g, x), each(g, (1, 2), rank), each(g, (2, 1, 3), rank)
    groups = g.choose([1, *(n for n in (2, channels) if channels % n == 0)])
    outputs = g.choose((8, 1, 3, 16, 20) if groups == 1 else (1, 4))
    extra = [g.between(0, s - 1) for s in strides] if strides and g.maybe() else None
    extents = [d * (k - 1) + 1 for k, d in zip(size, gaps or [1] * rank, strict=True)]
    asked = None
    if extra is None and g.choose((False, False, False, True)):
        steps = zip(x.shape[2:], strides or [1] * rank, extents, strict=True)
        asked = [g.between(max(1, (n - 1) * s + e - 2), (n - 1) * s + e) for n, s, e in steps]
    return g.add(
        "ConvTranspose",
        x,
        g.parameter(channels, outputs, *size, scale=(channels // groups * 3) ** -0.5),
        *([g.parameter(outputs * groups)] if g.maybe() else []),
        strides=strides,
        dilations=gaps,
        group=groups if groups > 1 else None,
        output_padding=extra,
        output_shape=asked,
        **({} if asked else padding(g, extents, automatic=extra is None and gaps is None)),
    )


def _pool(g: Grower, x: Value, op: str, dilated: int, **attributes: Any) -> Value:
    """`dilated` is the opset from which on the taps of the windows may lie apart."""
    rank, size = x.rank - 2, kernel(g, x)
    gaps = each(g, (1, 2), rank) if g.opset >= dilated else None
    extents = [d * (k - 1) + 1 for k, d in zip(size, gaps or [1] * rank, strict=True)]
    attributes |= padding(g, size, automatic=gaps is None)
    p = attributes.get("pads", [0] * 2 * rank)
    padded = [n + p[i] + p[i + rank] for i, n in enumerate(x.shape[2:])]
    known = attributes.get("auto_pad", "VALID") == "VALID"
    if known and any(map(int.__lt__, padded, extents)):
        raise Rejected("no window fits")  # ONNX Runtime rounds towards zero, to one window
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


def padded_window(g: Grower, x: Value) -> Value:
    """A pad of the image alone, as a node of its own, then a window."""
    pads = [g.between(0, 2) for _ in range(2 * (x.rank - 2))]
    rank = x.rank - 2
    pads = [0, 0, *pads[:rank], 0, 0, *pads[rank:]]
    if g.opset < 11:
        x = g.add("Pad", x, pads=pads)
    else:
        x = g.add("Pad", x, np.array(pads, np.int64))
    return g.choose((conv, average_pool, max_pool))(g, x)


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


def _volume(x: Value) -> bool:
    return x.is_float and x.rank in (3, 4, 5)


OPERATORS = [
    *[Operator(conv, _image)] * 5,
    *[Operator(conv_transpose, _image)] * 2,
    *[Operator(max_pool, _volume)] * 2,
    *[Operator(average_pool, _volume)] * 2,
    Operator(padded_window, _image),
    Operator(lp_pool, _volume),
    Operator(global_pool, _volume),
    Operator(global_lp_pool, _volume),
    Operator(lrn, _volume),
]
