"""Elements of tensors and buffers: their kinds, and what they are once they are loaded."""

from __future__ import annotations

from xdsl.dialects.builtin import AnyFloat, IntegerType, Signedness
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
