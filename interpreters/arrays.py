"""How IR types and constants look as NumPy arrays."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    Float16Type,
    Float32Type,
    Float64Type,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    Signedness,
    TensorType,
    VectorType,
)
from xdsl.ir import Attribute
from xdsl.utils.exceptions import InterpretationError

Shaped = TensorType | MemRefType | VectorType


def dtype_of(type: Attribute) -> np.dtype:
    """The NumPy element type of a scalar, vector, tensor or memref type."""
    if isinstance(type, Shaped):
        type = type.element_type
    match type:
        case Float16Type():
            return np.dtype(np.float16)
        case Float32Type():
            return np.dtype(np.float32)
        case Float64Type():
            return np.dtype(np.float64)
        case IndexType():
            return np.dtype(np.int64)
        case IntegerType() if type.width.data == 1:
            return np.dtype(np.bool_)
        case IntegerType() if type.width.data in (8, 16, 32, 64):
            kind = "u" if type.signedness.data is Signedness.UNSIGNED else "i"
            return np.dtype(f"{kind}{type.width.data // 8}")
    raise InterpretationError(f"no NumPy type for {type}; use f16, f32, f64, index or i1 to i64")


def shape_of(type: Attribute) -> tuple[int, ...]:
    """The static shape of a shaped type; () for a scalar."""
    if not isinstance(type, Shaped):
        return ()
    shape = type.get_shape()
    if any(n < 0 for n in shape):
        raise InterpretationError(f"needed a static shape, got {type}")
    return shape


def unwritten(type: Attribute) -> np.ndarray:
    """
    A buffer as it is before anything is written to it: every element is NaN, or, in the integers of
    a width, the bytes ff 7f repeated, so that a read of memory nobody wrote shows in the result.
    """
    dtype, shape = dtype_of(type), shape_of(type)
    size = int(np.prod(shape)) * dtype.itemsize
    if dtype.kind == "b":
        return np.ones(shape, dtype)
    raw = np.full(size // 2 + 1, 0x7FFF, "<u2").view(np.uint8)[:size]
    return raw.copy().view(dtype).reshape(shape)


def signless(array: np.ndarray) -> np.ndarray:
    """A buffer as loads and stores see it, with the same memory: scalars and lanes have no sign."""
    return array.view(f"i{array.dtype.itemsize}") if array.dtype.kind == "u" else array


def put(into: np.ndarray, values: Any) -> None:
    """Store `values`; if `into` holds shorter floats, rounded, and what is too large infinite."""
    with np.errstate(over="ignore"):
        into[...] = values


def constant(attr: Attribute) -> np.generic | np.ndarray | int:
    """The value of a constant attribute; an index is a Python int."""
    match attr:
        case IntegerAttr() if isinstance(attr.type, IndexType):
            return attr.value.data
        case IntegerAttr() | FloatAttr():
            return scalar(attr.value.data, dtype_of(attr.type))
        case DenseIntOrFPElementsAttr():
            dtype = dtype_of(attr.type)
            return np.frombuffer(attr.data.data, dtype).reshape(attr.type.get_shape())
    raise InterpretationError(f"needed a numeric constant, got {attr}")


def scalar(value: float, dtype: np.dtype) -> np.generic:
    """`value` as one element of `dtype`; integers are taken modulo the width (255 is -1 as i8)."""
    if dtype.kind == "i":
        bits = dtype.itemsize * 8
        value = (int(value) + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)
    return dtype.type(value)


def check_array(array: np.ndarray, type: Attribute, what: str) -> np.ndarray:
    """`array`, if its shape and element type are those of `type`; else an error naming `what`."""
    if array.dtype != dtype_of(type) or array.shape != shape_of(type):
        raise InterpretationError(f"{what} needs {type}, got {array.dtype} {show(array.shape)}")
    return array


def show(shape: Sequence[int]) -> str:
    """A shape as the IR writes it: `2x3`."""
    return "x".join(map(str, shape)) or "scalar"
