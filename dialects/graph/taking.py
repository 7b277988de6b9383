"""Ops that take elements at places that another tensor holds."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import IntegerAttr, TensorType, i32, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from lamina.dialects.elements import ANY
from lamina.dialects.graph.attributes import (
    shape,
    tensor_type,
    verify_elements,
    verify_layouts,
)


class TakingOp(IRDLOperation):
    """
    Takes elements of `x` along `axis` at `indices`: below zero they count from the end, and beyond
    either end they mean the element there, so that nothing outside is ever read.
    """

    x = operand_def(TensorType)
    indices = operand_def(TensorType)
    axis = prop_def(IntegerAttr.constr(i64))
    y = result_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = (
        "`axis` $axis $x `at` $indices attr-dict `:` type($x) `,` type($indices) `->` type($y)"
    )

    def __init__(
        self, x: SSAValue, axis: int, indices: SSAValue, y: Attribute | None = None
    ) -> None:
        y = TensorType(tensor_type(x).element_type, self.size(x, axis, indices)) if y is None else y
        super().__init__(
            operands=[x, indices], properties={"axis": IntegerAttr(axis, i64)}, result_types=[y]
        )

    @staticmethod
    def size(x: SSAValue, axis: int, indices: SSAValue) -> Sequence[int]:
        """The shape of the result; raises VerifyException if there is none."""
        raise AssertionError("an op says what it takes")

    def verify_(self) -> None:
        verify_layouts(self)
        verify_elements(self, (self.x, self.y), *ANY)
        axis, rank = self.axis.value.data, len(shape(self.x))
        if not 0 <= axis < rank:
            raise VerifyException(f"axis must be from 0 to {rank - 1}, got {axis}")
        if tensor_type(self.indices).element_type not in (i32, i64):
            raise VerifyException(f"indices must be i32 or i64, got {self.indices.type}")
        needed = list(self.size(self.x, axis, self.indices))
        if list(shape(self.y)) != needed:
            raise VerifyException(f"result must have shape {needed}, got {self.y.type}")


@irdl_op_definition
class TakeOp(TakingOp):
    """
    The slices along `axis` at these indices: `y[.., i, ..] = x[.., indices[i], ..]`. An index below
    zero counts from the end; one beyond either end means the slice there.

    %y = graph.take axis 1 %x at %i : tensor<2x3xf32>, tensor<4xi64> -> tensor<2x4xf32>
    """

    name = "graph.take"

    @staticmethod
    def size(x: SSAValue, axis: int, indices: SSAValue) -> Sequence[int]:
        if len(shape(indices)) != 1:
            raise VerifyException(f"indices must have one dimension, got {indices.type}")
        old = shape(x)
        return [*old[:axis], *shape(indices), *old[axis + 1 :]]


@irdl_op_definition
class TakeAlongOp(TakingOp):
    """
    An element for each index: `y[i, j] = x[i, indices[i, j]]` for axis 1 of two dimensions. An
    index below zero counts from the end; one beyond either end means the element there.

    %y = graph.take_along axis 1 %x at %i : tensor<2x3xf32>, tensor<2x4xi64> -> tensor<2x4xf32>
    """

    name = "graph.take_along"

    @staticmethod
    def size(x: SSAValue, axis: int, indices: SSAValue) -> Sequence[int]:
        old, new = shape(x), shape(indices)
        others = [(m, n) for d, (m, n) in enumerate(zip(old, new, strict=False)) if d != axis]
        if len(old) != len(new) or any(m < n for m, n in others):
            raise VerifyException(
                f"indices must have the rank of {x.type}, and no dimension longer than its but"
                f" that of axis {axis}, got {indices.type}"
            )
        return new
