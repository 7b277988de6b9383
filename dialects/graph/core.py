"""Constants, layouts, and the ops that hold kernels together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, StringAttr, TensorType
from xdsl.ir import Attribute, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import ConstantLike, IsolatedFromAbove, IsTerminator, Pure
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

from lamina.dialects.elements import ANY
from lamina.dialects.graph.attributes import tensor_type, verify_layout, verify_tensors


@irdl_op_definition
class ConstantOp(IRDLOperation):
    """
    A tensor known at compile time: a few numbers written out, or the key of an array in the store,
    which has the shape of the storage that the type's layout describes.

    %w = graph.constant "9f86d081884c7d65" : tensor<64x3x7x7xf32>
    """

    name = "graph.constant"

    value = prop_def(StringAttr | DenseIntOrFPElementsAttr)
    result = result_def(TensorType)

    traits = traits_def(Pure(), ConstantLike())

    def __init__(
        self, value: str | DenseIntOrFPElementsAttr, type: Attribute | None = None
    ) -> None:
        if isinstance(value, str):
            super().__init__(properties={"value": StringAttr(value)}, result_types=[type])
        else:
            super().__init__(properties={"value": value}, result_types=[type or value.type])

    def verify_(self) -> None:
        verify_layout(tensor_type(self.result))
        if isinstance(self.value, DenseIntOrFPElementsAttr) and self.value.type != self.result.type:
            raise VerifyException(f"value is a {self.value.type}, the result a {self.result.type}")

    # By hand, because a dense attribute ends in its own type.

    @classmethod
    def parse(cls, parser: Parser) -> ConstantOp:
        pos, value = parser.pos, parser.parse_attribute()
        if isinstance(value, StringAttr):
            parser.parse_punctuation(":")
            type = parser.parse_type()
        elif isa(value, DenseIntOrFPElementsAttr):
            type = value.type
        else:
            parser.raise_error(f"expected a key or dense elements, got {value}", pos)
        op = cls.create(properties={"value": value}, result_types=[type])
        op.attributes = parser.parse_optional_attr_dict()
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_attribute(self.value)
        if isinstance(self.value, StringAttr):
            printer.print_string(" : ")
            printer.print_attribute(self.result.type)
        printer.print_op_attributes(self.attributes)


@irdl_op_definition
class RelayoutOp(IRDLOperation):
    """
    The same tensor stored in another layout.

    %y = graph.relayout %x : tensor<1x64x56x56xf32> -> tensor<1x64x56x56xf32, #graph.layout<NCHW16c>>
    """  # noqa: E501

    name = "graph.relayout"

    x = operand_def(TensorType)
    y = result_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = "$x attr-dict `:` type($x) `->` type($y)"

    def __init__(self, x: SSAValue, y: Attribute) -> None:
        super().__init__(operands=[x], result_types=[y])

    def verify_(self) -> None:
        x, y = tensor_type(self.x), tensor_type(self.y)
        verify_tensors(self, *ANY)
        if x.shape != y.shape:
            raise VerifyException(f"a layout changes storage only, got {x} -> {y}")


@irdl_op_definition
class YieldOp(IRDLOperation):
    """
    The values of a `graph.fused` region.

    graph.yield %y : tensor<1x64x56x56xf32>
    """

    name = "graph.yield"

    values = var_operand_def(TensorType)

    traits = traits_def(IsTerminator())
    assembly_format = "attr-dict ($values^ `:` type($values))?"

    def __init__(self, *values: SSAValue) -> None:
        super().__init__(operands=[values])


@irdl_op_definition
class FusedOp(IRDLOperation):
    """
    Ops that become one kernel: the region reads its arguments only, and computes what it yields.

    %y = graph.fused(%x) ({
    ^bb0(%a: tensor<4xf32>):
      %b = graph.relu %a : tensor<4xf32> -> tensor<4xf32>
      graph.yield %b : tensor<4xf32>
    }) : (tensor<4xf32>) -> tensor<4xf32>
    """

    name = "graph.fused"

    inputs = var_operand_def(TensorType)
    body = region_def("single_block")
    results_ = var_result_def(TensorType)

    traits = traits_def(Pure(), IsolatedFromAbove())
    assembly_format = (
        "`(` $inputs `)` `(` $body `)` attr-dict `:` functional-type(operands, results)"
    )

    def __init__(
        self, inputs: Sequence[SSAValue], body: Region, types: Sequence[Attribute]
    ) -> None:
        super().__init__(operands=[inputs], regions=[body], result_types=[types])

    def verify_(self) -> None:
        inside, outside = _types(self.body.block.args), _types(self.inputs)
        if inside != outside:
            raise VerifyException(f"region takes {inside}, operands are {outside}")
        last = self.body.block.last_op
        if not isinstance(last, YieldOp):
            found = last.name if last is not None else "nothing"
            raise VerifyException(f"region must end in graph.yield, got {found}")
        yielded, results = _types(last.values), _types(self.results_)
        if yielded != results:
            raise VerifyException(f"region yields {yielded}, results are {results}")


def _types(values: Iterable[SSAValue]) -> str:
    return f"({', '.join(str(v.type) for v in values)})"
