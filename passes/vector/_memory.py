"""Accesses of vec ops next to each other."""

from __future__ import annotations

from xdsl.ir import SSAValue

from lamina.dialects.expr import Expr, var
from lamina.dialects.index import IndexAttr
from lamina.dialects.loop import extent_at
from lamina.dialects.vector import MemoryOp


def ranges_of(op: MemoryOp) -> dict[str, int]:
    """The extents of those index operands of `op` that are loop indices, by position."""
    return {str(k): n for k, v in enumerate(op.indices) if (n := extent_at(v, op)) is not None}


def shifted(op: MemoryOp, elements: int) -> IndexAttr:
    """
    The index of what lies `elements` behind the index of `op` in memory.

    An index that is then certainly outside its dimension is carried over to the one before.
    """
    strides, shape = op.strides, op.memref.get_shape()
    dims: list[Expr] = []
    for e, s in zip(op.index.data, strides, strict=True):
        dims.append(e + elements // s)
        elements %= s
    ranges = ranges_of(op)
    for d in range(len(dims) - 1, 0, -1):
        limits = dims[d].bounds(ranges)
        if limits and limits[0] >= shape[d] and strides[d - 1] == shape[d] * strides[d]:
            rows = limits[0] // shape[d]
            dims[d], dims[d - 1] = dims[d] - rows * shape[d], dims[d - 1] + rows
    return IndexAttr(tuple(dims))


def distance(a: MemoryOp, b: MemoryOp) -> int | None:
    """How many elements `b` starts behind `a` in the same buffer; None if that varies."""
    if a.ref is not b.ref:
        return None
    names: dict[SSAValue, Expr] = {}
    for v in (*a.indices, *b.indices):
        names.setdefault(v, var(f"v{len(names)}"))
    first, second = (
        op.offset.substitute({str(k): names[v] for k, v in enumerate(op.indices)}) for op in (a, b)
    )
    apart = second - first
    return None if apart.terms else apart.const
