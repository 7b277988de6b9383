"""The attributes of `te.compute`: its axes, its index maps, its bounds and its schedule."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import MappingProxyType

from xdsl.ir import Data
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from lamina.dialects import expr
from lamina.dialects.expr import Expr

MARKS = ("parallel", "unroll", "vector")
"""How an axis may be carried out; without a mark it is a serial loop."""

VERBS = MappingProxyType(
    {
        "split": "split AXIS BY OUTER INNER",
        "order": "order AXIS...",
        "parallel": "parallel AXIS...",
        "unroll": "unroll AXIS...",
        "vector": "vector AXIS...",
        "dot4": "dot4 AXIS",
    }
)
"""The directives of a schedule and the words each of them takes."""

Bound = tuple[Expr, int]
"""`e < n`"""
Binding = tuple[str, int]
"""A name for an integer that is read, and an extent: it promises 0 <= name < extent."""
Directive = tuple[str, ...]
"""A verb and its arguments."""


@dataclass(frozen=True, slots=True)
class Axis:
    """`reduce ic: 64 unroll`: a name that runs over 0 .. extent-1."""

    name: str
    extent: int
    reduce: bool = False
    mark: str = ""

    def __str__(self) -> str:
        reduce, mark = "reduce " * self.reduce, f" {self.mark}" if self.mark else ""
        return f"{reduce}{self.name}: {self.extent}{mark}"


@irdl_attr_definition
class AxesAttr(Data[tuple[Axis, ...]]):
    """
    The axes in loop order, outermost first: reordering the nest is permuting this list.

    #te.axes<(oc: 64, oh: 56 parallel, reduce ic: 64)>
    """

    name = "te.axes"

    @classmethod
    def read(cls, parser: AttrParser) -> tuple[Axis, ...]:
        """Parse `(oc: 64, reduce ic: 64 unroll)`."""

        def axis() -> Axis:
            reduce = parser.parse_optional_keyword("reduce") is not None
            name = parser.parse_identifier()
            parser.parse_punctuation(":")
            extent = parser.parse_integer(allow_boolean=False)
            return Axis(name, extent, reduce, parser.parse_optional_keyword_in(MARKS) or "")

        return tuple(parser.parse_comma_separated_list(parser.Delimiter.PAREN, axis))

    def __str__(self) -> str:
        return f"({', '.join(map(str, self.data))})"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[Axis, ...]:
        with parser.in_angle_brackets():
            return cls.read(parser)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self}>")


@irdl_attr_definition
class AccessAttr(Data[tuple[tuple[Expr, ...], float | None, Binding | None]]):
    """
    Which element of a buffer is meant, one expression a dimension, and what is read outside of it.
    With `as`, the integer read there has a name for the accesses of the inputs that follow.

    #te.access<[ic floordiv 16, kh + oh - 1, ic mod 16] pad 0.0>
    #te.access<[oh] as ih: 56>
    """

    name = "te.access"

    @property
    def index(self) -> tuple[Expr, ...]:
        """One expression a dimension."""
        return self.data[0]

    @property
    def pad(self) -> float | None:
        """What is read outside the buffer; None: it is never read there."""
        return self.data[1]

    @property
    def binds(self) -> Binding | None:
        """The name of the integer that is read, and its extent."""
        return self.data[2]

    @staticmethod
    def of(
        index: Iterable[Expr], pad: float | None = None, binds: Binding | None = None
    ) -> AccessAttr:
        """The access of an element; `pad` and `binds` as in the text."""
        return AccessAttr((tuple(index), pad, binds))

    def named(self, name: str, extent: int) -> AccessAttr:
        """The access with a name for the integer that is read."""
        return AccessAttr.of(self.index, self.pad, (name, extent))

    def map(self, f: Callable[[Expr], Expr]) -> AccessAttr:
        """The access with `f` applied to every expression."""
        return AccessAttr.of((f(e) for e in self.index), self.pad, self.binds)

    @classmethod
    def read(cls, parser: AttrParser) -> tuple[tuple[Expr, ...], float | None, Binding | None]:
        """Parse `[ic, oh + kh - 1] pad 0.0` or `[oh] as ih: 56`."""
        index = parser.parse_comma_separated_list(
            parser.Delimiter.SQUARE, lambda: _read_expr(parser)
        )
        pad = _read_float(parser) if parser.parse_optional_keyword("pad") else None
        binds = _read_binding(parser) if parser.parse_optional_keyword("as") else None
        return tuple(index), pad, binds

    def __str__(self) -> str:
        index, pad, binds = self.data
        text = f"[{', '.join(e.show() for e in index)}]"
        text += "" if pad is None else f" pad {_show_float(pad)}"
        return text if binds is None else f"{text} as {binds[0]}: {binds[1]}"

    @classmethod
    def parse_parameter(
        cls, parser: AttrParser
    ) -> tuple[tuple[Expr, ...], float | None, Binding | None]:
        with parser.in_angle_brackets():
            return cls.read(parser)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self}>")


@irdl_attr_definition
class BoundsAttr(Data[tuple[Bound, ...]]):
    """
    Points of the domain outside a bound are not computed.

    #te.bounds<owi + owo * 6 < 56>
    """

    name = "te.bounds"

    @classmethod
    def read(cls, parser: AttrParser) -> tuple[Bound, ...]:
        """Parse `owi + owo * 6 < 56, c < 3`."""
        none = parser.Delimiter.NONE
        return tuple(parser.parse_comma_separated_list(none, lambda: _read_bound(parser)))

    def __str__(self) -> str:
        return ", ".join(f"{e.show()} < {n}" for e, n in self.data)

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[Bound, ...]:
        angle = parser.Delimiter.ANGLE
        return tuple(parser.parse_comma_separated_list(angle, lambda: _read_bound(parser)))

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self}>")


@irdl_attr_definition
class ScheduleAttr(Data[tuple[Directive, ...]]):
    """
    Directives, carried out first to last by `te-schedule`.

    #te.schedule<[split ow 14 owo owi, order oc oh owo owi, unroll owi, vector oc]>
    """

    name = "te.schedule"

    @classmethod
    def from_text(cls, text: str) -> ScheduleAttr:
        """The schedule `split ow 14 owo owi, vector oc`, without brackets."""
        return cls(tuple(tuple(d.split()) for d in text.split(",") if d.strip()))

    @classmethod
    def read(cls, parser: AttrParser) -> tuple[Directive, ...]:
        """Parse `[split ow 14 owo owi, vector oc]`."""

        def directive() -> Directive:
            start = parser.pos
            words = [parser.parse_identifier()]
            while True:
                if (n := parser.parse_optional_integer(allow_boolean=False)) is not None:
                    words.append(str(n))
                elif (word := parser.parse_optional_identifier()) is not None:
                    words.append(word)
                else:
                    break
            if fault := _fault(tuple(words)):
                parser.raise_error(fault, start, parser.pos)
            return tuple(words)

        return tuple(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, directive))

    def __str__(self) -> str:
        return f"[{', '.join(' '.join(words) for words in self.data)}]"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[Directive, ...]:
        with parser.in_angle_brackets():
            return cls.read(parser)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self}>")

    def verify(self) -> None:
        for words in self.data:
            if fault := _fault(words):
                raise VerifyException(fault)


def _fault(words: Directive) -> str | None:
    """What is wrong with the shape of a directive; whether it can be honoured is for the passes."""
    if not words or words[0] not in VERBS:
        known = ", ".join(VERBS)
        return f"unknown directive '{' '.join(words)}', expected one of {known}"
    usage = VERBS[words[0]].split()
    short = len(words) < len(usage)
    if short or (len(words) > len(usage) and not usage[-1].endswith("...")):
        return f"expected '{VERBS[words[0]]}', got '{' '.join(words)}'"
    if words[0] == "split" and not words[2].lstrip("-").isdigit():
        return f"expected '{VERBS['split']}' with a number BY, got '{' '.join(words)}'"
    return None


def _read_expr(parser: AttrParser) -> Expr:
    return expr.parse(parser, parser.parse_optional_identifier)


def _read_bound(parser: AttrParser) -> Bound:
    e = _read_expr(parser)
    parser.parse_punctuation("<")
    return e, parser.parse_integer(allow_boolean=False)


def _read_binding(parser: AttrParser) -> Binding:
    name = parser.parse_identifier()
    parser.parse_punctuation(":")
    return name, parser.parse_integer(allow_boolean=False)


def _read_float(parser: AttrParser) -> float:
    sign = -1.0 if parser.parse_optional_punctuation("-") else 1.0
    if word := parser.parse_optional_keyword_in(("inf", "nan")):
        return sign * float(word)
    return sign * float(parser.parse_number())


def _show_float(value: float) -> str:
    """The shortest text that reads back as the same number."""
    if not math.isfinite(value):
        return str(value)
    digits, e, exponent = repr(value).partition("e")
    return digits + ("" if "." in digits else ".0") + e + exponent
