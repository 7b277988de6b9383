"""How layouts pass through each op, as a table: what the reference page says is what is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from xdsl.dialects.func import ReturnOp
from xdsl.ir import Block, Operation, SSAValue

from lamina.dialects.graph import (
    AlongAxisOp,
    BatchNormOp,
    ConstantOp,
    Conv2dOp,
    DenseOp,
    DeviceCopyOp,
    FusedOp,
    GlobalAvgPoolOp,
    MapOp,
    MatmulOp,
    NormalizeOp,
    PointwiseOp,
    PoolOp,
    ReduceOp,
    RelayoutOp,
    ResampleOp,
    ReshapeOp,
    RunOp,
    SampleOp,
    TakeAlongOp,
    TransposeOp,
    UnmapOp,
    WinogradInputOp,
    WinogradOutputOp,
    YieldOp,
    shape,
)
from lamina.dialects.layout import Layout
from lamina.passes.graph._any_layout import MOVERS
from lamina.passes.graph._padding import CHANNELS


def always(op: Operation, layout: Layout) -> bool:
    """Whatever the layout is."""
    return True


def never(op: Operation, layout: Layout) -> bool:
    """No layout is taken over from an operand."""
    return False


def keeps_maps_whole(op: Operation, layout: Layout) -> bool:
    """Whether height and width, which windows slide over, are not in blocks."""
    return all(layout.block(letter) == 1 for letter in layout.logical[CHANNELS + 1 :])


def keeps_sums_whole(op: Operation, layout: Layout) -> bool:
    """Whether the dimensions that disappear, or are resampled, are not in blocks."""
    assert isinstance(op, ReduceOp | ResampleOp)
    return all(layout.block(layout.logical[d]) == 1 for d in op.axes.get_values())


def sums_up_blocks(op: Operation, layout: Layout) -> bool:
    """Whether sums along the dimensions of `op` are mostly of whole blocks, if of blocks at all."""
    assert isinstance(op, NormalizeOp | AlongAxisOp)
    dims = [op.axis.value.data] if isinstance(op, AlongAxisOp) else op.axes.get_values()
    blocks = [layout.block(layout.logical[d]) for d in dims]
    return all(b == 1 or shape(op.x)[d] >= 2 * b for d, b in zip(dims, blocks, strict=True))


def leaves_many(op: Operation, layout: Layout) -> bool:
    """Whether blocks are not mostly padding that were mostly elements before `op`."""
    old, new = shape(op.operands[0]), shape(op.results[0])
    blocks = map(layout.block, layout.logical)
    return not any(m < n and m < b // 2 for n, m, b in zip(old, new, blocks, strict=True))


def stays_inside(op: Operation, layout: Layout) -> bool:
    """Whether a copy is between two regions: the host stores what the network takes and gives."""
    assert isinstance(op, DeviceCopyOp)
    given = isinstance(op.x.owner, Block)
    returned = any(isinstance(use.operation, ReturnOp) for use in op.y.uses)
    return not given and not returned and not nothing_to_block(op.x, layout)


@dataclass(frozen=True)
class Rule:
    """How layouts pass through some ops."""

    types: tuple[type[Operation], ...]
    """the ops"""
    text: str
    """what happens, in words"""
    follows: Callable[[Operation, Layout], bool] = never
    """whether an op computes in the layout that its operands come in"""


RULES = (
    Rule(
        (PointwiseOp,),
        "follows its operands; of them, what is the same for all channels stays plain. Zeros are"
        " written over what pads a block, unless they come out by themselves.",
        always,
    ),
    Rule(
        (PoolOp, GlobalAvgPoolOp, SampleOp),
        "follows, if height and width are not in blocks.",
        keeps_maps_whole,
    ),
    Rule(
        (Conv2dOp,),
        "`select-layouts` chooses for all of them together; each reads and writes any, but blocks"
        " only where they are of one group, and the same where each channel is a group.",
    ),
    Rule(
        (WinogradInputOp, WinogradOutputOp),
        "any with height and width whole; `winograd-convolutions` lays tiles out as the convolution"
        " has its operands.",
        keeps_maps_whole,
    ),
    Rule((DenseOp,), "plain, but its weights are packed, many outputs side by side."),
    Rule(
        (TransposeOp,),
        "reads and writes any layout; moves nothing where what reads or writes it can do so in"
        " another order of dimensions.",
    ),
    Rule(
        MOVERS,
        "reads each operand in its own layout and writes any; follows, unless few of many channels"
        " are left. What cuts through blocks is copied by parts of them.",
        leaves_many,
    ),
    Rule(
        (ReduceOp,),
        "follows, if the dimensions that disappear are not in blocks; else sums up blocks and"
        " writes plain.",
        keeps_sums_whole,
    ),
    Rule((ResampleOp,), "follows, if what is resampled is not in blocks.", keeps_sums_whole),
    Rule(
        (NormalizeOp, AlongAxisOp),
        "follows, and sums up whole blocks; where there are not two of them, plain.",
        sums_up_blocks,
    ),
    Rule((BatchNormOp,), "none: it is part of a convolution, or a product and a sum, before."),
    Rule((TakeAlongOp,), "plain."),
    Rule((MatmulOp,), "plain, or in another order of dimensions, as a transpose beside it has it."),
    Rule((ReshapeOp,), "plain; a view, which moves nothing."),
    Rule((ConstantOp,), "any: it is packed at compile time as its readers want it."),
    Rule((RelayoutOp,), "any to any."),
    Rule((FusedOp, YieldOp), "those of the ops inside."),
    Rule(
        (DeviceCopyOp,),
        "follows, between two regions and where both devices know the layout: the buffer is handed"
        " on as it lies. What the network takes and gives is plain.",
        stays_inside,
    ),
    Rule((RunOp, MapOp, UnmapOp), "none: they come after layouts, and take buffers as they lie."),
)
"""the first rule that names an op holds"""


def rule_of(op: type[Operation]) -> Rule | None:
    """The rule that holds for an op."""
    return next((rule for rule in RULES if issubclass(op, rule.types)), None)


def may_follow(op: Operation, layout: Layout) -> bool:
    """Whether `op` can compute in `layout`, at no loss, if its operands come in it."""
    rule = rule_of(type(op))
    return rule is not None and rule.follows(op, layout)


def nothing_to_block(value: SSAValue, layout: Layout) -> bool:
    """Whether `value` is one number along all dimensions that `layout` blocks, or has others."""
    if len(shape(value)) != layout.rank:
        return True  # indices beside a map
    dims = [d for d, c in enumerate(layout.logical) if layout.block(c) > 1]
    return all(shape(value)[d] == 1 for d in dims)
