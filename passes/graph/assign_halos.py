"""Give tensors that padded windows read a halo, which their producer writes."""

from __future__ import annotations

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
    ConcatOp,
    ConstantOp,
    Conv2dOp,
    FusedOp,
    MaxPool2dOp,
    RelayoutOp,
    ReshapeOp,
    SliceOp,
    WindowOp,
    WinogradInputOp,
    layout_of,
    shape,
    stored_as,
)

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


def window_users(value: SSAValue) -> list[WindowOp | WinogradInputOp]:
    """The ops that slide a zero-padded window over `value`; a maximum's padding is not zero."""
    users = dict.fromkeys(use.operation for use in value.uses)
    return [
        op
        for op in users
        if isinstance(op, Conv2dOp | AvgPool2dOp | WinogradInputOp)
        and op.x is value
        and any(map(any, needed_halo(op)))
    ]


def may_write_halo(value: SSAValue) -> bool:
    """Whether the op that makes `value` is free to store it with a border of zeros."""
    # Types of functions and of fused regions are not changed; a reshape is a view of plain storage.
    if isinstance(value.owner, Block | ConstantOp | func.CallOp | FusedOp | ReshapeOp):
        return False
    users = [use.operation for use in value.uses]
    # A maximum over the border would see the zeros, where nothing must count.
    return not any(
        isinstance(op, func.ReturnOp | func.CallOp | FusedOp | ReshapeOp)
        or (isinstance(op, MaxPool2dOp) and any(map(any, needed_halo(op))))
        for op in users
    )


def together(block: Block) -> list[list[SSAValue]]:
    """The values of a network; those in one list lie in one buffer, and so have one halo."""
    values: list[SSAValue] = [*block.args, *(r for op in block.ops for r in op.results)]
    lists = {value: [value] for value in values}
    for op in block.ops:
        if isinstance(op, ConcatOp | SliceOp) and op.in_place is not None:
            for x in op.operands:
                one, other = lists[x], lists[op.y]
                if one is not other:
                    one += other
                    lists |= dict.fromkeys(other, one)
    return list({id(values): values for values in lists.values()}.values())


class AssignHalosPass(ModulePass):
    """
    Store what padded windows read with a border of zeros as wide as the widest of them needs.

    The producer writes the border with the tensor. Only where it cannot (inputs and outputs of the
    network) does a relayout copy the tensor. Concats and slices in place have the halo of their
    operands.
    """

    name = "assign-halos"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for f in op.ops:
            if isinstance(f, func.FuncOp) and not f.is_declaration:
                for values in together(f.body.block):
                    self.assign(values)

    def assign(self, values: Sequence[SSAValue]) -> None:
        """Widen the storage of these values, which lie together, or of copies of them."""
        users = {value: found for value in values if (found := window_users(value))}
        if not users:
            return
        if all(map(may_write_halo, values)):
            halo = union([needed_halo(op) for found in users.values() for op in found])
            for value in values:
                Rewriter.replace_value_with_new_type(value, self.widened(value, halo))
            return
        for value, found in users.items():
            self.copy(value, self.widened(value, union(list(map(needed_halo, found)))), found)

    def widened(self, value: SSAValue, halo: Halo) -> Attribute:
        """The type of `value` with this halo."""
        return stored_as(value.type, layout_of(value.type).with_halo(halo))

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
