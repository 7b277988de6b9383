"""Expand exp, log, tanh, erf and the like to arithmetic that vectorizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects import math
from xdsl.dialects.builtin import Float32Type, ModuleOp, VectorType, f32
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint
from xdsl.utils.hints import isa

from lamina.passes.te._approximations import erf, exp, expm1, log, log1p, tanh
from lamina.passes.te._arithmetic import Arithmetic
from lamina.passes.te._power import power

EXPANSIONS: dict[type[Operation], Callable[..., SSAValue]] = {
    math.ErfOp: erf,
    math.ExpM1Op: expm1,
    math.ExpOp: exp,
    math.Log1pOp: log1p,
    math.LogOp: log,
    math.PowFOp: power,
    math.TanhOp: tanh,
}


def expand(op: Operation) -> None:
    """math.exp x  ->  2**n * p(r) with x = n * ln(2) + r, and so on"""
    y = op.results[0]
    value = EXPANSIONS[type(op)](Arithmetic(Builder(InsertPoint.before(op)), y.type), *op.operands)
    y.replace_all_uses_with(value)
    op.detach()
    op.erase()


def _is_f32(type: Attribute) -> bool:
    return type == f32 or isa(type, VectorType[Float32Type])


class TeExpandMathPass(ModulePass):
    """
    Expand `math.exp`, `expm1`, `log`, `log1p`, `powf`, `tanh` and `erf` on f32, and vectors of it.

    %y = math.exp %x : f32  ->  arith.maximumf, math.fma, arith.shli, arith.bitcast, arith.mulf ..

    Largest errors, in units in the last place: exp 1.1, expm1 2.0, log 1.1, log1p 2.0, powf 16 (a
    millionth), tanh 1.5, erf 1.1. Infinities, NaN, signed zeros and subnormal numbers come out as
    they should. The logistic function is
    1 / (1 + exp(-x)) with the same exp: at most 2.6, and 0 where exp(-x) is infinite.
    Other types are left alone.
    """

    name = "te-expand-math"
    numerics: ClassVar[str] = "tolerance 1e-6"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in list(op.walk()):
            if type(inner) in EXPANSIONS and _is_f32(inner.results[0].type):
                expand(inner)
