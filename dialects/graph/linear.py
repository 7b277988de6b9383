"""Products of matrices that are both computed at run time."""

from __future__ import annotations

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, result_def, traits_def
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from lamina.dialects.graph.attributes import (
    broadcast_shape,
    shape,
    sum_element,
    verify_sum_of_products,
)


@irdl_op_definition
class MatmulOp(IRDLOperation):
    """
    y[..., m, n] = sum over k of a[..., m, k] * b[..., k, n]; the dimensions in front broadcast.
    Integers of 8 bits or i32 are summed up in i32, modulo 2**32.

    %y = graph.matmul %a, %b : (tensor<2x4x49x32xf32>, tensor<1x4x32x49xf32>) -> tensor<2x4x49x49xf32>
    """  # noqa: E501

    name = "graph.matmul"

    a = operand_def(TensorType)
    b = operand_def(TensorType)
    y = result_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = "$a `,` $b attr-dict `:` functional-type(operands, results)"

    def __init__(self, a: SSAValue, b: SSAValue, y: Attribute | None = None) -> None:
        if y is None:
            batch = broadcast_shape([shape(a)[:-2], shape(b)[:-2]])
            y = TensorType(sum_element(a), [*batch, shape(a)[-2], shape(b)[-1]])
        super().__init__(operands=[a, b], result_types=[y])

    def verify_(self) -> None:
        verify_sum_of_products(self, [self.a, self.b], self.y)
        a, b, y = shape(self.a), shape(self.b), shape(self.y)
        if min(len(a), len(b)) < 2 or a[-1] != b[-2]:
            raise VerifyException(
                f"needs [..., m, k] and [..., k, n], got {self.a.type} and {self.b.type}"
            )
        if y != (wanted := (*broadcast_shape([a[:-2], b[:-2]]), a[-2], b[-1])):
            raise VerifyException(f"result must have shape {list(wanted)}, got {self.y.type}")
