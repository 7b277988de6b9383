"""Write quantize, dequantize and requantize out in float and integer arithmetic."""

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

from lamina.dialects.int8 import DequantizeOp, QuantizeOp, QuantType, RequantizeOp, with_element
from lamina.dialects.vector import ConvertOp


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


@dataclass(frozen=True)
class Int8ExpandPass(ModulePass):
    """
    Write `int8.quantize`, `dequantize` and `requantize` on scalars and vectors out in `arith`,
    `math` and `vec.convert`, with the same result in every bit. `int8.dot4` stays.

    int8.dequantize %q from <u8, 5.000000e-01, 3> : i8
    ->
    (f32(zext(%q) - 3)) * 0.5
    """

    name = "int8-expand"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if not any(isinstance(o, QuantizeOp | DequantizeOp | RequantizeOp) for o in op.walk()):
            return
        patterns: list[RewritePattern] = [ExpandQuantize(), ExpandDequantize(), ExpandRequantize()]
        applier = GreedyRewritePatternApplier(patterns, dce_enabled=False)
        PatternRewriteWalker(applier, apply_recursively=False).rewrite_module(op)
        for left in op.walk():
            if isinstance(left, QuantizeOp | DequantizeOp | RequantizeOp):
                raise PassFailedException(f"{self.name}: no expansion for {left.name}")
