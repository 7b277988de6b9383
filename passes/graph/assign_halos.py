"""Give tensors that padded windows read a halo, which their producer writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from lamina.dialects.graph import (
    AvgPool2dOp,
    ConstantOp,
    Conv2dOp,
    DeviceCopyOp,
    FusedOp,
    MaxPool2dOp,
    RelayoutOp,
    ReshapeOp,
    WindowOp,
    WinogradInputOp,
    layout_of,
    shape,
    stored_as,
)
from lamina.passes.graph._views import is_part, is_view, parts_of

Halo = tuple[tuple[int, int], ...]


def needed_halo(op: WindowOp | WinogradInputOp) -> Halo:
    """(before, after) height and width that windows or tiles of `op` read outside its input."""
    needed: list[tuple[int, int]] = []
    if isinstance(op, WinogradInputOp):
        strides, gaps = (op.tile.value.data,) * 2, (1, 1)
    else:
        strides, gaps = op.strides.get_values(), op.dilation()
    for size, out, taps, stride, gap, (before, _) in zip(
        shape(op.x)[2:], shape(op.y)[2:], op.window(), strides, gaps, op.sides(), strict=True
    ):
        last = (out - 1) * stride + (taps - 1) * gap - before
        needed.append((before, max(0, last - size + 1)))
    return tuple(needed)


def union(halos: Sequence[Halo]) -> Halo:
    """
    The smallest halo that covers all of `halos` and is as wide after as before: then one op fills
    both sides, and kernels of windows with different strides can be shared.
    """
    return tuple((max(map(max, sides)),) * 2 for sides in zip(*halos, strict=True))


def outside(op: Operation) -> int:
    """What a window op takes to be outside of its image."""
    return op.outside() if isinstance(op, Conv2dOp) else 0


def window_users(value: SSAValue) -> list[WindowOp | WinogradInputOp]:
    """The ops that slide a window over `value` with a number around it; of a maximum it is none."""
    users = dict.fromkeys(use.operation for use in value.uses)
    return [
        op
        for op in users
        if isinstance(op, Conv2dOp | AvgPool2dOp | WinogradInputOp)
        and op.x is value
        and any(map(any, needed_halo(op)))
    ]


def may_write_halo(value: SSAValue) -> bool:
    """Whether the op that makes `value` is free to store it with a border."""
    # Types of functions and of fused regions are not changed; a reshape is a view of plain storage.
    if isinstance(value.owner, Block | ConstantOp | func.CallOp | FusedOp | ReshapeOp):
        return False
    users = [use.operation for use in value.uses]
    # A maximum over the border would see its numbers, where nothing must count.
    return not any(
        isinstance(op, func.ReturnOp | func.CallOp | FusedOp | ReshapeOp)
        or (isinstance(op, MaxPool2dOp) and any(map(any, needed_halo(op))))
        for op in users
    )


class Together:
    """Values that lie in one buffer, or may come to, and so have one halo."""

    def __init__(self, value: SSAValue) -> None:
        self.values = [value]
        self.fills, self.may_have = set(map(outside, window_users(value))), may_write_halo(value)
        """what windows take to be around these values, if any do"""

    def agrees(self, other: Together) -> bool:
        """Whether no window has to read a copy because the two have one halo."""
        pairs = (self, other), (other, self)
        lost = any(a.fills and a.may_have and not b.may_have for a, b in pairs)
        return not lost and len(self.fills | other.fills) < 2

    def join(self, other: Together) -> None:
        """Take in the values of `other`."""
        self.values += other.values
        self.fills |= other.fills
        self.may_have &= other.may_have


def together(block: Block) -> list[Together]:
    """
    The values of a network; those of concats and slices in one list, where they agree, and a tensor
    and its copies on other devices.
    """
    values: list[SSAValue] = [*block.args, *(r for op in block.ops for r in op.results)]
    of = {value: Together(value) for value in values}

    def join(one: Together, other: Together) -> None:
        if one is not other:
            one.join(other)
            of.update(dict.fromkeys(other.values, one))

    for op in block.ops:
        if isinstance(op, DeviceCopyOp):
            join(of[op.x], of[op.y])
        for part, whole, starts in parts_of(op):
            agree = is_part(part, whole, starts) and of[whole].agrees(of[part])
            if agree or is_view(op):
                join(of[whole], of[part])
    return list(dict.fromkeys(of.values()))


class AssignHalosPass(ModulePass):
    """
    Store what padded windows read with a border as wide as the widest of them needs: of zeros, or
    of what else they take to be around the image.

    The producer writes the border with the tensor. Only where it cannot (inputs and outputs of the
    network, windows that take other numbers to be there) does a relayout copy the tensor. What may
    come to lie in one buffer, as operands and results of concats and slices do, has one halo.
    """

    name = "assign-halos"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for f in op.ops:
            if isinstance(f, func.FuncOp) and not f.is_declaration:
                for values in together(f.body.block):
                    self.assign(values)

    def assign(self, those: Together) -> None:
        """Widen the storage of these values, which lie together, or of copies of them."""
        users = {value: found for value in those.values if (found := window_users(value))}
        if not users:
            return
        stored = None
        if those.may_have:
            every = [op for found in users.values() for op in found]
            count = Counter(map(outside, every))
            stored = max(sorted(count), key=lambda fill: count[fill])
            halo = union([needed_halo(op) for op in every if outside(op) == stored])
            for value in those.values:
                type = self.widened(value, halo, stored)
                new = Rewriter.replace_value_with_new_type(value, type)
                if value in users:
                    users[new] = users.pop(value)
        for value, found in users.items():
            for fill in dict.fromkeys(map(outside, found)):
                if fill != stored:
                    readers = [op for op in found if outside(op) == fill]
                    halo = union(list(map(needed_halo, readers)))
                    self.copy(value, self.widened(value, halo, fill), readers)

    def widened(self, value: SSAValue, halo: Halo, fill: int) -> Attribute:
        """The type of `value` with this halo."""
        return stored_as(value.type, layout_of(value.type).with_halo(halo, fill))

    def copy(self, value: SSAValue, type: Attribute, users: Sequence[Operation]) -> None:
        """Let `users` read a copy of `value` that has the halo."""
        copy = RelayoutOp(value, type)
        copy.y.name_hint = value.name_hint
        owner = value.owner
        point = (
            InsertPoint.at_start(owner) if isinstance(owner, Block) else InsertPoint.after(owner)
        )
        Rewriter.insert_op(copy, point)
        for user in users:
            user.operands[0] = copy.y
