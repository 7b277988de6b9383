"""Numbers inside kernels: constants of one element are part of a formula, not read from memory."""

from __future__ import annotations

import struct
from math import prod

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, f32
from xdsl.ir import SSAValue

from lamina.dialects.elements import INTEGER, integer_range, kind_of
from lamina.dialects.graph import ConstantOp, FusedOp, PointwiseOp, shape, tensor_type
from lamina.dialects.graph.constants import constant, known
from lamina.weights import WeightStore


def number_in(value: SSAValue) -> float | int | None:
    """The number that `value` is everywhere, if it is written out."""
    op = value.owner
    if not isinstance(op, ConstantOp) or not isinstance(op.value, DenseIntOrFPElementsAttr):
        return None
    element, data = tensor_type(value).element_type, op.value.data.data
    if prod(shape(value)) != 1:
        return None
    if kind_of(element) == INTEGER:
        return int.from_bytes(data, "little", signed=integer_range(element)[0] < 0)
    return struct.unpack("<f", data)[0] if element == f32 else None


def inline_numbers(fused: FusedOp, store: WeightStore) -> FusedOp:
    """fused(%x, constant of one element) -> fused(%x) with the constant inside, written out"""
    block, kept = fused.body.block, list[SSAValue]()
    for x, arg in zip(list(fused.inputs), list(block.args), strict=True):
        pointwise = all(isinstance(use.operation, PointwiseOp) for use in arg.uses)
        array = known(x, store) if prod(shape(x)) == 1 and pointwise else None
        written = constant(array, store) if array is not None else None
        if written is None or number_in(written.result) is None:
            kept.append(x)
            continue
        first = block.first_op
        assert first is not None
        block.insert_op_before(written, first)
        arg.replace_all_uses_with(written.result)
        block.erase_arg(arg)
    if len(kept) == len(fused.inputs):
        return fused
    new = FusedOp(kept, fused.detach_region(0), [r.type for r in fused.results])
    new.attributes = dict(fused.attributes)
    return new
