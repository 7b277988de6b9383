"""Put pointwise ops into the kernel that produces their input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, i32
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from lamina.dialects.graph import (
    SOURCE,
    STORAGE,
    AvgPool2dOp,
    BatchNormOp,
    CastOp,
    ConstantOp,
    Conv2dOp,
    DenseOp,
    DequantizeOp,
    FusedOp,
    GlobalAvgPoolOp,
    InterleaveOp,
    MatmulOp,
    MaxPool2dOp,
    MulOp,
    NormalizeOp,
    PointwiseOp,
    ReduceOp,
    RelayoutOp,
    RepeatOp,
    ResampleOp,
    SampleOp,
    TakeAlongOp,
    TakeOp,
    WinogradInputOp,
    WinogradOutputOp,
    YieldOp,
    layout_of,
    shape,
    stored_as,
    tensor_type,
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
    RepeatOp,
    ResampleOp,
    SampleOp,
    TakeAlongOp,
    TakeOp,
    WinogradOutputOp,
)
"""ops whose kernel can go on computing on each element before it is stored"""


SEARCHED = 32
"""with more ops than this between a value and the one that all its readers lead to, it is stored"""


def can_join(op: Operation, y: SSAValue) -> bool:
    """Whether `op` works element by element on what has the shape and storage order of `y`."""
    if not isinstance(op, PointwiseOp | RelayoutOp):
        return False
    # Halos may differ, the storage order may not: the kernel's vectors run along it.
    same_storage = layout_of(op.results[0].type).text == layout_of(y.type).text
    return shape(op.results[0]) == shape(y) and same_storage


def readers(y: SSAValue) -> Sequence[Operation]:
    """
    The fewest ops that read `y`, and each other, such that nothing else does but for the result of
    the last one: one op, or those of `x * sigmoid(x)`. Empty if one of them cannot join the kernel.
    """
    assert isinstance(y.owner, Operation)
    found: list[Operation] = []
    made = [y]
    op = y.owner
    while len(found) < SEARCHED and (op := op.next_op) is not None:
        if not any(x in made for x in op.operands):
            continue
        if not can_join(op, y):
            return []
        found.append(op)
        if all(use.operation in found for x in made for use in x.uses):
            return found
        made.append(op.results[0])
    return []


def feeders(x: SSAValue, read: set[SSAValue], reader: Operation) -> list[Operation] | None:
    """
    The pointwise ops that compute `x`, for `reader` only, from nothing but what is in `read`; or
    from bytes, which are read instead of what is made of them.
    """
    op = x.owner
    if not isinstance(op, PointwiseOp | RelayoutOp) or op.parent is not reader.parent:
        return None
    if any(u.operation is not reader for u in x.uses):
        return None
    smaller = shape(x) != shape(reader.results[0])
    if isinstance(op, RelayoutOp):
        before = op.x.owner
        one = smaller and isinstance(before, DequantizeOp) and op.x.has_one_use()
        return [before, op] if one and isinstance(before, DequantizeOp) else None
    if (
        not isinstance(op, MulOp)
        and is_of_bytes(op)
        and (smaller or can_join(op, reader.results[0]))
    ):
        return [op]
    if not can_join(op, reader.results[0]):
        return None
    found: list[Operation] = []
    for each in dict.fromkeys(op.operands):
        if each not in read and not isinstance(each.owner, ConstantOp):
            more = feeders(each, read, op)
            if more is None:
                return None
            found += more
    return [*found, op]


def is_of_bytes(op: Operation) -> bool:
    """Whether `op` makes each number of one byte: a real one, or one of 32 bits, perhaps scaled."""
    if isinstance(op, MulOp):
        a, b = op.a.owner, op.b.owner
        return isinstance(a, CastOp) and isinstance(b, ConstantOp) and is_of_bytes(a)
    if isinstance(op, CastOp):
        elements = (tensor_type(v).element_type for v in (op.x, op.y))
        return next(elements) in STORAGE and next(elements) == i32
    return isinstance(op, DequantizeOp)


def is_left_to_readers(op: Operation) -> bool:
    """Whether bytes are stored instead of the numbers that `op` makes of them for arithmetic."""
    if not is_of_bytes(op):
        return False
    readers = [use.operation for use in op.results[0].uses]
    for each in [r for r in readers if isinstance(r, RelayoutOp)]:
        readers += [use.operation for use in each.y.uses]
    arithmetic = [r for r in readers if not isinstance(r, RelayoutOp)]
    return bool(arithmetic) and all(isinstance(r, PointwiseOp) for r in arithmetic)


def chain_from(op: Operation) -> list[Operation]:
    """
    `op` and the pointwise ops that follow it, in the order of the block: each value has no other
    readers, but for the last. With them those that make one of their operands from another.
    """
    chain = [op]
    while more := readers(chain[-1].results[0]):
        chain += more
    while len(chain) > 1 and is_left_to_readers(chain[-1]):
        chain.pop()
    made = {o.results[0] for o in chain}
    read = {x for o in chain for x in o.operands} - made
    beside: dict[Operation, None] = {}
    for each in chain[1:]:
        for x in each.operands:
            if x in read:
                beside |= dict.fromkeys(feeders(x, read, each) or ())
    if beside and op.parent is not None:
        place = {o: i for i, o in enumerate(op.parent.ops)}
        chain = sorted([*chain, *beside], key=place.__getitem__)
    return chain


def products_before(op: Operation) -> list[Operation]:
    """
    What makes the products that `op` adds up to the results of tiles, if nobody else reads them:
    tiles are then transformed, multiplied and transformed back while they are in a cache.
    """
    if not isinstance(op, WinogradOutputOp):
        return []
    product = op.x.owner
    if not isinstance(product, Conv2dOp) or not op.x.has_one_use():
        return []
    tiles = product.x.owner
    if not isinstance(tiles, WinogradInputOp) or not product.x.has_one_use():
        return [product]
    return [tiles, product]


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

    A chain goes on while the readers of its value are pointwise, have the same shape, are stored in
    the same order, and lead to one value, as those of x do in `x * sigmoid(x)`.
    """

    name = "fuse-epilogues"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for f in op.ops:
            if not isinstance(f, func.FuncOp) or f.is_declaration:
                continue
            for root in list(f.body.block.ops):
                if isinstance(root, ROOTS) and root.parent is f.body.block:
                    chain = [*products_before(root), *chain_from(root)]
                    if len(chain) > 1:
                        fuse(chain)
