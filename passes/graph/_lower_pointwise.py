"""Formulas of pointwise ops, of batch norms and of products with weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.dialects import arith, math
from xdsl.ir import Attribute, Operation, SSAValue

from lamina.dialects.elements import scalar_of
from lamina.dialects.expr import Expr, var
from lamina.dialects.graph import (
    AbsOp,
    AddOp,
    BatchNormOp,
    CeilOp,
    ClipOp,
    DenseOp,
    DequantizeOp,
    DivOp,
    ErfOp,
    Expm1Op,
    ExpOp,
    FloorOp,
    FmaOp,
    Log1pOp,
    LogOp,
    MaximumOp,
    MinimumOp,
    MulOp,
    NegOp,
    PointwiseOp,
    PowOp,
    QuantizeOp,
    ReluOp,
    RequantizeFixedOp,
    RequantizeOp,
    RoundOp,
    ScaledOp,
    SigmoidOp,
    SqrtOp,
    SubOp,
    TanhOp,
    tensor_type,
)
from lamina.passes.graph._formula import Kernel, Scalars, Tensor, broadcast, point
from lamina.passes.graph._lower_choice import CHOICES, typed_formula
from lamina.passes.graph._lower_quantization import fixed_formula, scaled_formula
from lamina.passes.graph._lower_windows import add, products_of
from lamina.passes.graph._numbers import number_in

ARITHMETIC: dict[type[PointwiseOp], Callable[..., Operation]] = {
    AddOp: arith.AddfOp,
    SubOp: arith.SubfOp,
    MulOp: arith.MulfOp,
    DivOp: arith.DivfOp,
    MaximumOp: arith.MaximumfOp,
    MinimumOp: arith.MinimumfOp,
    TanhOp: math.TanhOp,
    ExpOp: math.ExpOp,
    ErfOp: math.ErfOp,
    SqrtOp: math.SqrtOp,
    AbsOp: math.AbsFOp,
    NegOp: arith.NegfOp,
    FloorOp: math.FloorOp,
    FmaOp: math.FmaOp,
    CeilOp: math.CeilOp,
    RoundOp: math.RoundEvenOp,
    LogOp: math.LogOp,
    Log1pOp: math.Log1pOp,
    Expm1Op: math.ExpM1Op,
    PowOp: math.PowFOp,
}
"""ops that are one scalar operation"""


def scalar_formula(op: PointwiseOp, s: Scalars, v: list[SSAValue]) -> SSAValue:
    """What `op` computes from one element of each operand."""
    if isinstance(op, ScaledOp):
        return scaled_formula(op, s, v)
    if isinstance(op, RequantizeFixedOp):
        return fixed_formula(op, s, v)
    if (typed := typed_formula(op, s, v)) is not None:
        return typed
    match op:
        case ReluOp():
            return s(arith.MaximumfOp, v[0], s.constant(0.0))
        case ClipOp():
            low, high = (s.constant(bound.value.data) for bound in (op.low, op.high))
            return s(arith.MinimumfOp, s(arith.MaximumfOp, v[0], low), high)
        case SigmoidOp():
            one = s.constant(1.0)
            e = s(math.ExpOp, s(arith.NegfOp, v[0]))
            return s(arith.DivfOp, one, s(arith.AddfOp, one, e))
        case _:
            return s(ARITHMETIC[type(op)], *v)


def element(value: SSAValue) -> Attribute:
    """What an element of a tensor is once it is loaded."""
    return scalar_of(tensor_type(value).element_type)


def pointwise(k: Kernel, op: PointwiseOp) -> None:
    """y[i] = f(a[i], b[i])"""
    pointwise_together(k, [op])


def pointwise_together(k: Kernel, ops: Sequence[Operation]) -> None:
    """y[i] = f(g(a[i]), h(a[i]), b[i]): several pointwise ops, of which only the last is stored"""
    made = [op.results[0] for op in ops]
    read = list(dict.fromkeys(x for op in ops for x in op.operands if x not in made))
    numbers = {x: n for x in read if (n := number_in(x)) is not None}
    inputs = [x for x in read if x not in numbers]
    y = k.tensor(made[-1])
    axes, index = point(y)

    def formula(s: Scalars, v: list[SSAValue]) -> SSAValue:
        values = dict(zip(inputs, v[:-1], strict=True))
        written = {x: s.constant(n, element(x)) for x, n in numbers.items()}
        values |= written
        for op in ops:
            operands = [values[x] for x in op.operands]
            whole = isinstance(op, PointwiseOp)
            values[op.results[0]] = scalar_formula(op, s, operands) if whole else operands[0]
        for value in written.values():
            if value is not values[made[-1]]:
                s.drop_unused(value)
        return values[made[-1]]

    reads = [(t, broadcast(t, y, index)) for t in map(k.tensor, inputs)]
    k.compute(axes, reads, (y, index), formula)


def batch_norm(k: Kernel, op: BatchNormOp) -> None:
    """y[n, c, ...] = (x[n, c, ...] - mean[c]) / sqrt(var[c] + epsilon) * scale[c] + bias[c]"""
    y = k.tensor(op.y)
    axes, index = point(y)
    parameters = [k.tensor(p) for p in (op.scale, op.bias, op.mean, op.var)]

    def formula(s: Scalars, v: list[SSAValue]) -> SSAValue:
        x, scale, bias, mean, variance, _ = v
        epsilon = s.constant(op.epsilon.value.data)
        deviation = s(math.SqrtOp, s(arith.AddfOp, variance, epsilon))
        normal = s(arith.DivfOp, s(arith.SubfOp, x, mean), deviation)
        return s(arith.AddfOp, s(arith.MulfOp, normal, scale), bias)

    reads: list[tuple[Tensor, list[Expr]]] = [(k.tensor(op.x), index)]
    k.compute(axes, [*reads, *((p, [index[1]]) for p in parameters)], (y, index), formula)


def dense(k: Kernel, op: DenseOp) -> None:
    """y[n, o] = bias[o] + sum over i of x[n, i] * w[o, i]"""
    x, w, y = k.tensor(op.x), k.tensor(op.w), k.tensor(op.y)
    n, o, i = var("n"), var("oc"), var("ic")
    extras = [(k.tensor(op.bias), [o])] if op.bias is not None else []
    k.compute(
        {"n": y.shape[0], "oc": y.shape[1]},
        [(x, [n, i]), (w, [o, i])],
        (y, [n, o]),
        products_of(x, w),
        reduce={"ic": x.shape[1]},
        extras=extras,
        epilogue=add if extras else None,
    )


LOWERINGS: dict[type[Operation], Callable[[Kernel, Operation], None]] = {
    **dict.fromkeys([*ARITHMETIC, *CHOICES, ReluOp, ClipOp, SigmoidOp], pointwise),
    **dict.fromkeys([DequantizeOp, QuantizeOp, RequantizeFixedOp, RequantizeOp], pointwise),
    BatchNormOp: batch_norm,
    DenseOp: dense,
}  # pyright: ignore[reportAssignmentType]
