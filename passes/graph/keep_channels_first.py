"""Compute on channels where they are, between a transpose that makes them last and one back."""

from __future__ import annotations

from typing import ClassVar

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, TensorType, i64
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from lamina.dialects.graph import (
    AlongAxisOp,
    ConstantOp,
    Conv2dOp,
    DenseOp,
    NormalizeOp,
    PointwiseOp,
    ReduceOp,
    ReshapeOp,
    TransposeOp,
    inherit_source,
    shape,
    tensor_type,
)
from lamina.dialects.graph.windows import ints

LAST = [0, 2, 3, 1]
"""the permutation that makes channels last"""

FIRST = [0, 3, 1, 2]
"""the permutation back"""


def permutation(op: object) -> list[int]:
    """How `op` permutes dimensions; empty if it is no transpose."""
    return list(op.perm.get_values()) if isinstance(op, TransposeOp) else []


def product_of_pixels(op: Operation) -> tuple[SSAValue, DenseOp] | None:
    """The x and product of reshape(dense(reshape(x: n,h,w,c -> n*h*w,c), w): -> n,h,w,o)"""
    dense = op.x.owner if isinstance(op, ReshapeOp) else None
    apart = dense.x.owner if isinstance(dense, DenseOp) else None
    if not isinstance(dense, DenseOp) or not isinstance(apart, ReshapeOp):
        return None
    size, new = shape(apart.x), shape(op.results[0])
    if len(size) != 4 or len(new) != 4 or size[:3] != new[:3] or size[3] != shape(dense.x)[1]:
        return None
    return apart.x, dense


class Region:
    """The ops between transposes to channels last and one back, if all can do without."""

    def __init__(self, last: TransposeOp) -> None:
        self.last = last
        self.ops: dict[Operation, None] = {}
        """those that are replaced, operands first"""
        self.begins = False
        """whether a transpose to channels last leads here"""

    def found(self) -> bool:
        """Whether all values between come from such transposes and constants, and stay inside."""
        return self.reaches(self.last.x) and self.begins and self.is_closed()

    def reaches(self, value: SSAValue) -> bool:
        """Whether `value` is computed in ways that know channels first as well."""
        op = value.owner
        if permutation(op) == LAST:
            self.begins = True
            return True
        if isinstance(op, ConstantOp):
            return len(shape(value)) == 4
        if not isinstance(op, Operation) or op in self.ops:
            return isinstance(op, Operation)
        if (product := product_of_pixels(op)) is not None:
            x, dense = product
            inside = [dense.x.owner, dense, op]
            if not self.reaches(x):
                return False
        elif isinstance(op, PointwiseOp | NormalizeOp | AlongAxisOp | ReduceOp):
            inside = [op]
            if len(shape(value)) != 4 or not all(map(self.reaches, op.operands)):
                return False
        else:
            return False
        self.ops |= dict.fromkeys(o for o in inside if isinstance(o, Operation))
        return True

    def is_closed(self) -> bool:
        """Whether nothing else reads what is computed between."""
        readers = {use.operation for op in self.ops for r in op.results for use in r.uses}
        return readers <= {*self.ops, self.last}


class Rewrite:
    """Writes the ops of a region again, with channels first."""

    def __init__(self, region: Region) -> None:
        self.builder = Builder(InsertPoint.before(region.last))
        self.made: dict[SSAValue, SSAValue] = {}

    def first(self, value: SSAValue) -> SSAValue:
        """`value` with its channels first."""
        op = value.owner
        assert isinstance(op, Operation)
        if isinstance(op, TransposeOp):
            return op.x
        if value not in self.made:
            new = self.written(op)
            inherit_source(new, op)
            new.results[0].name_hint = value.name_hint
            self.made[value] = new.results[0]
        return self.made[value]

    def written(self, op: Operation) -> Operation:
        """`op` with channels first."""
        if isinstance(op, ConstantOp):
            return self.builder.insert(TransposeOp(op.result, FIRST))
        if (product := product_of_pixels(op)) is not None:
            x, dense = product
            w = TensorType(tensor_type(dense.w).element_type, [*shape(dense.w), 1, 1])
            weights = self.builder.insert(ReshapeOp(dense.w, w))
            return self.builder.insert(Conv2dOp(self.first(x), weights.y, dense.bias))
        y = op.results[0]
        n, h, w, c = shape(y)
        new = type(op).create(
            operands=[self.first(x) for x in op.operands],
            properties=op.properties,
            result_types=[TensorType(tensor_type(y).element_type, [n, c, h, w])],
        )
        if isinstance(new, NormalizeOp | ReduceOp):
            new.axes = ints(sorted(LAST[d] for d in new.axes.get_values()))
        if isinstance(new, AlongAxisOp):
            new.axis = IntegerAttr(LAST[new.axis.value.data], i64)
        return self.builder.insert(new)


class KeepChannelsFirstPass(ModulePass):
    """
    Drop pairs of transposes to channels last and back, and compute between them on channels first.

    Networks whose layer normalizations and products are over the last dimension are then the
    convolutions of one pixel that they might have been: they take part in layouts and fusion.
    """

    name = "keep-channels-first"
    numerics: ClassVar[str] = "tolerance 1e-5"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for last in [t for t in op.walk() if permutation(t) == FIRST]:
            assert isinstance(last, TransposeOp)
            region = Region(last)
            if not region.found():
                continue
            value = Rewrite(region).first(last.x)
            Rewriter.replace_op(last, [], [value])
            for dead in reversed(region.ops):
                Rewriter.erase_op(dead)
        for transpose in [t for t in op.walk() if permutation(t) == LAST]:
            if not transpose.results[0].uses:
                Rewriter.erase_op(transpose)
