"""
Which ops write zeros wherever the storage of their result pads a block.

Every reader counts on it: a window takes the padding for what lies outside, and weights that are
zero there do not help against NaN.
"""

from __future__ import annotations

from xdsl.ir import Operation

from lamina.dialects.graph import (
    BatchNormOp,
    ClipOp,
    ConcatOp,
    ConstantOp,
    Conv2dOp,
    GatherOp,
    GlobalAvgPoolOp,
    MulOp,
    NormalizeOp,
    PointwiseOp,
    PoolOp,
    ReduceOp,
    RelayoutOp,
    SliceOp,
    TileOp,
    TransposeOp,
    shape,
)
from lamina.dialects.layout import Layout

CHANNELS = 1
"""the dimension of NCHW that sums run over"""


def keeps_padding_zero(op: Operation, layout: Layout) -> bool:
    """
    Whether `op` writes zeros wherever `layout`, that of its result, pads a block; its operands are
    zero there, or it reads zeros because they store less.
    """
    size = shape(op.results[0])
    padded = {i for i, (n, m) in enumerate(zip(size, layout.padded(size), strict=True)) if n != m}
    match op:
        case ConcatOp():
            axis = op.axis.value.data
            block = layout.block(layout.logical[axis])
            # each operand writes whole blocks, so only the last may end inside one
            return all(shape(x)[axis] % block == 0 for x in op.xs[:-1])
        case RelayoutOp() | TransposeOp() | ConstantOp():
            return True
        case PointwiseOp():
            return all(_pointwise(op, size, i) for i in padded)
        case Conv2dOp():
            groups = op.groups.value.data
            one_each = groups == shape(op.x)[1] == shape(op.w)[0]
            return not padded or (padded == {CHANNELS} and (groups == 1 or one_each))
        case BatchNormOp():
            return not padded or (padded == {CHANNELS} and op.epsilon.value.data > 0)
        case NormalizeOp():
            # all zeros, less their mean, over the root of epsilon
            return padded.isdisjoint(op.axes.get_values()) and (
                not padded or op.epsilon.value.data > 0
            )
        case PoolOp() | GlobalAvgPoolOp():
            return padded <= {CHANNELS}
        case GatherOp():
            return True  # zeros are written after the last index
        case ReduceOp():
            return padded.isdisjoint(op.axes.get_values())
        case SliceOp() | TileOp():
            # where nothing is cut off or repeated, what pads the operand pads the result
            return all(shape(op.x)[d] == size[d] and moves_nothing(op, d) for d in padded)
        case _:
            return not padded


def moves_nothing(op: SliceOp | TileOp, dim: int) -> bool:
    """Whether each element that is kept along `dim` stays where it is."""
    if isinstance(op, TileOp):
        return True
    return op.starts.get_values()[dim] == 0 and op.steps.get_values()[dim] == 1


def _pointwise(op: PointwiseOp, size: tuple[int, ...], dim: int) -> bool:
    """Whether zeros along `dim` of the operands that have it give zeros."""
    if not op.KEEPS_ZERO:
        return False
    if isinstance(op, ClipOp):
        return op.low.value.data <= 0 <= op.high.value.data
    return isinstance(op, MulOp) or all(shape(x)[dim] == size[dim] for x in op.operands)
