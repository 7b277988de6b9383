"""Which values are other values' bytes, so that nothing is to be done for them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from operator import mul

from xdsl.dialects.builtin import FixedBitwidthType
from xdsl.ir import Operation, SSAValue

from lamina.dialects.graph import (
    ConcatOp,
    RelayoutOp,
    ReshapeOp,
    SliceOp,
    TransposeOp,
    layout_of,
    shape,
    tensor_type,
)


def renames(op: Operation) -> bool:
    """Whether `op` gives the bytes of its operand, all of them, another type."""
    if isinstance(op, RelayoutOp):
        return layout_of(op.x.type).stores_like(layout_of(op.y.type), shape(op.x))
    if isinstance(op, ReshapeOp):
        return layout_of(op.x.type).is_plain and layout_of(op.y.type).is_plain
    if isinstance(op, TransposeOp):
        x, y, perm = layout_of(op.x.type), layout_of(op.y.type), op.perm.get_values()
        moved = [(perm[d.of], d.unit, d.size) for d in y.dims]
        return not x.halo and not y.halo and moved == [(d.of, d.unit, d.size) for d in x.dims]
    return False


def is_view(op: Operation) -> bool:
    """Whether nothing is to be done for `op`: its result's bytes are those of its operands."""
    return renames(op) or (isinstance(op, ConcatOp | SliceOp) and op.in_place is not None)


def origin(value: SSAValue) -> SSAValue:
    """The value that has the same bytes as `value`, no more and no less, and was there first."""
    while isinstance(value.owner, Operation) and renames(value.owner):
        value = value.owner.operands[0]
    return value


def source(value: SSAValue) -> SSAValue:
    """The value of which the bytes of `value` are all or, by slices in place, a part."""
    value = origin(value)
    while isinstance(value.owner, SliceOp) and value.owner.in_place is not None:
        value = origin(value.owner.x)
    return value


def parts_of(op: Operation) -> list[tuple[SSAValue, SSAValue, Sequence[int]]]:
    """(part, whole, where the part begins in it) for each operand of a concat, or for a slice."""
    if isinstance(op, ConcatOp):
        return [(x, op.y, starts) for x, starts in zip(op.xs, op.starts(), strict=True)]
    if isinstance(op, SliceOp) and op.is_consecutive():
        return [(op.y, op.x, op.starts.get_values())]
    return []


def is_part(part: SSAValue, whole: SSAValue, starts: Sequence[int]) -> bool:
    """Whether `part` is stored, but for halos, as the run of bytes that `whole` has from there."""
    layout = layout_of(whole.type)
    alike = layout.text == layout_of(part.type).text
    return alike and layout.with_halo(()).part(shape(whole), shape(part), starts) is not None


def begins_at(whole: SSAValue, starts: Sequence[int], alignment: int) -> bool:
    """Whether what lies in `whole` from `starts` on is a run from a multiple of these bytes on."""
    layout = layout_of(whole.type)
    rest = [n - start for n, start in zip(shape(whole), starts, strict=True)]
    at = layout.with_halo(()).part(shape(whole), rest, starts)
    if at is None:
        return False
    strides = accumulate(reversed(layout.apply_shape(shape(whole))[1:]), mul, initial=1)
    offset = sum(k * s for k, s in zip(reversed(at), strides, strict=True))
    element = tensor_type(whole).element_type
    assert isinstance(element, FixedBitwidthType), element
    return offset * element.size % alignment == 0
