"""Scale integers on their way to 8 bits by multipliers and shifts, not by real numbers."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, i32
from xdsl.ir import Block, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    op_type_rewrite_pattern,
)

from lamina.context import weights_of
from lamina.dialects.elements import integer_range
from lamina.dialects.graph import (
    AddOp,
    CastOp,
    ClipOp,
    DequantizeOp,
    MaximumOp,
    MinimumOp,
    MulOp,
    QuantizeOp,
    ReluOp,
    RequantizeFixedOp,
    RequantizeOp,
    ScaledOp,
    SubOp,
    cast_type,
    inherit_source,
    shape,
    tensor_type,
)
from lamina.dialects.graph.constants import constant
from lamina.passes._store_pattern import StorePattern
from lamina.passes.int8._fixed_point import fixed, in_common
from lamina.passes.int8._parameters import Parameters, bounds, bytes_before, parameters, quantized


@dataclass(frozen=True)
class Term:
    """A quantized tensor, added or (with a negative scale) subtracted."""

    bytes: SSAValue
    scale: float
    zero: int


class FixedPattern(StorePattern):
    """A pattern that writes arithmetic on i32."""

    def numbers(self, array: np.ndarray, rewriter: PatternRewriter) -> SSAValue:
        """Constants."""
        return rewriter.insert(constant(array.astype(np.int32), self.store)).result

    def number(self, n: int, x: SSAValue, rewriter: PatternRewriter) -> SSAValue:
        """One number for all of a tensor like `x`."""
        return self.numbers(np.full((1,) * len(shape(x)), n), rewriter)

    def wide(self, x: SSAValue, rewriter: PatternRewriter) -> SSAValue:
        """Bytes as i32."""
        return rewriter.insert(CastOp(x, cast_type(x, i32))).y

    def moved(self, term: Term, rewriter: PatternRewriter) -> SSAValue:
        """How far bytes are from their zero point."""
        x = self.wide(term.bytes, rewriter)
        return rewriter.insert(SubOp(x, self.number(term.zero, x, rewriter))).y if term.zero else x

    def term(self, value: SSAValue) -> Term | None:
        """`value` as one quantized tensor."""
        op = bytes_before(value)
        found = parameters(op, self.store) if op is not None else None
        if op is None or found is None or not found.is_one or not found.is_positive:
            return None
        return Term(op.x, float(found.scale.item()), int(found.zero.item()))

    def scaled(
        self, sums: SSAValue, scale: np.ndarray, op: ScaledOp, zero: int, rewriter: PatternRewriter
    ) -> RequantizeFixedOp:
        """i32 `sums` times `scale` as `op` stores them."""
        by = fixed(scale)
        if by.left.any():
            low, high, factor = (
                self.numbers(array, rewriter) for array in (by.low, by.high, 1 << by.left)
            )
            sums = rewriter.insert(MaximumOp(sums, low)).y
            sums = rewriter.insert(MinimumOp(sums, high)).y
            sums = rewriter.insert(MulOp(sums, factor)).y
        multiplier, shift = (self.numbers(a, rewriter) for a in (by.multiplier, by.shift))
        multiplier.name_hint, shift.name_hint = "multiplier", "shift"
        return rewriter.insert(RequantizeFixedOp(sums, multiplier, shift, zero, op.y.type))


class ScaleSums(FixedPattern):
    """requantize(sums, M, z) -> requantize_fixed(sums, m, s, z)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: RequantizeOp, rewriter: PatternRewriter, /) -> None:
        found = parameters(op, self.store)
        if found is None or tensor_type(op.x).element_type != i32 or found.zero.size != 1:
            return
        if not (np.isfinite(found.scale) & (found.scale > 0)).all():
            return
        new = self.scaled(op.x, found.scale, op, int(found.zero.item()), rewriter)
        inherit_source(new, op)
        rewriter.replace(op, [], [new.y])


class ScaleBytes(FixedPattern):
    """
    quantize(dequantize(a) + dequantize(b)) -> requantize_fixed(a * i + b * j + c, 2**30, s)
    quantize(dequantize(a) * dequantize(b)) -> requantize_fixed((a - z) * (b - w), m, s)

    A relu or a clip before quantize is a bound of the bytes behind it.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: QuantizeOp, rewriter: PatternRewriter, /) -> None:
        to, bound = parameters(op, self.store), op.x.owner
        if to is None or not to.is_one or not to.is_positive:
            return
        x = bound.x if isinstance(bound, ReluOp | ClipOp) and op.x.has_one_use() else op.x
        new = self.product(x, op, to, rewriter) or self.sum(x, op, to, rewriter)
        if new is None:
            return
        y = new.y
        if x is not op.x:
            assert isinstance(bound, ReluOp | ClipOp)
            y = self.bounded(y, bound, op, to, rewriter)
        if y.owner is new:
            inherit_source(new, op)
        rewriter.replace(op, [], [y])

    def bounded(
        self,
        y: SSAValue,
        bound: ReluOp | ClipOp,
        op: QuantizeOp,
        to: Parameters,
        rewriter: PatternRewriter,
    ) -> SSAValue:
        """Bytes within those that stand for both ends of `bound`, if they are not anyway."""
        ends = zip((MaximumOp, MinimumOp), bounds(bound), strict=True)
        for (cut, end), most in zip(ends, integer_range(tensor_type(y).element_type), strict=True):
            limit = quantized(end, op, to)
            if limit.item() != most:
                number = rewriter.insert(constant(limit.reshape((1,) * len(shape(y))), self.store))
                new = rewriter.insert(cut(y, number.result, y.type))
                inherit_source(new, op)
                y = new.y
        return y

    def product(
        self, x: SSAValue, op: QuantizeOp, to: Parameters, rewriter: PatternRewriter
    ) -> RequantizeFixedOp | None:
        """A product of two quantized tensors."""
        mul = x.owner
        if not isinstance(mul, MulOp) or not x.has_one_use():
            return None
        a, b = self.term(mul.a), self.term(mul.b)
        if a is None or b is None:
            return None
        product = MulOp(self.moved(a, rewriter), self.moved(b, rewriter))
        scale = np.full((1,) * len(shape(x)), a.scale * b.scale / to.scale.item())
        zero = int(to.zero.item())
        return self.scaled(rewriter.insert(product).y, scale, op, zero, rewriter)

    def sum(
        self, x: SSAValue, op: QuantizeOp, to: Parameters, rewriter: PatternRewriter
    ) -> RequantizeFixedOp | None:
        """A sum or a difference of quantized tensors, or one alone."""
        terms = self.terms(x)
        found = in_common([t.scale / to.scale.item() for t in terms]) if terms else None
        if found is None:
            return None
        factors, s = found
        total: SSAValue | None = None
        for term, factor in zip(terms, factors, strict=True):
            wide = self.wide(term.bytes, rewriter)
            part = rewriter.insert(MulOp(wide, self.number(factor, wide, rewriter))).y
            total = part if total is None else rewriter.insert(AddOp(total, part)).y
        assert total is not None
        if start := -sum(t.zero * f for t, f in zip(terms, factors, strict=True)):
            total = rewriter.insert(AddOp(total, self.number(start, total, rewriter))).y
        one = self.number(1 << 30, total, rewriter)
        shift = self.number(s - 3, total, rewriter)
        zero = int(to.zero.item())
        return rewriter.insert(RequantizeFixedOp(total, one, shift, zero, op.y.type))

    def terms(self, x: SSAValue, sign: int = 1) -> list[Term]:
        """What `x` is the sum of; nothing if any of it is no quantized tensor."""
        op = x.owner
        if isinstance(op, DequantizeOp):
            term = self.term(x)
            return [] if term is None else [Term(term.bytes, sign * term.scale, term.zero)]
        if not isinstance(op, AddOp | SubOp) or not x.has_one_use():
            return []
        a = self.terms(op.a, sign)
        b = self.terms(op.b, -sign if isinstance(op, SubOp) else sign)
        return [*a, *b] if a and b else []


def reason(op: QuantizeOp | RequantizeOp) -> str | None:
    """Why `op` stays in float; None for what comes from outside, which is float."""
    if tensor_type(op.x).element_type == i32:
        return "by a scale or zero point that is not known, or not usable"
    return None if isinstance(op.x.owner, Block) else f"of {op.x.owner.name}"


class Int8FixedPointPass(ModulePass):
    """
    Scale integers on their way to 8 bits in fixed point: by a multiplier and a shift.

    graph.requantize %x, 1.5e-3, 3 -> graph.requantize_fixed %x, 1649267442, 7 zero 3

    - Sums of products: the scale M is m * 2**-s, m in 2**30..2**31 - 1 and s from 33 to 62. That is
      exact, as f32 has 24 bits. For M from 1/4 on, sums are cut off where they saturate and shifted
      to the left before. What M below 2**-32 makes is 0, and stays so.
    - Sums and differences of quantized tensors, and a tensor in other steps: a byte whose step is r
      steps of the result counts round(r * 2**s), with the largest s from 3 to 32 for which 32 bits
      hold all sums, which are shifted by s. So r is off by half of 2**-s at most.
    - Products of two quantized tensors: as sums of products.

    Each result is rounded once, of two equally near numbers to the larger, and is a step apart from
    that in float at most. What is computed on real numbers stays in float; a remark says how much
    that is, and of which ops.
    """

    name = "int8-fixed-point"
    numerics: ClassVar[str] = "within a step"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        store = weights_of(ctx)
        patterns = GreedyRewritePatternApplier([ScaleSums(store), ScaleBytes(store)])
        PatternRewriteWalker(patterns).rewrite_module(op)
        self.remark(op)

    def remark(self, module: ModuleOp) -> None:
        """Say what is in fixed point now, and what is not."""
        done = sum(isinstance(op, RequantizeFixedOp) for op in module.walk())
        left = [op for op in module.walk() if isinstance(op, QuantizeOp | RequantizeOp)]
        reasons = Counter(why for op in left if (why := reason(op)) is not None)
        if not done and not reasons:
            return
        listed = ", ".join(f"{count} {why}" for why, count in reasons.most_common())
        logging.getLogger("lamina").warning(
            "lamina: remark: %s: requantizations in fixed point: %d, in float: %d%s",
            *(self.name, done, reasons.total(), f" ({listed})" if listed else ""),
        )
