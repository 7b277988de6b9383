"""Pointwise ops at the end of a kernel whose values have several readers, as one formula."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Operation

from lamina.dialects.graph import RelayoutOp, layout_of, shape
from lamina.passes.graph._lower_pointwise import LOWERINGS, pointwise

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
