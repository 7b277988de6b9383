"""Ops that compute each element of the result from the same element of each operand."""

from __future__ import annotations

import math
from abc import ABC
from typing import ClassVar

from xdsl.dialects.builtin import FloatAttr, TensorType, f32
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.irdl.declarative_assembly_format import (
    AttributeVariable,
    CustomDirective,
    ParsingState,
    PrintingState,
    irdl_custom_directive,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from lamina.dialects.elements import FLOAT, INTEGER
from lamina.dialects.graph.attributes import (
    broadcast_shape,
    layout_of,
    shape,
    stored_as,
    tensor_type,
    verify_elements,
    verify_layouts,
)


@irdl_custom_directive
class Bound(CustomDirective):
    """A float that may be `inf` or `-inf`, which the parser of float attributes does not read."""

    value: AttributeVariable

    def parse(self, parser: Parser, state: ParsingState) -> None:
        minus = parser.parse_optional_punctuation("-") is not None
        size = math.inf if parser.parse_optional_keyword("inf") else parser.parse_float()
        self.value.set(state, FloatAttr(-size if minus else size, f32))

    def print(self, printer: Printer, state: PrintingState, op: IRDLOperation) -> None:
        bound = self.value.get(op)
        assert isinstance(bound, FloatAttr)
        state.print_whitespace(printer)
        if math.isinf(size := bound.value.data):
            printer.print_string("inf" if size > 0 else "-inf")
        else:
            printer.print_float(size, f32)


class PointwiseOp(IRDLOperation, ABC):
    """An op on single elements; operands of equal rank broadcast along dimensions of size 1."""

    KEEPS_ZERO: ClassVar[bool] = True
    """
    whether zeros in all operands give zero, so that padding in storage stays zero
    """

    KINDS: ClassVar[tuple[str, ...]] = (FLOAT,)
    """the kinds of elements it is defined on"""

    y = result_def(TensorType)

    def keeps_zero(self) -> bool:
        """KEEPS_ZERO, or what the op's properties make of it."""
        return self.KEEPS_ZERO

    def verify_kinds(self) -> None:
        """Refuse element types that the op is not defined on."""
        verify_elements(self, (*self.operands, self.y), *self.KINDS)

    def verify_(self) -> None:
        verify_layouts(self)
        self.verify_kinds()
        needed = broadcast_shape([shape(x) for x in self.operands])
        if shape(self.y) != needed:
            raise VerifyException(f"result must have shape {list(needed)}, got {self.y.type}")


class UnaryOp(PointwiseOp, ABC):
    """A pointwise op with one operand."""

    x = operand_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = "$x attr-dict `:` type($x) `->` type($y)"

    def __init__(self, x: SSAValue, y: Attribute | None = None) -> None:
        super().__init__(operands=[x], result_types=[y or x.type])


class BinaryOp(PointwiseOp, ABC):
    """A pointwise op with two operands of equal rank."""

    a = operand_def(TensorType)
    b = operand_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = "$a `,` $b attr-dict `:` functional-type(operands, results)"

    def __init__(self, a: SSAValue, b: SSAValue, y: Attribute | None = None) -> None:
        if y is None:
            size = broadcast_shape([shape(a), shape(b)])
            main = a if shape(a) == size else b
            y = stored_as(TensorType(tensor_type(main).element_type, size), layout_of(main.type))
        super().__init__(operands=[a, b], result_types=[y])


@irdl_op_definition
class ReluOp(UnaryOp):
    """
    max(x, 0); NaN stays NaN.

    %y = graph.relu %x : tensor<4xf32> -> tensor<4xf32>
    """

    name = "graph.relu"
    KINDS: ClassVar[tuple[str, ...]] = (FLOAT, INTEGER)


@irdl_op_definition
class SigmoidOp(UnaryOp):
    """
    1 / (1 + exp(-x)).

    %y = graph.sigmoid %x : tensor<4xf32> -> tensor<4xf32>
    """

    name = "graph.sigmoid"
    KEEPS_ZERO: ClassVar[bool] = False


@irdl_op_definition
class TanhOp(UnaryOp):
    """
    The hyperbolic tangent.

    %y = graph.tanh %x : tensor<4xf32> -> tensor<4xf32>
    """

    name = "graph.tanh"


@irdl_op_definition
class ExpOp(UnaryOp):
    """
    The exponential function.

    %y = graph.exp %x : tensor<4xf32> -> tensor<4xf32>
    """

    name = "graph.exp"
    KEEPS_ZERO: ClassVar[bool] = False


@irdl_op_definition
class ErfOp(UnaryOp):
    """
    The error function.

    %y = graph.erf %x : tensor<4xf32> -> tensor<4xf32>
    """

    name = "graph.erf"


@irdl_op_definition
class SqrtOp(UnaryOp):
    """
    The square root; NaN below zero.

    %y = graph.sqrt %x : tensor<4xf32> -> tensor<4xf32>
    """

    name = "graph.sqrt"


@irdl_op_definition
class ClipOp(UnaryOp):
    """
    min(max(x, low), high); NaN stays NaN.

    %y = graph.clip %x between 0.0 and 6.0 : tensor<4xf32> -> tensor<4xf32>
    """

    name = "graph.clip"

    low = prop_def(FloatAttr.constr(f32))
    high = prop_def(FloatAttr.constr(f32))

    custom_directives = (Bound,)
    assembly_format = (
        "$x `between` custom<Bound>($low) `and` custom<Bound>($high)"
        " attr-dict `:` type($x) `->` type($y)"
    )

    def __init__(self, x: SSAValue, low: float, high: float, y: Attribute | None = None) -> None:
        IRDLOperation.__init__(
            self,
            operands=[x],
            properties={"low": FloatAttr(low, f32), "high": FloatAttr(high, f32)},
            result_types=[y or x.type],
        )

    def keeps_zero(self) -> bool:
        return self.low.value.data <= 0 <= self.high.value.data

    def verify_(self) -> None:
        super().verify_()
        low, high = self.low.value.data, self.high.value.data
        if low > high:
            raise VerifyException(f"low {low} is above high {high}")


@irdl_op_definition
class AddOp(BinaryOp):
    """
    a + b; of integers the low bits.

    %y = graph.add %a, %b : (tensor<1x64x56x56xf32>, tensor<1x64x1x1xf32>) -> tensor<1x64x56x56xf32>
    """

    name = "graph.add"
    KINDS: ClassVar[tuple[str, ...]] = (FLOAT, INTEGER)


@irdl_op_definition
class SubOp(BinaryOp):
    """
    a - b; of integers the low bits.

    %y = graph.sub %a, %b : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
    """

    name = "graph.sub"
    KINDS: ClassVar[tuple[str, ...]] = (FLOAT, INTEGER)


@irdl_op_definition
class MulOp(BinaryOp):
    """
    a * b; of integers the low bits.

    %y = graph.mul %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    """

    name = "graph.mul"
    KINDS: ClassVar[tuple[str, ...]] = (FLOAT, INTEGER)


@irdl_op_definition
class DivOp(BinaryOp):
    """
    a / b; of integers towards zero, and 0 where b is 0.

    %y = graph.div %a, %b : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
    """

    name = "graph.div"
    KINDS: ClassVar[tuple[str, ...]] = (FLOAT, INTEGER)
    KEEPS_ZERO: ClassVar[bool] = False


@irdl_op_definition
class MaximumOp(BinaryOp):
    """
    The larger of a and b; NaN if either is NaN.

    %y = graph.maximum %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    """

    name = "graph.maximum"
    KINDS: ClassVar[tuple[str, ...]] = (FLOAT, INTEGER)


@irdl_op_definition
class MinimumOp(BinaryOp):
    """
    The smaller of a and b; NaN if either is NaN.

    %y = graph.minimum %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    """

    name = "graph.minimum"
    KINDS: ClassVar[tuple[str, ...]] = (FLOAT, INTEGER)
