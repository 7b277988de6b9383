"""Write quantize, dequantize and both kinds of requantize out in arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import (
    AnyFloat,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IntegerAttr,
    ModuleOp,
    TensorType,
    VectorType,
    f32,
    i8,
    i32,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.int8 import (
    DequantizeOp,
    QuantizeOp,
    QuantType,
    RequantizeFixedOp,
    RequantizeOp,
    with_element,
)
from lamina.dialects.vector import ConvertOp

EXPANDED = (QuantizeOp, DequantizeOp, RequantizeOp, RequantizeFixedOp)


def power_of_two(value: SSAValue) -> int | None:
    """The k of a constant 2**k, above 1, in every lane."""
    if not isinstance(value.owner, arith.ConstantOp):
        return None
    number = value.owner.value
    if isinstance(number, DenseIntOrFPElementsAttr) and number.is_splat():
        (number, *_) = number.get_attrs()
    found = number.value.data if isinstance(number, IntegerAttr) else 0
    return found.bit_length() - 1 if found > 1 and found.bit_count() == 1 else None


class Expansion:
    """The ops that replace one op on scalars or vectors like `like`, in order."""

    def __init__(self, op: Operation, like: Attribute) -> None:
        if isinstance(like, TensorType):
            raise PassFailedException(
                f"int8-expand: {op.name} on {like} can be expanded on scalars and vectors only; "
                "run it after tensors are lowered"
            )
        self.like = like
        self.ops: list[Operation] = []

    def add(self, op: Operation) -> SSAValue:
        """Append an op."""
        self.ops.append(op)
        return op.results[0]

    def number(self, value: float, element: Attribute) -> SSAValue:
        """A constant in every lane."""
        type = with_element(self.like, element)
        if isinstance(type, VectorType):
            dense = cast(VectorType[AnyFloat], type)
            return self.add(arith.ConstantOp(DenseIntOrFPElementsAttr.from_list(dense, [value])))
        if element == f32:
            return self.add(arith.ConstantOp(FloatAttr(value, f32)))
        return self.add(arith.ConstantOp(IntegerAttr(int(value), i32)))

    def convert(self, x: SSAValue, element: Attribute, unsigned: bool = False) -> SSAValue:
        """x, as this element type."""
        return self.add(ConvertOp(x, with_element(self.like, element), unsigned=unsigned))

    def high(self, x: SSAValue, by: SSAValue) -> SSAValue:
        """The upper 32 bits of x * by: of a power of 2, those of x without the lower ones."""
        if (power := power_of_two(by)) is not None:
            return self.add(arith.ShRSIOp(x, self.number(32 - power, i32)))
        product = arith.MulSIExtendedOp(x, by)
        self.ops.append(product)
        return product.high

    def saturate(self, steps: SSAValue, to: QuantType) -> SSAValue:
        """
        saturate(round_half_even(steps) + zero_point)

        Cutting off first gives the same, as the limits are whole numbers. maxnumf drops a NaN.
        """
        zero, (low, high) = to.zero_point.data, to.range
        cut = self.add(arith.MaxnumfOp(steps, self.number(low - zero, f32)))
        cut = self.add(arith.MinnumfOp(cut, self.number(high - zero, f32)))
        q = self.convert(self.add(math.RoundEvenOp(cut)), i32)
        if zero:
            q = self.add(arith.AddiOp(q, self.number(zero, i32)))
        return self.convert(q, i8)


class ExpandQuantize(RewritePattern):
    """int8.quantize %x  ->  saturate(x / scale)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: QuantizeOp, rewriter: PatternRewriter, /) -> None:
        e = Expansion(op, op.x.type)
        e.saturate(e.add(arith.DivfOp(op.x, e.number(op.to.scale.value.data, f32))), op.to)
        rewriter.replace(op, e.ops)


class ExpandDequantize(RewritePattern):
    """int8.dequantize %q  ->  f32(q - zero_point) * scale"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DequantizeOp, rewriter: PatternRewriter, /) -> None:
        e = Expansion(op, op.q.type)
        wide = e.convert(op.q, i32, unsigned=op.of.storage.data == "u8")
        if zero := op.of.zero_point.data:
            wide = e.add(arith.SubiOp(wide, e.number(zero, i32)))
        e.add(arith.MulfOp(e.convert(wide, f32), e.number(op.of.scale.value.data, f32)))
        rewriter.replace(op, e.ops)


class ExpandRequantize(RewritePattern):
    """int8.requantize %acc by %scale  ->  saturate(f32(acc) * scale)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: RequantizeOp, rewriter: PatternRewriter, /) -> None:
        e = Expansion(op, op.acc.type)
        e.saturate(e.add(arith.MulfOp(e.convert(op.acc, f32), op.scale)), op.to)
        rewriter.replace(op, e.ops)


class ExpandRequantizeFixed(RewritePattern):
    """
    int8.requantize_fixed %acc by %m shift %t
    ->  saturate(((high(acc * m) >> t) + 1 + 2 * zero_point) >> 1)

    `high`, the upper 32 bits, is the product divided by 2**32 and rounded down. To round down, then
    again, is to round down once, and half of what is one larger is rounded to the nearest.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: RequantizeFixedOp, rewriter: PatternRewriter, /) -> None:
        e = Expansion(op, op.acc.type)
        halves = e.add(arith.ShRSIOp(e.high(op.acc, op.multiplier), op.shift))
        more = e.number(1 + 2 * op.to.zero_point.data, i32)
        q = e.add(arith.ShRSIOp(e.add(arith.AddiOp(halves, more)), e.number(1, i32)))
        low, high = op.to.range
        cut = e.add(arith.MaxSIOp(q, e.number(low, i32)))
        e.convert(e.add(arith.MinSIOp(cut, e.number(high, i32))), i8)
        rewriter.replace(op, e.ops)


@dataclass(frozen=True)
class Int8ExpandPass(ModulePass):
    """
    Write `int8.quantize`, `dequantize`, `requantize` and `requantize_fixed` on scalars and vectors
    out in `arith`, `math` and `vec.convert`, with the same result in every bit. `int8.dot4` stays.

    int8.dequantize %q from <u8, 5.000000e-01, 3> : i8
    ->
    (f32(zext(%q) - 3)) * 0.5
    """

    name = "int8-expand"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if not any(isinstance(o, EXPANDED) for o in op.walk()):
            return
        patterns: list[RewritePattern] = [
            ExpandQuantize(),
            ExpandDequantize(),
            ExpandRequantize(),
            ExpandRequantizeFixed(),
        ]
        applier = GreedyRewritePatternApplier(patterns, dce_enabled=False)
        PatternRewriteWalker(applier, apply_recursively=False).rewrite_module(op)
        for left in op.walk():
            if isinstance(left, EXPANDED):
                raise PassFailedException(f"{self.name}: no expansion for {left.name}")
