"""How LLVM spells our types and numbers."""

import struct
from collections.abc import Sequence
from math import inf, prod

from xdsl.dialects.builtin import (
    Float16Type,
    Float32Type,
    Float64Type,
    IndexType,
    IntegerType,
    MemRefType,
    VectorType,
)
from xdsl.ir import Attribute
from xdsl.utils.exceptions import DiagnosticException

_FLOATS = {Float16Type: ("half", "f16", 2), Float32Type: ("float", "f32", 4)}
_FLOATS |= {Float64Type: ("double", "f64", 8)}


def llvm_type(t: Attribute) -> str:
    """The LLVM type of a value; a vector of groups is flat, and a memref is where it begins."""
    if isinstance(t, VectorType):
        return f"<{prod(t.get_shape())} x {llvm_type(t.element_type)}>"
    if isinstance(t, MemRefType):
        return "ptr"
    if isinstance(t, IndexType):
        return "i64"
    if isinstance(t, IntegerType):
        return f"i{t.width.data}"
    if (spelling := _FLOATS.get(type(t))) is not None:
        return spelling[0]
    raise DiagnosticException(f"no LLVM type for {t}")


def mangled(t: Attribute) -> str:
    """The suffix of an overloaded intrinsic: `v16f32` for a vector of 16 floats."""
    if isinstance(t, VectorType):
        return f"v{prod(t.get_shape())}{mangled(t.element_type)}"
    spelling = _FLOATS.get(type(t))
    return spelling[1] if spelling else llvm_type(t)


def element_of(t: Attribute) -> Attribute:
    """The element of a vector, or the scalar itself."""
    return t.element_type if isinstance(t, VectorType) else t


def lanes_of(t: Attribute) -> int:
    """How many scalars a value holds: 1 for a scalar."""
    return prod(t.get_shape()) if isinstance(t, VectorType) else 1


def byte_size(t: Attribute) -> int:
    """Bytes of one element in memory; an i1 takes a whole byte, as a NumPy bool does."""
    if isinstance(t, IndexType):
        return 8
    if isinstance(t, IntegerType):
        return (t.width.data + 7) // 8
    if (spelling := _FLOATS.get(type(t))) is not None:
        return spelling[2]
    raise DiagnosticException(f"no size in memory for {t}")


def number(value: float, llvm: str) -> str:
    """A scalar constant of the type that LLVM calls `llvm`; floats are hexadecimal, so exact."""
    if llvm == "half":
        return f"0xH{_rounded(value, '<e'):04X}"
    if llvm == "float":  # LLVM wants the bits of the double that equals the float
        (single,) = struct.unpack("<f", struct.pack("<I", _rounded(value, "<f")))
        return f"0x{_rounded(single, '<d'):016X}"
    if llvm == "double":
        return f"0x{_rounded(value, '<d'):016X}"
    if llvm == "i1":
        return "true" if value else "false"
    return str(value)


def _rounded(value: float, code: str) -> int:
    try:
        return int.from_bytes(struct.pack(code, value), "little")
    except OverflowError:  # beyond the largest finite number
        return int.from_bytes(struct.pack(code, inf if value > 0 else -inf), "little")


def constant(values: Sequence[float], t: Attribute) -> str:
    """A constant of type `t`: a number, a splat, or a vector element by element."""
    if not isinstance(t, VectorType):
        return number(values[0], llvm_type(t))
    element = llvm_type(t.element_type)
    if len(values) == 1 or len(set(map(repr, values))) == 1:  # repr: nan equals nan, 0 not -0
        return f"splat ({element} {number(values[0], element)})"
    return "<" + ", ".join(f"{element} {number(v, element)}" for v in values) + ">"
