"""Operators that give a tensor other extents: Resize, and Upsample before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.ir import SSAValue

from lamina.dialects import graph
from lamina.frontends.onnx.node import Node, Unsupported, Value, whole
from lamina.frontends.onnx.resampling import (
    KERNELS,
    MODES,
    ROUNDINGS,
    Filter,
    Line,
    Table,
    coordinates,
    table,
)
from lamina.frontends.onnx.slicing import bordered, gathered

FUSED_TAPS = 2
"""up to this many taps a dimension, several dimensions are resampled at once; then in turn"""


def resampled(node: Node, x: SSAValue, tables: Mapping[int, Table]) -> SSAValue:
    """
    `x` resampled along these dimensions: those that get smaller first, so that the others have less
    to do; those with few taps together; where elements are only repeated, at the end.
    """
    size = graph.shape(x)
    tables = {d: t for d, t in tables.items() if not t.is_identity(size[d])}
    repeats = {d: t for d, t in tables.items() if t.repeats(size[d])}
    order = sorted(tables.keys() - repeats.keys(), key=lambda d: len(tables[d].indices) / size[d])
    rest: list[int] = []
    for d in order:
        if tables[d].picks and _evenly_spaced(tables[d]):
            x = gathered(node, x, d, tables[d].indices[:, 0].tolist())
        else:
            rest.append(d)
    smaller = [d for d in rest if len(tables[d].indices) < size[d]]
    for dims in (smaller, [d for d in rest if d not in smaller]):
        few = sorted(d for d in dims if tables[d].taps <= FUSED_TAPS)
        for group in [few] * bool(few) + [[d] for d in dims if d not in few]:
            x = _resample(node, x, {d: tables[d] for d in group})
    wide = [len(repeats[d].indices) if d in repeats else n for d, n in enumerate(graph.shape(x))]
    return node.add(graph.RepeatOp(x, _typed(x, wide))) if repeats else x


def _typed(x: SSAValue, size: Sequence[int]) -> TensorType:
    return TensorType(graph.tensor_type(x).element_type, size)


def _evenly_spaced(t: Table) -> bool:
    """Whether the table is that of a slice."""
    steps = np.diff(t.indices[:, 0])
    return bool(len(steps) == 0 or (steps[0] > 0 and (steps == steps[0]).all()))


def _resample(node: Node, x: SSAValue, tables: Mapping[int, Table]) -> SSAValue:
    at = [node.known(t.indices.astype(np.int32)) for t in tables.values()]
    weights: list[SSAValue] = []
    if not all(t.picks for t in tables.values()):
        weights = [node.known(t.weights.astype(np.float32)) for t in tables.values()]
    return node.add(graph.ResampleOp(x, list(tables), at, weights))


def _resize(node: Node) -> Sequence[Value]:
    x = node.tensor(0)
    how = _filter(node)
    mode = "asymmetric"
    if node.opset >= 11:
        mode = node.attribute("coordinate_transformation_mode", "half_pixel")
    if mode not in MODES:
        raise Unsupported(f"with coordinate_transformation_mode {mode}")
    fill = node.attribute("extrapolation_value", 0.0)
    lines = _lines(node, graph.shape(x), crops=mode == "tf_crop_and_resize")
    return [_along(node, x, lines, mode, how, fill)]


def _along(
    node: Node, x: SSAValue, lines: Mapping[int, Line], mode: str, how: Filter, fill: float
) -> SSAValue:
    """`x` resized along each line; what lies outside it is `fill`, if the mode crops."""
    tables: dict[int, Table] = {}
    sides: dict[int, tuple[int, int]] = {}
    for d, line in lines.items():
        if line.scale == 1 and mode != "tf_crop_and_resize":
            continue  # even if a coordinate is between two elements
        at = coordinates(mode, line)
        if mode == "tf_crop_and_resize":
            (inside,) = np.nonzero((at >= 0) & (at <= line.old - 1))
            if not len(inside):
                size = [lines[i].new if i in lines else n for i, n in enumerate(graph.shape(x))]
                return node.known(np.full(size, fill, np.float32))
            sides[d] = (int(inside[0]), line.new - 1 - int(inside[-1]))
            at = at[inside]
        tables[d] = table(at, line, _for_line(how, line, node.opset))
    x = resampled(node, x, tables)
    for d, (before, after) in sides.items():
        x = bordered(node, x, d, (before, after), fill)
    return x


def _for_line(how: Filter, line: Line, opset: int) -> Filter:
    """Before opset 11 nothing says what is nearest; ONNX Runtime rounds up where it shrinks."""
    if opset >= 11 or how.mode != "nearest":
        return how
    return Filter(nearest="ceil" if line.scale < 1 else "floor")


def _filter(node: Node) -> Filter:
    """How elements are made, from the attributes."""
    mode = node.attribute("mode", "nearest")
    how = Filter(
        mode,
        nearest=node.attribute("nearest_mode", "round_prefer_floor"),
        antialias=bool(node.attribute("antialias", 0)),
        cubic=node.attribute("cubic_coeff_a", -0.75),
        exclude_outside=bool(node.attribute("exclude_outside", 0)),
    )
    if mode not in ("nearest", *KERNELS):
        raise Unsupported(f"with mode {mode}")
    if mode == "nearest" and (how.antialias or how.exclude_outside):
        what = "antialias" if how.antialias else "exclude_outside"
        raise Unsupported(f"with {what} of mode nearest")
    if how.nearest not in ROUNDINGS:
        raise Unsupported(f"with nearest_mode {how.nearest}")
    return how


def _lines(node: Node, size: Sequence[int], crops: bool) -> Mapping[int, Line]:
    """The dimensions that are resized, from the inputs: scales or sizes, and what to crop."""
    rank = len(size)
    axes = [a % rank for a in whole(node.optional("axes"), range(rank))]
    first = 1 if node.opset < 11 else 2  # of inputs; the part to crop came before the scales
    scales = _numbers(node, first, "scales")
    sizes = _numbers(node, first + 1, "sizes") if node.opset >= 11 else None
    policy = node.attribute("keep_aspect_ratio_policy", "stretch")
    roi: Any = [0.0] * len(axes) + [1.0] * len(axes)
    if crops:
        roi = _numbers(node, 1, "regions")
    if roi is None or len(roi) != 2 * len(axes):
        raise Unsupported(f"with a region of {0 if roi is None else len(roi)} numbers")
    given = scales if sizes is None else sizes
    if given is None or len(given) != len(axes):
        raise Unsupported(
            f"with {0 if given is None else len(given)} scales or sizes of {len(axes)}"
        )
    old = np.array([size[a] for a in axes], np.float32)
    if sizes is None:
        factors = given.astype(np.float32)
        new = np.floor(old * factors)
    else:
        factors, new = given.astype(np.float32) / old, given
        if policy in ("not_larger", "not_smaller"):
            factor = factors.min() if policy == "not_larger" else factors.max()
            factors, new = np.full_like(factors, factor), np.floor(old * factor + np.float32(0.5))
        elif policy != "stretch":
            raise Unsupported(f"with keep_aspect_ratio_policy {policy}")
    if min(new, default=1) < 1:
        raise Unsupported(f"to {[int(n) for n in new]}; an empty result is not supported")
    ends = zip(roi[: len(axes)], roi[len(axes) :], strict=True)
    return {
        a: Line(size[a], int(n), float(s), (float(start), float(end)))
        for a, n, s, (start, end) in zip(axes, new, factors, ends, strict=True)
    }


def _numbers(node: Node, i: int, what: str) -> np.ndarray | None:
    """Input `i`, if it is given and not empty."""
    found = node.constant(i, what) if node.has(i) else None
    return None if found is None or not found.size else found


def _upsample(node: Node) -> Sequence[Value]:
    x, how = node.tensor(0), Filter(node.attribute("mode", "nearest"), nearest="floor")
    if how.mode not in ("nearest", "linear"):
        raise Unsupported(f"with mode {how.mode}")
    lines = _lines(node, graph.shape(x), crops=False)
    return [_along(node, x, lines, "asymmetric", how, 0.0)]


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "Resize": _resize,
    "Upsample": _upsample,
}
