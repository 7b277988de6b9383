"""Batch normalization, and products with constant matrices."""

from __future__ import annotations

from xdsl.dialects.builtin import FloatAttr, TensorType, f32
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from lamina.dialects.graph.attributes import (
    shape,
    sum_element,
    verify_sum_of_products,
    verify_tensors,
)


@irdl_op_definition
class BatchNormOp(IRDLOperation):
    """
    (x - mean) / sqrt(var + epsilon) * scale + bias, all four per channel (dimension 1).

    %y = graph.batch_norm %x, %scale, %bias, %mean, %var epsilon 1.0e-05 : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
    """  # noqa: E501

    name = "graph.batch_norm"

    x = operand_def(TensorType)
    scale = operand_def(TensorType)
    bias = operand_def(TensorType)
    mean = operand_def(TensorType)
    var = operand_def(TensorType)
    epsilon = prop_def(FloatAttr.constr(f32))
    y = result_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = (
        "$x `,` $scale `,` $bias `,` $mean `,` $var `epsilon` $epsilon"
        " attr-dict `:` functional-type(operands, results)"
    )

    def __init__(
        self,
        x: SSAValue,
        scale: SSAValue,
        bias: SSAValue,
        mean: SSAValue,
        var: SSAValue,
        epsilon: float,
        y: Attribute | None = None,
    ) -> None:
        super().__init__(
            operands=[x, scale, bias, mean, var],
            properties={"epsilon": FloatAttr(epsilon, f32)},
            result_types=[y or x.type],
        )

    def verify_(self) -> None:
        verify_tensors(self)
        if len(shape(self.x)) < 2 or shape(self.x) != shape(self.y):
            raise VerifyException(f"needs N, C and more, got {self.x.type} -> {self.y.type}")
        for p in (self.scale, self.bias, self.mean, self.var):
            if shape(p) != (shape(self.x)[1],):
                raise VerifyException(
                    f"{self.x.type} needs [{shape(self.x)[1]}] per channel, got {p.type}"
                )


@irdl_op_definition
class DenseOp(IRDLOperation):
    """
    y[n, o] = bias[o] + sum over i of x[n, i] * w[o, i]. Integers of 8 bits or i32 are summed up in
    i32, modulo 2**32, with a bias of i32.

    %y = graph.dense %x, %w bias %b : (tensor<1x512xf32>, tensor<10x512xf32>, tensor<10xf32>) -> tensor<1x10xf32>
    """  # noqa: E501

    name = "graph.dense"

    x = operand_def(TensorType)
    w = operand_def(TensorType)
    bias = opt_operand_def(TensorType)
    y = result_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = "$x `,` $w (`bias` $bias^)? attr-dict `:` functional-type(operands, results)"

    def __init__(
        self, x: SSAValue, w: SSAValue, bias: SSAValue | None = None, y: Attribute | None = None
    ) -> None:
        y = y or TensorType(sum_element(x), [shape(x)[0], shape(w)[0]])
        super().__init__(operands=[x, w, bias], result_types=[y])

    def verify_(self) -> None:
        verify_sum_of_products(self, [self.x, self.w], self.y, self.bias)
        x, w, y = shape(self.x), shape(self.w), shape(self.y)
        if len(x) != 2 or len(w) != 2 or x[1] != w[1] or y != (x[0], w[0]):
            raise VerifyException(
                f"needs [n, i], [o, i] -> [n, o], got {self.x.type}, {self.w.type} -> {self.y.type}"
            )
        if self.bias is not None and shape(self.bias) != (w[0],):
            raise VerifyException(f"bias must have shape [{w[0]}], got {self.bias.type}")
