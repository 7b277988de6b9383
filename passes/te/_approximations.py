"""
exp, expm1, log, log1p, tanh and erf on f32 as straight-line arithmetic: no call, table or branch.

The coefficients are minimax fits in the relative error of the result (least squares on Chebyshev
nodes, reweighted after Lawson), rounded to f32 from the lowest order on, the rest refitted each
time. `u` is the unit in the last place (ulp) of the exact result. The bounds in the docstrings are
the largest errors over a close sample of all f32 with room to spare;
tests/unit/test_expand_math.py measures them again.
"""

from __future__ import annotations

from xdsl.dialects import arith, math
from xdsl.ir import SSAValue

from lamina.passes.te._arithmetic import Arithmetic

LOG2_E = 1.4426950408889634
LN2_HIGH = 0.693145751953125  # 0x1.62e400p-1: n * LN2_HIGH is exact for |n| < 2**9
LN2_LOW = 1.42860682030941723e-6
ROUND = 12582912.0  # 1.5 * 2**23: adding it leaves the nearest integer in the low bits
ROUND_BITS = 0x4B400000

EXP = (0.49999994, 0.16666521, 0.041668266, 0.008368677, 0.0013820734)
"""(exp(r) - 1 - r) / r**2 for |r| <= ln(2) / 2, to 0.03 u of exp"""

TANH = (-0.3333328, 0.13331409, -0.053737063, 0.020630904, -0.0056963395)
"""(tanh(x) - x) / x**3 in x**2 for |x| < 0.625, to 0.04 u of tanh"""

ERF = (0.12837917, -0.3761263, 0.11283626, -0.026855731, 0.005192405, -0.00080497697, 7.99665e-05)
"""(erf(x) - x) / x in x**2 for |x| < 0.93, to 0.01 u of erf"""

ERFC = (
    -0.12864849,
    -0.6351513,
    -0.106236845,
    0.02376202,
    -0.0036424296,
    0.00032279402,
    -1.1230012e-05,
)
"""(ln(1 - erf(t)) + t) / t for 0.92 < t < 4, to 0.01 u of erf"""

LOG = (
    0.33333331174,
    -0.24999993993,
    0.20000714765,
    -0.16668057665,
    0.14249322787,
    -0.12420140846,
    0.11676998740,
    -0.11514610310,
    0.070376836292,
)
"""(ln(1 + f) - f + f**2 / 2) / f**3 for sqrt(1/2) <= 1 + f < sqrt(2); Moshier, Cephes, logf"""
SQRT_HALF_BITS = 0x3F3504F3
SMALLEST_NORMAL_BITS = 0x00800000
INF_BITS = 0x7F800000
NAN_BITS = -1  # all bits set
MINUS_INF_BITS = -0x00800000  # 0xff800000 as a signed integer
ONE_BITS = 0x3F800000


def exp(a: Arithmetic, x: SSAValue) -> SSAValue:
    """
    e**x within 1.1 u, also where the result is subnormal; 0 below -103.98, inf above 88.7228, NaN
    for NaN.

    x = n * ln(2) + r with an integer n and |r| <= ln(2) / 2; e**x = e**r * 2**n. Scaling in two
    steps lets the result underflow and overflow as a product does, with one rounding.
    """
    x = a.insert(arith.MaximumfOp(x, a.number(-104.0)))
    x = a.insert(arith.MinimumfOp(x, a.number(89.0)))
    fraction, n = _split(a, x)
    half = a.insert(arith.ShRSIOp(n, a.integer(1)))
    rest = a.insert(arith.SubiOp(n, half))
    scaled = a.insert(arith.MulfOp(fraction, a.power_of_two(half)))
    return a.insert(arith.MulfOp(scaled, a.power_of_two(rest)))


def _exp_near_zero(a: Arithmetic, x: SSAValue) -> SSAValue:
    """e**x within 1.1 u for |x| < 87, where one scaling is enough."""
    fraction, n = _split(a, x)
    return a.insert(arith.MulfOp(fraction, a.power_of_two(n)))


def expm1(a: Arithmetic, x: SSAValue) -> SSAValue:
    """
    e**x - 1 within 2.0 u; -1 below -17.4, inf above 88.7228, NaN for NaN, -0 for -0.

    With e**x = (1 + t) * 2**n it is t * 2**n + (2**n - 1), where t is accurate near 0. All of that
    is computed halved, so that 2**n does not overflow before the result does.
    """
    start = x
    x = a.insert(arith.MaximumfOp(x, a.number(-80.0)))
    x = a.insert(arith.MinimumfOp(x, a.number(89.0)))
    tail, n = _reduced(a, x)
    half = a.power_of_two(a.insert(arith.SubiOp(n, a.integer(1))))
    rest = a.insert(arith.SubfOp(half, a.number(0.5)))
    value = a.fma(tail, half, rest)
    return a.insert(math.CopySignOp(a.insert(arith.AddfOp(value, value)), start))


def _split(a: Arithmetic, x: SSAValue) -> tuple[SSAValue, SSAValue]:
    """e**r and n with x = n * ln(2) + r, n the integer nearest to x / ln(2)."""
    tail, n = _reduced(a, x)
    return a.insert(arith.AddfOp(tail, a.number(1.0))), n


def _reduced(a: Arithmetic, x: SSAValue) -> tuple[SSAValue, SSAValue]:
    """e**r - 1 and n with x = n * ln(2) + r, n the integer nearest to x / ln(2)."""
    rounded = a.fma(x, a.number(LOG2_E), a.number(ROUND))
    n = a.insert(arith.SubfOp(rounded, a.number(ROUND)))
    r = a.fma(n, a.number(-LN2_LOW), a.fma(n, a.number(-LN2_HIGH), x))
    square = a.insert(arith.MulfOp(r, r))
    tail = a.fma(a.polynomial(r, EXP), square, r)
    whole = a.insert(arith.SubiOp(a.bits(rounded), a.integer(ROUND_BITS)))
    return tail, whole


def log(a: Arithmetic, x: SSAValue) -> SSAValue:
    """
    ln(x) within 1.1 u, also of subnormal numbers; -inf for 0 and -0, NaN below, inf for inf, NaN
    for NaN.

    x = m * 2**n with sqrt(1/2) <= m < sqrt(2); ln(x) = n * ln(2) + ln(m). What is computed for
    other x means nothing, so it is not chosen.
    """
    zero = a.number(0.0)
    value = _log_of_product(a, *normalized(a, x, a.bits(x)))
    infinite = a.float_of(a.integer(INF_BITS))
    value = a.below(x, infinite, value, x)  # inf and NaN are themselves
    minus, nan = a.float_of(a.integer(MINUS_INF_BITS)), a.float_of(a.integer(NAN_BITS))
    other = a.select(a.compare("oeq", x, zero), minus, nan)
    return a.select(a.compare("ole", x, zero), other, value)


def normalized(a: Arithmetic, x: SSAValue, bits: SSAValue) -> tuple[SSAValue, SSAValue]:
    """m and the integer n, as a float, with x = m * 2**n and sqrt(1/2) <= m < sqrt(2), for x > 0"""
    small = a.sign_mask(a.insert(arith.SubiOp(bits, a.integer(SMALLEST_NORMAL_BITS))))
    by = a.insert(arith.AndIOp(small, a.integer(25 << 23)))  # 25 in the place of the exponent
    scale = a.float_of(a.insert(arith.AddiOp(by, a.integer(ONE_BITS))))
    bits = a.bits(a.insert(arith.MulfOp(x, scale)))
    above = a.insert(arith.SubiOp(bits, a.integer(SQRT_HALF_BITS)))
    n = a.insert(arith.ShRSIOp(above, a.integer(23)))
    m = a.float_of(a.insert(arith.SubiOp(bits, a.shift_left(n, 23))))
    n = a.insert(arith.SubiOp(n, a.insert(arith.AndIOp(small, a.integer(25)))))
    # |n| < 2**22: in the low bits of ROUND it is exact
    n = a.float_of(a.insert(arith.AddiOp(n, a.integer(ROUND_BITS))))
    return m, a.insert(arith.SubfOp(n, a.number(ROUND)))


def _log_of_product(a: Arithmetic, m: SSAValue, n: SSAValue) -> SSAValue:
    """ln(m * 2**n) = n * ln(2) + f - f**2 / 2 + f**3 * p(f) with f = m - 1, small terms first."""
    f = a.insert(arith.SubfOp(m, a.number(1.0)))
    square = a.insert(arith.MulfOp(f, f))
    cube = a.insert(arith.MulfOp(square, f))
    tail = a.fma(n, a.number(LN2_LOW), a.insert(arith.MulfOp(a.polynomial(f, LOG), cube)))
    tail = a.fma(square, a.number(-0.5), tail)
    return a.fma(n, a.number(LN2_HIGH), a.insert(arith.AddfOp(f, tail)))


def log1p(a: Arithmetic, x: SSAValue) -> SSAValue:
    """
    ln(1 + x) within 2.0 u; -inf for -1, NaN below, inf for inf, NaN for NaN, -0 for -0.

    ln(u) with u = 1 + x rounded, plus what that rounding lost, divided by u; Kahan. Bounds keep
    the correction a number where u is 0 or infinite.
    """
    u = a.insert(arith.AddfOp(x, a.number(1.0)))
    divisor = a.insert(arith.MaximumfOp(u, a.number(2.0**-100)))
    divisor = a.insert(arith.MinimumfOp(divisor, a.number(2.0**100)))
    kept = a.insert(arith.SubfOp(divisor, a.number(1.0)))
    bounded = a.insert(arith.MinimumfOp(x, a.number(2.0**100)))
    lost = a.insert(arith.SubfOp(bounded, kept))
    value = a.insert(arith.AddfOp(log(a, u), a.insert(arith.DivfOp(lost, divisor))))
    return a.insert(math.CopySignOp(value, x))


def tanh(a: Arithmetic, x: SSAValue) -> SSAValue:
    """
    tanh(x) within 1.5 u; 1 with the sign of x beyond 9.02, NaN for NaN, -0 for -0.

    x + x**3 * p(x**2) near 0, else 1 - 2 / (e**(2 * |x|) + 1) with the sign of x.
    """
    size = a.insert(math.AbsFOp(x))
    square = a.insert(arith.MulfOp(size, size))
    cube = a.insert(arith.MulfOp(square, size))
    near = a.fma(a.polynomial(square, TANH), cube, size)
    bounded = a.insert(arith.MinimumfOp(size, a.number(10.0)))
    e = _exp_near_zero(a, a.insert(arith.AddfOp(bounded, bounded)))
    share = a.insert(arith.DivfOp(a.number(2.0), a.insert(arith.AddfOp(e, a.number(1.0)))))
    far = a.insert(arith.SubfOp(a.number(1.0), share))
    return a.insert(math.CopySignOp(a.below(size, a.number(0.625), near, far), x))


def erf(a: Arithmetic, x: SSAValue) -> SSAValue:
    """
    erf(x) within 1.1 u; 1 with the sign of x beyond 3.93, NaN for NaN, -0 for -0.

    x + x * p(x**2) near 0, else 1 - e**(t * q(t) - t) with t = |x| and the sign of x.
    """
    size = a.insert(math.AbsFOp(x))
    near = a.fma(a.polynomial(a.insert(arith.MulfOp(size, size)), ERF), size, size)
    t = a.insert(arith.MinimumfOp(size, a.number(4.0)))
    power = a.fma(a.polynomial(t, ERFC), t, a.insert(arith.NegfOp(t)))
    far = a.insert(arith.SubfOp(a.number(1.0), _exp_near_zero(a, power)))
    return a.insert(math.CopySignOp(a.below(size, a.number(0.925), near, far), x))
