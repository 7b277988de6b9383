"""Formulas between real numbers and 8 bits that stand for them."""

from __future__ import annotations

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import IntegerAttr, f32, i8, i32
from xdsl.ir import Attribute, SSAValue

from lamina.dialects.elements import integer_range, is_unsigned
from lamina.dialects.graph import (
    DequantizeOp,
    QuantizeOp,
    RequantizeFixedOp,
    ScaledOp,
    tensor_type,
)
from lamina.dialects.int8 import QuantType
from lamina.dialects.int8 import RequantizeFixedOp as ScalarRequantizeFixedOp
from lamina.passes.graph._formula import Scalars
from lamina.passes.graph._numbers import number_in


def written_out(x: SSAValue, element: Attribute) -> int | None:
    """The number that `x`, an element of a tensor of `element`, always is, if it is written out."""
    if not isinstance(x.owner, arith.ConstantOp) or not isinstance(x.owner.value, IntegerAttr):
        return None
    low, high = integer_range(element)
    return (x.owner.value.value.data - low) % (high - low + 1) + low


def widened(s: Scalars, x: SSAValue, element: Attribute) -> SSAValue:
    """`x`, an element of a tensor of `element`, as an i32."""
    if x.type == i32:
        return x
    if (known := written_out(x, element)) is not None:
        return s.constant(known, i32)
    return s(arith.ExtUIOp if is_unsigned(element) else arith.ExtSIOp, x, i32)


def saturated(s: Scalars, steps: SSAValue, zero: SSAValue, element: Attribute) -> SSAValue:
    """
    saturate(round_half_even(steps) + zero); the smallest number of `element` where steps is NaN

    Cutting off first gives the same, as the limits are whole numbers. maxnumf drops a NaN.
    """
    known, wide = written_out(zero, element), widened(s, zero, element)
    limits: list[SSAValue] = []
    for limit in integer_range(element):
        if known is None:
            limits.append(s(arith.SubfOp, s.constant(limit), s(arith.SIToFPOp, wide, f32)))
        else:
            limits.append(s.constant(limit - known))
    cut = s(arith.MinnumfOp, s(arith.MaxnumfOp, steps, limits[0]), limits[1])
    q = s(arith.FPToSIOp, s(math.RoundEvenOp, cut), i32)
    return s(arith.TruncIOp, q if known == 0 else s(arith.AddiOp, q, wide), i8)


def scaled_formula(op: ScaledOp, s: Scalars, v: list[SSAValue]) -> SSAValue:
    """What an op with a scale and a zero point computes from one element of each operand."""
    x, scale, zero = v
    of, element = (tensor_type(value).element_type for value in (op.x, op.zero))
    if isinstance(op, DequantizeOp):
        x, known = widened(s, x, of), written_out(zero, element)
        moved = x if known == 0 else s(arith.SubiOp, x, widened(s, zero, element))
        steps = s(arith.SIToFPOp, moved, f32)
        return steps if number_in(op.scale) == 1 else s(arith.MulfOp, steps, scale)
    x = x if x.type == f32 else s(arith.SIToFPOp, x, f32)
    by = arith.DivfOp if isinstance(op, QuantizeOp) else arith.MulfOp
    steps = x if number_in(op.scale) == 1 else s(by, x, scale)
    return saturated(s, steps, zero, element)


def fixed_formula(op: RequantizeFixedOp, s: Scalars, v: list[SSAValue]) -> SSAValue:
    """The same on one element of each operand, as one op; the scale of its type says nothing."""
    storage = "u8" if is_unsigned(tensor_type(op.y).element_type) else "s8"
    return s(ScalarRequantizeFixedOp, *v, QuantType(storage, 1.0, op.zero_point))
