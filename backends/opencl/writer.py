"""The text of one OpenCL kernel while it grows: names, types, addresses."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count, pairwise
from math import gcd, isfinite, isnan
from typing import cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    Float16Type,
    Float32Type,
    Float64Type,
    IndexType,
    IntegerType,
)
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.utils.exceptions import DiagnosticException

from lamina.dialects.expr import Div, Expr, Ranges
from lamina.dialects.loop import ForOp, extent_at
from lamina.dialects.vector import MemoryOp, element_of, shape_of

FLOATS = {Float16Type: "half", Float32Type: "float", Float64Type: "double"}
INTEGERS = {8: "char", 16: "short", 32: "int", 64: "long"}
RESERVED = frozenset(
    """
    auto break case char const constant continue default do double else enum extern float for
    global goto half if inline int kernel lane local long private quad restrict return short signed
    size_t sizeof static struct switch typedef uchar uint ulong union unsigned ushort void volatile
    while bool ceil copysign cos erf exp exp2 fabs floor fma fmax fmin fmod log log2 max min pow
    rint round rsqrt sin sqrt tanh trunc get_group_id get_local_id get_sub_group_local_id vload4
    vstore4 barrier NAN INFINITY CLK_LOCAL_MEM_FENCE ROLLED
    """.split()
)
"""Words that mean something else in a kernel."""

GRID = "lamina.grid"
"""Attribute of a nest: for each of its indices the dimension of the grid that it comes from."""
LANES = "lamina.lanes"
"""Attribute of a nest: who the lanes of its vectors are; without it, a subgroup."""
DIMENSIONS = 3

Handler = Callable[["Writer", Operation], None]


@dataclass
class Writer:
    """What the printers of single ops share."""

    function: FuncOp
    width: int
    """how many lanes there are"""
    subgroups: bool
    """whether they are a subgroup, which has functions of its own, or only work-items"""
    handlers: Mapping[type[Operation], Handler]
    lines: list[str] = field(default_factory=list[str])
    indent: int = 1
    names: dict[SSAValue, str] = field(default_factory=dict[SSAValue, str])
    """how a value is written where it is used: a variable, or the text of a constant"""
    taken: set[str] = field(default_factory=set[str])
    lanes: dict[int, str] = field(default_factory=dict[int, str])
    """how many lanes of a vector there are -> the variable with the number of this one"""

    @property
    def group(self) -> str:
        """What a vector is, in words."""
        return "a subgroup" if self.subgroups else "a work-group"

    def error(self, message: str) -> DiagnosticException:
        """A refusal that says which function is meant."""
        return DiagnosticException(f"opencl: @{self.function.sym_name.data}: {message}")

    def grid_of(self, nest: ForOp) -> tuple[int, ...]:
        """The dimension of the grid of each index of `nest`."""
        found = nest.attributes[GRID]
        if isinstance(found, DenseArrayBase):
            dimensions = found.get_values()
            known = all(isinstance(d, int) and 0 <= d < DIMENSIONS for d in dimensions)
            if known and len(dimensions) == len(nest.extents):
                return tuple(map(int, dimensions))
        raise self.error(
            f"{GRID} needs a dimension below {DIMENSIONS} for each of {len(nest.extents)} indices, "
            f"got {found}"
        )

    def emit(self, op: Operation) -> None:
        """Print one op."""
        if (handler := self.handlers.get(type(op))) is None:
            raise self.error(f"no OpenCL for {op.name}")
        handler(self, op)

    def line(self, text: str) -> None:
        """Add a line."""
        self.lines.append("    " * self.indent + text)

    def define(self, value: SSAValue, text: str) -> None:
        """Declare a variable for `value`."""
        type = self.type(value.type)
        self.line(f"const {type} {self.name(value)} = {text};")

    def name(self, value: SSAValue) -> str:
        """The name of `value`: what the IR calls it, made a unique word of C."""
        if value not in self.names:
            self.names[value] = self.fresh(value.name_hint)
        return self.names[value]

    def fresh(self, hint: str | None) -> str:
        """A name that nothing else has: `hint`, `hint_1`, ..., or `v0`, `v1`, ... without one."""
        word = re.sub(r"\W", "_", hint) if hint else "v"
        numbered = (f"{word}_{k}" if hint else f"v{k}" for k in count(1 if hint else 0))
        names = chain([word] if hint else [], numbered)
        name = next(n for n in names if n not in self.taken and n not in RESERVED)
        self.taken.add(name)
        return name

    def type(self, type: Attribute) -> str:
        """The C type of one lane; integers are unsigned, as they have no sign in the IR."""
        if shape := shape_of(type):
            if shape[0] > self.width:
                raise self.error(
                    f"{self.group} has {self.width} lanes, {type} has {shape[0]}; "
                    f"vec-split{{lanes={self.width}}} cuts wider vectors"
                )
            if len(shape) > 1:
                if shape[1:] != (4,) or element_of(type) != IntegerType(8):
                    raise self.error(f"a lane holds one element or 4 bytes, not those of {type}")
                return "uint"
        return self.element(element_of(type))

    def element(self, type: Attribute) -> str:
        """The C type of one element."""
        match type:
            case IndexType():
                return "uint"
            case IntegerType() if type.width.data in INTEGERS:
                return f"u{INTEGERS[type.width.data]}"
            case IntegerType() if type.width.data == 1:
                return "bool"
            case Float16Type() | Float32Type() | Float64Type():
                return FLOATS[type.__class__]
            case _:
                raise self.error(f"no OpenCL type for {type}")

    def stored(self, type: Attribute) -> str:
        """The C type of one element in memory."""
        return "uchar" if (name := self.element(type)) == "bool" else name

    def literal(self, op: arith.ConstantOp) -> str:
        """
        The text of a constant. The lanes of a vector must be the same, or integers the same step
        apart: those are computed from the number of the lane.
        """
        value, type = op.value, element_of(op.result.type)
        if isinstance(value, DenseIntOrFPElementsAttr):
            number, *others = numbers = cast(Sequence[float], value.get_values())
            steps = {b - a for a, b in pairwise(numbers)}
            many = shape_of(op.result.type)[1:]
            if not many and len(steps) == 1 and steps != {0} and isinstance(type, IntegerType):
                step, lane = number_text(steps.pop(), type), self.lane(len(numbers))
                return f"({self.element(type)})({number_text(number, type)} + {lane} * {step})"
            if many or any(other != number for other in others):
                raise self.error(
                    f"the lanes of a constant must be the same, or as far apart, got {value}"
                )
        else:
            number = value.value.data  # pyright: ignore[reportAttributeAccessIssue]
        return number_text(number, type)  # pyright: ignore[reportArgumentType]

    def lane(self, count: int = 0) -> str:
        """
        The number of this work-item in its group. In a vector of only `count` lanes the rest of
        the work-items do again what the last lane does, so that none reads beyond its end.
        """
        count = count if count < self.width else 0
        if count:
            self.lane()
        if count not in self.lanes:
            self.lanes[count] = self.fresh(f"lane_of_{count}") if count else "lane"
        return self.lanes[count]

    def declarations(self) -> list[str]:
        """The variables with the number of this lane."""
        mine = "get_sub_group_local_id()" if self.subgroups else "get_local_id(0)"
        found = [f"min(lane, {n - 1}u)" if n else mine for n in self.lanes]
        named = zip(self.lanes.values(), found, strict=True)
        return [f"    const uint {name} = {text};" for name, text in named]

    def address(self, op: MemoryOp, lane_stride: int = 0, count: int = 0) -> str:
        """
        Where an access begins, in elements from the start of its buffer; with a stride between the
        `count` lanes, where that of this work-item is.
        """
        offset, ranges = op.offset, ranges_of(op)
        text = self.index(offset.simplify(ranges), op, ranges)
        if not lane_stride:
            return text
        lane = self.lane(count)
        lanes = lane if lane_stride == 1 else f"{lane} * {lane_stride}"
        return lanes if text == "0" else f"{text} + {lanes}"

    def index(self, e: Expr, op: MemoryOp, ranges: Ranges) -> str:
        """
        An expression in unsigned arithmetic, which wraps around to the right result. What is taken
        away comes last: added to a pointer term by term, nothing wraps around before its end.
        """
        added, taken = list[str](), list[str]()
        for atom, c in e.terms:
            part = self._atom(atom, op, ranges)
            part = f"({part})" if isinstance(atom, Div) and c != 1 else part
            (taken if c < 0 else added).append(f"{part} * {abs(c)}" if abs(c) != 1 else part)
        if e.const or not added:
            (taken if e.const < 0 else added).append(str(abs(e.const)))
        return " - ".join([" + ".join(added or ["0"]), *taken])

    def _atom(self, atom: str | Div, op: MemoryOp, ranges: Ranges) -> str:
        """An index, or a quotient or rest of what cannot be negative."""
        if not isinstance(atom, Div):
            return self.name(op.indices[int(atom)])
        limits = atom.of.bounds(ranges)
        if limits is None or limits[0] < 0:
            raise self.error(
                f"{op.name} divides {atom.of.show('d{}'.format)}, which may be negative"
            )
        inner = self.index(atom.of, op, ranges)
        sign = "/" if atom.kind == "floordiv" else "%"
        return f"{inner if inner.isidentifier() else f'({inner})'} {sign} {atom.by}"

    def alignment(self, op: MemoryOp) -> int:
        """The address is a multiple of this many bytes, if the buffer is; 0: the buffer itself."""
        size = byte_size(op.memref.element_type)
        offset = op.offset.simplify(ranges_of(op))
        return gcd(offset.const, *(c for _, c in offset.terms)) * size


def ranges_of(op: MemoryOp) -> dict[str, int]:
    """How many values the indices of `op` have, by position: steps of a loop, or of a type."""
    return {str(k): n for k, v in enumerate(op.indices) if (n := _extent_at(v, op)) is not None}


def _extent_at(index: SSAValue, op: Operation) -> int | None:
    if isinstance(index.owner, arith.IndexCastOp):
        read = index.owner.input.owner
        if isinstance(read, arith.ExtUIOp) and isinstance(read.input.type, IntegerType):
            return 1 << read.input.type.width.data
    return extent_at(index, op)


def byte_size(type: Attribute) -> int:
    """Bytes of one element; an i1 takes one."""
    return (type.bitwidth + 7) // 8  # pyright: ignore[reportAttributeAccessIssue]


def number_text(number: float, type: Attribute) -> str:
    """A literal with exactly this value."""
    if isinstance(type, IntegerType):
        width = type.width.data
        text = f"{int(number) % (1 << width)}u{'l' if width > 32 else ''}"
        return f"(({'uchar' if width == 8 else 'ushort'}){text})" if width in (8, 16) else text
    if isinstance(type, IndexType):
        return str(int(number))
    if not isfinite(number):
        text = "NAN" if isnan(number) else "INFINITY"
    else:
        text = repr(abs(number)) + {Float16Type: "h", Float32Type: "f"}.get(type.__class__, "")
    return f"(-{text})" if struct.pack(">d", number)[0] & 0x80 and not isnan(number) else text
