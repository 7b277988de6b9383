"""
Shape arithmetic: nodes whose inputs are known now are computed now, and no op is made.

What PyTorch exports for `x.reshape(x.shape[0], -1)` is a chain of such nodes, from Shape on: the
shape of a tensor is always known here, so all of the chain is, and Reshape sees numbers. Operators
that also work on arrays of their own accord, such as Reshape, are not repeated here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from math import prod
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from xdsl.ir import SSAValue

from lamina.frontends.onnx.elements import converted
from lamina.frontends.onnx.inputs import LARGEST
from lamina.frontends.onnx.node import Node, Unsupported, Value

SMALL = 1024
"""arrays of up to this many floats are computed on here; larger ones are the compiler's work"""

NUMBERS = {TensorProto.BOOL, TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16} | {
    getattr(TensorProto, f"{sign}INT{bits}") for sign in ("", "U") for bits in (8, 16, 32, 64)
}
"""types of elements that NumPy has too"""

Evaluation = Callable[[Node, list[np.ndarray]], Any]
"""from the inputs of a node that are given to its results: one, or a tuple"""


def is_known(node: Node) -> bool:
    """Whether to compute a node now: on integers and truth values always, on floats if few."""
    if node.proto.op_type not in EVALUATIONS:
        return False
    arrays: list[np.ndarray] = []
    for i in filter(node.has, range(node.inputs)):
        if isinstance(value := node.value(i), SSAValue):
            return False  # before weights beside it are read
        arrays.append(value)
    if not arrays:
        return False
    return arrays[0].dtype != np.float32 or max(a.size for a in arrays) <= SMALL


def evaluate(node: Node) -> Sequence[Value]:
    """The results of a node whose inputs are known."""
    inputs = [node.constant(i, "inputs") for i in range(node.inputs) if node.has(i)]
    try:
        with np.errstate(all="ignore"):
            results = EVALUATIONS[node.proto.op_type](node, inputs)
    except (ArithmeticError, IndexError, MemoryError, TypeError, ValueError) as e:
        shown = ", ".join(f"{a.dtype}{list(a.shape)}" for a in inputs)
        raise Unsupported(f"of the known values {shown}: {e}") from e
    return [np.asarray(y) for y in (results if isinstance(results, tuple) else (results,))]


def _elementwise(f: Callable[..., Any]) -> Evaluation:
    return lambda node, inputs: f(*inputs)


def _folded(f: Callable[..., Any]) -> Evaluation:
    """Any number of inputs: f(f(a, b), c)."""
    return lambda node, inputs: reduce(f, inputs)


def _div(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Integers are divided towards zero."""
    if a.dtype.kind == "f":
        return a / b
    return np.where(b == 0, 0, (a - np.fmod(a, b)) // np.where(b == 0, 1, b)).astype(a.dtype)


def _mod(node: Node, inputs: list[np.ndarray]) -> np.ndarray:
    return (np.fmod if node.attribute("fmod", 0) else np.mod)(*inputs)


def _is_inf(node: Node, inputs: list[np.ndarray]) -> np.ndarray:
    above, below = node.attribute("detect_positive", 1), node.attribute("detect_negative", 1)
    return (np.isposinf(inputs[0]) & bool(above)) | (np.isneginf(inputs[0]) & bool(below))


def _cast(node: Node, inputs: list[np.ndarray]) -> np.ndarray:
    node.ignore("saturate", "round_mode")  # about floats of 8 bits
    to = node.attribute("to", 0)
    if to not in NUMBERS:
        raise Unsupported(f"to {TensorProto.DataType.Name(to).lower()}")
    return converted(inputs[0], np.dtype(helper.tensor_dtype_to_np_dtype(to)))


def _cast_like(node: Node, inputs: list[np.ndarray]) -> np.ndarray:
    node.ignore("saturate", "round_mode")
    return converted(inputs[0], inputs[1].dtype)


def _clip(node: Node, inputs: list[np.ndarray]) -> np.ndarray:
    if node.opset < 11:
        low, high = node.optional("min"), node.optional("max")
    else:
        low, high = (node.constant(i, "bounds") if node.has(i) else None for i in (1, 2))
    y = inputs[0] if low is None else np.maximum(inputs[0], low)
    return (y if high is None else np.minimum(y, high)).astype(inputs[0].dtype)


def _expand(node: Node, inputs: list[np.ndarray]) -> np.ndarray:
    x, size = inputs
    return x * np.ones(size.tolist(), x.dtype)  # both ways: a size of 1 leaves the size of x


def _gather(node: Node, inputs: list[np.ndarray]) -> np.ndarray:
    return np.take(*inputs, axis=node.axis(0, inputs[0].ndim))


def _range(node: Node, inputs: list[np.ndarray]) -> np.ndarray:
    start, limit, delta = (a.item() for a in inputs)
    count = max(int(np.ceil((limit - start) / delta)), 0)
    return (start + np.arange(count) * delta).astype(inputs[0].dtype)


def _reduce(f: Callable[..., Any], since: int) -> Evaluation:
    """`since` is the opset in which the axes became an input."""

    def evaluation(node: Node, inputs: list[np.ndarray]) -> np.ndarray:
        axes, keep = node.axes(since), bool(node.attribute("keepdims", 1))
        if not axes and node.attribute("noop_with_empty_axes", 0):
            return inputs[0]
        return f(inputs[0], tuple(axes) if axes else None, keepdims=keep).astype(inputs[0].dtype)

    return evaluation


def _slice(node: Node, inputs: list[np.ndarray]) -> np.ndarray:
    x = inputs[0]
    if node.opset < 10:
        starts, ends = node.attribute("starts", [0]), node.attribute("ends", [0])
        axes, steps = node.optional("axes"), None
    else:
        given = [node.constant(i, "bounds").tolist() if node.has(i) else None for i in range(1, 5)]
        starts, ends, axes, steps = given[0] or [], given[1] or [], given[2], given[3]
    for i, axis in enumerate(range(len(starts)) if axes is None else axes):
        n, step = x.shape[axis], steps[i] if steps else 1
        start, end = (at + n if at < 0 else at for at in (starts[i], ends[i]))
        low, high = (0, n) if step > 0 else (-1, n - 1)
        start, end = min(max(start, 0), high), min(max(end, low), high)
        x = np.take(x, np.arange(start, end, step), axis)
    return x


def _split(node: Node, inputs: list[np.ndarray]) -> tuple[np.ndarray, ...]:
    node.ignore("num_outputs")  # is how many outputs there are
    x, count = inputs[0], len(node.proto.output)
    axis = node.axis(0, x.ndim)
    sizes = node.optional("split") if node.opset < 13 else None
    if len(inputs) > 1:
        sizes = inputs[1].tolist()
    if sizes is None:
        sizes = [-(-x.shape[axis] // count)] * count
    return tuple(np.split(x, np.cumsum(sizes)[:-1], axis))


def _where(condition: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.where(condition, x, y)


EVALUATIONS: Mapping[str, Evaluation] = {
    "Abs": _elementwise(np.abs),
    "Add": _elementwise(np.add),
    "And": _elementwise(np.logical_and),
    "Cast": _cast,
    "BitwiseAnd": _elementwise(np.bitwise_and),
    "BitwiseNot": _elementwise(np.invert),
    "BitwiseOr": _elementwise(np.bitwise_or),
    "BitwiseXor": _elementwise(np.bitwise_xor),
    "CastLike": _cast_like,
    "Ceil": _elementwise(np.ceil),
    "Clip": _clip,
    "Div": _elementwise(_div),
    "Equal": _elementwise(np.equal),
    "Expand": _expand,
    "Floor": _elementwise(np.floor),
    "Gather": _gather,
    "Greater": _elementwise(np.greater),
    "GreaterOrEqual": _elementwise(np.greater_equal),
    "IsInf": _is_inf,
    "IsNaN": _elementwise(np.isnan),
    "Less": _elementwise(np.less),
    "LessOrEqual": _elementwise(np.less_equal),
    "Max": _folded(np.maximum),
    "Min": _folded(np.minimum),
    "Mod": _mod,
    "Mul": _elementwise(np.multiply),
    "Neg": _elementwise(np.negative),
    "NonZero": lambda node, inputs: np.array(np.nonzero(inputs[0]), np.int64),
    "Not": _elementwise(np.logical_not),
    "Or": _elementwise(np.logical_or),
    "Pow": lambda node, inputs: np.power(*inputs).astype(inputs[0].dtype),
    "Range": _range,
    "Reciprocal": _elementwise(partial(np.divide, 1)),
    "ReduceMax": _reduce(np.max, since=18),
    "ReduceMin": _reduce(np.min, since=18),
    "ReduceProd": _reduce(np.prod, since=18),
    "ReduceSum": _reduce(np.sum, since=13),
    "Round": _elementwise(np.rint),
    "Sign": _elementwise(np.sign),
    "Slice": _slice,
    "Split": _split,
    "Sqrt": _elementwise(np.sqrt),
    "Sub": _elementwise(np.subtract),
    "Sum": _folded(np.add),
    "Tile": lambda node, inputs: np.tile(inputs[0], inputs[1]),
    "Where": _elementwise(_where),
    "Xor": _elementwise(np.logical_xor),
}
"""What is computed now if all inputs are known."""


# -- operators that give arrays whatever they are given, or pass on tensors


def _shape(node: Node) -> Sequence[Value]:
    size = node.shape(0)
    start, end = node.attribute("start", 0), node.optional("end")
    return [np.array(size[start:end], np.int64)]


def _size(node: Node) -> Sequence[Value]:
    return [np.array(np.prod(node.shape(0), dtype=np.int64))]


def _constant_of_shape(node: Node) -> Sequence[Value]:
    size = node.constant(0, "sizes").tolist()
    tensor = node.optional("value")
    if min(size, default=0) < 0 or prod(size) > LARGEST:
        raise Unsupported(f"of {size}, which is no size of a constant")
    fill = np.zeros(1, np.float32) if tensor is None else numpy_helper.to_array(tensor)
    return [np.full(size, fill.reshape(-1)[0], fill.dtype)]


OPERATORS: Mapping[str, Callable[[Node], Sequence[Value]]] = {
    "ConstantOfShape": _constant_of_shape,
    "Shape": _shape,
    "Size": _size,
}
