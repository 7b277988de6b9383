"""Between real numbers and 8 bits that stand for them: scales and zero points are tensors."""

from __future__ import annotations

from abc import ABC

from xdsl.dialects.builtin import TensorType, f32, i8, i32
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, traits_def
from xdsl.traits import Pure

from lamina.dialects.elements import is_unsigned
from lamina.dialects.graph.attributes import (
    broadcast_shape,
    layout_of,
    one_of,
    shape,
    stored_as,
    tensor_type,
    ui8,
)
from lamina.dialects.graph.pointwise import PointwiseOp

STORAGE: tuple[Attribute, ...] = (ui8, i8)
"""elements of 8 bits that stand for real numbers"""


class ScaledOp(PointwiseOp, ABC):
    """
    A pointwise op with a scale and a zero point: all 1 long for the whole tensor, or as long as a
    dimension of it, which then has them for each of its indices.
    """

    x = operand_def(TensorType)
    scale = operand_def(TensorType)
    zero = operand_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = "$x `,` $scale `,` $zero attr-dict `:` functional-type(operands, results)"

    def __init__(
        self, x: SSAValue, scale: SSAValue, zero: SSAValue, y: Attribute | None = None
    ) -> None:
        if y is None:
            size = broadcast_shape([shape(v) for v in (x, scale, zero)])
            y = TensorType(self.element(zero), size)
            y = stored_as(y, layout_of(x.type)) if shape(x) == size else y
        IRDLOperation.__init__(self, operands=[x, scale, zero], result_types=[y])

    @staticmethod
    def element(zero: SSAValue) -> Attribute:
        """The element type of the result, for this zero point."""
        return tensor_type(zero).element_type


class ToStorageOp(ScaledOp, ABC):
    """A scaled op whose result is of the 8 bits of its zero point."""

    def verify_kinds(self) -> None:
        one_of(self, "x", self.x, f32, i32)
        one_of(self, "scale", self.scale, f32)
        one_of(self, "zero", self.zero, *STORAGE)
        one_of(self, "the result", self.y, tensor_type(self.zero).element_type)


@irdl_op_definition
class QuantizeOp(ToStorageOp):
    """
    saturate(round_half_even(f32(x) / scale) + zero), as ONNX's QuantizeLinear and `int8.quantize`;
    the smallest number of the result's type where x / scale is NaN.

    %y = graph.quantize %x, %scale, %zero : (tensor<1x64x56x56xf32>, tensor<1x64x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x64x56x56xui8>
    """  # noqa: E501

    name = "graph.quantize"

    def keeps_zero(self) -> bool:
        return is_unsigned(tensor_type(self.y).element_type)  # 0 / 0 is NaN: the smallest number


@irdl_op_definition
class DequantizeOp(ScaledOp):
    """
    f32(x - zero) * scale, as ONNX's DequantizeLinear and `int8.dequantize`; the difference is
    exact, of i32 its low 32 bits.

    %y = graph.dequantize %x, %scale, %zero : (tensor<1x64x56x56xui8>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x64x56x56xf32>
    """  # noqa: E501

    name = "graph.dequantize"

    @staticmethod
    def element(zero: SSAValue) -> Attribute:
        return f32

    def verify_kinds(self) -> None:
        one_of(self, "x", self.x, *STORAGE, i32)
        one_of(self, "scale", self.scale, f32)
        one_of(self, "zero", self.zero, tensor_type(self.x).element_type)
        one_of(self, "the result", self.y, f32)


@irdl_op_definition
class RequantizeOp(ToStorageOp):
    """
    saturate(round_half_even(f32(x) * scale) + zero), as `int8.requantize`: first x is rounded to
    f32, then the product is; the rest is exact.

    %y = graph.requantize %x, %scale, %zero : (tensor<1x64x56x56xi32>, tensor<1x64x1x1xf32>, tensor<1x1x1x1xui8>) -> tensor<1x64x56x56xui8>
    """  # noqa: E501

    name = "graph.requantize"
