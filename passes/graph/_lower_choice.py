"""Formulas of ops that compare, choose and convert, and of arithmetic on integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat, IntegerType, i1
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.utils.hints import isa

from lamina.dialects import vector as vec
from lamina.dialects.elements import is_unsigned
from lamina.dialects.graph import (
    AbsOp,
    AddOp,
    AndOp,
    CastOp,
    CompareOp,
    DivOp,
    MaximumOp,
    MinimumOp,
    ModOp,
    MulOp,
    NegOp,
    NotOp,
    OrOp,
    PointwiseOp,
    ReluOp,
    RemOp,
    SignOp,
    SubOp,
    WhereOp,
    XorOp,
    tensor_type,
)
from lamina.passes.graph._formula import Scalars

FLOAT_PREDICATES = {"lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge", "eq": "oeq", "ne": "une"}

SIGNED: dict[type[PointwiseOp], Callable[..., Operation]] = {
    AddOp: arith.AddiOp,
    SubOp: arith.SubiOp,
    MulOp: arith.MuliOp,
    MaximumOp: arith.MaxSIOp,
    MinimumOp: arith.MinSIOp,
    AndOp: arith.AndIOp,
    OrOp: arith.OrIOp,
    XorOp: arith.XOrIOp,
}
"""ops on integers that are one scalar operation"""

UNSIGNED: dict[type[PointwiseOp], Callable[..., Operation]] = {
    **SIGNED,
    MaximumOp: arith.MaxUIOp,
    MinimumOp: arith.MinUIOp,
}


def compare(s: Scalars, predicate: str, a: SSAValue, b: SSAValue, unsigned: bool) -> SSAValue:
    """One of `graph.compare`'s predicates on two scalars."""
    if isa(a.type, AnyFloat):
        return s(arith.CmpfOp, a, b, FLOAT_PREDICATES[predicate])
    sign = "" if predicate in ("eq", "ne") else "u" if unsigned else "s"
    return s(arith.CmpiOp, a, b, f"{sign}{predicate}")


def cast_scalar(s: Scalars, x: SSAValue, of: Attribute, to: Attribute) -> SSAValue:
    """`x`, an element of a tensor of `of`, as one of a tensor of `to`."""
    result = to if isa(to, AnyFloat) else IntegerType(cast(IntegerType, to).width.data)
    if of == to:
        return x
    if result == i1:
        return compare(s, "ne", x, s.constant(0, x.type), False)
    unsigned = is_unsigned(of) or of == i1
    match isa(of, AnyFloat), isa(to, AnyFloat):
        case True, True:
            wider = cast(AnyFloat, to).bitwidth > cast(AnyFloat, of).bitwidth
            op = arith.ExtFOp if wider else arith.TruncFOp
        case True, False:
            op = arith.FPToUIOp if is_unsigned(to) else arith.FPToSIOp
        case False, True:
            op = arith.UIToFPOp if unsigned else arith.SIToFPOp
        case _:
            size, new = (cast(IntegerType, t).width.data for t in (of, to))
            if size == new:
                return x
            wider = arith.ExtUIOp if unsigned else arith.ExtSIOp
            op = arith.TruncIOp if new < size else wider
    return s(op, x, result)


def sign(s: Scalars, x: SSAValue, unsigned: bool) -> SSAValue:
    """x > 0 ? 1 : x < 0 ? -1 : x"""
    zero, one = s.constant(0, x.type), s.constant(1, x.type)
    above = s(arith.SelectOp, compare(s, "gt", x, zero, unsigned), one, x)
    if unsigned:
        return above
    below = compare(s, "lt", x, zero, False)
    return s(arith.SelectOp, below, s.constant(-1, x.type), above)


def divide(s: Scalars, op: PointwiseOp, a: SSAValue, b: SSAValue, unsigned: bool) -> SSAValue:
    """Quotient or rest of integers; no machine defines those by 0, nor the smallest one by -1."""
    zero, one = s.constant(0, b.type), s.constant(1, b.type)
    never = compare(s, "eq", b, zero, unsigned)
    unsafe, by_minus_one = never, None
    if not unsigned:
        by_minus_one = compare(s, "eq", b, s.constant(-1, b.type), False)
        unsafe = s(arith.OrIOp, never, by_minus_one)
    by = s(arith.SelectOp, unsafe, one, b)
    if isinstance(op, DivOp):
        y = s(arith.DivUIOp if unsigned else arith.DivSIOp, a, by)
        if by_minus_one is not None:
            y = s(arith.SelectOp, by_minus_one, s(arith.SubiOp, zero, a), y)
        return s(arith.SelectOp, never, zero, y)
    y = s(arith.RemUIOp if unsigned else arith.RemSIOp, a, by)  # by 1: nothing is left
    if isinstance(op, RemOp) or unsigned:
        return y
    other = s(arith.XOrIOp, compare(s, "lt", y, zero, False), compare(s, "lt", b, zero, False))
    moved = s(arith.AndIOp, other, compare(s, "ne", y, zero, False))
    return s(arith.SelectOp, moved, s(arith.AddiOp, y, b), y)


def integer_formula(op: PointwiseOp, s: Scalars, v: list[SSAValue], unsigned: bool) -> SSAValue:
    """What an op on integers or truth values computes."""
    match op:
        case NotOp():
            return s(arith.XOrIOp, v[0], s.constant(-1, v[0].type))
        case ReluOp():
            return v[0] if unsigned else s(arith.MaxSIOp, v[0], s.constant(0, v[0].type))
        case NegOp():
            return s(arith.SubiOp, s.constant(0, v[0].type), v[0])
        case AbsOp():
            negative = s(arith.SubiOp, s.constant(0, v[0].type), v[0])
            return v[0] if unsigned else s(arith.MaxSIOp, v[0], negative)
        case DivOp() | RemOp() | ModOp():
            return divide(s, op, v[0], v[1], unsigned)
        case _:
            return s((UNSIGNED if unsigned else SIGNED)[type(op)], *v)


def typed_formula(op: PointwiseOp, s: Scalars, v: list[SSAValue]) -> SSAValue | None:
    """What `op` computes if it chooses or converts, or works on integers; None for other ops."""
    of = tensor_type(op.operands[0]).element_type
    match op:
        case CompareOp():
            return compare(s, op.predicate.data, v[0], v[1], is_unsigned(of))
        case WhereOp():
            return s(arith.SelectOp, *v)
        case CastOp():
            return cast_scalar(s, v[0], of, tensor_type(op.y).element_type)
        case SignOp():
            return sign(s, v[0], is_unsigned(of))
        case _:
            pass
    if isa(of, IntegerType):
        return integer_formula(op, s, v, is_unsigned(of))
    return s(vec.RemOp, *v) if isinstance(op, RemOp) else None


CHOICES: tuple[type[PointwiseOp], ...] = (
    AndOp,
    CastOp,
    CompareOp,
    ModOp,
    NotOp,
    OrOp,
    RemOp,
    SignOp,
    WhereOp,
    XorOp,
)
"""pointwise ops that only `typed_formula` knows"""
