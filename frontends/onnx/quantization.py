"""Operators between real numbers and integers that stand for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np
from onnx import TensorProto
from xdsl.dialects.builtin import TensorType, f32, i32
from xdsl.ir import Attribute, SSAValue

from lamina.dialects import graph
from lamina.dialects.graph.constants import element_type
from lamina.frontends.onnx.elements import dtype_like, dtype_of, name_of
from lamina.frontends.onnx.movement import reshaped
from lamina.frontends.onnx.node import Node, Unsupported, Value

STORAGE = ("uint8", "int8", "uint16", "int16")
"""NumPy's names of the integers that numbers are quantized to"""

LARGEST = 255
"""of the integers that DynamicQuantizeLinear makes"""


def shape_of(x: Value) -> tuple[int, ...]:
    """The shape of a tensor or array."""
    return graph.shape(x) if isinstance(x, SSAValue) else x.shape


def operand(node: Node, x: Value) -> SSAValue:
    """`x` as an operand."""
    return x if isinstance(x, SSAValue) else node.known(x)


def cast(node: Node, x: SSAValue, element: Attribute) -> SSAValue:
    """`x` with elements of this type."""
    if graph.tensor_type(x).element_type == element:
        return x
    return node.add(graph.CastOp(x, graph.cast_type(x, element)))


def scales(node: Node, i: int) -> Value:
    """Input `i`: scales, which have to be positive and finite as far as they are known."""
    value = node.value(i)
    if (dtype := dtype_like(value)) != np.float32:
        raise Unsupported(f"with scales of {dtype}; float32 is needed")
    if isinstance(value, np.ndarray):
        bad = value[~(np.isfinite(value) & (value > 0))]
        if bad.size:
            raise Unsupported(f"with a scale of {bad[0]:g}; scales must be positive and finite")
    return value


def zero_points(node: Node, i: int, dtype: np.dtype, like: Value) -> Value:
    """Input `i`: zero points of `dtype`, as many as scales `like`; 0 if it is not given."""
    if not node.has(i):
        return np.zeros((), dtype)
    value = node.value(i)
    if (found := dtype_like(value)) != dtype:
        raise Unsupported(f"with zero points of {found}; {dtype} is needed")
    size, wanted = shape_of(value), shape_of(like)
    if size != wanted and not prod(size) == prod(wanted) == 1:
        raise Unsupported(
            f"with zero points of shape {list(size)} and scales of shape {list(wanted)}"
        )
    return value


def _along(node: Node, value: Value, size: Sequence[int], what: str) -> SSAValue:
    """Scales or zero points so that they broadcast to `size`: one, one an index, or one a block."""
    old, rank, block = shape_of(value), len(size), node.attribute("block_size", 0)
    if prod(old) == 1 and len(old) < 2:
        node.ignore("axis")  # along which there is but one number for all
        return operand(node, reshaped(node, value, (1,) * rank))
    axis = node.axis(1, rank)
    if block:
        return _blocks(node, value, size, axis, block, what)
    if old != (size[axis],):
        raise Unsupported(
            f"with {what} of shape {list(old)} for axis {axis} of {list(size)};"
            f" 1 or {size[axis]} are needed"
        )
    return operand(node, reshaped(node, value, [n if d == axis else 1 for d, n in enumerate(size)]))


def _blocks(
    node: Node, value: Value, size: Sequence[int], axis: int, block: int, what: str
) -> SSAValue:
    """One number for each block of `block` elements along `axis`, repeated for all of them."""
    needed = [*size]
    needed[axis] = -(-size[axis] // block)
    if block < 0 or list(shape_of(value)) != needed:
        raise Unsupported(
            f"with {what} of shape {list(shape_of(value))} for {list(size)} in blocks of {block}"
            f" along axis {axis}"
        )
    if isinstance(value, np.ndarray):
        return node.known(np.repeat(value, block, axis).take(range(size[axis]), axis))
    element = graph.tensor_type(value).element_type
    needed[axis] *= block
    repeated = node.add(graph.RepeatOp(value, TensorType(element, needed)))
    if needed == [*size]:
        return repeated
    starts, steps = [0] * len(size), [1] * len(size)
    return node.add(graph.SliceOp(repeated, starts, steps, TensorType(element, size)))


def _check_output(node: Node, name: str) -> None:
    """Refuse any type of floats but float32."""
    if (type := node.attribute(name, 0)) not in (0, TensorProto.FLOAT):
        raise Unsupported(f"with {name} {name_of(type)}; float is supported")


def _storage(node: Node) -> np.dtype:
    """The type of a result of QuantizeLinear."""
    asked = node.attribute("output_dtype", 0)
    found = dtype_of(asked) if asked else np.dtype(np.uint8)
    if node.has(2):
        found = dtype_like(node.value(2))
        if asked and dtype_of(asked) != found:
            raise Unsupported(f"with output_dtype {name_of(asked)} and zero points of {found}")
    if found is None or str(found) not in STORAGE:
        name = name_of(asked) if found is None else found
        raise Unsupported(f"to {name}; {', '.join(STORAGE)} are supported")
    return found


def _quantize(node: Node) -> Sequence[Value]:
    """
    To integers of 8 or 16 bits, signed or not; with scales and zero points for a tensor, for each
    index along an axis, or for blocks.
    """
    node.ignore("saturate")  # about floats of 8 bits
    _check_output(node, "precision")
    x, by, dtype = node.tensor(0), scales(node, 1), _storage(node)
    size = graph.shape(x)
    zero = _along(node, zero_points(node, 2, dtype, by), size, "zero points")
    scale = _along(node, by, size, "scales")
    if dtype.itemsize == 1:
        return [node.add(graph.QuantizeOp(x, scale, zero))]
    return [_quantized_to_more(node, cast(node, x, f32), scale, zero, dtype)]


def _quantized_to_more(
    node: Node, x: SSAValue, scale: SSAValue, zero: SSAValue, dtype: np.dtype
) -> SSAValue:
    """saturate(round(x / scale) + zero), of more than 8 bits: cut off before the zero is added."""
    steps, real = node.add(graph.RoundOp(node.add(graph.DivOp(x, scale)))), cast(node, zero, f32)
    info = np.iinfo(dtype)
    for op, limit in ((graph.MaximumOp, info.min), (graph.MinimumOp, info.max)):
        one = node.known(np.full((1,) * len(graph.shape(x)), limit, np.float32))
        steps = node.add(op(steps, node.add(graph.SubOp(one, real))))
    q = node.add(graph.AddOp(cast(node, steps, i32), cast(node, zero, i32)))
    return cast(node, q, element_type(dtype))


def _dequantize(node: Node) -> Sequence[Value]:
    """
    Of integers of 8, 16 or 32 bits to float32; with scales and zero points for a tensor, for each
    index along an axis, or for blocks.
    """
    _check_output(node, "output_dtype")
    x, by = node.tensor(0), scales(node, 1)
    if str(dtype := dtype_like(x)) not in (*STORAGE, "int32"):
        raise Unsupported(f"of {dtype}; {', '.join(STORAGE)} and int32 are supported")
    size = graph.shape(x)
    zero = _along(node, zero_points(node, 2, dtype, by), size, "zero points")
    scale = _along(node, by, size, "scales")
    if dtype.itemsize == 2:
        x, zero = cast(node, x, i32), cast(node, zero, i32)
    return [node.add(graph.DequantizeOp(x, scale, zero))]


def _dynamic_quantize(node: Node) -> Sequence[Value]:
    """
    To uint8, with the scale and the zero point that the smallest and the largest element ask for;
    the scale is 1 if all elements are 0.
    """
    x = node.tensor(0)
    rank = len(graph.shape(x))

    def one(value: float) -> SSAValue:
        return node.known(np.full((1,) * rank, value, np.float32))

    zero, every = one(0), list(range(rank))
    high = node.add(graph.MaximumOp(node.add(graph.ReduceOp(x, "max", every)), zero))
    low = node.add(graph.MinimumOp(node.add(graph.ReduceOp(x, "min", every)), zero))
    extent = node.add(graph.SubOp(high, low))
    empty = node.add(graph.CompareOp("eq", high, low))
    steps = node.add(graph.DivOp(extent, one(LARGEST)))
    scale = node.add(graph.WhereOp(empty, one(1), steps))
    point = node.add(graph.SubOp(zero, node.add(graph.DivOp(low, scale))))
    inside = node.add(graph.ClipOp(point, 0, LARGEST))
    unsigned = element_type(np.dtype(np.uint8))
    zero_point = cast(node, node.add(graph.RoundOp(inside)), unsigned)
    y = node.add(graph.QuantizeOp(x, scale, zero_point))
    return [y, reshaped(node, scale, ()), reshaped(node, zero_point, ())]


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "DequantizeLinear": _dequantize,
    "DynamicQuantizeLinear": _dynamic_quantize,
    "QuantizeLinear": _quantize,
}
