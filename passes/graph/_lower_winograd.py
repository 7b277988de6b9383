"""Formulas of Winograd's transforms: a matrix times columns, then the result times rows."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.ir import Operation

from lamina.dialects.expr import div, var
from lamina.dialects.graph import WinogradInputOp, WinogradOutputOp
from lamina.dialects.graph.winograd import transforms
from lamina.dialects.layout import Layout
from lamina.passes.graph._formula import Kernel, Tensor
from lamina.passes.graph._lower_windows import add, multiply_add


def _with_channels_of(x: Tensor, more: str) -> Layout:
    """A layout of NCHW and `more` dimensions, its channels in the blocks of those of `x`."""
    block = x.layout.block("C")
    return Layout.parse(f"NCHW{more}" + (f"{block}c" if block > 1 else ""))


def winograd_input(k: Kernel, op: WinogradInputOp) -> None:
    """
    t[n, c, h, w, a] = sum over i of B[a, i] * x[n, c, h * tile + i - top, w - left];
    y[n, (a * T + b) * K + c, h, w] = sum over j of B[b, j] * t[n, c, h, w * tile + j, a]
    """
    x, y, tile = k.tensor(op.x), k.tensor(op.y), op.tile.value.data
    matrix = transforms(tile).bt
    size = len(matrix)
    batch, channels, rows, columns = y.shape
    each = channels // size**2
    width = (columns - 1) * tile + size
    (top, _), (left, _) = op.sides()
    bt = k.table(matrix)
    t = k.scratch((batch, each, rows, width, size), x.scalar, _with_channels_of(x, "A"))
    n, c, h, w, a, b, i, j = map(var, ("n", "c", "h", "w", "a", "b", "i", "j"))
    k.compute(
        {"n": batch, "c": t.extents[1], "h": rows, "w": width, "a": size},
        [(x, [n, c, h * tile + i - top, w - left]), (bt, [a, i])],
        (t, [n, c, h, w, a]),
        multiply_add,
        reduce={"i": size},
    )
    k.compute(
        {"n": batch, "a": size, "b": size, "c": each, "h": rows, "w": columns},
        [(t, [n, c, h, w * tile + j, a]), (bt, [b, j])],
        (y, [n, (a * size + b) * each + c, h, w]),
        multiply_add,
        reduce={"j": size},
    )


def winograd_output(k: Kernel, op: WinogradOutputOp) -> None:
    """
    t[n, o, h, w, p, b] = sum over a of A[p, a] * x[n, (a * T + b) * K + o, h, w];
    y[n, o, h, w] = bias[o] + sum over b of
    A[w mod tile, b] * t[n, o, h floordiv tile, w floordiv tile, h mod tile, b]
    """
    x, y, tile = k.tensor(op.x), k.tensor(op.y), op.tile.value.data
    matrix = transforms(tile).at
    size = len(matrix[0])
    batch, channels, rows, columns = x.shape
    at = k.table(matrix)
    shape = (batch, y.extents[1], rows, columns, tile, size)
    t = k.scratch(shape, y.scalar, _with_channels_of(y, "AB"))
    n, o, h, w, p, a, b = map(var, ("n", "oc", "h", "w", "p", "a", "b"))
    k.compute(
        dict(zip(("n", "oc", "h", "w", "p", "b"), t.extents, strict=True)),
        [(x, [n, (a * size + b) * (channels // size**2) + o, h, w]), (at, [p, a])],
        (t, [n, o, h, w, p, b]),
        multiply_add,
        reduce={"a": size},
    )
    oh, ow = var("oh"), var("ow")
    at_tile = [div("floordiv", oh, tile), div("floordiv", ow, tile)]
    extras = [(k.tensor(op.bias), [o])] if op.bias is not None else []
    k.compute(
        dict(zip(("n", "oc", "oh", "ow"), y.extents, strict=True)),
        [(t, [n, o, *at_tile, div("mod", oh, tile), b]), (at, [div("mod", ow, tile), b])],
        (y, [n, o, oh, ow]),
        multiply_add,
        reduce={"b": size},
        extras=extras,
        epilogue=add if extras else None,
    )


LOWERINGS: dict[type[Operation], Callable[[Kernel, Operation], None]] = {
    WinogradInputOp: winograd_input,
    WinogradOutputOp: winograd_output,
}  # pyright: ignore[reportAssignmentType]
