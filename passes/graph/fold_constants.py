"""Compute at compile time what depends on constants only."""

from __future__ import annotations

from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, PatternRewriteWalker, RewritePattern

from lamina.context import weights_of
from lamina.dialects.graph import ConstantOp, inherit_source
from lamina.dialects.graph.constants import array_of, constant
from lamina.weights import WeightStore


class FoldConstants(RewritePattern):
    """op(constants) -> constant, computed by the reference interpreter"""

    def __init__(self, store: WeightStore) -> None:
        # here: they take 0.1 s to import, and only this pass needs them
        from numpy import errstate

        from lamina.interpreters.graph import FUNCTIONS

        self.functions = FUNCTIONS
        self.quiet = errstate
        self.store = store

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        owners = [x.owner for x in op.operands]
        constants = [owner for owner in owners if isinstance(owner, ConstantOp)]
        if type(op) not in self.functions or len(constants) < len(owners):
            return
        arrays = [array_of(c, self.store) for c in constants]
        with self.quiet(all="ignore"):  # what overflows is inf here as it is at run time
            value = self.functions[type(op)](op, *arrays)
        new = constant(value, self.store, op.results[0].type)
        inherit_source(new, op)
        rewriter.replace(op, new)


class FoldConstantsPass(ModulePass):
    """
    Replace ops whose operands are all constants by constants.

    The values are those of the reference interpreter, which rounds less often than compiled code.
    """

    name = "fold-constants"
    numerics: ClassVar[str] = "tolerance 1e-5"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        pattern = FoldConstants(weights_of(ctx))
        # one sweep in program order meets every op after its operands were folded
        PatternRewriteWalker(pattern, apply_recursively=False).rewrite_module(op)
        for constant_op in [c for c in op.walk() if isinstance(c, ConstantOp)]:
            if not constant_op.result.uses:
                constant_op.detach()
                constant_op.erase()
