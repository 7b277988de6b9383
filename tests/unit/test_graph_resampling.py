"""Networks that resize keep their meaning through every pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from xdsl.dialects.builtin import TensorType, f32
from xdsl.ir import SSAValue

from lamina.dialects.graph import (
    AddOp,
    ReluOp,
    RepeatOp,
    ResampleOp,
    SampleOp,
    SigmoidOp,
    shape,
)
from lamina.dialects.graph.constants import constant
from tests.unit.test_graph_pipeline import Net

CONV: dict[str, Any] = {"pads": (1, 1, 1, 1)}


def resample(net: Net, x: SSAValue, new: Sequence[int], taps: int, weights: bool) -> SSAValue:
    """`x` with height and width `new`, from random places."""
    known = lambda a: net.add(constant(a, net.ctx.weights))  # noqa: E731
    sizes = [(n, taps) for n in new]
    at = [
        net.rng.integers(0, old, size).astype(np.int32)
        for old, size in zip(shape(x)[2:], sizes, strict=True)
    ]
    by = [net.rng.random(size, np.float32) for size in sizes] if weights else []
    return net.add(ResampleOp(x, [2, 3], [known(a) for a in at], [known(w) for w in by]))


def repeated(net: Net) -> Iterator[SSAValue]:
    for channels in (32, 37):
        x = net.add(ReluOp(net.conv(net.input, channels, **CONV)))
        n, c, h, w = shape(x)
        up = net.add(RepeatOp(x, TensorType(f32, [n, c, 2 * h, 3 * w])))
        side = net.conv(up, c, **CONV)
        yield net.conv(net.add(AddOp(up, side)), 20, **CONV)
    yield net.add(RepeatOp(x, TensorType(f32, [n, 2 * c, h, w])))


def resampled(net: Net) -> Iterator[SSAValue]:
    for channels in (32, 37):
        x = net.add(ReluOp(net.conv(net.input, channels, **CONV)))
        for taps, weights in ((1, False), (2, True), (4, True), (2, False)):
            y = net.add(SigmoidOp(resample(net, x, (11, 5), taps, weights)))
            yield net.conv(y, 20, **CONV)


def resampled_input(net: Net) -> Iterator[SSAValue]:
    yield resample(net, net.input, (5, 17), 2, True)
    yield resample(net, net.input, (12, 7), 1, False)


def sampled(net: Net) -> Iterator[SSAValue]:
    for channels, taps in ((32, 2), (37, 1)):
        x = net.add(ReluOp(net.conv(net.input, channels, **CONV)))
        size = (taps, shape(x)[0], 6, 5)
        at = [net.rng.integers(0, n, size).astype(np.int32) for n in shape(x)[2:]]
        by = [net.rng.random(size, np.float32) for _ in at] if taps > 1 else []
        at, by = ([net.add(constant(a, net.ctx.weights)) for a in arrays] for arrays in (at, by))
        y = net.add(SigmoidOp(net.add(SampleOp(x, at, by))))
        yield net.conv(y, 20, **CONV)


@pytest.mark.parametrize("network", [repeated, resampled, resampled_input, sampled])
@pytest.mark.parametrize("size", [(1, 3, 9, 11), (2, 24, 7, 8)], ids=str)
def test_every_pass_keeps_the_meaning(network, size) -> None:
    net = Net(size)
    net.check(*network(net))
