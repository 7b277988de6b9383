"""Formulas of ops that read between the elements of a tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

from xdsl.dialects import arith
from xdsl.ir import Operation, SSAValue

from lamina.dialects.expr import Expr, var
from lamina.dialects.graph import ResampleOp, SampleOp
from lamina.passes.graph._copy import first
from lamina.passes.graph._formula import Index, Kernel, Scalars, Tensor, point


@dataclass(frozen=True)
class Places:
    """Where a sum of taps reads along one dimension."""

    dim: int
    at: Tensor
    """for each tap, and for each element of the result or of one dimension of it"""
    weights: Tensor | None
    """of the places in `at`; None if each is 1"""
    tap: int
    """the dimension of `at` that is the taps"""
    index: Index
    """of `at`, in its other dimensions"""


def sum_of_taps(k: Kernel, x: Tensor, y: Tensor, places: Sequence[Places]) -> None:
    """y[o] = sum over the taps of each of `places` of the product of their weights and of x"""
    axes, index = point(y)
    source, taps = list(index), dict[str, int]()
    names: dict[str, tuple[Tensor, Index, int]] = {}
    weights: list[tuple[Tensor, Index]] = []
    for each in places:
        name = list(axes)[each.dim]
        count, tap = each.at.shape[each.tap], Expr()
        if count > 1:
            taps[f"k{name}"] = count
            tap = var(f"k{name}")
        at = [*each.index[: each.tap], tap, *each.index[each.tap :]]
        source[each.dim] = var(f"at_{name}")
        names[f"at_{name}"] = (each.at, at, x.shape[each.dim])
        if each.weights is not None:
            weights.append((each.weights, at))

    def weighted(s: Scalars, v: list[SSAValue]) -> SSAValue:
        *factors, element, total = v
        if factors:
            element = s(arith.MulfOp, reduce(lambda a, b: s(arith.MulfOp, a, b), factors), element)
        return s(arith.AddfOp, element, total)

    body = weighted if taps or weights else first
    k.compute(axes, [*weights, (x, source)], (y, index), body, reduce=taps, names=names)


def resample(k: Kernel, op: ResampleOp) -> None:
    """
    y[o] = sum over k of w[o, k] * x[at[o, k]]; a weight is the product of those of the axes

    Where vectors would have to gather along one of the axes, that is a step of its own, on fewer
    elements than the result has, and the other step reads vectors.
    """
    x, y = k.tensor(op.x), k.tensor(op.y)
    _, index = point(y)
    weights = [k.tensor(w) for w in op.weights] or [None] * len(op.at)
    places = [
        Places(d, k.tensor(at), w, 1, [index[d]])
        for d, at, w in zip(op.axes.get_values(), op.at, weights, strict=True)
    ]
    innermost = y.layout.dims[-1].of
    steps = [[p for p in places if (p.dim == innermost) is apart] for apart in (True, False)]
    if all(steps) and op.weights:
        if all(y.shape[p.dim] < x.shape[p.dim] for p in steps[1]):
            steps.reverse()
        done = [p.dim for p in steps[0]]
        part = [
            m if d in done else n for d, (n, m) in enumerate(zip(x.shape, y.shape, strict=True))
        ]
        between = k.scratch(part)
        sum_of_taps(k, x, between, steps[0])
        sum_of_taps(k, between, y, steps[1])
    else:
        sum_of_taps(k, x, y, places)


def sample(k: Kernel, op: SampleOp) -> None:
    """y[n, c, o] = sum over k, m of v[k, n, o] * w[m, n, o] * x[n, c, i[k, n, o], j[m, n, o]]"""
    y = k.tensor(op.y)
    _, (n, _, *inner) = point(y)
    weights = [k.tensor(w) for w in op.weights] or [None] * len(op.at)
    places = [
        Places(d, k.tensor(at), w, 0, [n, *inner])
        for d, (at, w) in enumerate(zip(op.at, weights, strict=True), 2)
    ]
    sum_of_taps(k, k.tensor(op.x), y, places)


LOWERINGS: dict[type[Operation], Callable[[Kernel, Operation], None]] = {
    ResampleOp: resample,
    SampleOp: sample,
}  # pyright: ignore[reportAssignmentType]
