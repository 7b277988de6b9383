"""Types of the elements of tensors: ONNX's, NumPy's and ours."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper
from xdsl.ir import Attribute

from lamina.dialects.graph import tensor_type
from lamina.dialects.graph.constants import dtype_of_element, element_type
from lamina.frontends.onnx.node import Unsupported, Value

SUPPORTED = ("float32", "bool", *(f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)))
"""NumPy's names of the elements that inputs, constants and what is computed of them may have"""

REMEDY = "only float32, bool and integers"


def name_of(type: int) -> str:
    """What ONNX calls a type of elements, in lower case."""
    known = type in TensorProto.DataType.values()
    return TensorProto.DataType.Name(type).lower() if known else f"number {type}"


def dtype_of(type: int) -> np.dtype | None:
    """NumPy's type of such elements; None if they are not supported."""
    if type not in TensorProto.DataType.values() or type == TensorProto.UNDEFINED:
        return None
    dtype = np.dtype(helper.tensor_dtype_to_np_dtype(type))
    return dtype if str(dtype) in SUPPORTED else None


def attribute_of(type: int) -> Attribute | None:
    """Our type of such elements; None if they are not supported."""
    dtype = dtype_of(type)
    return None if dtype is None else element_type(dtype)


def dtype_like(value: Value) -> np.dtype:
    """NumPy's type of the elements of a tensor or array."""
    if isinstance(value, np.ndarray):
        return value.dtype
    return dtype_of_element(tensor_type(value).element_type)


def converted(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """What `graph.cast` makes of known numbers: NumPy leaves open what does not fit."""
    if x.dtype.kind != "f" or dtype.kind not in "iu":
        return x.astype(dtype)
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    whole = np.nan_to_num(np.trunc(x.astype(np.float64)), nan=0.0)
    above = whole >= 2.0 ** high.bit_length()
    y = np.where(above, 0.0, np.maximum(whole, low)).astype(dtype)
    return np.where(above, dtype.type(high), y)


def check_supported(array: np.ndarray) -> None:
    """Refuse an array that cannot be a constant."""
    if str(array.dtype) not in SUPPORTED:
        raise Unsupported(f"with a constant of type {array.dtype}, {REMEDY}")
    if array.size == 0:
        raise Unsupported(f"with a constant of shape {list(array.shape)}, which has no elements")
