"""
Between constants of the IR and arrays.

The array under a constant's key has the shape of the storage: that of the type, laid out as its
encoding says. The functions here take and give logical arrays, whatever the layout is.

NumPy is imported where it is used, so that dialects start without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import (
    BytesAttr,
    DenseIntOrFPElementsAttr,
    Float16Type,
    Float32Type,
    Float64Type,
    IntegerType,
    Signedness,
    StringAttr,
    TensorType,
)
from xdsl.ir import Attribute, SSAValue

from lamina.dialects.graph.attributes import SOURCE, layout_of, shape, tensor_type
from lamina.dialects.graph.core import ConstantOp

if TYPE_CHECKING:
    import numpy as np

    from lamina.weights import WeightStore

_INLINE = 16
"""constants of up to this many elements are written out"""

_TYPES = {
    "bool": IntegerType(1),
    "float16": Float16Type(),
    "float32": Float32Type(),
    "float64": Float64Type(),
    **{f"int{bits}": IntegerType(bits) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": IntegerType(bits, Signedness.UNSIGNED) for bits in (8, 16, 32, 64)},
}


def element_type(dtype: np.dtype) -> Float16Type | Float32Type | Float64Type | IntegerType:
    """The IR's name of a NumPy element type; raises ValueError if it has none."""
    if str(dtype) not in _TYPES:
        raise ValueError(f"element type must be one of {', '.join(_TYPES)}, got {dtype}")
    return _TYPES[str(dtype)]


def dtype_of_element(element: Attribute) -> np.dtype:
    """The NumPy element type of a tensor's elements."""
    import numpy as np

    return np.dtype(next(name for name, type in _TYPES.items() if type == element))


def constant(
    array: np.ndarray,
    store: WeightStore,
    type: Attribute | None = None,
    source: str | None = None,
    again: Callable[[], np.ndarray] | None = None,
) -> ConstantOp:
    """
    A constant that holds the logical `array`: written out if it is small, else put in `store`.

    `type` says how it is laid out (default: row-major); `source` is its name in the user's model;
    `again` gets the array from its file, so that the store need not keep it.
    """
    plain = TensorType(element_type(array.dtype), array.shape)
    if (type is None or type == plain) and _prints_exactly(array):
        data = BytesAttr(array.tobytes())
        op = ConstantOp(DenseIntOrFPElementsAttr(plain, data))
    else:
        layout = layout_of(type or plain)
        stored = layout.apply_array(array)
        op = ConstantOp(store.put(stored, again if layout.is_plain else None), type or plain)
    if source:
        op.attributes[SOURCE] = StringAttr(source)
    return op


def array_of(op: ConstantOp, store: WeightStore) -> np.ndarray:
    """The logical array that a constant holds; it may not be written to."""
    import numpy as np

    if isinstance(op.value, DenseIntOrFPElementsAttr):
        dtype = dtype_of_element(tensor_type(op.result).element_type)
        return np.frombuffer(op.value.data.data, dtype).reshape(shape(op.result))
    layout = layout_of(op.result.type)
    stored = store.get(op.value.data)
    return stored if layout.is_plain else layout.invert_array(stored, shape(op.result))


def key_of(op: ConstantOp, store: WeightStore) -> str:
    """The key of the stored array; a constant that is written out is put in `store` for it."""
    if isinstance(op.value, StringAttr):
        return op.value.data
    return store.put(layout_of(op.result.type).apply_array(array_of(op, store)))


def known(value: SSAValue | None, store: WeightStore) -> np.ndarray | None:
    """The logical array that `value` always is, if it is a constant."""
    owner = value.owner if value is not None else None
    return array_of(owner, store) if isinstance(owner, ConstantOp) else None


def _prints_exactly(array: np.ndarray) -> bool:
    """
    Whether `array` is small, and its text is read back as the same numbers.

    xDSL does not read back very large and very small numbers, NaN, and -0 among zeros.
    """
    import numpy as np

    if array.size > _INLINE or array.size == 0:
        return False
    if array.dtype.kind != "f":
        return True
    size = abs(array)
    exact = (size > 1e-30) & (size < 1e6) | (size == 0) & ~np.signbit(array)
    return bool(exact.all())
