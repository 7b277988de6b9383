"""Contract products and sums to fused multiply-adds."""

from __future__ import annotations

from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import AnyFloat, ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)
from xdsl.utils.hints import isa

from lamina.dialects.te import ComputeOp, memref_type


def becomes_an_integer(op: Operation) -> bool:
    """
    Whether what `op` computes for each element becomes an integer, there or where it is stored: it
    may be another one if a product is not rounded. Sums over many terms are rounded in any order.
    """
    if is_rounded(op):
        return True
    te = op.parent_op()
    if not isinstance(te, ComputeOp) or isa(memref_type(te.out).element_type, AnyFloat):
        return False
    return op.parent is te.epilogue.block or not any(a.reduce for a in te.axes.data)


def is_rounded(op: Operation) -> bool:
    """Whether an integer is made of what `op` computes before it leaves the block of `op`."""
    reached, pending = set[Operation](), [op]
    while pending:
        user = pending.pop()
        if isinstance(user, math.RoundEvenOp | arith.FPToSIOp):
            return True
        if user not in reached:
            reached.add(user)
            pending += [use.operation for result in user.results for use in result.uses]
    return False


class ContractFma(RewritePattern):
    """a * b + c  ->  fma(a, b, c), if nothing else needs the product"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.AddfOp, rewriter: PatternRewriter, /) -> None:
        if becomes_an_integer(op):
            return
        for product, c in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
            mul = product.owner
            if isinstance(mul, arith.MulfOp) and product.has_one_use():
                rewriter.replace(op, math.FmaOp(mul.lhs, mul.rhs, c))
                rewriter.erase(mul)
                return


class TeContractFmaPass(ModulePass):
    """
    Contract a * b + c to one rounding, in the scalar bodies of te and wherever arith is used.

    %p = arith.mulf %a, %b : f32; %s = arith.addf %acc, %p : f32
    ->  %s = math.fma %a, %b, %acc : f32

    On te this rewrites one op a kernel; after the tile is unrolled it would be one an accumulator.
    What is rounded to an integer keeps its products: its value is to be the same on every machine.
    """

    name = "te-contract-fma"
    numerics: ClassVar[str] = "tolerance 1e-5"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        PatternRewriteWalker(ContractFma(), apply_recursively=False).rewrite_module(op)
