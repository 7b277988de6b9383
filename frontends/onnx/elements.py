"""Types of the elements of tensors: ONNX's, NumPy's and ours."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper
from xdsl.ir import Attribute

from lamina.dialects.graph.constants import element_type
from lamina.frontends.onnx.node import Unsupported

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


def check_supported(array: np.ndarray) -> None:
    """Refuse an array that cannot be a constant."""
    if str(array.dtype) not in SUPPORTED:
        raise Unsupported(f"with a constant of type {array.dtype}, {REMEDY}")
