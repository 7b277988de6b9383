"""Ops that move elements without computing."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from xdsl.dialects.builtin import DenseArrayBase, IntegerAttr, TensorType, UnitAttr, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from lamina.dialects.elements import ANY
from lamina.dialects.graph.attributes import (
    layout_of,
    shape,
    stored_as,
    tensor_type,
    verify_part,
    verify_tensors,
)


@irdl_op_definition
class ConcatOp(IRDLOperation):
    """
    Lay tensors one after another along dimension `axis`. With `in_place` after the axis nothing is
    copied: each operand is stored as a part of the result, in which it must be one run of bytes.

    %y = graph.concat axis 1 %a, %b : (tensor<1x64x8x8xf32>, tensor<1x32x8x8xf32>) -> tensor<1x96x8x8xf32>
    """  # noqa: E501

    name = "graph.concat"

    xs = var_operand_def(TensorType)
    axis = prop_def(IntegerAttr.constr(i64))
    in_place = opt_prop_def(UnitAttr)
    y = result_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = (
        "`axis` $axis (`in_place` $in_place^)? $xs attr-dict `:` functional-type(operands, results)"
    )

    def __init__(self, xs: Sequence[SSAValue], axis: int, y: Attribute | None = None) -> None:
        if y is None:
            size = list(shape(xs[0]))
            size[axis] = sum(shape(x)[axis] for x in xs)
            y = stored_as(TensorType(tensor_type(xs[0]).element_type, size), layout_of(xs[0].type))
        super().__init__(
            operands=[xs], properties={"axis": IntegerAttr(axis, i64)}, result_types=[y]
        )

    def verify_(self) -> None:
        verify_tensors(self, *ANY)
        axis, out = self.axis.value.data, list(shape(self.y))
        if not 0 <= axis < len(out):
            raise VerifyException(f"axis must be from 0 to {len(out) - 1}, got {axis}")
        if not self.xs:
            raise VerifyException(f"needs operands for its result {self.y.type}, got none")
        for x in self.xs:
            size = list(shape(x))
            if size[:axis] + size[axis + 1 :] != out[:axis] + out[axis + 1 :]:
                raise VerifyException(f"{x.type} differs from {self.y.type} outside axis {axis}")
        total = sum(shape(x)[axis] for x in self.xs)
        if total != out[axis]:
            raise VerifyException(f"operands hold {total} along axis {axis}, got {self.y.type}")
        if self.in_place is not None:
            for x, starts in zip(self.xs, self.starts(), strict=True):
                verify_part(self.y, x, starts)

    def starts(self) -> list[tuple[int, ...]]:
        """For each operand, where in the result its first element is."""
        axis, rank, at = self.axis.value.data, len(shape(self.y)), 0
        found: list[tuple[int, ...]] = []
        for x in self.xs:
            found.append(tuple(at if d == axis else 0 for d in range(rank)))
            at += shape(x)[axis]
        return found


@irdl_op_definition
class ReshapeOp(IRDLOperation):
    """
    The same elements in row-major order, in another shape.

    %y = graph.reshape %x : tensor<1x512x1x1xf32> -> tensor<1x512xf32>
    """

    name = "graph.reshape"

    x = operand_def(TensorType)
    y = result_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = "$x attr-dict `:` type($x) `->` type($y)"

    def __init__(self, x: SSAValue, y: Attribute) -> None:
        super().__init__(operands=[x], result_types=[y])

    def verify_(self) -> None:
        verify_tensors(self, *ANY)
        x, y = prod(shape(self.x)), prod(shape(self.y))
        if x != y:
            raise VerifyException(f"{self.x.type} has {x} elements, {self.y.type} has {y}")


@irdl_op_definition
class TransposeOp(IRDLOperation):
    """
    Permute dimensions: `y.shape[i] == x.shape[perm[i]]`.

    %y = graph.transpose %x [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
    """

    name = "graph.transpose"

    x = operand_def(TensorType)
    perm = prop_def(DenseArrayBase.constr(i64))
    y = result_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = "$x $perm attr-dict `:` type($x) `->` type($y)"

    def __init__(self, x: SSAValue, perm: Sequence[int], y: Attribute | None = None) -> None:
        if y is None:
            size = [shape(x)[p] for p in perm]
            y = TensorType(tensor_type(x).element_type, size)
        super().__init__(
            operands=[x],
            properties={"perm": DenseArrayBase.from_list(i64, perm)},
            result_types=[y],
        )

    def verify_(self) -> None:
        verify_tensors(self, *ANY)
        size, perm = shape(self.x), list(self.perm.get_values())
        if sorted(perm) != list(range(len(size))):
            raise VerifyException(
                f"perm must reorder the {len(size)} dimensions of {self.x.type}, got {perm}"
            )
        needed = [size[p] for p in perm]
        if list(shape(self.y)) != needed:
            raise VerifyException(f"result must have shape {needed}, got {self.y.type}")
