"""Write int8.dot4 out for machines that have no instruction for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IntegerType, ModuleOp, VectorType
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.int8 import Dot4Op
from lamina.dialects.vector import BitcastOp
from lamina.passes._machine import machine_of


class LowerDot4(RewritePattern):
    """
    int8.dot4 %acc, %a, %b  ->  acc + the sum over k of (byte k of a, zext) * (byte k of b, sext)

    A group of 4 bytes is one i32: unsigned bytes are shifted down and masked, signed ones shifted
    up and down again. 255 * -128 * 4 fits an i32, so nothing saturates on the way.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: Dot4Op, rewriter: PatternRewriter, /) -> None:
        like: Attribute = op.acc.type
        if not isinstance(like, VectorType):
            raise PassFailedException(
                f"int8-lower-dot4: needs vectors, got {like}; run it after te-to-vec"
            )
        type, ops = cast(VectorType[IntegerType], like), list[Operation]()

        def add(new: Operation) -> SSAValue:
            ops.append(new)
            return new.results[0]

        def number(n: int) -> SSAValue:
            return add(arith.ConstantOp(DenseIntOrFPElementsAttr.from_list(type, [n])))

        total, a, b = op.acc, add(BitcastOp(op.a, type)), add(BitcastOp(op.b, type))
        low, top = number(255), number(24)
        for k in range(4):
            x = add(arith.ShRUIOp(a, number(8 * k))) if k else a
            y = add(arith.ShLIOp(b, number(24 - 8 * k))) if k < 3 else b
            x, y = add(arith.AndIOp(x, low)), add(arith.ShRSIOp(y, top))
            total = add(arith.AddiOp(total, add(arith.MuliOp(x, y))))
        rewriter.replace(op, ops)


@dataclass(frozen=True)
class Int8LowerDot4Pass(ModulePass):
    """
    Write `int8.dot4` out in 32-bit arithmetic, unless the target has an instruction for it; exact,
    unlike the 16-bit multiply-add that saturates.

    int8.dot4 %acc, %a, %b  ->  %acc + (%a & 255) * (%b << 24 >> 24) + ...
    """

    name = "int8-lower-dot4"
    numerics: ClassVar[str] = "exact"

    target: str = "cpu"
    """the machine to lower for"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if not machine_of(self.target, by=self.name).dot4:
            PatternRewriteWalker(LowerDot4(), apply_recursively=False).rewrite_module(op)
