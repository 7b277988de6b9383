"""Replace loads whose lanes lie apart, side by side, by loads of rows that are transposed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import ClassVar

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, VectorType, i1
from xdsl.ir import Block, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from lamina.dialects.index import IndexAttr
from lamina.dialects.vector import LoadOp, LoadStridedOp, ShuffleOp, element_of, shape_of
from lamina.passes._aliasing import may_write

LEAST = 2
"""rows shorter than this are not worth it"""


def key_of(op: LoadStridedOp) -> tuple[object, ...]:
    """Equal for loads that may be neighbours in memory."""
    return op.ref, tuple(op.indices), op.offset.terms, op.stride, op.res.type


def is_plain(op: LoadStridedOp) -> bool:
    """Whether lanes are single numbers; truth values are not bytes in registers."""
    return len(shape_of(op.res.type)) == 1 and element_of(op.res.type) != i1


def groups(block: Block) -> list[list[LoadStridedOp]]:
    """The strided loads of `block` by what they have in common; a write to it ends a group."""
    done: list[list[LoadStridedOp]] = []
    open_: dict[tuple[object, ...], list[LoadStridedOp]] = {}
    for op in block.ops:
        if isinstance(op, LoadStridedOp) and is_plain(op):
            open_.setdefault(key_of(op), []).append(op)
        for key, loads in list(open_.items()):
            if may_write(op, loads[0].ref):
                done.append(open_.pop(key))
    return [*done, *open_.values()]


def runs(loads: Sequence[LoadStridedOp], most: int) -> list[list[LoadStridedOp]]:
    """Loads of consecutive elements, in runs whose lengths are powers of two of at most `most`."""
    first = {op.offset.const: op for op in reversed(loads)}
    found: list[list[LoadStridedOp]] = []
    for _, pairs in groupby(enumerate(sorted(first)), lambda pair: pair[1] - pair[0]):
        line = [first[at] for _, at in pairs]
        while line:
            n = min(most, 1 << (len(line).bit_length() - 1))
            found.append(line[:n])
            line = line[n:]
    return found


def row_index(op: LoadStridedOp, lane: int) -> IndexAttr | None:
    """Where lane `lane` of `op` and what follows it lies; None if no dimension steps that far."""
    stride, strides = op.stride.data, op.strides
    if strides[-1] != 1:
        return None
    steps = [d for d, s in enumerate(strides) if s and stride % s == 0]
    d = max(steps, key=lambda d: strides[d])
    dims = list(op.index.data)
    dims[d] = dims[d] + lane * (stride // strides[d])
    sizes = op.memref.get_shape()
    if any(not e.terms and not 0 <= e.const < n for e, n in zip(dims, sizes, strict=True)):
        return None
    return IndexAttr(tuple(dims))


def columns(rows: Sequence[SSAValue], builder: Builder) -> list[SSAValue]:
    """
    The columns of a matrix, by its rows; there are as many as a column has lanes, a power of two.

    Row i and row i + n/2 are zipped, a0 b0 a1 b1 .., until each vector has all lanes, and then on
    into two halves: with each step one bit of the number of a row becomes one of that of a lane.
    """
    lanes, values = len(rows), list(rows)
    for _ in range(lanes.bit_length() - 1):
        half = len(values) // 2
        zipped: list[SSAValue] = []
        for a, b in zip(values[:half], values[half:], strict=True):
            n = shape_of(a.type)[0]
            order = [k // 2 + k % 2 * n for k in range(2 * n)]
            for part in [order] if n < lanes else [order[:n], order[n:]]:
                zipped.append(builder.insert(ShuffleOp(a, b, part)).res)
        values = zipped
    return values


def load_rows(run: Sequence[LoadStridedOp], first: LoadStridedOp) -> bool:
    """vec.load_strided %x[%i], .. %x[%i + 3]  ->  vec.load of 4 elements for each lane, shuffled"""
    low, lanes = run[0], shape_of(run[0].res.type)[0]
    found = [row_index(low, lane) for lane in range(lanes)]
    places = [place for place in found if place is not None]
    if len(places) < lanes:
        return False
    builder = Builder(InsertPoint.before(first))
    type = VectorType(element_of(low.res.type), [len(run)])
    rows: list[SSAValue] = [
        builder.insert(LoadOp(low.ref, place, low.indices, type)).res for place in places
    ]
    rows += rows[:1] * ((1 << (lanes - 1).bit_length()) - lanes)
    for op, column in zip(run, columns(rows, builder), strict=True):
        if lanes < len(rows):
            column = builder.insert(ShuffleOp(column, column, range(lanes))).res
        column.name_hint = op.res.name_hint
        op.res.replace_all_uses_with(column)
    return True


class VecTransposeLoadsPass(ModulePass):
    """
    Replace loads whose lanes lie apart, side by side in memory, by loads of rows and shuffles.

    A load of lanes that lie apart is a load and an insertion for each of them. The shuffles are as
    many for each vector as there are bits in the number of a lane.

    vec.load_strided %x[%i] stride 56 .. vec.load_strided %x[%i + 15] stride 56
    ->
    vec.load %x[%i] .. vec.load %x[%i + 840]  vec.shuffle ..
    """

    name = "vec-transpose-loads"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        blocks: list[Block] = [b for o in op.walk() for r in o.regions for b in r.blocks]
        for loads in [loads for block in blocks for loads in groups(block)]:
            lanes = shape_of(loads[0].res.type)[0]
            lines = [r for r in runs(loads, 1 << (lanes - 1).bit_length()) if len(r) >= LEAST]
            for load in [load for run in lines if load_rows(run, loads[0]) for load in run]:
                Rewriter.erase_op(load)
