"""Ops that compare elements, reason about truth values and choose; and changes of element type."""

from __future__ import annotations

from typing import ClassVar

from xdsl.dialects.builtin import StringAttr, TensorType, i1
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    prop_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from lamina.dialects.elements import ANY, BOOL, INTEGER
from lamina.dialects.graph.attributes import (
    broadcast_shape,
    layout_of,
    shape,
    stored_as,
    tensor_type,
    verify_elements,
)
from lamina.dialects.graph.pointwise import BinaryOp, PointwiseOp, UnaryOp

PREDICATES = ("lt", "le", "gt", "ge", "eq", "ne")
"""of which only `ne` is true where a side is NaN"""


@irdl_op_definition
class CompareOp(PointwiseOp):
    """
    Whether a < b (`lt`), a <= b (`le`), a > b, a >= b, a == b or a != b (`ne`).

    With NaN on a side only `ne` is true; -0 equals 0. Truth values are equal or not.

    %y = graph.compare "lt" %a, %b : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xi1>
    """

    name = "graph.compare"

    predicate = prop_def(StringAttr)
    a = operand_def(TensorType)
    b = operand_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = "$predicate $a `,` $b attr-dict `:` functional-type(operands, results)"

    def __init__(
        self, predicate: str, a: SSAValue, b: SSAValue, y: Attribute | None = None
    ) -> None:
        if y is None:
            y = TensorType(i1, broadcast_shape([shape(a), shape(b)]))
        IRDLOperation.__init__(
            self,
            operands=[a, b],
            properties={"predicate": StringAttr(predicate)},
            result_types=[y],
        )

    def keeps_zero(self) -> bool:
        return self.predicate.data in ("lt", "gt", "ne")

    def verify_kinds(self) -> None:
        if (predicate := self.predicate.data) not in PREDICATES:
            raise VerifyException(
                f'predicate must be one of {", ".join(PREDICATES)}, got "{predicate}"'
            )
        verify_elements(self, [self.a, self.b], *ANY)
        if tensor_type(self.a).element_type == i1 and predicate not in ("eq", "ne"):
            raise VerifyException(f'truth values are compared by eq and ne, got "{predicate}"')
        verify_elements(self, [self.y], BOOL)


@irdl_op_definition
class WhereOp(PointwiseOp):
    """
    The element of `a` where `cond` is true, that of `b` elsewhere.

    %y = graph.where %c, %a, %b : (tensor<4xi1>, tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
    """

    name = "graph.where"

    cond = operand_def(TensorType)
    a = operand_def(TensorType)
    b = operand_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = "$cond `,` $a `,` $b attr-dict `:` functional-type(operands, results)"

    def __init__(
        self, cond: SSAValue, a: SSAValue, b: SSAValue, y: Attribute | None = None
    ) -> None:
        if y is None:
            size = broadcast_shape([shape(x) for x in (cond, a, b)])
            y = TensorType(tensor_type(a).element_type, size)
        IRDLOperation.__init__(self, operands=[cond, a, b], result_types=[y])

    def verify_kinds(self) -> None:
        verify_elements(self, [self.cond], BOOL)
        verify_elements(self, [self.a, self.b, self.y], *ANY)


@irdl_op_definition
class AndOp(BinaryOp):
    """
    Whether both are true; of integers the bits that both have.

    %y = graph.and %a, %b : (tensor<4xi1>, tensor<1xi1>) -> tensor<4xi1>
    """

    name = "graph.and"
    KINDS: ClassVar[tuple[str, ...]] = (BOOL, INTEGER)


@irdl_op_definition
class OrOp(BinaryOp):
    """
    Whether one or both are true; of integers the bits that one or both have.

    %y = graph.or %a, %b : (tensor<4xi1>, tensor<1xi1>) -> tensor<4xi1>
    """

    name = "graph.or"
    KINDS: ClassVar[tuple[str, ...]] = (BOOL, INTEGER)


@irdl_op_definition
class XorOp(BinaryOp):
    """
    Whether one is true and the other is not; of integers the bits that differ.

    %y = graph.xor %a, %b : (tensor<4xi1>, tensor<1xi1>) -> tensor<4xi1>
    """

    name = "graph.xor"
    KINDS: ClassVar[tuple[str, ...]] = (BOOL, INTEGER)


@irdl_op_definition
class NotOp(UnaryOp):
    """
    True where x is false; of integers the bits that x has not.

    %y = graph.not %x : tensor<4xi1> -> tensor<4xi1>
    """

    name = "graph.not"
    KEEPS_ZERO: ClassVar[bool] = False
    KINDS: ClassVar[tuple[str, ...]] = (BOOL, INTEGER)


@irdl_op_definition
class CastOp(UnaryOp):
    """
    Each element as one of another type.

    - to a truth value: whether it is not 0; NaN is true
    - from a truth value: 1 or 0
    - float to integer: towards zero; what the integer type cannot hold becomes its nearest value,
      NaN becomes 0
    - integer to narrower integer: its low bits
    - else the nearest, ties to even

    %y = graph.cast %x : tensor<4xui8> -> tensor<4xf32>
    """

    name = "graph.cast"

    def verify_kinds(self) -> None:
        for value in (self.x, self.y):
            verify_elements(self, [value], *ANY)


def cast_type(x: SSAValue, element: Attribute) -> Attribute:
    """The type of `x` with other elements."""
    return stored_as(TensorType(element, shape(x)), layout_of(x.type))
