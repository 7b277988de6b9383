"""Rewrites of movement that is spelled with more ops, or copies more, than it needs."""

from __future__ import annotations

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.utils.exceptions import VerifyException

from lamina.dialects.graph import (
    BinaryOp,
    DepthToSpaceOp,
    GatherOp,
    ReshapeOp,
    SliceOp,
    SpaceToDepthOp,
    TileOp,
    TransposeOp,
    broadcast_shape,
    inherit_source,
    shape,
    tensor_type,
)


def replace(rewriter: PatternRewriter, op: Operation, new: Operation) -> None:
    """Put `new` in the place of `op`, whose name in the user's model it takes over."""
    inherit_source(new, op)
    rewriter.replace(op, new)


def regrouped(op: ReshapeOp) -> tuple[SSAValue, tuple[int, ...], list[int]] | None:
    """x, the parts and the permutation of reshape(transpose(reshape(x: -> parts), permutation))"""
    if not isinstance(transpose := op.x.owner, TransposeOp):
        return None
    if not isinstance(apart := transpose.x.owner, ReshapeOp):
        return None
    return apart.x, shape(apart.y), list(transpose.perm.get_values())


class ShuffleToGather(RewritePattern):
    """reshape(transpose(reshape(x: ngc.. -> n,g,c,..), [0, 2, 1, ..])) -> gather axis 1 (x)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReshapeOp, rewriter: PatternRewriter, /) -> None:
        if (found := regrouped(op)) is None:
            return
        x, parts, perm = found
        old = shape(x)
        rank = len(old)
        if rank < 3 or parts != (old[0], *parts[1:3], *old[2:]) or shape(op.y) != old:
            return
        if perm != [0, 2, 1, *range(3, rank + 1)]:
            return
        groups, each = parts[1:3]
        indices = [g * each + c for c in range(each) for g in range(groups)]
        replace(rewriter, op, GatherOp(x, 1, indices, op.y.type))


class ChannelsToPixels(RewritePattern):
    """reshape(transpose(reshape(x: nchw), [0, 1, 4, 2, 5, 3])) -> depth_to_space(x)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReshapeOp, rewriter: PatternRewriter, /) -> None:
        found = regrouped(op)
        if found is None or len(shape(found[0])) != 4 or len(found[1]) != 6:
            return
        x, parts, perm = found
        (n, c, h, w), b = shape(x), parts[2]
        less = c // b**2
        if perm == [0, 1, 4, 2, 5, 3] and parts == (n, less, b, b, h, w):
            order = "crd"
        elif perm == [0, 3, 4, 1, 5, 2] and parts == (n, b, b, less, h, w):
            order = "dcr"
        else:
            return
        if shape(op.y) != (n, less, h * b, w * b):
            return
        replace(rewriter, op, DepthToSpaceOp(x, b, order, op.y.type))


class PixelsToChannels(RewritePattern):
    """reshape(transpose(reshape(x: nchw), [0, 1, 3, 5, 2, 4])) -> space_to_depth(x)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReshapeOp, rewriter: PatternRewriter, /) -> None:
        found = regrouped(op)
        if found is None or len(shape(found[0])) != 4 or len(found[1]) != 6:
            return
        x, parts, perm = found
        (n, c, h, w), b = shape(x), parts[3]
        order = {(1, 3, 5): "crd", (3, 5, 1): "dcr"}.get((perm[1], perm[2], perm[3]))
        if order is None or perm[0] != 0 or perm[4:] != [2, 4]:
            return
        if parts != (n, c, h // b, b, w // b, b) or shape(op.y) != (n, c * b**2, h // b, w // b):
            return
        replace(rewriter, op, SpaceToDepthOp(x, b, order, op.y.type))


class TransposeMap(RewritePattern):
    """transpose(reshape(x: nchw -> n,c,h*w), [0, 2, 1]) -> reshape(transpose(x, [0, 2, 3, 1]))"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: TransposeOp, rewriter: PatternRewriter, /) -> None:
        if list(op.perm.get_values()) != [0, 2, 1] or not isinstance(flat := op.x.owner, ReshapeOp):
            return
        if len(size := shape(flat.x)) != 4 or shape(flat.y)[:2] != size[:2]:
            return
        whole = TransposeOp(flat.x, [0, 2, 3, 1])
        new = ReshapeOp(whole.y, op.y.type)
        inherit_source(new, op)
        rewriter.replace(op, [whole, new])


class TransposeToMap(RewritePattern):
    """reshape(transpose(x, [0, 2, 1]): n,c,h*w -> nchw) -> transpose(reshape(x), [0, 3, 1, 2])"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReshapeOp, rewriter: PatternRewriter, /) -> None:
        turn = op.x.owner
        if not isinstance(turn, TransposeOp) or list(turn.perm.get_values()) != [0, 2, 1]:
            return
        if len(size := shape(op.y)) != 4 or shape(op.x)[:2] != size[:2]:
            return
        n, c, h, w = size
        apart = ReshapeOp(turn.x, TensorType(tensor_type(op.x).element_type, [n, h, w, c]))
        new = TransposeOp(apart.y, [0, 3, 1, 2], op.y.type)
        inherit_source(new, op)
        rewriter.replace(op, [apart, new])


class SliceOfGather(RewritePattern):
    """slice(gather(x)) along the same dimension -> gather(x), if only such slices are read"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: SliceOp, rewriter: PatternRewriter, /) -> None:
        gather = op.x.owner
        if not isinstance(gather, GatherOp):
            return
        axis = gather.axis.value.data
        if not all(_cuts_only(use.operation, axis) for use in op.x.uses):
            return
        start, step = op.starts.get_values()[axis], op.steps.get_values()[axis]
        indices = gather.indices.get_values()
        kept = [indices[start + i * step] for i in range(shape(op.y)[axis])]
        replace(rewriter, op, GatherOp(gather.x, axis, kept, op.y.type))


def _cuts_only(op: Operation, axis: int) -> bool:
    """Whether `op` is a slice along this dimension that leaves the others whole."""
    if not isinstance(op, SliceOp):
        return False
    whole = zip(
        op.starts.get_values(), op.steps.get_values(), shape(op.x), shape(op.y), strict=True
    )
    return all(d == axis or (s, t, n) == (0, 1, m) for d, (s, t, n, m) in enumerate(whole))


class BroadcastInsteadOfTile(RewritePattern):
    """add(tile(x), b) -> add(x, b), and so any op that broadcasts what the tile repeats"""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, BinaryOp):
            return
        for i, other in ((0, op.b), (1, op.a)):
            tile = op.operands[i].owner
            if isinstance(tile, TileOp) and _broadcasts(tile, other, shape(op.y)):
                op.operands[i] = tile.x
                rewriter.notify_op_modified(op)
                return


def _broadcasts(tile: TileOp, other: SSAValue, size: tuple[int, ...]) -> bool:
    """Whether the operand of `tile` broadcasts against `other` to `size`."""
    try:
        return broadcast_shape([shape(tile.x), shape(other)]) == size
    except VerifyException:
        return False
