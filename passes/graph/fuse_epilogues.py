"""Put pointwise ops into the kernel that produces their input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from lamina.dialects.graph import (
    SOURCE,
    AvgPool2dOp,
    BatchNormOp,
    Conv2dOp,
    DenseOp,
    FusedOp,
    GlobalAvgPoolOp,
    InterleaveOp,
    MatmulOp,
    MaxPool2dOp,
    NormalizeOp,
    PointwiseOp,
    ReduceOp,
    RelayoutOp,
    YieldOp,
    layout_of,
    shape,
    stored_as,
)

ROOTS = (
    AvgPool2dOp,
    BatchNormOp,
    Conv2dOp,
    DenseOp,
    GlobalAvgPoolOp,
    InterleaveOp,
    MatmulOp,
    MaxPool2dOp,
    NormalizeOp,
    PointwiseOp,
    ReduceOp,
)
"""ops whose kernel can go on computing on each element before it is stored"""


def next_in_epilogue(op: Operation) -> Operation | None:
    """The op that alone reads the result of `op`, element by element, if it can join the kernel."""
    y = op.results[0]
    if not y.has_one_use():
        return None
    user = next(iter(y.uses)).operation
    if user.parent is not op.parent or not isinstance(user, PointwiseOp | RelayoutOp):
        return None
    # Halos may differ, the storage order may not: the kernel's vectors run along it.
    same_storage = layout_of(user.results[0].type).text == layout_of(y.type).text
    return user if shape(user.results[0]) == shape(y) and same_storage else None


def chain_from(op: Operation) -> list[Operation]:
    """`op` and the pointwise ops that follow it, each the only reader of the one before."""
    chain = [op]
    while (user := next_in_epilogue(chain[-1])) is not None:
        chain.append(user)
    return chain


def fuse(chain: Sequence[Operation]) -> None:
    """Move the ops of `chain` into one `graph.fused`, which takes the place of the last."""
    made = {op.results[0] for op in chain}
    inputs = list(dict.fromkeys(x for op in chain for x in op.operands if x not in made))
    last = chain[-1]
    block = Block(arg_types=[x.type for x in inputs])
    for arg, x in zip(block.args, inputs, strict=True):
        arg.name_hint = x.name_hint
    fused = FusedOp(inputs, Region(block), [last.results[0].type])
    fused.results[0].name_hint = last.results[0].name_hint
    if SOURCE in last.attributes:
        fused.attributes[SOURCE] = last.attributes[SOURCE]
    Rewriter.insert_op(fused, InsertPoint.before(last))
    last.results[0].replace_all_uses_with(fused.results[0])
    inside: dict[SSAValue, SSAValue] = dict(zip(inputs, block.args, strict=True))
    for op in chain:
        op.detach()
        block.add_op(op)
        op.operands = [inside.get(x, x) for x in op.operands]
        op.attributes.pop(SOURCE, None)
    for op in chain[:-1]:  # stays in registers, so it needs no halo
        y = op.results[0]
        Rewriter.replace_value_with_new_type(y, stored_as(y.type, layout_of(y.type).with_halo(())))
    block.add_op(YieldOp(last.results[0]))


class FuseEpiloguesPass(ModulePass):
    """
    Gather each op with the bias, activation and residual additions that follow it.

    A chain goes on while its value has one reader, which is pointwise, has the same shape and is
    stored in the same order.
    """

    name = "fuse-epilogues"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for f in op.ops:
            if not isinstance(f, func.FuncOp) or f.is_declaration:
                continue
            for root in list(f.body.block.ops):
                if isinstance(root, ROOTS) and root.parent is f.body.block:
                    chain = chain_from(root)
                    if len(chain) > 1:
                        fuse(chain)
