"""Replace splats of neighbouring elements by one vector load and splats of its lanes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.expr import Expr
from lamina.dialects.index import IndexAttr
from lamina.dialects.vector import LoadOp, LoadSplatOp, SplatLaneOp, shape_of
from lamina.passes._aliasing import may_write
from lamina.passes.vector._memory import ranges_of

Key = tuple[object, ...]


@dataclass(frozen=True)
class Row:
    """The vector whose lane `lane` is what `op` splats."""

    op: LoadSplatOp
    base: Expr
    lane: int

    @property
    def key(self) -> Key:
        """Equal for splats of lanes of the same vector."""
        op = self.op
        return op.ref, *op.indices, op.index.data[:-1], self.base, op.res.type


def row_of(op: LoadSplatOp) -> Row | None:
    """Cut the last dimension into vectors, and find the one with the element; None if none has."""
    if not op.index.data or op.strides[-1] != 1:
        return None
    lanes, *group = shape_of(op.res.type)
    size, last = prod(group), op.index.data[-1]
    at = last.const % (lanes * size)
    return None if at % size else Row(op, last - at, at // size)


def is_inside(rows: Sequence[Row]) -> bool:
    """Whether all lanes of the vector are where the buffer has elements."""
    op, shape = rows[0].op, shape_of(rows[0].op.res.type)
    if len({row.lane for row in rows}) == shape[0]:
        return True
    limits = rows[0].base.bounds(ranges_of(op))
    row = op.memref.get_shape()[-1]
    return limits is not None and 0 <= limits[0] and limits[1] + prod(shape) <= row


def loadable(rows: Sequence[Row]) -> Sequence[Row] | None:
    """
    The rows, if their vector is inside the buffer; else those of the vector that ends with the last
    lane that is splat, if that one is; None if neither can be loaded.
    """
    if is_inside(rows):
        return rows
    lanes, *group = shape_of(rows[0].op.res.type)
    back = lanes - 1 - max(row.lane for row in rows)
    moved = [Row(row.op, row.base - back * prod(group), row.lane + back) for row in rows]
    return moved if is_inside(moved) else None


def groups(block: Block) -> list[list[Row]]:
    """The splats of `block` by vector; a write to their buffer ends a group."""
    done: list[list[Row]] = []
    open_: dict[Key, list[Row]] = {}
    for op in block.ops:
        if isinstance(op, LoadSplatOp) and (row := row_of(op)):
            open_.setdefault(row.key, []).append(row)
        for key, rows in list(open_.items()):
            if may_write(op, rows[0].op.ref):
                done.append(open_.pop(key))
    return [*done, *open_.values()]


def use_lanes(rows: Sequence[Row]) -> None:
    """vec.load_splat %x[%i, 3]  ->  %v = vec.load %x[%i, 0]; vec.splat_lane %v[3]"""
    first = rows[0].op
    index = IndexAttr((*first.index.data[:-1], rows[0].base))
    load = LoadOp(first.ref, index, first.indices, first.res.type)
    load.res.name_hint = first.ref.name_hint
    assert first.parent is not None
    first.parent.insert_op_before(load, first)
    for row in rows:
        Rewriter.replace_op(row.op, SplatLaneOp(load.res, row.lane))


@dataclass(frozen=True)
class VecSplatLanesPass(ModulePass):
    """
    Replace splats of neighbouring elements by one vector load and splats of its lanes.

    For subgroups, where a lane of a neighbour costs nothing and a uniform load costs a message; on
    a CPU a splat from memory is the cheaper one.

    vec.load_splat %x[%i, 0] .. vec.load_splat %x[%i, 15]
    ->
    %v = vec.load %x[%i, 0]  vec.splat_lane %v[0] .. vec.splat_lane %v[15]
    """

    name = "vec-splat-lanes"
    numerics: ClassVar[str] = "exact"

    least: int = 8
    """how many lanes of a vector must be splat for it to be loaded"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.least < 1:
            raise PassFailedException(f"{self.name}: least must be at least 1, got {self.least}")
        blocks: list[Block] = [b for o in op.walk() for r in o.regions for b in r.blocks]
        for rows in [rows for block in blocks for rows in groups(block)]:
            enough = len({row.lane for row in rows}) >= self.least
            if enough and (found := loadable(rows)):
                use_lanes(found)
