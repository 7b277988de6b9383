"""Sums of products of bytes that nests carry, as floats that nests carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from xdsl.dialects import arith
from xdsl.ir import SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from lamina.dialects.loop import ForOp, YieldOp
from lamina.dialects.vector import ConvertOp, MemoryOp
from lamina.passes.int8._byte_products import (
    Floats,
    Product,
    erase_unused,
    in_floats,
    multiply_add,
    number,
    sums,
)
from lamina.passes.loop._nests import hints_of, move_body, yielded
from lamina.passes.loop.loop_tile import Tiling

EXACT = 1 << 24
"""integers up to this magnitude are floats, so sums that stay below are exact in any order"""
Rows = Mapping[int, list[Product]]
"""of the carried values that are sums, by position, what one iteration adds"""


def carried_rows(loop: ForOp) -> Rows:
    """The sums that `loop` carries and does nothing to but add products of bytes."""
    carried, found = loop.carried, dict[int, list[Product]]()
    end = yielded(loop.body.block)
    for row in sums(loop.body.block):
        first, last = row[0].acc, row[-1].add.result
        for k, (value, result) in enumerate(zip(carried, end, strict=True)):
            if first is value and last is result:
                if value.has_one_use() and result.has_one_use():
                    found[k] = row
    return found


@dataclass(frozen=True)
class Cut:
    """Where a nest becomes two: `first` indices are outside, and of the next one blocks of `by`."""

    first: int
    by: int
    """1 where no index is cut"""
    steps: int
    """of the nest inside"""


def cut_of(loop: ForOp, most: int) -> Cut:
    """The longest end of the nest with at most so many steps; an index is cut by a divisor."""
    extents = loop.extents.get_values()
    first = len(extents)
    while first and prod(extents[first - 1 :]) <= most:
        first -= 1
    steps = prod(extents[first:])
    if first and all(isinstance(use.operation, MemoryOp) for use in loop.indices[first - 1].uses):
        n = extents[first - 1]
        by = max(d for d in range(1, most // steps + 1) if n % d == 0)
        if by > 1:
            return Cut(first - 1, by, by * steps)
    return Cut(first, 1, steps)


def divide(loop: ForOp, cut: Cut) -> ForOp:
    """
    The inner one of two nests: loop.for %i < 8, %j < 3
    ->  loop.for %io < 2 { loop.for %i < 4, %j < 3 {..} }
    """
    first = cut.first
    if cut.by > 1:
        name = loop.indices[first].name_hint or "k"
        tiled = Tiling(loop, first, cut.by, f"{name}o", name).blocks(0, loop.inits, {})
        Rewriter.replace_op(loop, tiled)
        loop, first = tiled, first + 1
    if not first:
        return loop
    extents, args = loop.extents.get_values(), loop.body.block.args
    outer = ForOp(extents[:first], loop.inits, hints=hints_of([*args[:first], *loop.carried]))
    inner = ForOp(extents[first:], outer.carried, hints=hints_of(args[first:]))
    move_body(loop, inner, dict(zip(args, [*outer.indices, *inner.body.block.args], strict=True)))
    outer.body.block.add_ops([inner, YieldOp(inner.res)])
    Rewriter.replace_op(loop, outer)
    return inner


def carry_floats(loop: ForOp, rows: Rows) -> None:
    """Sums begin at 0 as floats, and become integers behind the nest."""
    inits: list[SSAValue] = list(loop.inits)
    zeros: dict[object, SSAValue] = {}
    for k in rows:
        type = in_floats(inits[k].type)
        if type not in zeros:
            zero = number(0.0, type)
            Rewriter.insert_op(zero, InsertPoint.before(loop))
            zeros[type] = zero.result
        inits[k] = zeros[type]
    floats = Floats()
    args = loop.body.block.args
    new = ForOp(loop.extents.get_values(), inits, hints=hints_of(args))
    values: dict[SSAValue, SSAValue] = dict(zip(args, new.body.block.args, strict=True))
    for k, row in rows.items():
        total = multiply_add(row, values[loop.carried[k]], floats)
        row[-1].add.result.replace_all_uses_with(total)
        for p in reversed(row):
            Rewriter.erase_op(p.add)
    erase_unused(loop.body.block)
    move_body(loop, new, values)
    results, more = list[SSAValue](new.res), [new]
    for k in rows:
        found = ConvertOp(new.res[k], loop.inits[k].type)
        total = arith.AddiOp(loop.inits[k], found.res)
        results[k], more = total.result, [*more, found, total]
    Rewriter.replace_op(loop, more, results)


def sum_over_nest(loop: ForOp, least: int) -> None:
    """Carry sums as floats through as much of the nest as is exact, if that is much."""
    if not (rows := carried_rows(loop)):
        return
    most = EXACT // max(sum(p.largest for p in row) for row in rows.values())
    cut = cut_of(loop, most)
    if cut.steps > 1 and cut.steps * min(map(len, rows.values())) >= least:
        inner = divide(loop, cut)
        carry_floats(inner, carried_rows(inner))
