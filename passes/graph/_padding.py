"""
What ops make of the zeros that pad a block in storage.

Every reader counts on zeros there: a window takes the padding for what lies outside, and weights
that are zero do not help against NaN. What an op computes there matters only when it is stored: a
kernel writes zeros over the padding of its result unless the numbers here say that zeros they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from xdsl.ir import Operation, SSAValue

from lamina.dialects.elements import INTEGER, integer_range, kind_of
from lamina.dialects.graph import (
    AbsOp,
    AddOp,
    AndOp,
    BatchNormOp,
    CeilOp,
    ClipOp,
    CompareOp,
    ConcatOp,
    Conv2dOp,
    DequantizeOp,
    DivOp,
    ErfOp,
    Expm1Op,
    ExpOp,
    FloorOp,
    FmaOp,
    GatherOp,
    GlobalAvgPoolOp,
    Log1pOp,
    LogOp,
    MaximumOp,
    MinimumOp,
    MulOp,
    NegOp,
    NormalizeOp,
    PointwiseOp,
    PoolOp,
    PowOp,
    QuantizeOp,
    ReduceOp,
    RelayoutOp,
    ReluOp,
    RepeatOp,
    RequantizeFixedOp,
    ResampleOp,
    RoundOp,
    SampleOp,
    ScaledOp,
    SigmoidOp,
    SliceOp,
    SqrtOp,
    SubOp,
    TakeOp,
    TanhOp,
    TileOp,
    WhereOp,
    layout_of,
    shape,
    tensor_type,
)
from lamina.passes.graph._numbers import number_in

CHANNELS = 1
"""the dimension of NCHW that sums run over"""

LARGEST = 1e9
"""beyond this a number is not relied on to be finite"""

CANCELLED = 1e-3
"""a result this small beside the operands may be all rounding errors"""


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x))"""
    return 1 / (1 + math.exp(-x))


def relu(x: float) -> float:
    """max(x, 0)"""
    return max(x, 0.0)


def fma(a: float, b: float, c: float) -> float:
    """a * b + c"""
    return a * b + c


FUNCTIONS: dict[type[Operation], Callable[..., float]] = {
    AbsOp: math.fabs,
    AddOp: float.__add__,
    CeilOp: math.ceil,
    DivOp: float.__truediv__,
    ErfOp: math.erf,
    ExpOp: math.exp,
    Expm1Op: math.expm1,
    FloorOp: math.floor,
    FmaOp: fma,
    Log1pOp: math.log1p,
    LogOp: math.log,
    MaximumOp: max,
    MinimumOp: min,
    MulOp: float.__mul__,
    NegOp: float.__neg__,
    PowOp: math.pow,
    ReluOp: relu,
    RoundOp: round,
    SigmoidOp: sigmoid,
    SqrtOp: math.sqrt,
    SubOp: float.__sub__,
    TanhOp: math.tanh,
}
"""what pointwise ops make of numbers, about"""


def padded_dims(value: SSAValue) -> list[int]:
    """The dimensions of `value` that end inside a block of its storage."""
    size = shape(value)
    whole = layout_of(value.type).padded(size)
    return [d for d, (n, m) in enumerate(zip(size, whole, strict=True)) if n != m]


def pads_with_zero(value: SSAValue) -> bool:
    """Whether what a kernel computes for `value` is zero wherever the storage pads a block."""
    size = shape(value)
    return all(beyond(value, d, size[d]) == 0 for d in padded_dims(value))


def beyond(value: SSAValue, dim: int, size: int) -> float | None:
    """
    The number that `value` is where an op on tensors of `size` elements along `dim` goes beyond the
    last of them; None if it is not known. Zero is exact, any other number about right.
    """
    if (number := number_in(value)) is not None:
        return float(number)
    op = value.owner
    if not isinstance(op, Operation):
        # zero as stored, or read outside of the buffer; what is broadcast is the same everywhere
        return 0.0 if shape(value)[dim] == size else None
    if isinstance(op, PointwiseOp):
        return _computed(op, [beyond(x, dim, size) for x in op.operands])
    if isinstance(op, RelayoutOp):
        return 0.0 if beyond(op.x, dim, size) == 0 else None
    return 0.0 if shape(value)[dim] == size and _passes_zeros_on(op, dim) else None


def _computed(op: PointwiseOp, numbers: list[float | None]) -> float | None:
    """What `op` makes of these numbers."""
    if isinstance(op, WhereOp) and numbers[0] is not None:
        return numbers[1 if numbers[0] else 2]
    if isinstance(op, AndOp) and 0 in numbers:
        return 0.0
    known = [n for n in numbers if n is not None]
    if len(known) < len(numbers):
        return None
    if isinstance(op, ScaledOp):
        return _scaled(op, *known)
    if isinstance(op, RequantizeFixedOp):
        return None if known[0] else float(op.zero_point)
    if not any(known) and op.keeps_zero():
        return 0.0
    if isinstance(op, CompareOp):
        return _compared(op, *known)
    if isinstance(op, MulOp) and 0 in known:
        return 0.0 if all(map(math.isfinite, known)) else None
    if isinstance(op, ClipOp):
        return min(max(known[0], op.low.value.data), op.high.value.data)
    if isinstance(op, ReluOp | MaximumOp | MinimumOp):  # one of the numbers, as it is
        return FUNCTIONS[type(op)](*known)
    if type(op) not in FUNCTIONS or kind_of(tensor_type(op.operands[0]).element_type) == INTEGER:
        return None  # those on integers wrap around
    try:
        found = float(FUNCTIONS[type(op)](*known))
    except (ArithmeticError, ValueError):  # it overflows, or is NaN
        return None
    sure = CANCELLED * max(map(abs, known)) <= abs(found) <= LARGEST
    return found if sure and found else None


def _scaled(op: ScaledOp, x: float, scale: float, zero: float) -> float | None:
    """What an op with a scale and a zero point makes of zero, or of its zero point."""
    if isinstance(op, QuantizeOp) and not x and not scale:  # NaN
        return float(integer_range(tensor_type(op.y).element_type)[0])
    if not math.isfinite(scale):
        return None
    if isinstance(op, DequantizeOp):
        return 0.0 if x == zero else None
    return zero if not x else None


def _compared(op: CompareOp, a: float, b: float) -> float | None:
    """Whether the comparison holds, as 1 or 0; None if the numbers are too close to say."""
    if a and b and abs(a - b) <= CANCELLED * max(abs(a), abs(b)):
        return None
    holds = {"lt": a < b, "le": a <= b, "gt": a > b, "ge": a >= b, "eq": a == b, "ne": a != b}
    return float(holds[op.predicate.data])


def _passes_zeros_on(op: Operation, dim: int) -> bool:
    """Whether zeros along `dim` of the operands give zeros."""
    match op:
        case Conv2dOp():
            # its weights are zero there, so sums of finite numbers are
            groups = op.groups.value.data
            one_each = groups == shape(op.x)[1] == shape(op.w)[0]
            return dim == CHANNELS and (groups == 1 or one_each)
        case BatchNormOp():
            return dim == CHANNELS and op.epsilon.value.data > 0
        case NormalizeOp():
            # all zeros, less their mean, over the root of epsilon
            return dim not in op.axes.get_values() and op.epsilon.value.data > 0
        case PoolOp() | GlobalAvgPoolOp() | SampleOp():
            return dim == CHANNELS
        case ReduceOp() | ResampleOp():
            return dim not in op.axes.get_values()
        case ConcatOp() | GatherOp() | TakeOp():
            return dim != op.axis.value.data
        case RepeatOp() | TileOp():
            return shape(op.x)[dim] == shape(op.y)[dim]
        case SliceOp():
            # where nothing is cut off or turned round
            return shape(op.x)[dim] == shape(op.y)[dim] and op.steps.get_values()[dim] > 0
        case _:
            return False
