"""Store what is transposed as it is, or as it will be, where a product can read or write it so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)
from xdsl.rewriter import Rewriter

from lamina.dialects.graph import (
    AlongAxisOp,
    MatmulOp,
    NormalizeOp,
    PointwiseOp,
    ReduceOp,
    TransposeOp,
    layout_of,
    shape,
    stored_as,
)
from lamina.dialects.layout import Layout

MOST_DIMS = 5
"""layouts of more dimensions have no letters that say their order"""

ROWS = (PointwiseOp, NormalizeOp, AlongAxisOp, ReduceOp)
"""ops that read rows, wherever these lie"""


def storage_in_order(dims: Sequence[int]) -> Layout:
    """The layout that stores these dimensions in this order, outermost first."""
    letters = Layout.plain(len(dims)).text
    return Layout.parse("".join(letters[d] for d in dims))


def keeps_rows(op: TransposeOp) -> bool:
    """Whether `op` leaves the last dimension where it is."""
    perm = op.perm.get_values()
    return perm[-1] == len(perm) - 1


def reads_any_order(op: TransposeOp) -> bool:
    """Whether all that read the result of `op` are as fast if it is stored as its operand is."""
    for use in op.y.uses:
        reader = use.operation
        # of the left matrix a product takes number by number, of the right one rows
        by_number = isinstance(reader, MatmulOp) and use.index == 0
        by_row = isinstance(reader, (MatmulOp, *ROWS)) and keeps_rows(op)
        if not by_number and not by_row:
            return False
    return True


def is_plain(x: SSAValue) -> bool:
    """Whether `x` is stored row by row, in as many dimensions as layouts know an order of."""
    return layout_of(x.type).is_plain and len(shape(x)) <= MOST_DIMS


class ReadTransposed(RewritePattern):
    """matmul(transpose(x): plain, b) -> matmul(transpose(x): stored as x is, b)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: TransposeOp, rewriter: PatternRewriter, /) -> None:
        if not (is_plain(op.x) and is_plain(op.y) and reads_any_order(op)):
            return
        perm = list(op.perm.get_values())
        layout = storage_in_order([perm.index(d) for d in range(len(perm))])
        if not layout.is_plain:
            rewriter.replace(op, TransposeOp(op.x, perm, stored_as(op.y.type, layout)))


class WriteTransposed(RewritePattern):
    """transpose(matmul(a, b): plain) -> transpose(matmul(a, b): stored as the transpose is)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: TransposeOp, rewriter: PatternRewriter, /) -> None:
        product = op.x.owner
        if not isinstance(product, MatmulOp) or not op.x.has_one_use() or not keeps_rows(op):
            return
        if not (is_plain(op.x) and is_plain(op.y)):
            return
        layout = storage_in_order(op.perm.get_values())
        if not layout.is_plain:
            Rewriter.replace_value_with_new_type(product.y, stored_as(product.y.type, layout))
            rewriter.notify_op_modified(op)


class TransposesToViewsPass(ModulePass):
    """
    Let products, and what works on rows, read and write transposed matrices where they lie.

    The transpose is then a view: its result has another shape, but the same bytes as its operand.
    """

    name = "transposes-to-views"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        patterns = GreedyRewritePatternApplier([ReadTransposed(), WriteTransposed()])
        PatternRewriteWalker(patterns, apply_recursively=False).rewrite_module(op)
