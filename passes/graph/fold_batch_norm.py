"""Move batch norms, and scales and shifts per channel, into the weights before them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    op_type_rewrite_pattern,
)

from lamina.context import weights_of
from lamina.dialects.elements import FLOAT, kind_of
from lamina.dialects.graph import (
    AddOp,
    BatchNormOp,
    BinaryOp,
    ConstantOp,
    Conv2dOp,
    DenseOp,
    MulOp,
    inherit_source,
    layout_of,
    shape,
    tensor_type,
)
from lamina.dialects.graph.constants import array_of, constant, known
from lamina.passes._store_pattern import StorePattern
from lamina.weights import WeightStore

Weighted = Conv2dOp | DenseOp
"""ops whose output channel o is a sum of products with w[o], plus bias[o]"""


def with_constant(op: BinaryOp, store: WeightStore) -> tuple[SSAValue, np.ndarray] | None:
    """
    The operand of `op` that has the shape of the result, and the other, one number a channel.

    None for integers, which wrap around where numbers a channel, kept as floats, would not.
    """
    size = shape(op.y)
    if kind_of(tensor_type(op.y).element_type) != FLOAT:
        return None
    for x, other in ((op.a, op.b), (op.b, op.a)):
        c = known(other, store)
        if c is None or len(size) < 2 or shape(x) != size:
            continue
        if all(n == 1 for i, n in enumerate(c.shape) if i != 1):
            return x, np.broadcast_to(c.reshape(-1).astype(np.float64), (size[1],))
    return None


def channels(array: np.ndarray, size: Sequence[int], store: WeightStore) -> ConstantOp:
    """One number per channel as a constant that broadcasts to shape `size`."""
    return constant(array.astype(np.float32).reshape(1, -1, *(1,) * (len(size) - 2)), store)


def weighted(x: SSAValue, store: WeightStore) -> Weighted | None:
    """The op with constant weights and bias that computes `x` for one reader only."""
    op = x.owner
    if (
        not isinstance(op, Weighted)
        or not x.has_one_use()
        or not isinstance(op.w.owner, ConstantOp)
    ):
        return None
    return op if op.bias is None or known(op.bias, store) is not None else None


def scaled_weights(w: ConstantOp, scale: np.ndarray, store: WeightStore) -> ConstantOp:
    """w[o, ...] * scale[o]; weights in the store are made when they are first needed."""
    column = scale.reshape(-1, *(1,) * (len(shape(w.result)) - 1))
    if not isinstance(w.value, StringAttr):
        return constant((array_of(w, store) * column).astype(np.float32), store, w.result.type)
    key, layout, size = w.value.data, layout_of(w.result.type), shape(w.result)

    def make() -> np.ndarray:
        weights = layout.invert_array(store.get(key), size)
        return layout.apply_array((weights * column).astype(np.float32))

    recipe = f"[{layout}] {list(size)} times outputs"
    return ConstantOp(store.derive(recipe, [key, store.put(scale)], make), w.result.type)


def fold(
    op: Operation,
    into: Weighted,
    scale: np.ndarray | None,
    shift: np.ndarray | None,
    store: WeightStore,
    rewriter: PatternRewriter,
) -> None:
    """Replace `op`, which is `into` times `scale` plus `shift`, by one op like `into`."""
    assert isinstance(into.w.owner, ConstantOp)
    new: list[Operation] = []
    w, bias = into.w, into.bias
    old = None if bias is None else known(bias, store)
    if scale is not None:
        new.append(scaled := scaled_weights(into.w.owner, scale, store))
        scaled.result.name_hint = w.name_hint
        w = scaled.result
    if shift is not None or old is not None:
        sum = np.zeros(shape(w)[0]) if old is None else old.astype(np.float64)
        sum = (sum if scale is None else sum * scale) + (0 if shift is None else shift)
        new.append(shifted := constant(sum.astype(np.float32), store))
        shifted.result.name_hint = "bias" if bias is None else bias.name_hint
        bias = shifted.result
    folded = type(into).create(
        operands=[into.x, w] + ([] if bias is None else [bias]),
        properties=into.properties,
        result_types=[op.results[0].type],
    )
    inherit_source(folded, op)
    rewriter.replace(op, [*new, folded])


class FoldBatchNorm(StorePattern):
    """
    batch_norm(conv(x, w, b)) -> conv(x, w', b'), and so for dense; elsewhere
    batch_norm(x) -> x * s + t, with s = scale / sqrt(var + epsilon) and t = bias - mean * s

    Those s and t are computed in f32, as in ONNX Runtime: where bytes are made of the result, which
    byte it is may depend on the last bit.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: BatchNormOp, rewriter: PatternRewriter, /) -> None:
        found = [known(p, self.store) for p in (op.scale, op.bias, op.mean, op.var)]
        parameters = [p.astype(np.float64) for p in found if p is not None]
        if len(parameters) < 4:
            return
        scale, bias, mean, var = parameters
        s = scale / np.sqrt(var + op.epsilon.value.data)
        t = bias - mean * s
        if into := weighted(op.x, self.store):
            fold(op, into, s, t, self.store, rewriter)
            return
        scale, bias, mean, var = (p.astype(np.float32) for p in parameters)
        s = scale * (1 / np.sqrt(var + np.float32(op.epsilon.value.data)))
        t = bias - mean * s
        by, to = (channels(array, shape(op.x), self.store) for array in (s, t))
        by.result.name_hint, to.result.name_hint = "scale", "shift"
        product = MulOp(op.x, by.result, op.y.type)
        sum = AddOp(product.y, to.result, op.y.type)
        inherit_source(sum, op)
        rewriter.replace(op, [by, to, product, sum])


class FoldScale(StorePattern):
    """conv(x, w, b) * c -> conv(x, w * c, b * c), if c is constant along height and width"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: MulOp, rewriter: PatternRewriter, /) -> None:
        found = with_constant(op, self.store)
        if found and (into := weighted(found[0], self.store)):
            fold(op, into, found[1], None, self.store, rewriter)


class FoldShift(StorePattern):
    """conv(x, w, b) + c -> conv(x, w, b + c), if c is constant along height and width"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AddOp, rewriter: PatternRewriter, /) -> None:
        found = with_constant(op, self.store)
        if found and (into := weighted(found[0], self.store)):
            fold(op, into, None, found[1], self.store, rewriter)


class MergeScaleAndShift(StorePattern):
    """(x * a) * c -> x * ac, (x + a) + c -> x + (a + c) and (x + a) * c -> x * c + ac"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: MulOp | AddOp, rewriter: PatternRewriter, /) -> None:
        outer = with_constant(op, self.store)
        if outer is None or not outer[0].has_one_use():
            return
        inner = outer[0].owner
        if not isinstance(inner, MulOp | AddOp) or (
            isinstance(op, AddOp) and isinstance(inner, MulOp)
        ):
            return
        found = with_constant(inner, self.store)
        if found is None:
            return
        (x, a), c, size = found, outer[1], shape(op.y)
        merged = channels(a + c if isinstance(op, AddOp) else a * c, size, self.store)
        if type(op) is type(inner):
            new: list[Operation] = [merged, type(op)(x, merged.result, op.y.type)]
        else:
            factor = channels(c, size, self.store)
            product = MulOp(x, factor.result, op.y.type)
            new = [merged, factor, product, AddOp(product.y, merged.result, op.y.type)]
        inherit_source(new[-1], op)
        rewriter.replace(op, new)


class FoldBatchNormPass(ModulePass):
    """
    Fold batch norms, and products and sums with one constant per channel, into weights and bias.

    A batch norm that follows no op with weights becomes a product and a sum.
    """

    name = "fold-batch-norm"
    numerics: ClassVar[str] = "tolerance 1e-5"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        store = weights_of(ctx)
        patterns = GreedyRewritePatternApplier(
            [FoldBatchNorm(store), FoldScale(store), FoldShift(store), MergeScaleAndShift(store)]
        )
        PatternRewriteWalker(patterns).rewrite_module(op)
