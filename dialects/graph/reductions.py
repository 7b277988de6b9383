"""Ops that make one number of all elements along some dimensions."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import DenseArrayBase, StringAttr, TensorType, i64
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

from lamina.dialects.elements import BOOL, FLOAT, INTEGER
from lamina.dialects.graph.attributes import shape, tensor_type, verify_tensors

KINDS = ("sum", "mean", "max", "min", "prod", "sum_abs", "sum_square")
"""what `graph.reduce` makes of the elements"""


@irdl_op_definition
class ReduceOp(IRDLOperation):
    """
    The sum, mean, max, min or prod of all elements along `axes`, which stay with size 1; sum_abs
    and sum_square are the sums of |x| and x * x. Of integers all but the mean, in their low bits;
    of truth values max, whether one is true, and min, whether all are.

    %y = graph.reduce "sum" %x over [1, 2] : tensor<2x3x4xf32> -> tensor<2x1x1xf32>
    """

    name = "graph.reduce"

    x = operand_def(TensorType)
    kind = prop_def(StringAttr)
    axes = prop_def(DenseArrayBase.constr(i64))
    y = result_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = "$kind $x `over` $axes attr-dict `:` type($x) `->` type($y)"

    def __init__(
        self, x: SSAValue, kind: str, axes: Sequence[int], y: Attribute | None = None
    ) -> None:
        if y is None:
            size = [1 if d in axes else n for d, n in enumerate(shape(x))]
            y = TensorType(tensor_type(x).element_type, size)
        super().__init__(
            operands=[x],
            properties={"kind": StringAttr(kind), "axes": DenseArrayBase.from_list(i64, axes)},
            result_types=[y],
        )

    def verify_(self) -> None:
        if (kind := self.kind.data) not in KINDS:
            raise VerifyException(f"kind must be one of {', '.join(KINDS)}, got {kind}")
        bools = (BOOL,) if kind in ("max", "min") else ()
        verify_tensors(self, FLOAT, *(() if kind == "mean" else (INTEGER, *bools)))
        size, axes = shape(self.x), list(self.axes.get_values())
        if axes != sorted(set(axes)) or any(not 0 <= d < len(size) for d in axes):
            raise VerifyException(
                f"axes must rise and be from 0 to {len(size) - 1}, got {axes} of {self.x.type}"
            )
        needed = [1 if d in axes else n for d, n in enumerate(size)]
        if list(shape(self.y)) != needed:
            raise VerifyException(f"result must have shape {needed}, got {self.y.type}")
