"""Expand exp, tanh and erf to arithmetic that vectorizes."""

from __future__ import annotations

from typing import ClassVar

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects import math
from xdsl.dialects.builtin import Float32Type, ModuleOp, VectorType, f32
from xdsl.ir import Attribute
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint
from xdsl.utils.hints import isa

from lamina.passes.te._approximations import erf, exp, tanh
from lamina.passes.te._arithmetic import Arithmetic


def expand(op: math.ExpOp | math.TanhOp | math.ErfOp) -> None:
    """math.exp x  ->  2**n * p(r) with x = n * ln(2) + r, and so on"""
    arithmetic = Arithmetic(Builder(InsertPoint.before(op)), op.result.type)
    if isinstance(op, math.ExpOp):
        value = exp(arithmetic, op.operand)
    elif isinstance(op, math.TanhOp):
        value = tanh(arithmetic, op.operand)
    else:
        value = erf(arithmetic, op.operand)
    op.result.replace_all_uses_with(value)
    op.detach()
    op.erase()


def _is_f32(type: Attribute) -> bool:
    return type == f32 or isa(type, VectorType[Float32Type])


class TeExpandMathPass(ModulePass):
    """
    Expand `math.exp`, `math.tanh` and `math.erf` on f32, and vectors of f32, to arithmetic.

    %y = math.exp %x : f32  ->  arith.maximumf, math.fma, arith.shli, arith.bitcast, arith.mulf ..

    Largest errors, in units in the last place: exp 1.1, tanh 1.5, erf 1.1. Infinities, NaN, signed
    zeros and subnormal numbers come out as they should, without special cases. The logistic
    function is 1 / (1 + exp(-x)) with the same exp: at most 2.6, and 0 where exp(-x) is infinite.
    Other types are left alone.
    """

    name = "te-expand-math"
    numerics: ClassVar[str] = "tolerance 1e-6"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in list(op.walk()):
            if isinstance(inner, math.ExpOp | math.TanhOp | math.ErfOp):
                if _is_f32(inner.result.type):
                    expand(inner)
