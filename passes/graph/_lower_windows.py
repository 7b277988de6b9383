"""Formulas of the ops that slide a window over height and width."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.utils.exceptions import PassFailedException
from xdsl.utils.hints import isa

from lamina.dialects.elements import INTEGER, integer_range, is_unsigned, kind_of
from lamina.dialects.expr import Expr, div, var
from lamina.dialects.graph import (
    AvgPool2dOp,
    Conv2dOp,
    GlobalAvgPoolOp,
    InterleaveOp,
    MaxPool2dOp,
    WindowOp,
    tensor_type,
)
from lamina.dialects.te import memref_type
from lamina.passes.graph._formula import Formula, Kernel, Scalars, Tensor, point
from lamina.passes.graph._lower_quantization import widened


def taps(op: WindowOp, h: Expr, w: Expr) -> list[Expr]:
    """Logical height and width that the window at (h, w) reads at its tap (kh, kw)."""
    return [
        at * stride + var(tap) * gap - before
        for at, stride, tap, gap, (before, _) in zip(
            (h, w), op.strides.get_values(), ("kh", "kw"), op.dilation(), op.sides(), strict=True
        )
    ]


def multiply_add(s: Scalars, v: list[SSAValue]) -> SSAValue:
    """acc + a * b"""
    a, b, acc = v
    return s(arith.AddfOp, acc, s(arith.MulfOp, a, b))


def products_of(x: Tensor, w: Tensor) -> Formula:
    """acc + a * b of elements of these tensors; of integers in i32"""
    of, by = (memref_type(t.buffer).element_type for t in (x, w))
    if isa(of, AnyFloat):
        return multiply_add

    def formula(s: Scalars, v: list[SSAValue]) -> SSAValue:
        a, b, acc = v
        return s(arith.AddiOp, acc, s(arith.MuliOp, widened(s, a, of), widened(s, b, by)))

    return formula


def add(s: Scalars, v: list[SSAValue]) -> SSAValue:
    """a + b"""
    return s(arith.AddfOp if isa(v[0].type, AnyFloat) else arith.AddiOp, v[1], v[0])


def larger(s: Scalars, v: list[SSAValue]) -> SSAValue:
    """max(acc, a)"""
    return s(arith.MaximumfOp, v[1], v[0])


def largest(element: Attribute) -> tuple[Formula, float]:
    """max(acc, a) of elements of this type, and what acc is at first"""
    if kind_of(element) != INTEGER:
        return larger, -inf
    op = arith.MaxUIOp if is_unsigned(element) else arith.MaxSIOp
    return lambda s, v: s(op, v[1], v[0]), integer_range(element)[0]


def scaled(by: float) -> Callable[[Scalars, list[SSAValue]], SSAValue]:
    """v * by"""
    return lambda s, v: s(arith.MulfOp, v[0], s.constant(by))


def check_halo(op: Conv2dOp, x: Tensor) -> None:
    """Refuse a border around `x` that is not what `op` takes to be outside of it."""
    if any(map(any, op.sides())) and x.layout.halo and x.layout.fill != op.outside():
        raise PassFailedException(
            f"lower-graph-to-te: {op.name} needs {op.outside()} around {op.x.type};"
            " give it a relayout with that halo"
        )


def convolution(k: Kernel, op: Conv2dOp) -> None:
    """y[n, o, h, w] = bias[o] + sum over i, kh, kw of x[n, first(o) + i, ...] * w[o, i, kh, kw]"""
    x, w, y = k.tensor(op.x), k.tensor(op.w), k.tensor(op.y)
    check_halo(op, x)
    groups = op.groups.value.data
    axes: dict[str, int] = dict(zip(("n", "oc", "oh", "ow"), y.extents, strict=True))
    reduce: dict[str, int] = {}
    n, o, h, v = (var(name) for name in axes)
    if groups == 1:
        i = channel = var("ic")
        reduce["ic"] = x.extents[1]
    elif groups == x.shape[1] and w.shape[0] == groups:
        i, channel = Expr(), o
    else:
        each_out, each_in = w.shape[0] // groups, w.shape[1]
        axes = {"n": axes["n"], "g": groups, "og": each_out} | {a: axes[a] for a in ("oh", "ow")}
        reduce["ic"] = each_in
        o, i = var("g") * each_out + var("og"), var("ic")
        channel = var("g") * each_in + i
    reduce |= {"kh": w.shape[2], "kw": w.shape[3]}
    extras = [(k.tensor(op.bias), [o])] if op.bias is not None else []
    k.compute(
        axes,
        [(x, [n, channel, *taps(op, h, v)]), (w, [o, i, var("kh"), var("kw")])],
        (y, [n, o, h, v]),
        products_of(x, w),
        reduce=reduce,
        outside=op.outside(),
        extras=extras,
        epilogue=add if extras else None,
    )


def _window_axes(op: WindowOp, y: Tensor) -> tuple[dict[str, int], list[Expr], dict[str, int]]:
    axes, index = point(y)
    kh, kw = op.window()
    return axes, index, {"kh": kh, "kw": kw}


def max_pool(k: Kernel, op: MaxPool2dOp) -> None:
    """y[n, c, h, w] = max over kh, kw of x[n, c, ...]; nothing counts outside of x"""
    x, y = k.tensor(op.x), k.tensor(op.y)
    axes, index, reduce = _window_axes(op, y)
    n, c, h, w = index
    padded = any(any(sides) for sides in op.sides())
    if padded and x.layout.halo:
        raise PassFailedException(
            f"lower-graph-to-te: {op.name} cannot tell the halo of {op.x.type} from elements;"
            " give it a relayout without a halo"
        )
    if x.extents[1] < y.extents[1]:
        raise PassFailedException(
            f"lower-graph-to-te: {op.name} has no elements for the channels with which {op.y.type}"
            f" fills its last block up; give {op.x.type} the same layout"
        )
    join, lowest = largest(tensor_type(op.y).element_type)
    k.compute(
        axes,
        [(x, [n, c, *taps(op, h, w)])],
        (y, index),
        join,
        reduce=reduce,
        init=lowest,
        outside=lowest,
    )


def avg_pool(k: Kernel, op: AvgPool2dOp) -> None:
    """y[n, c, h, w] = sum over kh, kw of x[n, c, ...], divided by the number of taps"""
    x, y = k.tensor(op.x), k.tensor(op.y)
    axes, index, reduce = _window_axes(op, y)
    n, c, h, w = index
    if not op.count_pads.value.data and any(any(sides) for sides in op.sides()):
        raise PassFailedException(
            f"lower-graph-to-te: {op.name} that counts only elements inside has no formula with"
            f" pads {list(op.pads.get_values())}; run expand-avg-pool first"
        )
    k.compute(
        axes,
        [(x, [n, c, *taps(op, h, w)])],
        (y, index),
        add,
        reduce=reduce,
        epilogue=scaled(1 / (reduce["kh"] * reduce["kw"])),
    )


def global_avg_pool(k: Kernel, op: GlobalAvgPoolOp) -> None:
    """y[n, c] = sum over h, w of x[n, c, h, w], divided by their number"""
    x, y = k.tensor(op.x), k.tensor(op.y)
    height, width = x.shape[2:]
    axes, index = dict(zip("nc", y.extents, strict=False)), [var("n"), var("c")]
    k.compute(
        axes,
        [(x, [*index, var("h"), var("w")])],
        (y, [*index, Expr(), Expr()]),
        add,
        reduce={"h": height, "w": width},
        epilogue=scaled(1 / (height * width)),
    )


def interleave(k: Kernel, op: InterleaveOp) -> None:
    """y[n, o, h, w] = x[n, c, (h + top) floordiv sh, (w + left) floordiv sw]; c is the op's"""
    x, y = k.tensor(op.x), k.tensor(op.y)
    axes, (n, o, *at) = point(y)
    axes["c"] = y.shape[1]
    steps, offsets = op.steps.get_values(), op.offsets.get_values()
    each = y.shape[1] // op.groups.value.data
    phase, source = Expr(), list[Expr]()
    for e, offset, step in zip(at, offsets, steps, strict=True):
        phase = phase * step + div("mod", e + offset, step)
        source.append(div("floordiv", e + offset, step))
    group, rest = div("floordiv", o, each), div("mod", o, each)
    channel = (group * (steps[0] * steps[1]) + phase) * each + rest
    k.compute(axes, [(x, [n, channel, *source])], (y, [n, o, *at]), lambda s, v: v[0])


LOWERINGS: dict[type[Operation], Callable[[Kernel, Operation], None]] = {
    Conv2dOp: convolution,
    MaxPool2dOp: max_pool,
    AvgPool2dOp: avg_pool,
    GlobalAvgPoolOp: global_avg_pool,
    InterleaveOp: interleave,
}  # pyright: ignore[reportAssignmentType]
