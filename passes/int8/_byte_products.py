"""Products of bytes that are added to sums, and the same bytes as floats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

from xdsl.builder import Builder
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import (
    AnyFloat,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    VectorType,
    f32,
    i8,
    i32,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.utils.hints import isa

from lamina.dialects.vector import ConvertOp, SplatLaneOp, element_of, shape_of


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


def multiply_add(products: Sequence[Product], total: SSAValue, floats: Floats) -> SSAValue:
    """The float `total` and the products, added up where their integers are."""
    for p in products:
        op = math.FmaOp(floats.of(p.a), floats.of(p.b), total)
        Builder(InsertPoint.before(p.add)).insert(op)
        total = op.result
    return total


def erase_unused(block: Block) -> None:
    """Erase what only made integers of the bytes."""
    for op in reversed(list(block.ops)):
        if isinstance(op, arith.MuliOp | ConvertOp | SplatLaneOp):
            if not any(result.first_use for result in op.results):
                Rewriter.erase_op(op)
