"""Winograd's transforms on logical arrays, in NumPy: in float64, rounded once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from xdsl.ir import Operation

from lamina.dialects import graph
from lamina.dialects.graph.winograd import transforms

Array = np.ndarray


def _input(op: graph.WinogradInputOp, x: Array) -> Array:
    tile, (size, _) = op.tile.value.data, op.window()
    n, channels, th, tw = graph.shape(op.y)
    reach = [(tiles - 1) * tile + size for tiles in (th, tw)]
    pads = [
        (before, max(0, needed - before - extent))
        for needed, extent, (before, _) in zip(reach, x.shape[2:], op.sides(), strict=True)
    ]
    more = channels // size**2 - x.shape[1]
    wide = np.pad(x.astype(np.float64), ((0, 0), (0, more), *pads))
    d = np.lib.stride_tricks.sliding_window_view(wide, (size, size), (2, 3))
    d = d[:, :, : reach[0] : tile, : reach[1] : tile][:, :, :th, :tw]
    bt = np.array(transforms(tile).bt)
    y = np.einsum("ai,bj,nchwij->nabchw", bt, bt, d, optimize=True)
    return y.reshape(n, channels, th, tw).astype(x.dtype)


def _output(op: graph.WinogradOutputOp, x: Array, bias: Array | None = None) -> Array:
    tile, at = op.tile.value.data, np.array(transforms(op.tile.value.data).at)
    size = at.shape[1]
    n, _, th, tw = x.shape
    _, channels, height, width = graph.shape(op.y)
    m = x.astype(np.float64).reshape(n, size, size, -1, th, tw)[:, :, :, :channels]
    y = np.einsum("pa,qb,nabohw->nohpwq", at, at, m, optimize=True)
    y = y.reshape(n, channels, th * tile, tw * tile)[:, :, :height, :width]
    return (y if bias is None else y + bias[:, None, None]).astype(x.dtype)


FUNCTIONS: Mapping[type[Operation], Callable[..., Array]] = {
    graph.WinogradInputOp: _input,
    graph.WinogradOutputOp: _output,
}
"""what each op computes from its operands"""
