"""x**y on f32 as straight-line arithmetic: the logarithm to 2**-27, then exp, then the sign."""

from __future__ import annotations

from xdsl.dialects import arith, math
from xdsl.ir import Operation, SSAValue

from lamina.passes.te._approximations import (
    LARGEST_BITS,
    LN2_HIGH,
    LN2_LOW,
    LOG,
    ONE_BITS,
    exp,
    normalized,
)
from lamina.passes.te._arithmetic import Arithmetic

INFINITE_LOG = 2.0**127
"""in the place of ln(inf), and negative of ln(0): times 0 it is 0"""
LARGEST = 3.4028234663852886e38  # finite
SIGN_BIT = -(2**31)


def power(a: Arithmetic, x: SSAValue, y: SSAValue) -> SSAValue:
    """
    x**y within 16 u for normal results, and with the special values of C's pow: 1 for y = 0 and
    x = 1 even beside NaN, NaN for x < 0 where y is no integer.

    |x|**y = exp(h + e) = exp(h) * (1 + e) with h + e = y * ln|x|, |e| small. Two limits of range:
    0**y and inf**y are those of a finite base where |y| < 2**-120.
    """
    size = a.insert(math.AbsFOp(x))
    special = _special_log(a, size)
    high, low = _log(a, size)
    high = a.insert(arith.AddfOp(high, special))
    bounded = _clamp(a, y, 2.0**100)
    product = a.insert(arith.MulfOp(bounded, high))
    minus = a.insert(arith.NegfOp(product))
    rest = a.fma(bounded, low, a.fma(bounded, high, minus))
    factor = a.insert(arith.AddfOp(_clamp(a, rest, 2.0**-10), a.number(1.0)))
    value = a.insert(arith.MulfOp(exp(a, product), factor))
    return _signed(a, x, y, a.bits(value), a.bits(special))


def _clamp(a: Arithmetic, x: SSAValue, bound: float) -> SSAValue:
    x = a.insert(arith.MaximumfOp(x, a.number(-bound)))
    return a.insert(arith.MinimumfOp(x, a.number(bound)))


def _and(a: Arithmetic, *masks: SSAValue) -> SSAValue:
    value = masks[0]
    for mask in masks[1:]:
        value = a.insert(arith.AndIOp(value, mask))
    return value


def _not(a: Arithmetic, mask: SSAValue) -> SSAValue:
    return a.insert(arith.XOrIOp(mask, a.integer(-1)))


def _nonzero(a: Arithmetic, n: SSAValue) -> SSAValue:
    """All bits set where the integer is not 0."""
    minus = a.insert(arith.SubiOp(a.integer(0), n))
    return a.sign_mask(a.insert(arith.OrIOp(n, minus)))


def _special_log(a: Arithmetic, size: SSAValue) -> SSAValue:
    """What to add to the logarithm: a large number for inf, minus that for 0, NaN for NaN, or 0."""
    bits = a.bits(size)
    zero = a.sign_mask(a.insert(arith.SubiOp(bits, a.integer(1))))
    unbounded = a.sign_mask(a.insert(arith.SubiOp(a.integer(LARGEST_BITS), bits)))
    low = _and(a, zero, a.bits(a.number(-INFINITE_LOG)))
    bounded = a.insert(arith.MinimumfOp(size, a.number(INFINITE_LOG)))
    high = _and(a, unbounded, a.bits(bounded))
    return a.float_of(a.insert(arith.OrIOp(low, high)))


def _log(a: Arithmetic, x: SSAValue) -> tuple[SSAValue, SSAValue]:
    """ln(x) as a sum, to 2**-27 of it; the larger terms are added without error (Fast2Sum)."""
    x = a.insert(arith.MinimumfOp(x, a.number(LARGEST)))
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


def _signed(
    a: Arithmetic, x: SSAValue, y: SSAValue, value: SSAValue, special: SSAValue
) -> SSAValue:
    """The bits `value` of |x|**y with the sign, NaN where there is no power, 1 where it is 1."""

    def broken(z: SSAValue) -> SSAValue:
        whole: Operation = math.FloorOp(z)
        return _nonzero(a, a.insert(arith.XOrIOp(a.bits(a.insert(whole)), a.bits(z))))

    negative, fraction = a.sign_mask(a.bits(x)), broken(y)
    odd = _and(a, _not(a, fraction), broken(a.insert(arith.MulfOp(y, a.number(0.5)))))
    value = a.insert(arith.XOrIOp(value, _and(a, negative, odd, a.integer(SIGN_BIT))))
    nan = _and(a, negative, fraction, _not(a, _nonzero(a, special)))
    value = a.insert(arith.OrIOp(value, nan))
    one = a.integer(ONE_BITS)
    not_one = _nonzero(a, a.insert(arith.XOrIOp(a.bits(x), one)))
    not_zero = _nonzero(a, a.shift_left(a.bits(y), 1))
    change = _and(a, a.insert(arith.XOrIOp(value, one)), not_one, not_zero)
    return a.float_of(a.insert(arith.XOrIOp(one, change)))
