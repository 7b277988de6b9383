"""Networks that take elements and sum them up keep their meaning through every pass."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, TensorType, f32, i64
from xdsl.ir import SSAValue

from lamina.dialects.graph import (
    AddOp,
    ConcatOp,
    ConstantOp,
    DepthToSpaceOp,
    GatherOp,
    GlobalAvgPoolOp,
    MulOp,
    ReduceOp,
    ReluOp,
    ReshapeOp,
    SigmoidOp,
    SliceOp,
    SpaceToDepthOp,
    TakeOp,
    TileOp,
    TransposeOp,
    shape,
)
from lamina.dialects.graph.reductions import KINDS
from lamina.passes.graph._lower_slicing import runs_of
from tests.unit.test_graph_pipeline import Net

CONV: dict[str, Any] = {"pads": (1, 1, 1, 1)}


def cut(net: Net, x: SSAValue, starts, steps, size) -> SSAValue:
    return net.add(SliceOp(x, starts, steps, TensorType(f32, size)))


def channels_in_two_halves(net: Net) -> Iterator[SSAValue]:
    for channels in (64, 40):  # cut between blocks, and inside one
        x = net.conv(net.input, channels, **CONV)
        n, c, h, w = shape(x)
        a = cut(net, x, [0, 0, 0, 0], [1] * 4, [n, c // 2, h, w])
        b = cut(net, x, [0, c // 2, 0, 0], [1] * 4, [n, c // 2, h, w])
        yield net.conv(net.add(ConcatOp([net.add(ReluOp(b)), a], 1)), 20, **CONV)


def every_other_row_backwards(net: Net) -> Iterator[SSAValue]:
    x = net.conv(net.input, 37, **CONV)
    n, c, h, w = shape(x)
    x = cut(net, x, [0, 0, h - 1, 1], [1, 1, -2, 3], [n, c, (h + 1) // 2, (w + 1) // 3])
    yield net.conv(x, 20, **CONV)


def space_to_depth_by_slices(net: Net) -> Iterator[SSAValue]:
    n, c, h, w = shape(net.input)
    at = [(0, 0), (1, 0), (0, 1), (1, 1)]
    parts = [cut(net, net.input, [0, 0, i, j], [1, 1, 2, 2], [n, c, h // 2, w // 2]) for i, j in at]
    yield net.conv(net.add(ConcatOp(parts, 1)), 32, **CONV)


def reflected_border(net: Net) -> Iterator[SSAValue]:
    x = net.conv(net.input, 37)
    for axis in (2, 3):
        n = shape(x)[axis]
        x = net.add(GatherOp(x, axis, [2, 1, *range(n), n - 2]))
    yield net.conv(x, 20)


def shuffled_channels(net: Net) -> Iterator[SSAValue]:
    for channels in (64, 36):
        x = net.conv(net.input, channels)
        n, c, h, w = shape(x)
        x = net.add(ReshapeOp(x, TensorType(f32, [n, 4, c // 4, h, w])))
        x = net.add(TransposeOp(x, [0, 2, 1, 3, 4]))
        x = net.add(ReshapeOp(x, TensorType(f32, [n, c, h, w])))
        yield net.conv(x, 20, **CONV)


def picked_channels(net: Net) -> Iterator[SSAValue]:
    x = net.conv(net.input, 20)
    yield net.conv(net.add(GatherOp(x, 1, [3, 3, 19, 0, 7, 8, 9])), 20)


def rows_and_channels_at_places(net: Net) -> Iterator[SSAValue]:
    x = net.conv(net.input, 37, **CONV)
    for axis in (2, 1):
        at = net.add(ConstantOp(dense([5, -1, 0, 2, 2, 70, -99])))
        x = net.add(ReluOp(net.add(TakeOp(x, axis, at))))
        yield net.conv(x, 20, **CONV)


def dense(numbers: list[int]) -> DenseIntOrFPElementsAttr:
    return DenseIntOrFPElementsAttr.from_list(TensorType(i64, [len(numbers)]), numbers)


def blocks_of_depth(net: Net) -> Iterator[SSAValue]:
    for channels, order in ((64, "dcr"), (64, "crd"), (36, "dcr"), (36, "crd")):
        x = net.add(DepthToSpaceOp(net.conv(net.input, channels), 2, order))
        yield net.conv(x, 17, **CONV)
        yield net.conv(net.add(SpaceToDepthOp(x, 2, order)), 17, **CONV)


def regrouped(net: Net, x: SSAValue, parts, perm, size) -> SSAValue:
    apart = net.add(ReshapeOp(x, TensorType(f32, parts)))
    return net.add(ReshapeOp(net.add(TransposeOp(apart, perm)), TensorType(f32, size)))


def shuffled_pixels(net: Net) -> Iterator[SSAValue]:
    for channels in (64, 36):
        x = net.conv(net.input, channels)
        n, c, h, w = shape(x)
        less, whole = c // 4, [n, c // 4, 2 * h, 2 * w]
        y = regrouped(net, x, [n, less, 2, 2, h, w], [0, 1, 4, 2, 5, 3], whole)
        z = regrouped(net, x, [n, 2, 2, less, h, w], [0, 3, 4, 1, 5, 2], whole)
        yield net.conv(net.add(AddOp(y, z)), 17, **CONV)
        for perm in ([0, 1, 3, 5, 2, 4], [0, 3, 5, 1, 2, 4]):
            back = regrouped(net, y, [n, less, h, 2, w, 2], perm, [n, c, h, w])
            yield net.conv(back, 17, **CONV)


def repeated_maps(net: Net) -> Iterator[SSAValue]:
    for channels in (16, 20):
        x = net.conv(net.input, channels)
        n, c, h, w = shape(x)
        yield net.conv(net.add(TileOp(x, TensorType(f32, [n, 3 * c, h, 2 * w]))), 20, **CONV)
        gate = net.add(SigmoidOp(net.add(GlobalAvgPoolOp(x))))
        yield net.add(MulOp(x, net.add(TileOp(gate, TensorType(f32, [n, c, h, w])))))


def reduced_in_blocks(net: Net) -> Iterator[SSAValue]:
    x = net.conv(net.input, 37, **CONV)
    for kind in KINDS:
        for axes in ([2, 3], [1], [3], [0, 1]):
            if kind != "prod" or axes == [3]:
                yield net.add(ReduceOp(x, kind, axes))


def attention_of_maps_and_channels(net: Net) -> Iterator[SSAValue]:
    x = net.conv(net.input, 32, **CONV)
    pooled = net.add(AddOp(net.add(ReduceOp(x, "max", [2, 3])), net.add(GlobalAvgPoolOp(x))))
    x = net.add(MulOp(x, net.add(SigmoidOp(net.conv(pooled, 32, kernel=(1, 1))))))
    both = [net.add(ReduceOp(x, kind, [1])) for kind in ("mean", "max")]
    gate = net.conv(net.add(ConcatOp(both, 1)), 1, kernel=(7, 7), pads=(3, 3, 3, 3))
    yield net.add(MulOp(x, net.add(SigmoidOp(gate))))


NETWORKS = [
    channels_in_two_halves,
    every_other_row_backwards,
    space_to_depth_by_slices,
    reflected_border,
    shuffled_channels,
    picked_channels,
    rows_and_channels_at_places,
    blocks_of_depth,
    shuffled_pixels,
    repeated_maps,
    reduced_in_blocks,
    attention_of_maps_and_channels,
]


@pytest.mark.parametrize("size", [(1, 3, 9, 11), (2, 24, 7, 8)], ids=str)
@pytest.mark.parametrize("network", NETWORKS, ids=lambda f: f.__name__)
def test_every_pass_keeps_the_meaning(network, size) -> None:
    net = Net(size)
    net.check(*network(net))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_runs_are_the_indices_in_order(indices: list[int]) -> None:
    found: list[int] = []
    for run in runs_of(indices):
        steps, times = np.arange(run.count) * run.step, np.arange(run.times) * run.stride
        found += (run.start + times[:, None] + steps).ravel().tolist()
    assert found == indices


def test_shuffle_is_one_run() -> None:
    assert len(runs_of([g * 5 + c for c in range(5) for g in range(3)])) == 1
    assert len(runs_of([3, 2, 1, 0, 1, 2, 3])) == 2
