"""Whether a reduction ignores a value that one of its inputs may have."""

from __future__ import annotations

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import FloatAttr, IntegerAttr
from xdsl.ir import SSAValue

from lamina.dialects.int8 import Dot4Op
from lamina.dialects.te import ComputeOp, YieldOp
from lamina.dialects.vector import ConvertOp

_SAME_VALUE = (arith.ExtFOp, arith.ExtSIOp, arith.SIToFPOp)
_SUMS = (arith.AddfOp, arith.AddiOp)
_DIFFERENCES = (arith.SubfOp, arith.SubiOp)
_PRODUCTS = (arith.MulfOp, arith.MuliOp)
_MAXIMA = (arith.MaximumfOp, arith.MaxSIOp)
_MINIMA = (arith.MinimumfOp, arith.MinSIOp)
_UNSIGNED = (arith.MaxUIOp, arith.MinUIOp)


def ignores(op: ComputeOp, k: int, value: float) -> bool:
    """
    Whether the body leaves its accumulator as it is when input `k` reads `value`.

    That is so for acc + e with e = 0, as in a sum of products whose other factors are finite, for
    max(acc, input) with a value of at most init, and for min(acc, input) with at least init.
    """
    end = op.body.block.last_op
    assert isinstance(end, YieldOp)
    *inputs, acc = op.body.block.args
    result, known = end.value.owner, dict[SSAValue, float]({inputs[k]: value})
    if isinstance(result, _MAXIMA + _MINIMA + _UNSIGNED) and acc in result.operands:
        other = result.rhs if result.lhs is acc else result.lhs
        init = float(op.init.value.data)
        if isinstance(result, _UNSIGNED):  # scalars have no sign, but what is the same is the same
            ignored = value == init
        else:
            ignored = value <= init if isinstance(result, _MAXIMA) else value >= init
        return other is inputs[k] and ignored
    return _keeps(end.value, acc, known)


def _keeps(v: SSAValue, acc: SSAValue, known: dict[SSAValue, float]) -> bool:
    """Whether `v` is `acc` plus nothing."""
    o = v.owner
    if v is acc:
        return True
    if isinstance(o, _SUMS):
        pairs = ((o.lhs, o.rhs), (o.rhs, o.lhs))
        return any(_keeps(a, acc, known) and _number(b, known) == 0 for a, b in pairs)
    if isinstance(o, _DIFFERENCES):
        return _keeps(o.lhs, acc, known) and _number(o.rhs, known) == 0
    if isinstance(o, math.FmaOp):
        return _keeps(o.c, acc, known) and 0 in (_number(o.a, known), _number(o.b, known))
    if isinstance(o, Dot4Op):
        return _keeps(o.acc, acc, known) and 0 in (_number(o.a, known), _number(o.b, known))
    return False


def _number(v: SSAValue, known: dict[SSAValue, float]) -> float | None:
    """The number that `v` is, if the known values decide it; a product with 0 is 0."""
    if v in known:
        return known[v]
    o = v.owner
    if isinstance(o, arith.ConstantOp) and isinstance(o.value, FloatAttr | IntegerAttr):
        return float(o.value.value.data)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    if isinstance(o, _SAME_VALUE):
        return _number(o.operands[0], known)
    if isinstance(o, arith.ExtUIOp | ConvertOp):  # of these, only what becomes of 0 is plain
        return 0.0 if _number(o.operands[0], known) == 0 else None
    if isinstance(o, _PRODUCTS + _SUMS + _DIFFERENCES):
        a, b = _number(o.lhs, known), _number(o.rhs, known)
        if isinstance(o, _PRODUCTS):
            return 0.0 if 0 in (a, b) else None
        if a is None or b is None:
            return None
        return a + b if isinstance(o, _SUMS) else a - b
    return None
