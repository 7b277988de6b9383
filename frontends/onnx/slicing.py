"""Operators that take elements of a tensor, at places that are known, or repeat them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.ir import SSAValue

from lamina.dialects import graph
from lamina.frontends.onnx.elements import dtype_like
from lamina.frontends.onnx.movement import reshaped
from lamina.frontends.onnx.node import Node, Unsupported, Value


def sliced(node: Node, x: SSAValue, where: Mapping[int, slice]) -> SSAValue:
    """`x` cut along some dimensions; `x` itself if that leaves all of it."""
    old = graph.shape(x)
    ranges = [range(n)[where.get(d, slice(None))] for d, n in enumerate(old)]
    size = [len(r) for r in ranges]
    if 0 in size:
        raise Unsupported(f"of {list(old)} to {size}; an empty result is not supported")
    if all(r == range(n) for r, n in zip(ranges, old, strict=True)):
        return x
    steps = [r.step if len(r) > 1 else 1 for r in ranges]
    type = TensorType(graph.tensor_type(x).element_type, size)
    return node.add(graph.SliceOp(x, [r.start for r in ranges], steps, type))


def gathered(node: Node, x: SSAValue, axis: int, indices: Sequence[int]) -> SSAValue:
    """`x` at these indices along `axis`; a slice where they are evenly spaced."""
    steps = set(np.diff(indices).tolist())
    if len(steps) <= 1 and steps != {0}:
        step = steps.pop() if steps else 1
        end = indices[-1] + (1 if step > 0 else -1)
        return sliced(node, x, {axis: slice(indices[0], None if end < 0 else end, step)})
    return node.add(graph.GatherOp(x, axis, indices))


def tiled(node: Node, x: SSAValue, size: Sequence[int]) -> SSAValue:
    """`x` as often as makes it this large; `x` itself if it is."""
    if graph.shape(x) == tuple(size):
        return x
    return node.add(graph.TileOp(x, TensorType(graph.tensor_type(x).element_type, size)))


def _slice(node: Node) -> Sequence[Value]:
    x = node.tensor(0)
    rank = len(graph.shape(x))
    if node.opset < 10:
        starts, ends = node.attribute("starts", [0]), node.attribute("ends", [0])
        axes, steps = node.optional("axes"), None
    else:
        starts, ends = (node.constant(i, "bounds").tolist() for i in (1, 2))
        axes = node.constant(3, "axes").tolist() if node.has(3) else None
        steps = node.constant(4, "steps").tolist() if node.has(4) else None
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        raise Unsupported(f"with starts {starts}, ends {ends}, axes {axes}, steps {steps}")
    where = {
        axis % rank: slice(start, end, step)
        for axis, start, end, step in zip(_inside(axes, rank), starts, ends, steps, strict=True)
    }
    return [sliced(node, x, where)]


def _inside(axes: Sequence[int], rank: int) -> Sequence[int]:
    if outside := [a for a in axes if not -rank <= a < rank]:
        raise Unsupported(f"with axis {outside[0]} of {rank} dimensions")
    return axes


def _split(node: Node) -> Sequence[Value]:
    x, parts = node.tensor(0), len(node.proto.output)
    axis = node.axis(0, len(graph.shape(x)))
    total = graph.shape(x)[axis]
    sizes = node.optional("split") if node.opset < 13 else None
    if node.opset >= 13 and node.has(1):
        sizes = node.constant(1, "sizes").tolist()
    if sizes is None:
        parts = node.attribute("num_outputs", parts)
        each = -(-total // parts)
        sizes = [min(each, total - i * each) for i in range(parts)]
    if sum(sizes) != total or min(sizes) < 1:
        raise Unsupported(f"of {total} elements into {sizes}")
    ends = np.cumsum(sizes).tolist()
    return [
        sliced(node, x, {axis: slice(end - n, end)}) for end, n in zip(ends, sizes, strict=True)
    ]


def _pad(node: Node) -> Sequence[Value]:
    """
    Along each dimension, constants beside the tensor, which `simplify-graph` makes pads of windows,
    or the tensor gathered from where the mode says; pads below zero cut off first.
    """
    x, mode = node.tensor(0), node.attribute("mode", "constant")
    rank = len(graph.shape(x))
    axes: Sequence[int] = range(rank)
    if node.opset < 11:
        pads, fill = node.attribute("pads", [0] * 2 * rank), node.attribute("value", 0.0)
    else:
        pads = node.constant(1, "pads").tolist()
        fill = node.constant(2, "values").item() if node.has(2) else 0.0
        axes = node.constant(3, "axes").tolist() if node.has(3) else axes
    if len(pads) != 2 * len(axes):
        raise Unsupported(f"with pads {list(pads)} of axes {list(axes)}")
    if mode not in ("constant", "reflect", "edge", "wrap"):
        raise Unsupported(f"with mode {mode}")
    for axis, before, after in zip(
        _inside(axes, rank), pads[: len(axes)], pads[len(axes) :], strict=True
    ):
        d = axis % rank
        n = graph.shape(x)[d]
        x = sliced(node, x, {d: slice(max(-before, 0), n + min(after, 0))})
        sides = (max(before, 0), max(after, 0))
        if mode == "constant":
            x = bordered(node, x, d, sides, fill)
        elif any(sides):
            indices = np.pad(np.arange(graph.shape(x)[d]), sides, mode)
            x = node.add(graph.GatherOp(x, d, indices.tolist()))
    return [x]


def bordered(node: Node, x: SSAValue, axis: int, sides: Sequence[int], fill: float) -> SSAValue:
    """`x` between as many slices of a constant along `axis` as `sides` says, before and after."""
    before, after = (_border(node, x, axis, n, fill) for n in sides)
    xs = [*before, x, *after]
    return node.add(graph.ConcatOp(xs, axis)) if len(xs) > 1 else x


def _border(node: Node, x: SSAValue, axis: int, n: int, fill: float) -> list[SSAValue]:
    """`n` slices of a constant along `axis`, to go beside `x`."""
    size = [n if i == axis else extent for i, extent in enumerate(graph.shape(x))]
    return [node.known(np.full(size, fill, dtype_like(x)))] if n else []


def _expand(node: Node) -> Sequence[Value]:
    x, size = node.value(0), node.constant(1, "shapes").tolist()
    old = [1] * (len(size) - len(node.shape(0))) + list(node.shape(0))
    new = [1] * (len(old) - len(size)) + size
    if any(m != n and 1 not in (m, n) for m, n in zip(old, new, strict=True)):
        raise Unsupported(f"of {list(node.shape(0))} to {size}")
    if isinstance(x, np.ndarray):
        x = node.tensor(0)
    wide = reshaped(node, x, old)
    assert isinstance(wide, SSAValue)
    return [tiled(node, wide, [max(m, n) for m, n in zip(old, new, strict=True)])]


def _tile(node: Node) -> Sequence[Value]:
    x, repeats = node.tensor(0), node.constant(1, "repeats").tolist()
    if len(repeats) != len(graph.shape(x)):
        raise Unsupported(f"of {list(graph.shape(x))} with repeats {repeats}")
    if min(repeats, default=1) < 1:
        raise Unsupported(f"with repeats {repeats}; an empty result is not supported")
    return [tiled(node, x, [n * m for n, m in zip(graph.shape(x), repeats, strict=True)])]


def _depth_to_space(node: Node) -> Sequence[Value]:
    block, order = node.attribute("blocksize", 0), node.attribute("mode", "DCR")
    return [node.add(graph.DepthToSpaceOp(node.tensor(0), block, order.lower()))]


def _space_to_depth(node: Node) -> Sequence[Value]:
    order = node.attribute("mode", "DCR")
    if order not in ("DCR", "CRD"):
        raise Unsupported(f"with mode {order}")
    block = node.attribute("blocksize", 0)
    return [node.add(graph.SpaceToDepthOp(node.tensor(0), block, order.lower()))]


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "DepthToSpace": _depth_to_space,
    "Expand": _expand,
    "Pad": _pad,
    "Slice": _slice,
    "SpaceToDepth": _space_to_depth,
    "Split": _split,
    "Tile": _tile,
}
