"""Buffers: memref ops make arrays and views of arrays."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from xdsl.dialects import memref
from xdsl.dialects.builtin import DYNAMIC_INDEX
from xdsl.ir import Operation
from xdsl.utils.exceptions import InterpretationError

from lamina.interpreters.arrays import dtype_of, shape_of, show, unwritten
from lamina.interpreters.run import Implementation, Run


def check_index(op: Operation, index: Sequence[int], array: np.ndarray) -> None:
    """Fail, naming op, index and shape, unless `index` is an element of `array`."""
    if len(index) != array.ndim or any(
        not 0 <= i < n for i, n in zip(index, array.shape, strict=True)
    ):
        where = ", ".join(map(str, index))
        raise InterpretationError(
            f"{op.name} at [{where}], outside a buffer of {show(array.shape)}"
        )


def _view(run: Run, op: memref.ViewOp, args: Sequence[Any]) -> Sequence[Any]:
    source, shift = args[0], int(args[1])
    dtype, shape = dtype_of(op.result.type), shape_of(op.result.type)
    size = prod(shape) * dtype.itemsize
    if shift < 0 or shift + size > source.size:
        raise InterpretationError(
            f"memref.view of bytes {shift} to {shift + size}, outside a buffer of {source.size}"
        )
    return (source[shift : shift + size].view(dtype).reshape(shape),)


def _subview(run: Run, op: memref.SubviewOp, args: Sequence[Any]) -> Sequence[Any]:
    source, *dynamic = args
    todo = iter(dynamic)
    offsets, sizes, strides = (
        [int(next(todo)) if n == DYNAMIC_INDEX else n for n in static.get_values()]
        for static in (op.static_offsets, op.static_sizes, op.static_strides)
    )
    ends = [o + (n - 1) * s for o, n, s in zip(offsets, sizes, strides, strict=True)]
    check_index(op, offsets, source)
    check_index(op, ends, source)
    part = source[tuple(slice(o, e + 1, s) for o, e, s in zip(offsets, ends, strides, strict=True))]
    return (part.reshape(shape_of(op.result.type)) if part.size else part,)


def _load(run: Run, op: memref.LoadOp, args: Sequence[Any]) -> Sequence[Any]:
    array, *index = args
    check_index(op, index, array)
    return (array[tuple(index)],)


def _store(run: Run, op: memref.StoreOp, args: Sequence[Any]) -> Sequence[Any]:
    value, array, *index = args
    check_index(op, index, array)
    array[tuple(index)] = value
    return ()


def _copy(run: Run, op: memref.CopyOp, args: Sequence[Any]) -> Sequence[Any]:
    source, destination = args
    destination[...] = source
    return ()


def _reshape(run: Run, op: Operation, args: Sequence[Any]) -> Sequence[Any]:
    view = args[0].view()
    view.shape = shape_of(op.results[0].type)  # unlike reshape, never a copy
    return (view,)


def _reinterpret(run: Run, op: memref.ReinterpretCastOp, args: Sequence[Any]) -> Sequence[Any]:
    """The bytes of a whole buffer under another shape, which must have as many elements."""
    source, shape = args[0], shape_of(op.result.type)
    whole = list(op.static_offsets.get_values()) == [0] and len(args) == 1
    if not whole or prod(shape) != source.size or not source.flags.c_contiguous:
        raise InterpretationError(f"{op.name} is executed on whole buffers only, got {op}")
    return (source.reshape(shape),)


def _alloc(run: Run, op: memref.AllocOp | memref.AllocaOp, args: Sequence[Any]) -> Sequence[Any]:
    return (unwritten(op.memref.type),)


IMPLEMENTATIONS: Mapping[type[Operation], Implementation] = {
    memref.AllocOp: _alloc,
    memref.AllocaOp: _alloc,
    memref.DeallocOp: lambda run, op, args: (),
    memref.ViewOp: _view,
    memref.SubviewOp: _subview,
    memref.CastOp: lambda run, op, args: args,
    memref.CollapseShapeOp: _reshape,
    memref.ExpandShapeOp: _reshape,
    memref.ReinterpretCastOp: _reinterpret,
    memref.LoadOp: _load,
    memref.StoreOp: _store,
    memref.CopyOp: _copy,
}
