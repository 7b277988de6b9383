"""Which ops that take elements or sum them up leave the blocks of a layout whole."""

from __future__ import annotations

from xdsl.ir import Operation

from lamina.dialects.graph import (
    DepthToSpaceOp,
    GatherOp,
    ReduceOp,
    SliceOp,
    SpaceToDepthOp,
    TileOp,
    TransposeOp,
    shape,
)
from lamina.dialects.layout import Layout
from lamina.passes.graph._lower_slicing import runs_of
from lamina.passes.graph._padding import CHANNELS

READERS = (
    DepthToSpaceOp,
    GatherOp,
    ReduceOp,
    SliceOp,
    SpaceToDepthOp,
    TileOp,
    TransposeOp,
)
"""ops that read their operand where it lies, in whatever layout, and write another"""


def blocks_stay_whole(op: Operation, layout: Layout) -> bool:
    """Whether what `op` does along dimensions that `layout` blocks is done to whole blocks."""
    blocks = [layout.block(letter) for letter in layout.logical]
    match op:
        case SliceOp():
            return all(_is_whole_slice(op, d, b) for d, b in enumerate(blocks))
        case GatherOp():
            # a shuffle goes across blocks, but one kernel does it either way
            return blocks[op.axis.value.data] == 1 or len(runs_of(op.indices.get_values())) == 1
        case TileOp():
            sizes = zip(shape(op.x), shape(op.y), blocks, strict=True)
            return all(n == m or n % b == 0 for n, m, b in sizes)
        case DepthToSpaceOp():
            return shape(op.y)[CHANNELS] % blocks[CHANNELS] == 0
        case SpaceToDepthOp():
            return shape(op.x)[CHANNELS] % blocks[CHANNELS] == 0
        case ReduceOp():
            return all(blocks[d] == 1 for d in op.axes.get_values())
        case _:
            return False


def _is_whole_slice(op: SliceOp, d: int, block: int) -> bool:
    start, step = op.starts.get_values()[d], op.steps.get_values()[d]
    old, new = shape(op.x)[d], shape(op.y)[d]
    return block == 1 or (step == 1 and start % block == 0 and (new == old or new % block == 0))
