"""Add up two tensors of 8 bits in the steps of the 8 bits that their sum is stored in."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    PatternRewriter,
    PatternRewriteWalker,
    op_type_rewrite_pattern,
)

from lamina.context import weights_of
from lamina.dialects.graph import (
    AddOp,
    DequantizeOp,
    FmaOp,
    QuantizeOp,
    RequantizeOp,
    ScaledOp,
    inherit_source,
    shape,
    tensor_type,
)
from lamina.dialects.graph.constants import constant, dtype_of_element
from lamina.passes._store_pattern import StorePattern
from lamina.passes.int8._parameters import SMALLEST, bytes_before, parameters

MOST = np.float32(256)
"""steps of the sum in a step of what is added: with more, errors could reach a whole step"""


def zero_of(op: ScaledOp) -> np.generic:
    """0 as a zero point of `op`."""
    return dtype_of_element(tensor_type(op.zero).element_type).type(0)


class AddInSteps(StorePattern):
    """
    quantize(dequantize(a, s, x) + dequantize(b, t, y), u, z)
    ->  requantize(fma(dequantize(a, 1, 0), s/u, fma(dequantize(b, 1, 0), t/u, c)), 1, 0)
    with c = z - fma(s/u, x, t/u * y), all in f32
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: QuantizeOp, rewriter: PatternRewriter, /) -> None:
        sum, result = op.x.owner, parameters(op, self.store)
        if not isinstance(sum, AddOp) or not op.x.has_one_use() or result is None:
            return
        terms = [term for x in sum.operands if (term := bytes_before(x)) is not None]
        found = [p for term in terms if (p := parameters(term, self.store)) is not None]
        if len(found) < 2 or not all(p.is_one and p.is_positive for p in (*found, result)):
            return
        s, t = ((p.scale / result.scale).astype(np.float32).reshape(()) for p in found)
        if not all(SMALLEST < ratio <= MOST for ratio in (s, t)):
            return
        x, y, z = (p.zero.astype(np.float32).reshape(()) for p in (*found, result))
        zeros = np.multiply(s, x, dtype=np.float64) + t * y  # of f32 the product is exact
        more = z - zeros.astype(np.float32)
        a, b = (self.stored(term, rewriter) for term in terms)
        second = FmaOp(b, self.number(t, b, rewriter), self.number(more, b, rewriter), b.type)
        rewriter.insert(second)
        total = rewriter.insert(FmaOp(a, self.number(s, a, rewriter), second.y, sum.y.type))
        one, none = (self.number(n, total.y, rewriter) for n in (np.float32(1), zero_of(op)))
        new = RequantizeOp(total.y, one, none, op.y.type)
        inherit_source(new, op)
        rewriter.replace(op, new)
        rewriter.erase(sum)
        for term in dict.fromkeys(terms):
            if not term.y.uses:
                rewriter.erase(term)

    def stored(self, term: DequantizeOp, rewriter: PatternRewriter) -> SSAValue:
        """The bytes that `term` reads as real numbers."""
        one, none = (self.number(n, term.x, rewriter) for n in (np.float32(1), zero_of(term)))
        return rewriter.insert(DequantizeOp(term.x, one, none, term.y.type)).y

    def number(
        self, number: np.generic | np.ndarray, x: SSAValue, rewriter: PatternRewriter
    ) -> SSAValue:
        """A constant of one element, of the rank of `x`."""
        array = np.asarray(number).reshape((1,) * len(shape(x)))
        return rewriter.insert(constant(array, self.store)).result


class Int8RequantizeSumsPass(ModulePass):
    """
    Add up two quantized tensors in the steps of the 8 bits that their sum is stored in.

    graph.quantize (graph.add (graph.dequantize %a, s, x), (graph.dequantize %b, t, y)), u, z
    ->  graph.requantize (%a * s/u + (%b * t/u + c)), 1, 0 with c = z - (x * s/u + y * t/u)

    All zero points are in one number, and nothing is scaled behind the sum. Each product and sum is
    rounded once, in this order, as in ONNX Runtime's kernels: the results are the same to the last
    bit. Numbers of at most 2**17 are rounded to f32, which moves a sum by less than 1/20 of a step:
    where it was next to a half, the result is one step apart from what the network says (5 in a
    million pairs of bytes with any scales). Terms whose steps are more than 256 of the sum's stay.
    """

    name = "int8-requantize-sums"
    numerics: ClassVar[str] = "within a step"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        PatternRewriteWalker(AddInSteps(weights_of(ctx))).rewrite_module(op)
