"""Sum up products of bytes as floats, for as long as that is exact."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import (
    AnyFloat,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    ModuleOp,
    VectorType,
    f32,
    i8,
    i32,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.utils.exceptions import PassFailedException
from xdsl.utils.hints import isa

from lamina.dialects.vector import BitcastOp, ConvertOp, SplatLaneOp, element_of, shape_of

EXACT = 1 << 22
"""integers up to this magnitude may be added to `ONE_AND_A_HALF` without rounding"""
ONE_AND_A_HALF = 1.5 * (1 << 23)
"""between 2^23 and 2^24 floats are whole, and their last bits are an integer"""


@dataclass(frozen=True)
class Product:
    """sum = add(acc, multiply(a, b)) of bytes that are converted to i32 by `a` and `b`."""

    add: arith.AddiOp
    position: int
    """of the operand of `add` that is the sum so far"""
    a: ConvertOp
    b: ConvertOp

    @property
    def acc(self) -> SSAValue:
        """The sum so far, which may have been rewritten already."""
        return self.add.operands[self.position]

    @property
    def largest(self) -> int:
        """What its magnitude is at most."""
        return prod(255 if c.unsigned is not None else 128 for c in (self.a, self.b))


def product_of(op: Operation) -> Product | None:
    """The product that `op` adds to a sum, if it does."""
    if not isinstance(op, arith.AddiOp) or element_of(op.result.type) != i32:
        return None
    for position, value in enumerate((op.rhs, op.lhs)):
        multiply = value.owner
        if isinstance(multiply, arith.MuliOp) and value.has_one_use():
            a, b = multiply.lhs.owner, multiply.rhs.owner
            if isinstance(a, ConvertOp) and isinstance(b, ConvertOp):
                if all(element_of(c.x.type) == i8 and c.parent is op.parent for c in (a, b)):
                    return Product(op, position, a, b)
    return None


def sums(block: Block) -> Iterator[list[Product]]:
    """Products in a row that are added to a sum which nothing else reads in between."""
    rows: dict[SSAValue, list[Product]] = {}
    for op in block.ops:
        if (p := product_of(op)) is not None:
            row = rows.pop(p.acc, []) if p.acc.has_one_use() else []
            rows[p.add.result] = [*row, p]
    yield from rows.values()


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


class Floats:
    """Bytes of one block as floats, each converted once, before its lanes are splat."""

    def __init__(self) -> None:
        self.found: dict[tuple[SSAValue, bool], SSAValue] = {}

    def of(self, convert: ConvertOp) -> SSAValue:
        """What `convert` makes an i32, as f32."""
        return self._of(convert.x, convert.unsigned is not None)

    def _of(self, x: SSAValue, unsigned: bool) -> SSAValue:
        if (x, unsigned) not in self.found:
            splat = x.owner
            if isinstance(splat, SplatLaneOp):
                op = SplatLaneOp(self._of(splat.vec, unsigned), splat.lane.data)
                result, at = op.res, InsertPoint.after(splat)
            else:
                op = ConvertOp(x, in_floats(x.type), unsigned=unsigned)
                result, at = op.res, _behind(x)
            Builder(at).insert(op)
            self.found[x, unsigned] = result
        return self.found[x, unsigned]


def in_floats(type: Attribute) -> Attribute:
    """The type with f32 as element."""
    return VectorType(f32, shape) if (shape := shape_of(type)) else f32


def number(value: float, type: Attribute) -> arith.ConstantOp:
    """A constant with this value in every lane."""
    if isa(type, VectorType[AnyFloat]):
        return arith.ConstantOp(DenseIntOrFPElementsAttr.from_list(type, [value]))
    if isa(type, VectorType[IntegerType]):
        return arith.ConstantOp(DenseIntOrFPElementsAttr.from_list(type, [int(value)]))
    if type == f32:
        return arith.ConstantOp(FloatAttr(value, f32))
    return arith.ConstantOp(IntegerAttr(int(value), i32))


def _behind(x: SSAValue) -> InsertPoint:
    owner = x.owner
    return InsertPoint.at_start(owner) if isinstance(owner, Block) else InsertPoint.after(owner)


def rewrite(run: Sequence[Product], floats: Floats) -> None:
    """One float sum of the products, its bits added where the last of them was."""
    last = run[-1].add
    at = Builder(InsertPoint.before(run[0].add))
    start = at.insert(number(ONE_AND_A_HALF, in_floats(last.result.type)))
    total: SSAValue = start.result
    for p in run:
        op = math.FmaOp(floats.of(p.a), floats.of(p.b), total)
        Builder(InsertPoint.before(p.add)).insert(op)
        total = op.result
    (bits,) = struct.unpack("<i", struct.pack("<f", ONE_AND_A_HALF))
    offset = number(bits, last.result.type)
    found = BitcastOp(total, last.result.type)
    sum_ = arith.SubiOp(found.res, offset.result)
    Rewriter.replace_op(last, [found, offset, sum_, arith.AddiOp(run[0].acc, sum_.result)])
    for p in run[-2::-1]:
        Rewriter.erase_op(p.add)


def erase_unused(block: Block) -> None:
    """Erase what only made integers of the bytes."""
    for op in reversed(list(block.ops)):
        if isinstance(op, arith.MuliOp | ConvertOp | SplatLaneOp):
            if not any(result.first_use for result in op.results):
                Rewriter.erase_op(op)


@dataclass(frozen=True)
class Int8ProductsInFloatsPass(ModulePass):
    """
    Sum up products of bytes as floats, and make the sum an integer before it could be inexact.

    For machines that multiply and add floats in one instruction, and integers of 32 bits in
    several: Intel's Gen9. Floats hold integers up to 2^24. A sum begins at 1.5 * 2^23 and may move
    by 2^22, for 128 products of an unsigned and a signed byte (128 * 255 * 128 < 2^22): then its
    bits, less those of where it began, are the integer, and nothing must be converted back. A byte
    is converted once, not once for each lane that is splat.

    %s = arith.addi %acc, (arith.muli (vec.convert %a), (vec.convert %b)), and so on
    ->
    %f = math.fma (vec.convert %a), (vec.convert %b), 1.5 * 2^23; %g = math.fma .., %f
    %s = arith.addi %acc, (arith.subi (vec.bitcast %g), 0x4b400000)
    """

    name = "int8-products-in-floats"
    numerics: ClassVar[str] = "exact"

    least: int = 4
    """how many products a sum must have: fewer do not pay for its conversion"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.least < 1:
            raise PassFailedException(f"{self.name}: least must be at least 1, got {self.least}")
        blocks: list[Block] = [b for o in op.walk() for r in o.regions for b in r.blocks]
        for block in blocks:
            floats = Floats()
            found = [run for row in sums(block) for run in runs(row) if len(run) >= self.least]
            for run in found:
                rewrite(run, floats)
            if found:
                erase_unused(block)
