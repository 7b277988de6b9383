"""
arith and math on scalars, on vectors, and on all points of a tensor expression at once.

Every float op rounds once to its own type; nothing is computed in float64 and kept there.
- `math.fma` rounds a * b + c first to float64, then to its type. The product of two f32 is exact in
  float64, so this differs from a fused multiply-add only where the float64 sum lies exactly
  between two f32 (about one case in 2**29).
- exp, tanh, erf and the other functions are computed in float64 and then rounded, so that their
  value does not depend on which of NumPy's vector routines ran.
"""

import math as libm
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import IndexType
from xdsl.ir import Operation
from xdsl.utils.exceptions import InterpretationError

from lamina.dialects import vector
from lamina.interpreters.arrays import constant, dtype_of
from lamina.interpreters.run import Implementation, Run

Array = Any  # np.ndarray, np.generic or, for an index, int


def _unsigned(x: Array) -> Array:
    return np.asarray(x).view(f"u{np.asarray(x).dtype.itemsize}")


def _signed(x: Array) -> Array:
    """A truth value that is true is -1, all bits set; other numbers have their sign."""
    return np.negative(x, dtype=np.int8) if np.asarray(x).dtype.kind == "b" else x


def _as_unsigned(f: Callable[..., Array]) -> Callable[..., Array]:
    """Apply `f` to the bits taken as unsigned numbers."""
    return lambda *xs: f(*map(_unsigned, xs)).view(np.asarray(xs[0]).dtype)


def _modular(f: Callable[..., Array]) -> Callable[..., Array]:
    """Arithmetic modulo 2**width, which NumPy does for every width but 1."""

    def compute(a: Array, b: Array) -> Array:
        if isinstance(a, np.ndarray | np.generic) and a.dtype.kind == "b":
            raise InterpretationError(
                f"no arithmetic on i1 here; use arith.xori or arith.andi, not {f}"
            )
        return f(a, b)

    return compute


def _select(c: Array, a: Array, b: Array) -> Array:
    return np.where(c, a, b) if np.ndim(c) else (a if c else b)


def _truncated(f: Callable[..., Array]) -> Callable[..., Array]:
    """Integer division; by zero is an error, as no machine defines it."""

    def divide(a: Array, b: Array) -> Array:
        if np.any(np.equal(b, 0)):
            raise InterpretationError("integer division by zero")
        return f(a, b)

    return divide


def _divide_to_zero(a: Array, b: Array) -> Array:
    q = np.floor_divide(a, b)
    return q + ((q < 0) & (np.multiply(q, b) != a))


def fma(a: Array, b: Array, c: Array) -> Array:
    """a * b + c, rounded to float64 and then to the type of a"""
    return (np.multiply(a, b, dtype=np.float64) + c).astype(np.asarray(a).dtype)


def _in_double(f: Callable[..., Array]) -> Callable[..., Array]:
    return lambda *xs: f(*(np.asarray(x, np.float64) for x in xs)).astype(np.asarray(xs[0]).dtype)


def _round_half_away(x: Array) -> Array:
    return np.copysign(np.floor(np.abs(x) + np.asarray(x).dtype.type(0.5)), x)


BINARY_AND_UNARY: Mapping[type[Operation], Callable[..., Array]] = {
    arith.AddfOp: np.add,
    arith.SubfOp: np.subtract,
    arith.MulfOp: np.multiply,
    arith.DivfOp: np.divide,
    arith.NegfOp: np.negative,
    arith.MaximumfOp: np.maximum,  # NaN if either is
    arith.MinimumfOp: np.minimum,
    arith.MaxnumfOp: np.fmax,  # the other one if one is NaN
    arith.MinnumfOp: np.fmin,
    arith.AddiOp: _modular(np.add),
    arith.SubiOp: _modular(np.subtract),
    arith.MuliOp: _modular(np.multiply),
    arith.DivSIOp: _truncated(_divide_to_zero),
    arith.DivUIOp: _truncated(_as_unsigned(np.floor_divide)),
    arith.FloorDivSIOp: _truncated(np.floor_divide),
    arith.CeilDivSIOp: _truncated(lambda a, b: -np.floor_divide(-a, b)),
    arith.RemSIOp: _truncated(np.fmod),
    arith.RemUIOp: _truncated(_as_unsigned(np.remainder)),
    arith.MaxSIOp: np.maximum,
    arith.MinSIOp: np.minimum,
    arith.MaxUIOp: _as_unsigned(np.maximum),
    arith.MinUIOp: _as_unsigned(np.minimum),
    arith.AndIOp: np.bitwise_and,
    arith.OrIOp: np.bitwise_or,
    arith.XOrIOp: np.bitwise_xor,
    arith.ShLIOp: np.left_shift,
    arith.ShRSIOp: np.right_shift,
    arith.ShRUIOp: _as_unsigned(np.right_shift),
    arith.SelectOp: _select,
    math.FmaOp: fma,
    math.AbsFOp: np.abs,
    math.AbsIOp: np.abs,
    math.CeilOp: np.ceil,
    math.FloorOp: np.floor,
    math.TruncOp: np.trunc,
    math.RoundEvenOp: np.rint,
    math.RoundOp: _round_half_away,
    math.CopySignOp: np.copysign,
    math.SqrtOp: np.sqrt,  # correctly rounded in every precision
    math.RsqrtOp: _in_double(lambda x: 1.0 / np.sqrt(x)),
    math.ExpOp: _in_double(np.exp),
    math.Exp2Op: _in_double(np.exp2),
    math.ExpM1Op: _in_double(np.expm1),
    math.LogOp: _in_double(np.log),
    math.Log2Op: _in_double(np.log2),
    math.Log10Op: _in_double(np.log10),
    math.Log1pOp: _in_double(np.log1p),
    math.TanhOp: _in_double(np.tanh),
    math.SinOp: _in_double(np.sin),
    math.CosOp: _in_double(np.cos),
    math.PowFOp: _in_double(np.power),
    math.ErfOp: _in_double(np.vectorize(libm.erf, otypes=[np.float64])),
}


def _multiply_extended(a: Array, b: Array) -> Sequence[Array]:
    """The low and the high half of the product, as numbers of the type of the factors."""
    dtype = np.asarray(a).dtype
    if dtype.kind != "i" or dtype.itemsize > 4:
        raise InterpretationError(f"arith.mulsi_extended: no type holds products of {dtype}")
    product = np.multiply(a, b, dtype=np.int64)
    return product.astype(dtype)[()], (product >> 8 * dtype.itemsize).astype(dtype)[()]


COMPARE_INTEGERS: tuple[Callable[..., Array], ...] = (
    *(np.equal, np.not_equal),
    *(lambda a, b, f=f: f(_signed(a), _signed(b)) for f in (np.less, np.less_equal)),
    *(lambda a, b, f=f: f(_signed(a), _signed(b)) for f in (np.greater, np.greater_equal)),
    *(lambda a, b, f=f: f(_unsigned(a), _unsigned(b)) for f in (np.less, np.less_equal)),
    *(lambda a, b, f=f: f(_unsigned(a), _unsigned(b)) for f in (np.greater, np.greater_equal)),
)
"""by the number of the predicate: eq ne slt sle sgt sge ult ule ugt uge"""

_ORDERED = (np.equal, np.greater, np.greater_equal, np.less, np.less_equal, np.not_equal)


def _compare_floats(k: int, a: Array, b: Array) -> Array:
    """The predicates are false, 6 ordered, ord, 6 unordered, uno, true."""
    nan = np.isnan(a) | np.isnan(b)
    if k in (0, 15):
        return np.full_like(nan, k == 15)
    if k in (7, 14):
        return nan if k == 14 else ~nan
    return _ORDERED[k - 1](a, b) & ~nan if k < 7 else _ORDERED[k - 8](a, b) | nan


def _compare(run: Run, op: vector.CompareOp, args: Sequence[Any]) -> Sequence[Any]:
    predicate = op.predicate.data
    if dtype_of(op.a.type).kind == "f":
        return (_compare_floats(vector.FLOAT_PREDICATES.index(predicate), *args),)
    return (COMPARE_INTEGERS[vector.INTEGER_PREDICATES.index(predicate)](*args),)


def to_integer(x: Array, dtype: np.dtype) -> Array:
    """Float to integer towards zero; what does not fit becomes the nearest value, NaN becomes 0."""
    low, bits = np.iinfo(dtype).min, dtype.itemsize * 8 - (dtype.kind == "i")
    whole = np.nan_to_num(
        np.trunc(np.asarray(x, np.float64)), nan=0.0, posinf=np.inf, neginf=-np.inf
    )
    small = np.where(whole < 2.0**bits, np.maximum(whole, low), 0).astype(dtype)
    return np.where(whole < 2.0**bits, small, np.iinfo(dtype).max)


def convert(x: np.ndarray, dtype: np.dtype, unsigned: bool) -> Array:
    """`vec.convert`, on elements; see the op for what it means."""
    if x.dtype.kind == "f":
        if dtype.kind == "f":
            return x.astype(dtype)
        as_type = np.dtype(f"u{dtype.itemsize}") if unsigned else dtype
        return to_integer(x, as_type).view(dtype)
    if x.dtype.kind == "b" and not unsigned:
        return _bool_as_integer(x, dtype)
    return (_unsigned(x) if unsigned else x).astype(dtype)


def _convert(run: Run, op: vector.ConvertOp, args: Sequence[Any]) -> Sequence[Any]:
    dtype = dtype_of(op.res.type)
    if dtype.kind == "b" and np.asarray(args[0]).dtype.kind == "f":
        raise InterpretationError(f"no {op.name} from {op.x.type} to i1; use arith.cmpf")
    if dtype.kind == "b":
        return ((np.asarray(args[0]) & 1).astype(dtype)[()],)
    return (convert(np.asarray(args[0]), dtype, op.unsigned is not None)[()],)


def _bitcast(run: Run, op: vector.BitcastOp, args: Sequence[Any]) -> Sequence[Any]:
    """Memory keeps the order: a group is the last dimension."""
    flat = np.ascontiguousarray(args[0]).reshape(-1)
    return (flat.view(dtype_of(op.res.type)).reshape(vector.shape_of(op.res.type))[()],)


def _cast(f: Callable[[Array, np.dtype], Array]) -> Implementation:
    """An op whose result type says what its operand becomes."""

    def implementation(run: Run, op: Operation, args: Sequence[Any]) -> Sequence[Any]:
        return (f(np.asarray(args[0]), dtype_of(op.results[0].type))[()],)

    return implementation


def _index_cast(run: Run, op: arith.IndexCastOp, args: Sequence[Any]) -> Sequence[Any]:
    if isinstance(op.result.type, IndexType):
        return (int(args[0]),)
    return (np.asarray(args[0]).astype(dtype_of(op.result.type))[()],)


def _bool_as_integer(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """extsi of i1: true is -1."""
    return -x.astype(dtype) if x.dtype.kind == "b" else x.astype(dtype)


def _plain(f: Callable[..., Array]) -> Implementation:
    return lambda run, op, args: (f(*args),)


IMPLEMENTATIONS: Mapping[type[Operation], Implementation] = {
    **{op: _plain(f) for op, f in BINARY_AND_UNARY.items()},
    arith.MulSIExtendedOp: lambda run, op, args: _multiply_extended(*args),
    arith.ConstantOp: lambda run, op, args: (constant(op.value),),
    arith.CmpiOp: lambda run, op, args: (COMPARE_INTEGERS[op.predicate.value.data](*args),),
    arith.CmpfOp: lambda run, op, args: (_compare_floats(op.predicate.value.data, *args),),
    arith.IndexCastOp: _index_cast,
    arith.BitcastOp: _cast(lambda x, dtype: x.view(dtype)),
    arith.ExtFOp: _cast(lambda x, dtype: x.astype(dtype)),
    arith.TruncFOp: _cast(lambda x, dtype: x.astype(dtype)),
    arith.TruncIOp: _cast(lambda x, dtype: x.astype(dtype)),
    arith.ExtSIOp: _cast(_bool_as_integer),
    arith.ExtUIOp: _cast(
        lambda x, dtype: (x if x.dtype.kind == "b" else _unsigned(x)).astype(dtype)
    ),
    arith.SIToFPOp: _cast(lambda x, dtype: x.astype(dtype)),
    arith.UIToFPOp: _cast(lambda x, dtype: _unsigned(x).astype(dtype)),
    arith.FPToSIOp: _cast(to_integer),
    arith.FPToUIOp: _cast(
        lambda x, dtype: to_integer(x, np.dtype(f"u{dtype.itemsize}")).view(dtype)
    ),
    vector.ConvertOp: _convert,
    vector.BitcastOp: _bitcast,
    vector.CompareOp: _compare,
    vector.AnyOp: _plain(np.any),
    vector.RemOp: _plain(np.fmod),
    vector.SelectOp: _plain(_select),
}
