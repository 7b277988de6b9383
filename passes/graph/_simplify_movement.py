"""Rewrites of movement that is spelled with more ops, or copies more, than it needs."""

from __future__ import annotations

from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.utils.exceptions import VerifyException

from lamina.dialects.graph import (
    BinaryOp,
    GatherOp,
    ReshapeOp,
    TileOp,
    TransposeOp,
    broadcast_shape,
    inherit_source,
    shape,
)


class ShuffleToGather(RewritePattern):
    """reshape(transpose(reshape(x: ngc.. -> n,g,c,..), [0, 2, 1, ..])) -> gather axis 1 (x)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReshapeOp, rewriter: PatternRewriter, /) -> None:
        if not isinstance(transpose := op.x.owner, TransposeOp):
            return
        if not isinstance(apart := transpose.x.owner, ReshapeOp):
            return
        old, parts = shape(apart.x), shape(apart.y)
        rank = len(old)
        if rank < 3 or parts != (old[0], *parts[1:3], *old[2:]) or shape(op.y) != old:
            return
        if list(transpose.perm.get_values()) != [0, 2, 1, *range(3, rank + 1)]:
            return
        groups, each = parts[1:3]
        indices = [g * each + c for c in range(each) for g in range(groups)]
        new = GatherOp(apart.x, 1, indices, op.y.type)
        inherit_source(new, op)
        rewriter.replace(op, new)


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
