"""Between which numbers a value surely lies, as far as the ops that make it tell."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isnan
from typing import cast

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import (
    AnyFloat,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IntegerAttr,
    IntegerType,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.utils.hints import isa

from lamina.backends.cpu.types import element_of
from lamina.dialects import vector as vec

Limits = tuple[float, float]
DEPTH = 8
"""ops behind each other that are looked at"""
SMALL = 1 << 20
"""numbers up to here, and their sums, are exact in every float but those of 16 bits"""


def constant_values(op: arith.ConstantOp) -> tuple[float, ...]:
    """The numbers of a constant, element by element."""
    value = op.value
    if isinstance(value, DenseIntOrFPElementsAttr):
        return tuple(value.get_values())  # pyright: ignore[reportReturnType]
    assert isinstance(value, IntegerAttr | FloatAttr), value
    return (value.value.data,)


def limits(v: SSAValue, depth: int = DEPTH) -> Limits | None:
    """
    The least and the largest number that a lane of `v` can be; None: that is not known, or it may
    be NaN. Integers count as signed.
    """
    op = v.owner
    rule = _RULES.get(type(op)) if isinstance(op, Operation) and depth else None
    return rule(op, depth - 1) if rule else None


def fits(v: SSAValue, type: Attribute, unsigned: bool = False) -> bool:
    """Whether `v`, without what is behind its point, surely is a number of this integer type."""
    found, (low, high) = limits(v), integers(type, unsigned)
    return found is not None and low - 1 < found[0] and found[1] < high + 1


def integers(type: Attribute, unsigned: bool = False) -> tuple[int, int]:
    """The least and the largest integer of a type."""
    bits = cast(IntegerType, element_of(type)).width.data
    return (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _constant(op: arith.ConstantOp, depth: int) -> Limits | None:
    """As it is in memory: as a float of 32 bits 2147483647 is one more."""
    values, element = constant_values(op), element_of(op.result.type)
    if isa(element, AnyFloat):
        values = element.unpack(element.pack(values), len(values))
    elif not isa(element, IntegerType) or max(values) > integers(element)[1]:
        return None
    return None if any(map(isnan, values)) else (min(values), max(values))


def _extreme(op: arith.MaxnumfOp | arith.MinnumfOp, depth: int) -> Limits | None:
    """At least what either is at least, or at most; of a NaN, the other one is taken."""
    known = [found for v in op.operands if (found := limits(v, depth)) is not None]
    lows, highs = [low for low, _ in known], [high for _, high in known]
    if not known:
        return None
    if isinstance(op, arith.MaxnumfOp):
        return max(lows), max(highs) if len(known) == 2 else inf
    return min(lows) if len(known) == 2 else -inf, min(highs)


def _bounded(op: arith.MaxSIOp | arith.MinSIOp, depth: int) -> Limits | None:
    """At least what either is at least, or at most; of what is not known, what its type holds."""
    a, b = (limits(v, depth) or integers(v.type) for v in op.operands)
    pick = max if isinstance(op, arith.MaxSIOp) else min
    return pick(a[0], b[0]), pick(a[1], b[1])


def _rounded(op: math.RoundEvenOp, depth: int) -> Limits | None:
    found = limits(op.operand, depth)
    if found is None or inf in map(abs, found):
        return None
    return round(found[0]), round(found[1])


def _sum(op: arith.AddiOp, depth: int) -> Limits | None:
    """Unless it may wrap around."""
    a, b = limits(op.lhs, depth), limits(op.rhs, depth)
    if a is None or b is None:
        return None
    low, high = integers(op.result.type)
    total = a[0] + b[0], a[1] + b[1]
    return total if low <= total[0] and total[1] <= high else None


def _difference(op: arith.SubfOp, depth: int) -> Limits | None:
    """Of small whole numbers, which are exact as floats."""
    a, b = limits(op.lhs, depth), limits(op.rhs, depth)
    if a is None or b is None or any(abs(n) > SMALL or n % 1 for n in (*a, *b)):
        return None
    return a[0] - b[1], a[1] - b[0]


def _converted(op: vec.ConvertOp, depth: int) -> Limits | None:
    """Of an integer what its type holds; of a float the same, as an integer that holds it."""
    of, to = element_of(op.x.type), element_of(op.res.type)
    unsigned = op.unsigned is not None
    if isa(of, AnyFloat):
        whole = isa(to, IntegerType) and not unsigned and fits(op.x, to)
        return limits(op.x, depth) if whole else None
    found = None if unsigned else limits(op.x, depth)
    found = found or integers(of, unsigned)
    wider = isa(to, AnyFloat) or to.bitwidth > of.bitwidth  # pyright: ignore
    return found if wider and max(map(abs, found)) <= SMALL else None


_RULES: dict[type[Operation], Callable[..., Limits | None]] = {
    arith.ConstantOp: _constant,
    arith.MaxnumfOp: _extreme,
    arith.MinnumfOp: _extreme,
    arith.MaxSIOp: _bounded,
    arith.MinSIOp: _bounded,
    math.RoundEvenOp: _rounded,
    arith.AddiOp: _sum,
    arith.SubfOp: _difference,
    vec.ConvertOp: _converted,
}
