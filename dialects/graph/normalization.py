"""Ops that set the elements along some dimensions in relation to each other."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence

from xdsl.dialects.builtin import DenseArrayBase, FloatAttr, IntegerAttr, TensorType, f32, i64
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

from lamina.dialects.graph.attributes import shape, verify_tensors


@irdl_op_definition
class NormalizeOp(IRDLOperation):
    """
    (x - m) / sqrt(v + epsilon), where m is the mean of x along `axes` and v the mean of (x - m)^2.

    %y = graph.normalize %x axes [2, 3] epsilon 1.0e-05 : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
    """

    name = "graph.normalize"

    x = operand_def(TensorType)
    axes = prop_def(DenseArrayBase.constr(i64))
    epsilon = prop_def(FloatAttr.constr(f32))
    y = result_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = "$x `axes` $axes `epsilon` $epsilon attr-dict `:` type($x) `->` type($y)"

    def __init__(
        self, x: SSAValue, axes: Sequence[int], epsilon: float, y: Attribute | None = None
    ) -> None:
        super().__init__(
            operands=[x],
            properties={
                "axes": DenseArrayBase.from_list(i64, axes),
                "epsilon": FloatAttr(epsilon, f32),
            },
            result_types=[y or x.type],
        )

    def verify_(self) -> None:
        verify_tensors(self)
        if shape(self.x) != shape(self.y):
            raise VerifyException(f"result must have the shape of {self.x.type}, got {self.y.type}")
        axes, rank = list(self.axes.get_values()), len(shape(self.x))
        if not axes or axes != sorted(set(axes)) or axes[0] < 0 or axes[-1] >= rank:
            raise VerifyException(f"axes must be from 0 to {rank - 1} and ascend, got {axes}")
        if self.epsilon.value.data < 0:
            raise VerifyException(f"epsilon must not be negative, got {self.epsilon.value.data}")


class AlongAxisOp(IRDLOperation, ABC):
    """An op that computes each row along dimension `axis` from that row alone."""

    x = operand_def(TensorType)
    axis = prop_def(IntegerAttr.constr(i64))
    y = result_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = "`axis` $axis $x attr-dict `:` type($x) `->` type($y)"

    def __init__(self, x: SSAValue, axis: int, y: Attribute | None = None) -> None:
        super().__init__(
            operands=[x],
            properties={"axis": IntegerAttr(axis, i64)},
            result_types=[y or x.type],
        )

    def verify_(self) -> None:
        verify_tensors(self)
        if shape(self.x) != shape(self.y):
            raise VerifyException(f"result must have the shape of {self.x.type}, got {self.y.type}")
        if not 0 <= (axis := self.axis.value.data) < len(shape(self.x)):
            raise VerifyException(f"axis must be from 0 to {len(shape(self.x)) - 1}, got {axis}")


@irdl_op_definition
class SoftmaxOp(AlongAxisOp):
    """
    exp(x - m) / sum(exp(x - m)) along dimension `axis`, where m is the maximum there.

    %y = graph.softmax axis 1 %x : tensor<1x1000xf32> -> tensor<1x1000xf32>
    """

    name = "graph.softmax"


@irdl_op_definition
class LogSoftmaxOp(AlongAxisOp):
    """
    x - m - log(sum(exp(x - m))) along dimension `axis`, where m is the maximum there.

    %y = graph.log_softmax axis 1 %x : tensor<1x1000xf32> -> tensor<1x1000xf32>
    """

    name = "graph.log_softmax"
