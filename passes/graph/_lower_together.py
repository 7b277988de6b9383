"""Pointwise ops at the end of a kernel whose values have several readers, as one formula."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Operation, SSAValue

from lamina.dialects.graph import PointwiseOp, RelayoutOp, layout_of, shape
from lamina.passes.graph._formula import Kernel, Scalars, broadcast, point
from lamina.passes.graph._lower_pointwise import LOWERINGS, pointwise, scalar_formula

TOGETHER = (RelayoutOp, *(op for op, f in LOWERINGS.items() if f is pointwise))
"""ops that are a formula of one element of each operand"""


def pointwise_tail(ops: Sequence[Operation]) -> list[Operation]:
    """
    The pointwise ops at the end of a kernel, if some value of theirs has several readers and no
    value but the last is read elsewhere: all of them are one formula. Empty if they are a chain.
    """
    tail: list[Operation] = []
    for op in reversed(ops):
        y = ops[-1].results[0]
        same = all(
            shape(r) == shape(y) and layout_of(r.type).text == layout_of(y.type).text
            for r in op.results
        )
        moves = (
            isinstance(op, RelayoutOp) and layout_of(op.x.type).text != layout_of(op.y.type).text
        )
        if moves or not same or type(op) not in TOGETHER:
            break
        tail.insert(0, op)
    if any(u.operation not in tail for op in tail[:-1] for u in op.results[0].uses):
        return []
    read = [x for op in tail for x in set(op.operands)]
    return tail if len(read) > len(set(read)) else []


def pointwise_together(k: Kernel, ops: Sequence[Operation]) -> None:
    """y[i] = f(g(a[i]), h(a[i]), b[i]): several pointwise ops, of which only the last is stored"""
    made = [op.results[0] for op in ops]
    inputs = list(dict.fromkeys(x for op in ops for x in op.operands if x not in made))
    y = k.tensor(made[-1])
    axes, index = point(y)

    def formula(s: Scalars, v: list[SSAValue]) -> SSAValue:
        values = dict(zip(inputs, v[:-1], strict=True))
        for op in ops:
            operands = [values[x] for x in op.operands]
            whole = isinstance(op, PointwiseOp)
            values[op.results[0]] = scalar_formula(op, s, operands) if whole else operands[0]
        return values[made[-1]]

    reads = [(t, broadcast(t, y, index)) for t in map(k.tensor, inputs)]
    k.compute(axes, reads, (y, index), formula)
