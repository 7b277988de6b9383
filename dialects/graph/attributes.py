"""The layout encoding of `graph` tensors, and reading tensor types."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    IntegerType,
    NoneAttr,
    Signedness,
    TensorType,
    i8,
    i32,
)
from xdsl.ir import Attribute, Data, Operation, SSAValue
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

from lamina.dialects.elements import FLOAT, INTEGER, integer_range, kind_of
from lamina.dialects.layout import Layout

SOURCE = "lamina.source"
"""Discardable attribute of an op: the name that the user's model gives to its first result."""
DEVICE = "device"
"""Discardable attribute of an op of a network: the target that runs it, such as `cpu`."""

ui8 = IntegerType(8, Signedness.UNSIGNED)


@irdl_attr_definition
class LayoutAttr(Data[Layout]):
    """
    How a tensor is stored, as the encoding of its type; the shape in the type stays logical. A halo
    is of zeros unless it says otherwise.

    tensor<1x64x56x56xui8, #graph.layout<NCHW16c, halo [1:1, 1:1] of 128>>
    """

    name = "graph.layout"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Layout:
        with parser.in_angle_brackets():
            pos, text = parser.pos, parser.parse_identifier()
            halo, fill = list[tuple[int, int]](), 0
            if parser.parse_optional_punctuation(","):
                parser.parse_keyword("halo")
                halo = parser.parse_comma_separated_list(
                    parser.Delimiter.SQUARE, lambda: _parse_sides(parser)
                )
                if parser.parse_optional_keyword("of"):
                    fill = parser.parse_integer(allow_boolean=False)
            try:
                return Layout.parse(text, halo, fill)
            except ValueError as e:
                parser.raise_error(str(e), pos)

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(str(self.data))


def _parse_sides(parser: AttrParser) -> tuple[int, int]:
    """`1:2`: one element before and two after."""
    before = parser.parse_integer(allow_negative=False)
    parser.parse_punctuation(":")
    return before, parser.parse_integer(allow_negative=False)


def tensor_type(value: SSAValue) -> TensorType:
    """The type of `value`, which its op's definition already requires to be a tensor."""
    assert isa(value.type, TensorType), value.type
    return value.type


def shape(value: SSAValue) -> tuple[int, ...]:
    """The logical shape of a tensor value."""
    return tensor_type(value).get_shape()


def layout_of(type: Attribute) -> Layout:
    """How a tensor of this type is stored; row-major unless its encoding says otherwise."""
    assert isa(type, TensorType), type
    if isinstance(type.encoding, LayoutAttr):
        return type.encoding.data
    return Layout.plain(type.get_num_dims())


def stored_as(type: Attribute, layout: Layout) -> TensorType:
    """The same logical tensor in another layout; row-major is spelled without an encoding."""
    assert isa(type, TensorType), type
    encoding = NoneAttr() if layout.is_plain else LayoutAttr(layout)
    return TensorType(type.element_type, type.shape, encoding)


def verify_layout(type: TensorType) -> None:
    """Refuse a tensor of unknown extents, or an encoding whose rank differs from the tensor's."""
    if any(n == DYNAMIC_INDEX for n in type.get_shape()):
        raise VerifyException(f"needs a tensor whose extents are all known, got {type}")
    layout = layout_of(type)
    if layout.rank != type.get_num_dims():
        raise VerifyException(
            f"layout {layout} describes {layout.rank} dimensions, {type} has {type.get_num_dims()}"
        )
    low, high = integer_range(type.element_type)
    if not low <= layout.fill <= high:
        raise VerifyException(f"a halo of {type} must be of {low} to {high}, got {layout.fill}")


class ElementError(VerifyException):
    """An op is not defined on elements of a type."""


def verify_tensors(op: Operation, *kinds: str) -> None:
    """
    Refuse an op whose operands and results are not of known extents, and of one element type that
    is of one of these kinds: FLOAT if none are given.
    """
    verify_layouts(op)
    verify_elements(op, (*op.operands, *op.results), *kinds)


def verify_layouts(op: Operation) -> None:
    """Refuse operands and results of unknown extents, or whose layouts do not fit."""
    for x in (*op.operands, *op.results):
        verify_layout(tensor_type(x))


def verify_part(whole: SSAValue, part: SSAValue, starts: Sequence[int]) -> None:
    """Refuse unless the bytes that `whole` has from `starts` on are `part` as it is stored."""
    layout, other = layout_of(whole.type), layout_of(part.type)
    if layout != other:
        raise VerifyException(f"in_place needs one layout, got {layout} and {other}")
    if layout.part(shape(whole), shape(part), starts) is None:
        raise VerifyException(
            f"{part.type} is no run of bytes at {list(starts)} of {whole.type}; leave out in_place"
        )


def verify_elements(op: Operation, values: Sequence[SSAValue], *kinds: str) -> None:
    """Refuse unless these have one element type, of one of these kinds: FLOAT if none are given."""
    found = dict.fromkeys(tensor_type(x).element_type for x in values)
    if len(found) > 1:
        raise VerifyException(f"needs one element type, got {', '.join(map(str, found))}")
    for element in found:
        if kind_of(element) not in (kinds or (FLOAT,)):
            needed = " or ".join(kinds or (FLOAT,))
            raise ElementError(f"{op.name} needs elements of kind {needed}, got {element}")


def one_of(op: Operation, what: str, value: SSAValue, *elements: Attribute) -> None:
    """Refuse `value`, which `op` calls `what`, unless its elements are of one of these types."""
    if (element := tensor_type(value).element_type) not in elements:
        needed = " or ".join(map(str, elements))
        raise ElementError(f"{op.name} needs {what} of {needed}, got {element}")


def verify_sum_of_products(
    op: Operation, factors: Sequence[SSAValue], y: SSAValue, bias: SSAValue | None = None
) -> None:
    """
    Refuse sums of products unless all elements are floats of one type; or those of the factors
    integers, each of 8 bits or i32, and the sums and the bias i32.
    """
    verify_layouts(op)
    if any(kind_of(tensor_type(x).element_type) != INTEGER for x in factors):
        verify_elements(op, (*op.operands, *op.results))
        return
    for x in factors:
        one_of(op, "factors", x, ui8, i8, i32)
    one_of(op, "a result", y, i32)
    if bias is not None:
        one_of(op, "a bias", bias, i32)


def sum_element(factor: SSAValue) -> Attribute:
    """The elements of sums of products with `factor`: sums of integers are i32."""
    element = tensor_type(factor).element_type
    return i32 if kind_of(element) == INTEGER else element


def broadcast_shape(shapes: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The shape that equal-rank shapes broadcast to: each dimension is one size, or 1."""
    ranks = [len(s) for s in shapes]
    if len(set(ranks)) > 1:
        raise VerifyException(
            f"operands must have one rank, got {ranks}; reshape to add dimensions"
        )
    result: list[int] = []
    for sizes in zip(*shapes, strict=True):
        size = max(sizes) if 0 not in sizes else 0
        if any(s not in (1, size) for s in sizes):
            raise VerifyException(f"shapes {[list(s) for s in shapes]} do not broadcast")
        result.append(size)
    return tuple(result)


def inherit_source(new: Operation, old: Operation) -> None:
    """`new` computes what `old` did: it takes over its name in the user's model, and its device."""
    for name in (SOURCE, DEVICE):
        if name in old.attributes:
            new.attributes[name] = old.attributes[name]
