"""What an op of a network moves."""

from __future__ import annotations

from math import prod

from xdsl.dialects.builtin import FixedBitwidthType, TensorType
from xdsl.ir import Operation


def bytes_of(op: Operation) -> int:
    """Of its operands and its results, each once."""
    types = (value.type for value in {*op.operands, *op.results})
    return sum(
        prod(t.get_shape()) * t.element_type.size
        for t in types
        if isinstance(t, TensorType) and isinstance(t.element_type, FixedBitwidthType)
    )
