"""Lanes and groups of a type, and integers in an assembly format."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import IntAttr, VectorType
from xdsl.ir import Attribute
from xdsl.irdl import IRDLOperation
from xdsl.irdl.declarative_assembly_format import (
    AttributeVariable,
    CustomDirective,
    ParsingState,
    PrintingState,
    irdl_custom_directive,
)
from xdsl.parser import Parser
from xdsl.printer import Printer


@irdl_custom_directive
class Number(CustomDirective):
    """A plain integer in an assembly format, for an IntAttr."""

    value: AttributeVariable

    def parse(self, parser: Parser, state: ParsingState) -> None:
        self.value.set(state, IntAttr(parser.parse_integer()))

    def print(self, printer: Printer, state: PrintingState, op: IRDLOperation) -> None:
        state.print_whitespace(printer)
        printer.print_string(str(cast(IntAttr, self.value.get(op)).data))


def shape_of(type: Attribute) -> tuple[int, ...]:
    """Lanes and group of a value of this type; a scalar has none."""
    return cast(VectorType, type).get_shape() if isinstance(type, VectorType) else ()


def element_of(type: Attribute) -> Attribute:
    """What one element of a value of this type is."""
    return cast(VectorType, type).element_type if isinstance(type, VectorType) else type
