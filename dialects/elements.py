"""Elements of tensors and buffers: their kinds, and what they are once they are loaded."""

from __future__ import annotations

from xdsl.dialects.builtin import AnyFloat, IntegerType, Signedness, f16, f32
from xdsl.ir import Attribute
from xdsl.utils.hints import isa

FLOAT, INTEGER, BOOL = "float", "integer", "bool"
ANY = (FLOAT, INTEGER, BOOL)
"""the kinds of elements; a bool is an i1, which is no integer here"""


def kind_of(element: Attribute) -> str | None:
    """The kind of an element type; None if it is no number."""
    if isa(element, AnyFloat):
        return FLOAT
    if isa(element, IntegerType):
        return BOOL if element.width.data == 1 else INTEGER
    return None


def is_unsigned(element: Attribute) -> bool:
    """Whether an element is an integer without negative numbers: ui8 is, i8 is not, nor is i1."""
    return isa(element, IntegerType) and element.signedness.data is Signedness.UNSIGNED


def integer_range(element: Attribute) -> tuple[int, int]:
    """The smallest and the largest integer of an element type; 0 and 0 if it is no integer."""
    if not isa(element, IntegerType) or kind_of(element) != INTEGER:
        return 0, 0
    bits = element.width.data
    return (0, (1 << bits) - 1) if is_unsigned(element) else (-1 << bits - 1, (1 << bits - 1) - 1)


def scalar_of(element: Attribute) -> Attribute:
    """
    What an element is once it is loaded: a ui8 is an i8, because scalars and lanes have no sign.

    Ops say themselves whether they read an integer as signed.
    """
    if isa(element, IntegerType) and element.signedness.data is not Signedness.SIGNLESS:
        return IntegerType(element.width.data)
    return element


def loaded_as(element: Attribute) -> tuple[Attribute, ...]:
    """
    What ops may load an element as, and store it from: itself, and an f16 also as an f32.

    Each f16 is an f32 exactly; an f32 that is stored as an f16 is rounded to the nearest, ties to
    even, beyond 65504 to infinity.
    """
    return (f16, f32) if element == f16 else (scalar_of(element),)


def is_rounded(value: Attribute, element: Attribute) -> bool:
    """Whether numbers of type `value` are rounded where they are stored as `element`."""
    return value != scalar_of(element)
