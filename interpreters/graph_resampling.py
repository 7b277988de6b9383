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
    y, places, weights = x.astype(np.float64), tables[: len(op.at)], tables[len(op.at) :]
    for k, axis in enumerate(op.axes.get_values()):
        at = places[k]
        if at.min() < 0 or at.max() >= x.shape[axis]:
            wrong = at.min() if at.min() < 0 else at.max()
            raise InterpretationError(
                f"graph.resample reads {wrong} along axis {axis} of {x.shape[axis]} elements"
            )
        w = weights[k].astype(np.float64) if weights else np.ones(at.shape)
        apart = (*y.shape[:axis], *at.shape, *y.shape[axis + 1 :])
        taps = y.take(at.ravel(), axis).reshape(apart)
        y = (taps * w.reshape(*at.shape, *[1] * (x.ndim - 1 - axis))).sum(axis + 1)
    return y.astype(x.dtype)


FUNCTIONS: Mapping[type[Operation], Callable[..., Array]] = {graph.ResampleOp: _resample}
"""What each op computes from its operands."""
