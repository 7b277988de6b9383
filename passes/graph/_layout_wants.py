"""In which layouts ops read their operands, by the layout that was chosen for them."""

from __future__ import annotations

from xdsl.ir import Operation, SSAValue

from lamina.dialects.graph import Conv2dOp, ReduceOp, ResampleOp, SampleOp, shape
from lamina.dialects.layout import Layout
from lamina.passes.graph._any_layout import MOVERS
from lamina.passes.graph._layout_blocks import PLAIN
from lamina.passes.graph._layout_candidates import Candidate
from lamina.passes.graph._layout_rules import nothing_to_block

READ_ANYWHERE = (*MOVERS, ReduceOp, ResampleOp, SampleOp)
"""ops that read elements one by one, in whatever layout, at least when they write plain"""


def wanted(op: Operation, index: int, candidate: Candidate) -> Layout | None:
    """The layout in which `op` reads its operand; None if it reads it however it is stored."""
    if isinstance(op, Conv2dOp):
        if index < 2:
            return candidate.x if index == 0 else candidate.w or PLAIN
        return bias_layout(op, candidate.y)
    if isinstance(op, MOVERS) or (candidate.y == PLAIN and isinstance(op, READ_ANYWHERE)):
        return None
    if (isinstance(op, ResampleOp | SampleOp) and index) or _as_it_is(
        op.operands[index], candidate.x
    ):
        return Layout.plain(len(shape(op.operands[index])))
    return candidate.x


def bias_layout(op: Conv2dOp, y: Layout) -> Layout:
    """Numbers for all channels of whole blocks, where the last block is not full."""
    block = y.block("C")
    return Layout.parse(f"A{block}a") if shape(op.y)[1] % block else Layout.plain(1)


def _as_it_is(value: SSAValue, layout: Layout) -> bool:
    """Whether readers in `layout` take this as it lies: other ranks, or the same for all blocks."""
    if len(shape(value)) != layout.rank:
        return True
    return layout.block("C") > 1 and nothing_to_block(value, layout)
