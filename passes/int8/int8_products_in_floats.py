"""Sum up products of bytes as floats, for as long as that is exact."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.loop import ForOp
from lamina.dialects.vector import BitcastOp
from lamina.passes.int8._byte_products import (
    Floats,
    Product,
    erase_unused,
    in_floats,
    multiply_add,
    number,
    sums,
)
from lamina.passes.int8._float_nests import sum_over_nest

EXACT = 1 << 22
"""integers up to this magnitude may be added to `ONE_AND_A_HALF` without rounding"""
ONE_AND_A_HALF = 1.5 * (1 << 23)
"""between 2^23 and 2^24 floats are whole, and their last bits are an integer"""


def runs(row: Sequence[Product]) -> Iterator[list[Product]]:
    """The row in pieces, each as long as no sum of its products can be inexact."""
    run, largest = list[Product](), 0
    for p in row:
        if largest + p.largest > EXACT:
            yield run
            run, largest = [], 0
        run.append(p)
        largest += p.largest
    yield run


def rewrite(run: Sequence[Product], floats: Floats) -> None:
    """One float sum of the products, its bits added where the last of them was."""
    last = run[-1].add
    at = Builder(InsertPoint.before(run[0].add))
    start = at.insert(number(ONE_AND_A_HALF, in_floats(last.result.type)))
    total = multiply_add(run, start.result, floats)
    (bits,) = struct.unpack("<i", struct.pack("<f", ONE_AND_A_HALF))
    offset = number(bits, last.result.type)
    found = BitcastOp(total, last.result.type)
    sum_ = arith.SubiOp(found.res, offset.result)
    Rewriter.replace_op(last, [found, offset, sum_, arith.AddiOp(run[0].acc, sum_.result)])
    for p in run[-2::-1]:
        Rewriter.erase_op(p.add)


@dataclass(frozen=True)
class Int8ProductsInFloatsPass(ModulePass):
    """
    Sum up products of bytes as floats, and make the sum an integer before it could be inexact.

    For machines that multiply and add floats in one instruction, and integers of 32 bits in
    several: Intel's Gen9. A byte is converted once, not once for each lane that is splat.

    Floats hold the integers up to 2^24, so a sum from 0 of up to 514 products of an unsigned and a
    signed byte is exact, and so is every sum on the way (514 * 255 * 128 < 2^24). A nest that
    carries sums is cut into an inner one of at most so many products, which carries floats, and an
    outer one that adds them up as integers; a short reduction needs no outer one. One index is cut
    by a divisor, others stay whole. Other sums, of one block of code, begin at 1.5 * 2^23 and may
    move by 2^22, for 128 products: then their bits, less those of where they began, are the
    integer, and nothing must be converted back.

    loop.for %i < 64 iter(%acc = %bias) { %s = arith.addi %acc, (arith.muli %a, %b), 16 times }
    ->
    loop.for %io < 2 iter(%acc = %bias) {
      %f = loop.for %i < 32 iter(%sum = 0.0) { %g = math.fma %af, %bf, %sum, 16 times }
      %s = arith.addi %acc, (vec.convert %f)
    }
    """

    name = "int8-products-in-floats"
    numerics: ClassVar[str] = "exact"

    least: int = 4
    """how many products a sum must have: fewer do not pay for its conversion"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.least < 1:
            raise PassFailedException(f"{self.name}: least must be at least 1, got {self.least}")
        for loop in [o for o in op.walk() if isinstance(o, ForOp) and o.inits][::-1]:
            sum_over_nest(loop, self.least)
        blocks: list[Block] = [b for o in op.walk() for r in o.regions for b in r.blocks]
        for block in blocks:
            floats = Floats()
            found = [run for row in sums(block) for run in runs(row) if len(run) >= self.least]
            for run in found:
                rewrite(run, floats)
            if found:
                erase_unused(block)
