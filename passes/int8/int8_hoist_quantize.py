"""Store tensors in 8 bits as early as possible: quantize comes before what only moves or bounds."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)

from lamina.context import weights_of
from lamina.dialects.elements import integer_range
from lamina.dialects.graph import (
    ClipOp,
    ConcatOp,
    DequantizeOp,
    MaximumOp,
    MaxPool2dOp,
    MinimumOp,
    QuantizeOp,
    ReluOp,
    ReshapeOp,
    cast_type,
    inherit_source,
    shape,
    tensor_type,
)
from lamina.dialects.graph.constants import constant
from lamina.passes._store_pattern import StorePattern
from lamina.passes.graph._any_layout import MOVERS
from lamina.passes.int8._parameters import (
    bounds,
    bytes_before,
    mean_the_same,
    parameters,
    quantized,
    reshaped,
)
from lamina.weights import WeightStore


def quantize(
    x: SSAValue, like: QuantizeOp, store: WeightStore, rewriter: PatternRewriter
) -> SSAValue:
    """quantize(x) as `like` does, with its one scale and zero point."""
    ones = (1,) * len(shape(x))
    scale, zero = (reshaped(v, ones, store, rewriter) for v in (like.scale, like.zero))
    y = cast_type(x, tensor_type(like.y).element_type)
    return rewriter.insert(QuantizeOp(x, scale, zero, y)).y


def put(rewriter: PatternRewriter, op: QuantizeOp, new: Operation) -> None:
    """Put `new` in the place of `op`, whose name in the user's model it takes over."""
    inherit_source(new, op)
    rewriter.replace(op, new)


def has_one(op: QuantizeOp) -> bool:
    """Whether the whole tensor has one scale and one zero point."""
    return prod(shape(op.scale)) == prod(shape(op.zero)) == 1


def is_a_number(value: SSAValue, store: WeightStore) -> bool:
    """Whether no element of `value` can be NaN, since all come from integers."""
    op = value.owner
    if isinstance(op, DequantizeOp):
        found = parameters(op, store)
        return found is not None and found.is_positive
    if isinstance(op, ConcatOp):
        return all(is_a_number(x, store) for x in op.xs)
    passes_on = isinstance(op, (ReluOp, ClipOp, MaxPool2dOp, ReshapeOp, *MOVERS))
    return passes_on and is_a_number(op.operands[0], store)


class CancelPair(StorePattern):
    """quantize(dequantize(q)) -> q, if q means the same before and after"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: QuantizeOp, rewriter: PatternRewriter, /) -> None:
        inner = bytes_before(op.x)
        if inner is None or inner.x.type != op.y.type:
            return
        found = parameters(op, self.store)
        if found is None or not found.is_positive:
            return  # numbers times 0 say nothing of the integers
        if mean_the_same(inner, op, self.store):
            rewriter.replace(op, [], [inner.x])


class HoistAboveConcat(StorePattern):
    """quantize(concat(a, b)) -> concat(quantize(a), quantize(b)), if nobody else reads it"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: QuantizeOp, rewriter: PatternRewriter, /) -> None:
        concat = op.x.owner
        if not isinstance(concat, ConcatOp) or not op.x.has_one_use() or not has_one(op):
            return
        parts = [quantize(x, op, self.store, rewriter) for x in concat.xs]
        put(rewriter, op, ConcatOp(parts, concat.axis.value.data, op.y.type))


class HoistAboveMovement(StorePattern):
    """
    quantize(move(x)) -> move(quantize(x)), if nobody else reads what moved and nothing is left out;
    and so for a maximum over windows, which must not meet a NaN: it is no maximum any more then
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: QuantizeOp, rewriter: PatternRewriter, /) -> None:
        move = op.x.owner
        if not isinstance(move, (*MOVERS, ReshapeOp, MaxPool2dOp)) or isinstance(move, ConcatOp):
            return
        x = move.operands[0]
        if not op.x.has_one_use() or not has_one(op):
            return
        if isinstance(move, MaxPool2dOp):
            found = parameters(op, self.store)
            if found is None or not found.is_positive or not is_a_number(x, self.store):
                return
        elif prod(shape(x)) > prod(shape(op.y)):
            return
        operands = [quantize(x, op, self.store, rewriter), *move.operands[1:]]
        new = type(move).create(
            operands=operands, properties=move.properties, result_types=[op.y.type]
        )
        put(rewriter, op, new)


class BoundAfterwards(StorePattern):
    """
    quantize(relu(x)) -> maximum(quantize(x), zero), or no more than quantize(x) if the zero point
    is the smallest number; and so for both ends of a clip

    A bound that is left must not meet a NaN, of which quantize makes the smallest number.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: QuantizeOp, rewriter: PatternRewriter, /) -> None:
        bound, found = op.x.owner, parameters(op, self.store)
        if not isinstance(bound, ReluOp | ClipOp) or found is None:
            return
        if not found.is_one or not found.is_positive:
            return
        smallest, largest = integer_range(tensor_type(op.y).element_type)
        low, high = (quantized(b, op, found) for b in bounds(bound))
        kept = [low.item() > smallest, high.item() < largest]
        if any(kept) and not (is_a_number(bound.x, self.store) and op.x.has_one_use()):
            return
        q = rewriter.insert(QuantizeOp(bound.x, op.scale, op.zero, op.y.type))
        last: Operation = q
        ones = (1,) * len(shape(op.y))
        for cut, limit, keep in zip((MaximumOp, MinimumOp), (low, high), kept, strict=True):
            if keep:
                number = rewriter.insert(constant(limit.reshape(ones), self.store))
                last = rewriter.insert(cut(last.results[0], number.result, op.y.type))
        inherit_source(last, op)
        rewriter.replace(op, [], list(last.results))


class Int8HoistQuantizePass(ModulePass):
    """
    Quantize what only moves or is bounded afterwards before that, and drop quantize behind a
    dequantize that means the same.

    graph.quantize (graph.concat %a, %b) -> graph.concat (graph.quantize %a), (graph.quantize %b)

    Parts of a concat are then written in 8 bits by the kernels that compute them. Bounds are
    numbers of 8 bits, or those of 8 bits anyway. Quantizing never turns the order of two numbers
    round, so the results are the same.
    """

    name = "int8-hoist-quantize"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        store = weights_of(ctx)
        patterns: list[RewritePattern] = [
            CancelPair(store),
            BoundAfterwards(store),
            HoistAboveConcat(store),
            HoistAboveMovement(store),
        ]
        PatternRewriteWalker(GreedyRewritePatternApplier(patterns)).rewrite_module(op)
