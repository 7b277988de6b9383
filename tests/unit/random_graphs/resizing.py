"""Resize, Upsample and GridSample in all modes."""

from __future__ import annotations

import numpy as np

from tests.unit.random_graphs.grower import Grower, Operand, Operator, Rejected, Value

MODES = ("nearest", "linear", "cubic")
WHERE = ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel")
ROUNDING = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")


def upsample(g: Grower, x: Value) -> Value:
    """By whole factors, as most networks do."""
    scales = np.array([1, 1, *[float(g.between(1, 3)) for _ in x.shape[2:]]], np.float32)
    mode = g.choose(("nearest", "linear"))
    if g.opset == 9:
        return g.add("Upsample", x, scales, mode=mode)
    if g.opset == 10:
        return g.add("Resize", x, scales, mode=mode)
    where = g.choose(("asymmetric", "half_pixel"))
    rounding = "floor" if mode == "nearest" else None
    none = None if g.opset >= 13 else np.zeros(0, np.float32)
    return g.add(
        "Resize",
        x,
        none,
        scales,
        mode=mode,
        coordinate_transformation_mode=where,
        nearest_mode=rounding,
    )


def resize(g: Grower, x: Value) -> Value:
    """To any size."""
    size = [*x.shape[:2], *(g.between(1, 12) for _ in x.shape[2:])]
    mode = g.choose(MODES if x.rank == 4 else MODES[:2])
    none = None if g.opset >= 13 else np.zeros(0, np.float32)
    given: list[Operand] = [none, None, np.array(size, np.int64)]
    if g.opset < 13:
        given[1] = np.zeros(0, np.float32)
    factors = [n / m for n, m in zip(size, x.shape, strict=True)]
    if mode == "nearest" and any(float(np.float32(f)) != f for f in factors):
        raise Rejected("rounding errors decide between two elements that are equally near")
    if g.maybe():
        given = [none, np.array(factors, np.float32)]
    where = g.choose(WHERE)
    return g.add(
        "Resize",
        x,
        *given,
        mode=mode,
        coordinate_transformation_mode=where,
        nearest_mode=g.choose(ROUNDING) if mode == "nearest" else None,
        cubic_coeff_a=g.choose((None, -0.5)) if mode == "cubic" else None,
        exclude_outside=g.choose((None, 1)) if mode == "cubic" else None,
        antialias=g.choose((None, 1)) if g.opset >= 18 and mode != "nearest" else None,
    )


def grid_sample(g: Grower, x: Value) -> Value:
    """At places that are an input, some of them outside."""
    size = (x.shape[0], g.between(1, 9), g.between(1, 9), 2)
    grid = g.given(g.rng.uniform(-1.2, 1.2, size).astype(np.float32))
    cubic, linear = ("bicubic", "bilinear") if g.opset < 20 else ("cubic", "linear")
    mode = g.choose((None, linear, "nearest", cubic))
    # ONNX's own implementation and ONNX Runtime's differ in what is cubic beyond a border
    paddings = (None, "reflection", "border")[: 2 if mode == cubic else 3]
    return g.add(
        "GridSample",
        x,
        grid,
        mode=mode,
        padding_mode=g.choose(paddings),
        align_corners=g.choose((None, 1)),
    )


def _picture(x: Value) -> bool:
    return x.is_float and x.rank == 4


def _image(x: Value) -> bool:
    return x.is_float and x.rank in (3, 4)


OPERATORS = [
    *[Operator(upsample, _image)] * 2,
    Operator(resize, _image, since=11),
    Operator(grid_sample, _picture, since=16),
]
