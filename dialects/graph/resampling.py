"""Ops that read a tensor between its elements."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import DenseArrayBase, TensorType, i32, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from lamina.dialects.elements import ANY, FLOAT
from lamina.dialects.graph.attributes import (
    shape,
    tensor_type,
    verify_elements,
    verify_layouts,
)
from lamina.dialects.graph.windows import ints


def verify_tables(at: Sequence[SSAValue], weights: Sequence[SSAValue], rank: int) -> None:
    """Refuse tables of places that are no integers of this rank, or that the weights do not fit."""
    for table in at:
        if tensor_type(table).element_type != i32 or len(shape(table)) != rank:
            raise VerifyException(f"places must be i32 in {rank} dimensions, got {table.type}")
    for table, w in zip(at, weights, strict=bool(weights)):
        if shape(table) != shape(w):
            raise VerifyException(f"places {table.type} have weights {w.type}")


def verify_sum(
    op: IRDLOperation, x: SSAValue, weights: Sequence[SSAValue], y: SSAValue, one_tap: bool
) -> None:
    """Refuse to sum up or weigh what is no float; one tap without a weight may be anything."""
    verify_elements(op, [x, y], *(ANY if one_tap and not weights else (FLOAT,)))
    verify_elements(op, [x, *weights], *ANY)


@irdl_op_definition
class ResampleOp(IRDLOperation):
    """
    Weighted sums of elements at places that tables hold, along some dimensions. Along one of them
    `y[o] = sum over k of w[o, k] * x[at[o, k]]`; along several, the sum is over the k of each, and
    a weight the product of theirs. Without weights they are 1; one tap without a weight may be of
    elements of any type. The places must be inside x.
    All of resizing is this op, whatever filters, roundings and corners it was spelled with: those
    are in the tables, of which a kernel knows no more than how many taps there are.

    %y = graph.resample %x over [1] at(%at : tensor<8x2xi32>) weights(%w : tensor<8x2xf32>) : tensor<2x3xf32> -> tensor<2x8xf32>
    """  # noqa: E501

    name = "graph.resample"

    x = operand_def(TensorType)
    at = var_operand_def(TensorType)
    weights = var_operand_def(TensorType)
    axes = prop_def(DenseArrayBase.constr(i64))
    y = result_def(TensorType)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(Pure())
    assembly_format = (
        "$x `over` $axes `at` `(` $at `:` type($at) `)`"
        " (`weights` `(` $weights^ `:` type($weights) `)`)? attr-dict `:` type($x) `->` type($y)"
    )

    def __init__(
        self,
        x: SSAValue,
        axes: Sequence[int],
        at: Sequence[SSAValue],
        weights: Sequence[SSAValue] = (),
        y: Attribute | None = None,
    ) -> None:
        if y is None:
            size = list(shape(x))
            for d, table in zip(axes, at, strict=True):
                size[d] = shape(table)[0]
            y = TensorType(tensor_type(x).element_type, size)
        super().__init__(
            operands=[x, at, weights], properties={"axes": ints(axes)}, result_types=[y]
        )

    def verify_(self) -> None:
        verify_layouts(self)
        one_tap = all(shape(table)[-1:] == (1,) for table in self.at)
        verify_sum(self, self.x, self.weights, self.y, one_tap)
        x, y, axes = shape(self.x), shape(self.y), list(self.axes.get_values())
        if not axes or axes != sorted(set(axes)) or axes[0] < 0 or axes[-1] >= len(x):
            raise VerifyException(f"axes must rise from 0 to at most {len(x) - 1}, got {axes}")
        if len(self.at) != len(axes) or len(self.weights) not in (0, len(axes)):
            raise VerifyException(
                f"needs places for each of the axes {axes}, and weights or none, got"
                f" {len(self.at)} and {len(self.weights)}"
            )
        verify_tables(self.at, self.weights, rank=2)
        needed = list(x)
        for d, table in zip(axes, self.at, strict=True):
            needed[d] = shape(table)[0]
        if list(y) != needed:
            raise VerifyException(f"result must have shape {needed}, got {self.y.type}")


@irdl_op_definition
class SampleOp(IRDLOperation):
    """
    Weighted sums of pixels at places that differ from pixel to pixel of the result, but are those
    of all channels: with tables i and j for two dimensions, `y[n, c, h, w] = sum over k and m of
    v[k, n, h, w] * w[m, n, h, w] * x[n, c, i[k, n, h, w], j[m, n, h, w]]`, and so for any number of
    dimensions behind the channels. Without weights they are 1. The places must be
    inside x.

    %y = graph.sample %x at(%i, %j : tensor<2x1x5x7xi32>, tensor<1x1x5x7xi32>) weights(%v, %w : tensor<2x1x5x7xf32>, tensor<1x1x5x7xf32>) : tensor<1x3x8x8xf32> -> tensor<1x3x5x7xf32>
    """  # noqa: E501

    name = "graph.sample"

    x = operand_def(TensorType)
    at = var_operand_def(TensorType)
    weights = var_operand_def(TensorType)
    y = result_def(TensorType)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(Pure())
    assembly_format = (
        "$x `at` `(` $at `:` type($at) `)` (`weights` `(` $weights^ `:` type($weights) `)`)?"
        " attr-dict `:` type($x) `->` type($y)"
    )

    def __init__(
        self,
        x: SSAValue,
        at: Sequence[SSAValue],
        weights: Sequence[SSAValue] = (),
        y: Attribute | None = None,
    ) -> None:
        if y is None:
            size = [*shape(x)[:2], *shape(at[0])[2:]]
            y = TensorType(tensor_type(x).element_type, size)
        super().__init__(operands=[x, at, weights], result_types=[y])

    def verify_(self) -> None:
        verify_layouts(self)
        one_tap = all(shape(table)[:1] == (1,) for table in self.at)
        verify_sum(self, self.x, self.weights, self.y, one_tap)
        x, y = shape(self.x), shape(self.y)
        if len(x) < 3 or len(self.at) != len(x) - 2 or len(self.weights) not in (0, len(x) - 2):
            raise VerifyException(
                f"needs places for each dimension of {self.x.type} behind the channels, and weights"
                f" or none, got {len(self.at)} and {len(self.weights)}"
            )
        verify_tables(self.at, self.weights, rank=len(x))
        for table in self.at:
            if (*x[:2], *shape(table)[2:]) != y or shape(table)[1] != x[0]:
                raise VerifyException(f"places {table.type} do not make {self.y.type}")
