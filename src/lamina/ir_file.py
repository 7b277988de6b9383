"""Reading IR: text to modules, `.mlir` files with the weights beside them, errors with a place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xdsl.context import Context
from xdsl.dialects.builtin import AnyFloat, ComplexType, IndexType, IntegerType, ModuleOp
from xdsl.ir import Operation
from xdsl.parser import AttrParser, Parser, ParserState
from xdsl.utils.exceptions import ParseError, VerifyException
from xdsl.utils.lexer import Input
from xdsl.utils.mlir_lexer import MLIRLexer

from lamina.context import LaminaContext
from lamina.errors import LaminaError
from lamina.weights import WeightError


def read_ir(path: Path, ctx: LaminaContext) -> ModuleOp:
    """The verified module in `path`; weights come from the `.safetensors` beside it, if any."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as e:
        raise LaminaError(f"{path}: is not IR text: {e.reason} at byte {e.start}") from e
    weights = path.with_suffix(".safetensors")
    if weights.is_file():
        try:
            ctx.weights.load(weights)
        except WeightError as e:
            raise LaminaError(str(e)) from e
    parser = IrParser(ctx, text, str(path))
    try:
        module = parser.parse_module()
    except ParseError as e:
        raise LaminaError(f"{e.span.get_location()}: {e.msg}") from e
    except VerifyException as e:  # an attribute that is wrong in itself
        raise LaminaError(f"{parser.here()}: {e}") from e
    except RecursionError as e:
        raise LaminaError(f"{path}: is nested too deeply to be read") from e
    try:
        module.verify()
    except VerifyException as e:
        op = first_invalid(module) or module
        raise LaminaError(f"{parser.position_of(op)}: '{op.name}': {e}") from e
    return module


def first_invalid(module: ModuleOp) -> Operation | None:
    """The op that makes a module fail to verify; None if it is none by itself."""
    return next((op for op in module.walk() if not _is_valid(op)), None)


def _is_valid(op: Operation) -> bool:
    try:
        op.verify(verify_nested_ops=False)
    except VerifyException:
        return False
    return True


@dataclass
class _HexElement(AttrParser._TensorLiteralElement):
    """An element of a dense constant written in hexadecimal: of a float it is the bits."""

    def to_type(
        self, parser: AttrParser, type: AnyFloat | IntegerType | IndexType | ComplexType
    ) -> Any:
        if not isinstance(type, AnyFloat) or not isinstance(self.value, int):
            return super().to_type(parser, type)
        try:
            bits = self.value.to_bytes(type.compile_time_size, "little")
        except OverflowError:
            parser.raise_error(f"needs the bits of {type}, found '{self.span.text}'", self.span)
        return type.unpack(bits, 1)[0]


class _Lexer(MLIRLexer):
    """xDSL's lexer, but the search for the end of a string that has none ends in linear time."""

    _unescaped_characters_regex = re.compile(r'"(?:[^"\\\n\v\f]|\\(?:["nt\\]|[0-9A-Fa-f]{2}))*+"')


class IrParser(Parser):
    """
    xDSL's parser, which also remembers where each operation begins, and reads back what xDSL
    prints: in a dense constant it takes the bits of a float, 0x4B400000, for a number of its own.
    The text may be a part of its file, behind `first_line` lines.
    """

    def __init__(self, ctx: Context, text: str, name: str, first_line: int = 0) -> None:
        super().__init__(ctx, "", name)
        self._parser_state = ParserState(_Lexer(Input(text, name)))
        self._name, self._text, self._first_line = name, text, first_line
        self._starts: dict[Operation, int] = {}

    def parse_operation(self) -> Operation:
        start = self.pos
        op = super().parse_operation()
        self._starts[op] = start
        return op

    def _parse_tensor_literal_element(self) -> AttrParser._TensorLiteralElement:
        element = super()._parse_tensor_literal_element()
        if element.span.text.lstrip("-")[:2] in ("0x", "0X"):
            return _HexElement(element.is_negative, element.value, element.span)
        return element

    def here(self) -> str:
        """Where the parser stopped, as file:line:column."""
        return self._at(self.pos)

    def position_of(self, op: Operation) -> str:
        """Where `op` begins, as file:line:column."""
        return self._at(self._starts.get(op, 0))

    def _at(self, position: int) -> str:
        line_start = self._text.rfind("\n", 0, position) + 1
        line = self._first_line + self._text.count("\n", 0, position) + 1
        return f"{self._name}:{line}:{position - line_start + 1}"
