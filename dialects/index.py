"""Index expressions over SSA index values: the attribute that memory ops of `vec` hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar

from xdsl.ir import Data
from xdsl.irdl import IRDLOperation, irdl_attr_definition
from xdsl.irdl.declarative_assembly_format import (
    AttributeVariable,
    CustomDirective,
    ParsingState,
    PrintingState,
    VariadicOperandVariable,
    irdl_custom_directive,
)
from xdsl.parser import AttrParser, Parser, UnresolvedOperand
from xdsl.printer import Printer

from lamina.dialects import expr
from lamina.dialects.expr import Expr


@irdl_attr_definition
class IndexAttr(Data[tuple[Expr, ...]]):
    """
    One expression a dimension; the name "k" in it, printed as dk, is the op's k-th index operand.

    #loop.index<[0, d1 + d0 * 4 + 1]>
    """

    name = "loop.index"
    OPERAND: ClassVar = re.compile(r"\bd(\d+)\b")

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[Expr, ...]:
        def leaf() -> str | None:
            pos, text = parser.pos, parser.parse_optional_identifier()
            if text is None:
                return None
            if (operand := cls.OPERAND.fullmatch(text)) is None:
                parser.raise_error(f"expected an operand d0, d1, ..., got '{text}'", pos)
            return operand[1]

        with parser.in_angle_brackets():
            dims = parser.parse_comma_separated_list(
                parser.Delimiter.SQUARE, lambda: expr.parse(parser, leaf)
            )
            return tuple(dims)

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(str(self))

    def __str__(self) -> str:
        return "[" + ", ".join(e.show("d{}".format) for e in self.data) + "]"

    def map(self, f: Callable[[Expr], Expr]) -> IndexAttr:
        """The index with every expression `e` replaced by `f(e)`."""
        return IndexAttr(tuple(f(e) for e in self.data))


@irdl_custom_directive
class IndexedBy(CustomDirective):
    """`[%oh + 1, %owo * 4]` in an assembly format: an IndexAttr together with its operands."""

    operands: VariadicOperandVariable
    index: AttributeVariable

    def parse(self, parser: Parser, state: ParsingState) -> None:
        found: list[UnresolvedOperand] = []
        names: list[tuple[str, int]] = []

        def leaf() -> str | None:
            if (value := parser.parse_optional_unresolved_operand()) is None:
                return None
            key = value.operand_name, value.index
            if key not in names:
                names.append(key)
                found.append(value)
            return str(names.index(key))

        dims = parser.parse_comma_separated_list(
            parser.Delimiter.SQUARE, lambda: expr.parse(parser, leaf)
        )
        self.operands.set(state, found)
        self.index.set(state, IndexAttr(tuple(dims)))

    def print(self, printer: Printer, state: PrintingState, op: IRDLOperation) -> None:
        operands = self.operands.get(op)
        # split at the operands: the odd parts are their numbers
        for k, part in enumerate(IndexAttr.OPERAND.split(str(self.index.get(op)))):
            if k % 2:
                printer.print_ssa_value(operands[int(part)])
            else:
                printer.print_string(part)
        state.last_was_punctuation = False
        state.should_emit_space = True
