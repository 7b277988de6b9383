"""Formulas of ops that take elements, or the same ones several times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xdsl.ir import Operation

from lamina.dialects.expr import Expr, div
from lamina.dialects.graph import (
    DepthToSpaceOp,
    GatherOp,
    RepeatOp,
    SliceOp,
    SpaceToDepthOp,
    TileOp,
)
from lamina.passes.graph._copy import copy, first
from lamina.passes.graph._formula import Kernel, point


@dataclass(frozen=True)
class Run:
    """Indices `start + i * step` for i below `count`, `times` over, each time `stride` further."""

    start: int
    step: int
    count: int
    stride: int = 0
    times: int = 1

    @property
    def size(self) -> int:
        """How many indices these are."""
        return self.count * self.times

    def at(self, e: Expr) -> Expr:
        """Index number `e`."""
        if self.times == 1:
            return e * self.step + self.start
        outer, inner = div("floordiv", e, self.count), div("mod", e, self.count)
        return outer * self.stride + inner * self.step + self.start


def runs_of(indices: Sequence[int]) -> list[Run]:
    """The indices as few arithmetic progressions, and as progressions of those."""
    flat: list[Run] = []
    for i in indices:
        last = flat[-1] if flat else Run(i, 0, 0)
        following = last.count == 1 or last.start + last.count * last.step == i
        if last.count and following:
            step = i - last.start if last.count == 1 else last.step
            flat[-1] = Run(last.start, step, last.count + 1)
        else:
            flat.append(Run(i, 1, 1))
    nested: list[Run] = []
    for run in flat:
        last = nested[-1] if nested else None
        if last is not None and (last.step, last.count) == (run.step, run.count):
            gap = run.start - last.start
            if last.times == 1 or gap == last.stride * last.times:
                stride = gap if last.times == 1 else last.stride
                nested[-1] = Run(last.start, last.step, last.count, stride, last.times + 1)
                continue
        nested.append(run)
    return nested


def slice(k: Kernel, op: SliceOp) -> None:
    """y[i, ...] = x[start + i * step, ...]"""
    x, y = k.tensor(op.x), k.tensor(op.y)
    axes, index = point(y)
    steps = op.steps.get_values()
    # beyond the last element of a block is what pads it, only where all is taken in order
    cut = [d for d, step in enumerate(steps) if x.shape[d] != y.shape[d] or step < 0]
    axes |= {name: y.shape[d] for d, name in enumerate(axes) if d in cut}
    source = [
        e * step + start
        for e, start, step in zip(index, op.starts.get_values(), steps, strict=True)
    ]
    blocked = [d for d in cut if y.layout.block(y.layout.logical[d]) > 1]
    copy(k, axes, (x, source), (y, index), blocked[0] if blocked else 0)


def gather(k: Kernel, op: GatherOp) -> None:
    """y[..., offset + i, ...] = x[..., f(i), ...] for each run of indices"""
    x, y, d, offset = k.tensor(op.x), k.tensor(op.y), op.axis.value.data, 0
    axes, index = point(y)
    name = list(axes)[d]
    runs = runs_of(op.indices.get_values())
    for run in runs:
        source = [run.at(e) if i == d else e for i, e in enumerate(index)]
        target = [e + offset if i == d else e for i, e in enumerate(index)]
        last = run is runs[-1]
        copy(k, axes | {name: run.size}, (x, source), (y, target), d, halo=last)
        offset += run.size


def tile(k: Kernel, op: TileOp) -> None:
    """y[i, ...] = x[i mod n, ...]"""
    x, y = k.tensor(op.x), k.tensor(op.y)
    axes, index = point(y)
    source = [
        e if n == m else div("mod", e, n) if n > 1 else Expr()
        for e, n, m in zip(index, x.shape, y.shape, strict=True)
    ]
    k.compute(axes, [(x, source)], (y, index), first)


def repeat(k: Kernel, op: RepeatOp) -> None:
    """y[i, ...] = x[i floordiv n, ...]"""
    x, y = k.tensor(op.x), k.tensor(op.y)
    axes, index = point(y)
    source = [
        div("floordiv", e, m // n) if m > n else e
        for e, n, m in zip(index, x.shape, y.shape, strict=True)
    ]
    k.compute(axes, [(x, source)], (y, index), first)


def depth_to_space(k: Kernel, op: DepthToSpaceOp) -> None:
    """y[n, c, h, w] = x[n, ch, h floordiv b, w floordiv b]"""
    y, b = k.tensor(op.y), op.block.value.data
    axes, (n, c, h, w) = point(y)
    axes["c"] = y.shape[1]
    part = div("mod", h, b) * b + div("mod", w, b)
    channel = part * y.shape[1] + c if op.order.data == "dcr" else c * (b * b) + part
    source = [n, channel, div("floordiv", h, b), div("floordiv", w, b)]
    k.compute(axes, [(k.tensor(op.x), source)], (y, [n, c, h, w]), first)


def space_to_depth(k: Kernel, op: SpaceToDepthOp) -> None:
    """y[n, ch, h, w] = x[n, c, h * b + i, w * b + j]"""
    x, y, b = k.tensor(op.x), k.tensor(op.y), op.block.value.data
    axes, (n, ch, h, w) = point(y)
    axes["c"] = y.shape[1]
    if op.order.data == "dcr":
        c, part = div("mod", ch, x.shape[1]), div("floordiv", ch, x.shape[1])
    else:
        c, part = div("floordiv", ch, b * b), div("mod", ch, b * b)
    i, j = div("floordiv", part, b), div("mod", part, b)
    k.compute(axes, [(x, [n, c, h * b + i, w * b + j])], (y, [n, ch, h, w]), first)


LOWERINGS: dict[type[Operation], Callable[[Kernel, Operation], None]] = {
    DepthToSpaceOp: depth_to_space,
    GatherOp: gather,
    RepeatOp: repeat,
    SliceOp: slice,
    SpaceToDepthOp: space_to_depth,
    TileOp: tile,
}  # pyright: ignore[reportAssignmentType]
