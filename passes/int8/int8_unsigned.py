"""Store signed 8 bits that are factors as unsigned ones, 128 larger."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i8, i64
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
from lamina.dialects.graph import (
    CastOp,
    ConcatOp,
    ConstantOp,
    Conv2dOp,
    DenseOp,
    DequantizeOp,
    MaximumOp,
    MaxPool2dOp,
    MinimumOp,
    QuantizeOp,
    RequantizeOp,
    ReshapeOp,
    XorOp,
    cast_type,
    inherit_source,
    shape,
    tensor_type,
)
from lamina.dialects.graph.attributes import ui8
from lamina.dialects.graph.constants import constant, known
from lamina.passes._store_pattern import StorePattern
from lamina.passes.graph._any_layout import MOVERS
from lamina.weights import WeightStore

HALF = 128
"""how much larger the unsigned number is"""


def is_signed(value: SSAValue) -> bool:
    """Whether `value` is of signed 8 bits."""
    return tensor_type(value).element_type == i8


def unsigned_before(value: SSAValue, store: WeightStore) -> SSAValue | None:
    """The x of cast(x xor 128: ui8 -> i8), which is x - 128, if that is what `value` is."""
    cast = value.owner
    xor = cast.x.owner if isinstance(cast, CastOp) and is_signed(value) else None
    if not isinstance(xor, XorOp) or tensor_type(xor.a).element_type != ui8:
        return None
    number = known(xor.b, store)
    return xor.a if number is not None and number.size == 1 and number.item() == HALF else None


def turned(x: SSAValue, store: WeightStore, rewriter: PatternRewriter) -> CastOp:
    """x - 128 as i8 of x as ui8, or x + 128 as ui8 of x as i8: one bit is turned round."""
    dtype, other = (np.int8, ui8) if is_signed(x) else (np.uint8, i8)
    bit = np.full((1,) * len(shape(x)), HALF, np.uint8).view(dtype)
    number = rewriter.insert(constant(bit, store))
    xor = rewriter.insert(XorOp(x, number.result, x.type))
    return CastOp(xor.y, cast_type(xor.y, other))


def raised(zero: SSAValue, store: WeightStore, rewriter: PatternRewriter) -> SSAValue | None:
    """A zero point of i8 as one of ui8, if it is known."""
    array = known(zero, store)
    if array is None:
        return None
    return rewriter.insert(constant((array.astype(np.int16) + HALF).astype(np.uint8), store)).result


class StoreUnsigned(StorePattern):
    """quantize(x, s, z: i8) -> quantize(x, s, z + 128: ui8) - 128, and so for requantize"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: QuantizeOp | RequantizeOp, rewriter: PatternRewriter) -> None:
        if not is_signed(op.y):
            return
        zero = raised(op.zero, self.store, rewriter)
        if zero is None:
            return
        new = rewriter.insert(type(op)(op.x, op.scale, zero, cast_type(op.y, ui8)))
        last = turned(new.y, self.store, rewriter)
        inherit_source(last, op)
        rewriter.replace(op, last)


class PassOn(StorePattern):
    """
    move(x - 128) -> move(x) - 128; and so for maxima over windows, maxima and minima with
    constants, and concats in which all that is no constant is such a difference
    """

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if isinstance(op, ConcatOp | MaximumOp | MinimumOp):
            count = len(op.operands)
        elif isinstance(op, (*MOVERS, ReshapeOp, MaxPool2dOp)):
            count = 1  # what follows are indices
        else:
            return
        found = [self.unsigned(x) for x in op.operands[:count]]
        if not any(isinstance(x, SSAValue) for x in found) or any(x is None for x in found):
            return
        operands = [
            rewriter.insert(constant(x, self.store)).result if isinstance(x, np.ndarray) else x
            for x in found
            if x is not None
        ]
        y = op.results[0]
        new = type(op).create(
            operands=[*operands, *op.operands[count:]],
            properties=op.properties,
            result_types=[cast_type(y, ui8)],
        )
        rewriter.insert(new)
        last = turned(new.results[0], self.store, rewriter)
        inherit_source(last, op)
        rewriter.replace(op, last)

    def unsigned(self, x: SSAValue) -> SSAValue | np.ndarray | None:
        """What is 128 larger than `x`; an array for a constant."""
        if isinstance(x.owner, ConstantOp) and is_signed(x):
            array = known(x, self.store)
            return None if array is None else (array.astype(np.int16) + HALF).astype(np.uint8)
        return unsigned_before(x, self.store)


class ReadUnsigned(StorePattern):
    """dequantize(x - 128, s, z) -> dequantize(x, s, z + 128)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DequantizeOp, rewriter: PatternRewriter, /) -> None:
        x = unsigned_before(op.x, self.store)
        zero = raised(op.zero, self.store, rewriter) if x is not None else None
        if x is None or zero is None:
            return
        new = DequantizeOp(x, op.scale, zero, op.y.type)
        inherit_source(new, op)
        rewriter.replace(op, new)


class MultiplyUnsigned(StorePattern):
    """conv2d(x, w, b) fill z -> conv2d(x + 128, w, b - 128 * sum(w)) fill z + 128; so dense"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: Conv2dOp | DenseOp, rewriter: PatternRewriter, /) -> None:
        w = known(op.w, self.store)
        old = None if op.bias is None else known(op.bias, self.store)
        if not is_signed(op.x) or not is_signed(op.w) or w is None:
            return
        if op.bias is not None and old is None:
            return
        x = unsigned_before(op.x, self.store)
        if x is None:
            x = rewriter.insert(turned(op.x, self.store, rewriter)).y
        total = w.reshape(len(w), -1).sum(1, dtype=np.int64) * HALF
        sums = (0 if old is None else old.astype(np.int64)) - total
        wrapped = sums.astype(np.uint32).view(np.int32)  # modulo 2**32, as the sums are
        bias = rewriter.insert(constant(wrapped, self.store))
        bias.result.name_hint = "bias"
        properties = dict(op.properties)
        if isinstance(op, Conv2dOp) and any(op.pads.get_values()):
            properties["fill"] = IntegerAttr(op.outside() + HALF, i64)
        else:
            properties.pop("fill", None)
        new = type(op).create(
            operands=[x, op.w, bias.result], properties=properties, result_types=[op.y.type]
        )
        inherit_source(new, op)
        rewriter.replace(op, new)


def multiplies_signed(module: ModuleOp) -> bool:
    """Whether signed 8 bits are multiplied by constant signed ones anywhere."""
    return any(
        isinstance(op, Conv2dOp | DenseOp)
        and is_signed(op.x)
        and is_signed(op.w)
        and isinstance(op.w.owner, ConstantOp)
        for op in module.walk()
    )


class Int8UnsignedPass(ModulePass):
    """
    Let factors with known signed weights be unsigned: that is what groups of four are made of.

    graph.conv2d (graph.requantize %a, s, z : i8), %w bias b
    ->  graph.conv2d (graph.requantize %a, s, z + 128 : ui8), %w bias b - 128 * sum(w)

    Such a tensor is stored as numbers that are 128 larger, which every reader takes into account;
    what comes from outside or leaves as signed numbers is converted there.
    """

    name = "int8-unsigned"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if not multiplies_signed(op):
            return
        store = weights_of(ctx)
        patterns: list[RewritePattern] = [
            StoreUnsigned(store),
            PassOn(store),
            ReadUnsigned(store),
            MultiplyUnsigned(store),
        ]
        PatternRewriteWalker(GreedyRewritePatternApplier(patterns)).rewrite_module(op)
