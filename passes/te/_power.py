"""x**y on f32 as straight-line arithmetic: the logarithm to 2**-27, then exp, then the sign."""

from __future__ import annotations

from xdsl.dialects import arith, math
from xdsl.ir import SSAValue

from lamina.passes.te._approximations import (
    INF_BITS,
    LN2_HIGH,
    LN2_LOW,
    LOG,
    NAN_BITS,
    exp,
    normalized,
)
from lamina.passes.te._arithmetic import Arithmetic


def power(a: Arithmetic, x: SSAValue, y: SSAValue) -> SSAValue:
    """
    x**y within 16 u for normal results, and with the special values of C's pow: 1 for y = 0 and
    x = 1 even beside NaN, NaN for x < 0 where y is no integer.

    |x|**y = exp(h + e) = exp(h) * (1 + e) with h + e = y * ln|x|, |e| small.
    """
    size = a.insert(math.AbsFOp(x))
    high, low = _log(a, size)
    bounded = _clamp(a, y, 2.0**100)
    product = a.insert(arith.MulfOp(bounded, high))
    minus = a.insert(arith.NegfOp(product))
    rest = a.fma(bounded, low, a.fma(bounded, high, minus))
    factor = a.insert(arith.AddfOp(_clamp(a, rest, 2.0**-10), a.number(1.0)))
    value = a.insert(arith.MulfOp(exp(a, product), factor))
    return _signed(a, x, y, _of_extremes(a, size, y, value))


def _clamp(a: Arithmetic, x: SSAValue, bound: float) -> SSAValue:
    x = a.insert(arith.MaximumfOp(x, a.number(-bound)))
    return a.insert(arith.MinimumfOp(x, a.number(bound)))


def _of_extremes(a: Arithmetic, size: SSAValue, y: SSAValue, value: SSAValue) -> SSAValue:
    """`value`, but 0 or inf for powers of those, and NaN for those of NaN."""
    zero, inf = a.number(0.0), a.float_of(a.integer(INF_BITS))
    of_zero, of_inf = a.compare("oeq", size, zero), a.compare("oeq", size, inf)
    grows = a.select(of_zero, a.compare("olt", y, zero), a.compare("ogt", y, zero))
    extreme = a.insert(arith.OrIOp(of_zero, of_inf))
    known = a.insert(arith.AndIOp(extreme, a.compare("ord", y, y)))
    value = a.select(known, a.select(grows, inf, zero), value)
    return a.select(a.compare("uno", size, size), size, value)


def _log(a: Arithmetic, x: SSAValue) -> tuple[SSAValue, SSAValue]:
    """ln(x) as a sum, to 2**-27 of it; the larger terms are added without error (Fast2Sum)."""
    m, n = normalized(a, x, a.bits(x))
    f = a.insert(arith.SubfOp(m, a.number(1.0)))
    square = a.insert(arith.MulfOp(f, f))
    lost = a.fma(f, f, a.insert(arith.NegfOp(square)))
    half = a.insert(arith.MulfOp(square, a.number(0.5)))
    near, rest = _sum(a, f, a.insert(arith.NegfOp(half)))
    cube = a.insert(arith.MulfOp(square, f))
    tail = a.fma(a.polynomial(f, LOG), cube, a.insert(arith.MulfOp(lost, a.number(-0.5))))
    tail = a.fma(n, a.number(LN2_LOW), a.insert(arith.AddfOp(tail, rest)))
    whole = a.insert(arith.MulfOp(n, a.number(LN2_HIGH)))  # exact
    high, rest = _sum(a, whole, near)
    return _sum(a, high, a.insert(arith.AddfOp(tail, rest)))


def _sum(a: Arithmetic, x: SSAValue, y: SSAValue) -> tuple[SSAValue, SSAValue]:
    """x + y rounded, and what that lost, for |x| >= |y| or x = 0."""
    total = a.insert(arith.AddfOp(x, y))
    return total, a.insert(arith.SubfOp(y, a.insert(arith.SubfOp(total, x))))


def _signed(a: Arithmetic, x: SSAValue, y: SSAValue, value: SSAValue) -> SSAValue:
    """`value`, which is |x|**y, with the sign; NaN where there is no power, 1 where it is 1."""

    def broken(z: SSAValue) -> SSAValue:
        return a.compare("une", a.insert(math.FloorOp(z)), z)

    def both(p: SSAValue, q: SSAValue) -> SSAValue:
        return a.insert(arith.AndIOp(p, q))

    fraction = broken(y)
    half = broken(a.insert(arith.MulfOp(y, a.number(0.5))))
    signed = a.insert(math.CopySignOp(value, x))
    value = a.select(fraction, value, a.select(half, signed, value))
    inf = a.float_of(a.integer(INF_BITS))
    finite = a.compare("olt", a.insert(math.AbsFOp(x)), inf)
    negative = both(a.compare("olt", x, a.number(0.0)), finite)
    nan = a.float_of(a.integer(NAN_BITS))
    value = a.select(both(negative, fraction), nan, value)
    one = a.number(1.0)
    is_one = a.insert(arith.OrIOp(a.compare("oeq", x, one), a.compare("oeq", y, a.number(0.0))))
    return a.select(is_one, one, value)
