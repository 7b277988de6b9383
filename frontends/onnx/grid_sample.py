"""
GridSample: arithmetic on the grid that gives places and weights, and one op that reads there.

All of it is in the shape [taps, n, height, width], so that vectors run over the width. AffineGrid
makes such a grid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.dialects.builtin import i32
from xdsl.ir import SSAValue

from lamina.dialects import graph
from lamina.frontends.onnx.activations import Formula
from lamina.frontends.onnx.movement import reshaped
from lamina.frontends.onnx.node import Node, Unsupported, Value
from lamina.frontends.onnx.slicing import sliced

MODES = {
    "bilinear": "linear",
    "linear": "linear",
    "nearest": "nearest",
    "bicubic": "cubic",
    "cubic": "cubic",
}
"""what modes are called before opset 20, and from then on"""

TAPS = {"nearest": (0,), "linear": (0, 1), "cubic": (-1, 0, 1, 2)}
"""mode -> the pixels that count, from the one at or before a coordinate on"""

A = -0.75
CUBIC = np.array(
    [
        [A, -5 * A, 8 * A, -4 * A],
        [A + 2, -(A + 3), 0, 1],
        [A + 2, -(A + 3), 0, 1],
        [A, -5 * A, 8 * A, -4 * A],
    ]
)
"""for each tap: the weight as a polynomial of its distance, highest power first (Keys, 1981)"""


@dataclass(frozen=True)
class Line:
    """One dimension of the image, and what it is like beyond its ends."""

    f: Formula
    size: int
    mode: str
    padding: str
    corners: bool
    """whether -1 and 1 in the grid are the centers of the first and the last pixel"""

    def table(self, values: Sequence[float] | np.ndarray) -> SSAValue:
        """A constant with one number for each tap."""
        shape = (len(values), *[1] * (len(graph.shape(self.f.x)) - 1))
        return self.f.node.known(np.array(values, np.float32).reshape(shape))

    def denormalized(self, g: SSAValue) -> SSAValue:
        """The coordinate in pixels of a coordinate from -1 to 1."""
        f, at = self.f, self.f.add(g, 1.0)
        if self.corners:
            return f.mul(f.mul(at, 0.5), self.size - 1.0)
        return f.mul(f.add(f.mul(at, float(self.size)), -1.0), 0.5)

    def reflected(self, at: SSAValue) -> SSAValue:
        """low + r - | (at - low) mod 2 r - r |, with r from border to border"""
        f, low = self.f, 0.0 if self.corners else -0.5
        r = self.size - 1.0 if self.corners else float(self.size)
        if r == 0:
            return f.mul(at, 0.0)
        t = f.add(at, -low)
        t = f.add(t, f.mul(f(graph.FloorOp, f.mul(t, 1 / (2 * r))), -2 * r))
        return f.add(f.mul(f(graph.AbsOp, f.add(t, -r)), -1.0), low + r)

    def moved_inside(self, at: SSAValue) -> SSAValue:
        """A coordinate as the padding has it: reflected, or at the border; else as it is."""
        if self.padding == "reflection":
            return self.reflected(at)
        if self.padding == "zeros":
            return at
        f, inside = self.f, self.f.clip(at, 0.0, self.size - 1.0)
        if self.mode != "cubic" or self.corners:
            return inside
        # between the center of the last pixel and its edge there is a coordinate of its own
        low, high = f.number(-0.5), f.number(self.size - 0.5)
        below = f.node.add(graph.CompareOp("lt", at, low))
        above = f.node.add(graph.CompareOp("gt", at, high))
        return f.node.add(graph.WhereOp(f.node.add(graph.OrOp(below, above)), inside, at))

    def places(self, g: SSAValue) -> tuple[SSAValue, SSAValue | None]:
        """For each tap the pixel and its weight, or no weights if all are 1."""
        f, at = self.f, self.denormalized(g)
        if self.mode == "nearest":
            at = pixel = self.moved_inside(f(graph.RoundOp, at))
            weight = None
        else:
            at = self.moved_inside(at)
            pixel = f.add(f(graph.FloorOp, at), self.table(TAPS[self.mode]))
            weight = self.weight(f(graph.AbsOp, f.sub(at, pixel)))
        if self.padding == "reflection":
            pixel = self.reflected(pixel)
        inside = f.clip(pixel, 0.0, self.size - 1.0)
        if self.padding == "zeros":
            outside = f.clip(f(graph.AbsOp, f.sub(pixel, inside)), 0.0, 1.0)
            counts = f.add(f.mul(outside, -1.0), 1.0)
            weight = counts if weight is None else f.mul(weight, counts)
        # of NaN the place is 0
        return f.node.add(graph.CastOp(inside, graph.cast_type(inside, i32))), weight

    def weight(self, distance: SSAValue) -> SSAValue:
        """The weight of a pixel at this distance from the coordinate."""
        if self.mode == "linear":
            return self.f.add(self.f.mul(distance, -1.0), 1.0)
        total = self.table(CUBIC[:, 0])
        for power in (1, 2, 3):
            total = self.f.add(self.f.mul(total, distance), self.table(CUBIC[:, power]))
        return total


def _grid_sample(node: Node) -> Sequence[Value]:
    x, grid = node.tensor(0), node.tensor(1)
    mode, padding = (
        node.attribute("mode", "linear" if node.opset >= 20 else "bilinear"),
        node.attribute("padding_mode", "zeros"),
    )
    corners = bool(node.attribute("align_corners", 0))
    if mode not in MODES or (mode == "bicubic" and len(graph.shape(x)) != 4):
        raise Unsupported(f"with mode {mode}")
    if padding not in ("zeros", "border", "reflection"):
        raise Unsupported(f"with padding_mode {padding}")
    n, *size, dims = graph.shape(grid)
    rank = len(graph.shape(x))
    if rank < 3 or len(size) != rank - 2 or dims != rank - 2:
        raise Unsupported(f"of {list(graph.shape(x))} at {list(graph.shape(grid))}")
    at: list[SSAValue] = []
    weights: list[SSAValue | None] = []
    for d, extent in enumerate(graph.shape(x)[2:]):
        part = sliced(node, grid, {rank - 1: slice(dims - 1 - d, dims - d)})
        part = reshaped(node, part, (1, n, *size))
        assert isinstance(part, SSAValue)
        line = Line(Formula(node), extent, MODES[mode], padding, corners)
        place, weight = line.places(part)
        at.append(place)
        weights.append(weight)
    return [node.add(graph.SampleOp(x, at, [w for w in weights if w is not None]))]


def _affine_grid(node: Node) -> Sequence[Value]:
    """One matrix product: all points of the grid, which are known, times the transformations."""
    theta, size = node.tensor(0), node.constant(1, "sizes").tolist()
    n, extents = size[0], size[2:]
    dims = len(extents)
    if dims not in (2, 3) or graph.shape(theta) != (n, dims, dims + 1):
        raise Unsupported(f"of {list(graph.shape(theta))} for sizes {size}")
    lines = [_from_minus_one(m, bool(node.attribute("align_corners", 0))) for m in extents]
    *points, last = np.meshgrid(*lines, indexing="ij")
    grid = np.stack([last, *reversed(points), np.ones(extents)], -1).reshape(1, -1, dims + 1)
    turned = node.add(graph.TransposeOp(theta, [0, 2, 1]))
    y = node.add(graph.MatmulOp(node.known(grid.astype(np.float32)), turned))
    return [reshaped(node, y, (n, *extents, dims))]


def _from_minus_one(n: int, corners: bool) -> np.ndarray:
    """Coordinates from -1 to 1: of the centers of `n` pixels, or of the first to the last pixel."""
    return np.linspace(-1, 1, n) if corners else (2 * np.arange(n) + 1) / n - 1


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "AffineGrid": _affine_grid,
    "GridSample": _grid_sample,
}
