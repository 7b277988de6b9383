"""Load vectors that lie one behind the other at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import prod
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, VectorType
from xdsl.ir import Block
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.vector import LoadOp, LoadRunOp, shape_of
from lamina.passes._aliasing import may_write
from lamina.passes.vector._memory import ranges_of

Key = tuple[object, ...]
WIDEST = 4
"""vectors that any driver reads at once, however short they are"""


@dataclass(frozen=True)
class Place:
    """A load, and how far it is behind what all loads with its key count from."""

    op: LoadOp
    key: Key
    elements: int
    position: int
    """in its block"""


def place_of(op: LoadOp, position: int) -> Place:
    """Loads by the same index values, of the same type, are elements apart that are known."""
    offset = op.offset.simplify(ranges_of(op))
    key = (op.ref, *op.indices, offset - offset.const, op.res.type)
    return Place(op, key, offset.const, position)


def groups(block: Block) -> list[list[Place]]:
    """The vector loads of `block` by key; a write to their buffer ends a group."""
    done: list[list[Place]] = []
    open_: dict[Key, list[Place]] = {}
    for k, op in enumerate(block.ops):
        if isinstance(op, LoadOp) and isinstance(op.res.type, VectorType):
            place = place_of(op, k)
            open_.setdefault(place.key, []).append(place)
            continue
        for key, places in list(open_.items()):
            if may_write(op, places[0].op.ref):
                done.append(open_.pop(key))
    return [*done, *open_.values()]


def at_once(load: LoadOp, most: int) -> int:
    """As many vectors as have the bytes of `most` with four in a lane, but no more than WIDEST."""
    element, group = load.memref.element_type, prod(shape_of(load.res.type)[1:])
    size = getattr(element, "bitwidth", 32) * group // 8
    return max(most, min(WIDEST, most * 4 // max(size, 1)))


def runs(places: Sequence[Place], most: int) -> list[list[Place]]:
    """The loads in the order of memory, cut where one does not begin where another ends."""
    size = prod(shape_of(places[0].op.res.type))
    first = {p.elements: p for p in reversed(places)}  # of equal ones the first in the block
    ordered = [first[at] for at in sorted(first)]
    # what is consecutive has a constant distance from its position
    found: list[list[Place]] = []
    for _, group in groupby(enumerate(ordered), lambda kp: kp[1].elements - kp[0] * size):
        run = [place for _, place in group]
        found += _powers(run, most)
    return [run for run in found if len(run) > 1]


def _powers(run: Sequence[Place], most: int) -> list[list[Place]]:
    """Cut a run into parts as long as powers of two, none longer than `most`."""
    parts: list[list[Place]] = []
    at = 0
    while at < len(run):
        length = min(most, 1 << ((len(run) - at).bit_length() - 1))
        parts.append(list(run[at : at + length]))
        at += length
    return parts


def join(run: Sequence[Place]) -> None:
    """vec.load %x[0] .. vec.load %x[16]  ->  %a, %b = vec.load_run %x[0], where the first was"""
    low, earliest = run[0].op, min(run, key=lambda place: place.position)
    new = LoadRunOp(low.ref, low.index, low.indices, [place.op.res.type for place in run])
    Rewriter.insert_op(new, InsertPoint.before(earliest.op))
    for place, result in zip(run, new.res, strict=True):
        result.name_hint = place.op.res.name_hint
        Rewriter.replace_op(place.op, [], [result])


@dataclass(frozen=True)
class VecJoinLoadsPass(ModulePass):
    """
    Load vectors that lie one behind the other at once.

    For subgroups, where a message that brings two vectors takes no longer than one that brings one.

    %a = vec.load %w[0] .. %b = vec.load %w[16]
    ->
    %a, %b = vec.load_run %w[0]
    """

    name = "vec-join-loads"
    numerics: ClassVar[str] = "exact"

    most: int = 2
    """
    vectors with four bytes in a lane that are loaded at once, a power of two: a message brings 128
    bytes on Intel's Gen9; up to 4 of those with fewer bytes in memory
    """

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.most < 1 or self.most & (self.most - 1):
            raise PassFailedException(f"{self.name}: most must be a power of two, got {self.most}")
        blocks: list[Block] = [b for o in op.walk() for r in o.regions for b in r.blocks]
        for places in [places for block in blocks for places in groups(block)]:
            for run in runs(places, at_once(places[0].op, self.most)):
                join(run)
