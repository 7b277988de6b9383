"""Back to 8 bits in integers alone: the op beside `graph.requantize` that rounds no real number."""

from __future__ import annotations

from xdsl.dialects.builtin import IntegerAttr, TensorType, i32, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    prop_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from lamina.dialects.elements import integer_range
from lamina.dialects.graph.attributes import one_of, tensor_type
from lamina.dialects.graph.pointwise import PointwiseOp
from lamina.dialects.graph.quantization import STORAGE


@irdl_op_definition
class RequantizeFixedOp(PointwiseOp):
    """
    saturate(((x * multiplier + 2**(32 + shift)) >> (33 + shift)) + zero), as
    `int8.requantize_fixed`: x times multiplier / 2**(33 + shift), rounded once, ties to the larger.
    Multiplier and shift are for the whole tensor, or for each index of dimensions.

    %y = graph.requantize_fixed %x, %multiplier, %shift zero 128 : (tensor<1x64x56x56xi32>, tensor<1x64x1x1xi32>, tensor<1x64x1x1xi32>) -> tensor<1x64x56x56xui8>
    """  # noqa: E501

    name = "graph.requantize_fixed"

    x = operand_def(TensorType)
    multiplier = operand_def(TensorType)
    shift = operand_def(TensorType)
    zero = prop_def(IntegerAttr.constr(type=i64))

    traits = traits_def(Pure())
    assembly_format = (
        "$x `,` $multiplier `,` $shift `zero` $zero attr-dict"
        " `:` functional-type(operands, results)"
    )

    def __init__(
        self, x: SSAValue, multiplier: SSAValue, shift: SSAValue, zero: int, y: Attribute
    ) -> None:
        super().__init__(
            operands=[x, multiplier, shift],
            properties={"zero": IntegerAttr(zero, i64)},
            result_types=[y],
        )

    @property
    def zero_point(self) -> int:
        """The number that stands for 0."""
        return self.zero.value.data

    def keeps_zero(self) -> bool:
        return self.zero_point == 0

    def verify_kinds(self) -> None:
        for what in ("x", "multiplier", "shift"):
            one_of(self, what, getattr(self, what), i32)
        one_of(self, "the result", self.y, *STORAGE)
        low, high = integer_range(element := tensor_type(self.y).element_type)
        if not low <= self.zero_point <= high:
            raise VerifyException(
                f"the zero point of {element} must be in {low}..{high}, got {self.zero_point}"
            )
