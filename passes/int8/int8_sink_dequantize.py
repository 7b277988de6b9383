"""Move and bound tensors while they are 8 bits, before they become real numbers."""

from __future__ import annotations

from math import prod
from typing import ClassVar

import numpy as np
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
    ConcatOp,
    DequantizeOp,
    MaximumOp,
    MaxPool2dOp,
    ReluOp,
    ReshapeOp,
    TransposeOp,
    cast_type,
    inherit_source,
    shape,
    tensor_type,
)
from lamina.dialects.graph.constants import constant, known
from lamina.passes._store_pattern import StorePattern
from lamina.passes.graph._any_layout import MOVERS
from lamina.passes.int8._parameters import (
    Parameters,
    bytes_before,
    mean_the_same,
    parameters,
    quantized,
    reshaped,
)
from lamina.weights import WeightStore


def dequantized(
    q: SSAValue, like: DequantizeOp, old: Operation, store: WeightStore, rewriter: PatternRewriter
) -> None:
    """Put dequantize(q), with the one scale and zero point of `like`, in the place of `old`."""
    y = old.results[0]
    ones = (1,) * len(shape(y))
    scale, zero = (reshaped(v, ones, store, rewriter) for v in (like.scale, like.zero))
    new = DequantizeOp(q, scale, zero, y.type)
    inherit_source(new, old)
    rewriter.replace(old, new)


class SinkBelowMovement(StorePattern):
    """move(dequantize(q)) -> dequantize(move(q)), if the whole tensor has one scale"""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, (*MOVERS, ReshapeOp, MaxPool2dOp)) or isinstance(op, ConcatOp):
            return
        inner = bytes_before(op.operands[0])
        if inner is None or prod(shape(inner.scale)) * prod(shape(inner.zero)) != 1:
            return
        if isinstance(op, MaxPool2dOp):
            found = parameters(inner, self.store)
            if found is None or not found.is_positive:
                return  # by a scale below zero the largest number becomes the smallest
        y = cast_type(op.results[0], tensor_type(inner.x).element_type)
        moved = type(op).create(
            operands=[inner.x, *op.operands[1:]], properties=op.properties, result_types=[y]
        )
        rewriter.insert(moved)
        dequantized(moved.results[0], inner, op, self.store, rewriter)


class MoveConstant(StorePattern):
    """transpose or reshape(dequantize(constant)) -> dequantize(constant), also by channel"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: TransposeOp | ReshapeOp, rewriter: PatternRewriter, /) -> None:
        inner = op.x.owner
        if not isinstance(inner, DequantizeOp):
            return
        arrays = [a for x in inner.operands if (a := known(x, self.store)) is not None]
        if len(arrays) < 3:
            return
        if isinstance(op, TransposeOp):
            moved = [a.transpose(op.perm.get_values()) for a in arrays]
        else:
            size = shape(op.y)
            parts = [parameter_shape(shape(op.x), size, a.shape) for a in arrays[1:]]
            if any(part is None for part in parts):
                return
            moved = [
                a.reshape(s) for a, s in zip(arrays, (size, *parts), strict=True) if s is not None
            ]
        new = [constant(np.ascontiguousarray(a), self.store) for a in moved]
        q, scale, zero = (c.result for c in new)
        q.name_hint = inner.x.name_hint
        last = DequantizeOp(q, scale, zero, op.y.type)
        inherit_source(last, op)
        rewriter.replace(op, [*new, last])


def parameter_shape(
    old: tuple[int, ...], new: tuple[int, ...], size: tuple[int, ...]
) -> tuple[int, ...] | None:
    """The shape of one number for each index of a dimension, after a reshape that keeps it."""
    if prod(size) == 1:
        return (1,) * len(new)
    dim = next(d for d, n in enumerate(size) if n > 1)
    before = prod(old[:dim])
    for d, n in enumerate(new):
        if n == old[dim] and prod(new[:d]) == before:
            return tuple(n if i == d else 1 for i in range(len(new)))
    return None


class SinkBelowConcat(StorePattern):
    """
    concat(dequantize(p), dequantize(q)) -> dequantize(concat(p, q)), if both mean the same; a
    constant joins them if 8 bits say it exactly, as those of a padding do
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ConcatOp, rewriter: PatternRewriter, /) -> None:
        made = [m for x in op.xs if (m := bytes_before(x)) is not None]
        if not made:
            return
        found = parameters(made[0], self.store)
        if found is None or not found.is_one or not found.is_positive:
            return
        parts: list[SSAValue | np.ndarray] = []
        for x in op.xs:
            part = self.part(x, made[0], found)
            if part is None:
                return
            parts.append(part)
        inside = [
            rewriter.insert(constant(p, self.store)).result if isinstance(p, np.ndarray) else p
            for p in parts
        ]
        y = cast_type(op.y, tensor_type(made[0].x).element_type)
        joined = rewriter.insert(ConcatOp(inside, op.axis.value.data, y))
        dequantized(joined.y, made[0], op, self.store, rewriter)

    def part(self, x: SSAValue, like: DequantizeOp, p: Parameters) -> SSAValue | np.ndarray | None:
        """The 8 bits that `x` is made of, if they mean what they do to `like`."""
        if (made := bytes_before(x)) is not None:
            return made.x if mean_the_same(made, like, self.store) else None
        array = known(x, self.store)
        if array is None or np.isnan(array).any():
            return None
        q = quantized(array, like, p)
        again = (q - p.zero).astype(np.float32) * p.scale
        return q if np.array_equal(again, array) else None


class BoundBytes(StorePattern):
    """relu(dequantize(q)) -> dequantize(maximum(q, zero)); nothing where none are below zero"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReluOp, rewriter: PatternRewriter, /) -> None:
        inner = bytes_before(op.x)
        found = parameters(inner, self.store) if inner is not None else None
        if inner is None or found is None or not found.is_one or not found.is_positive:
            return
        q = inner.x
        if found.zero.item() > integer_range(tensor_type(q).element_type)[0]:
            q = rewriter.insert(MaximumOp(q, inner.zero, q.type)).y
        dequantized(q, inner, op, self.store, rewriter)


class Int8SinkDequantizePass(ModulePass):
    """
    Let ops that move elements, and maxima, work on 8 bits: dequantize comes after them.

    graph.max_pool2d (graph.dequantize %q) -> graph.dequantize (graph.max_pool2d %q)

    So do concats of tensors whose 8 bits mean the same, and relu, which is a maximum with the zero
    point. Each gives the same numbers, as numbers rise with the integers that stand for them.
    """

    name = "int8-sink-dequantize"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        store = weights_of(ctx)
        patterns: list[RewritePattern] = [
            MoveConstant(store),
            SinkBelowMovement(store),
            SinkBelowConcat(store),
            BoundBytes(store),
        ]
        PatternRewriteWalker(GreedyRewritePatternApplier(patterns)).rewrite_module(op)
