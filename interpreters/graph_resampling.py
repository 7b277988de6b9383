"""Graph ops that read between the elements of a tensor, on logical arrays in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from xdsl.ir import Operation
from xdsl.utils.exceptions import InterpretationError

from lamina.dialects import graph

Array = np.ndarray


def _resample(op: graph.ResampleOp, x: Array, *tables: Array) -> Array:
    """One dimension after the other, in float64: next to no rounding before that of the result."""
    places, weights = tables[: len(op.at)], tables[len(op.at) :]
    summed = weights or any(at.shape[1] > 1 for at in places)
    y = x.astype(np.float64) if summed else x
    for k, axis in enumerate(op.axes.get_values()):
        at = places[k]
        _require_inside(op, at, x, axis)
        if not summed:
            y = y.take(at[:, 0], axis)
            continue
        w = weights[k].astype(np.float64) if weights else np.ones(at.shape)
        apart = (*y.shape[:axis], *at.shape, *y.shape[axis + 1 :])
        taps = y.take(at.ravel(), axis).reshape(apart)
        y = (taps * w.reshape(*at.shape, *[1] * (x.ndim - 1 - axis))).sum(axis + 1)
    return y.astype(x.dtype)


def _sample(op: graph.SampleOp, x: Array, *tables: Array) -> Array:
    """All products at once, for one choice of taps after the other."""
    places, weights = tables[: len(op.at)], tables[len(op.at) :]
    for d, at in enumerate(places):
        _require_inside(op, at, x, d + 2)
    summed = weights or any(len(at) > 1 for at in places)
    y = np.zeros(graph.shape(op.y), np.float64 if summed else x.dtype)
    batch = np.arange(len(x)).reshape(-1, *[1] * (y.ndim - 2))
    for taps in np.ndindex(*(len(at) for at in places)):
        here = x[batch, :, *(at[k] for at, k in zip(places, taps, strict=True))]
        term = np.moveaxis(here, -1, 1)
        for w, k in zip(weights, taps, strict=False):
            term = term * w[k].astype(np.float64)[:, None]
        y += term
    return y.astype(x.dtype)


def _require_inside(op: Operation, at: Array, x: Array, axis: int) -> None:
    if at.min() < 0 or at.max() >= x.shape[axis]:
        wrong = at.min() if at.min() < 0 else at.max()
        raise InterpretationError(
            f"{op.name} reads {wrong} along axis {axis} of {x.shape[axis]} elements"
        )


FUNCTIONS: Mapping[type[Operation], Callable[..., Array]] = {
    graph.ResampleOp: _resample,
    graph.SampleOp: _sample,
}
"""What each op computes from its operands."""
