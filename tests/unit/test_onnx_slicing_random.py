"""Random slices, pads, gathers, tiles and reductions in blocks of channels, by ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper

from tests.unit.onnx_models import model
from tests.unit.test_onnx_slicing import agree

Found = tuple[str, dict[str, np.ndarray], dict[str, Any], list[int]]
"""operator, inputs after the first, attributes, and the shape of its result"""

CHANNELS = (3, 16, 20, 32, 36, 37, 48)


def ints(values: Any) -> np.ndarray:
    return np.array(values, np.int64)


@st.composite
def slices(draw: st.DrawFn, size: list[int]) -> Found:
    starts, ends, steps, result = [], [], [], []
    for n in size:
        start, step = draw(st.integers(0, n - 1)), draw(st.sampled_from([1, 1, 1, 2, 3, -1, -2]))
        room = (n - 1 - start) // step if step > 0 else start // -step
        count = draw(st.integers(1, room + 1))
        end = start + count * step
        starts.append(draw(st.sampled_from([start, start - n])))
        ends.append(end if end >= 0 else -1000)
        steps.append(step)
        result.append(count)
    given = {"s": ints(starts), "e": ints(ends), "a": ints(range(len(size))), "t": ints(steps)}
    return "Slice", given, {}, result


@st.composite
def pads(draw: st.DrawFn, size: list[int]) -> Found:
    mode = draw(st.sampled_from(["constant", "reflect", "edge", "wrap"]))
    low = -1 if mode == "constant" and min(size[1:]) > 2 else 0
    sides = [[draw(st.integers(low, min(3, n - 1))) for n in size] for _ in range(2)]
    result = [a + n + b for a, n, b in zip(sides[0], size, sides[1], strict=True)]
    if min(result) < 1:
        sides, result = [[0] * 4, [1] * 4], [n + 1 for n in size]
        mode = "edge"
    given = {"p": ints([*sides[0], *sides[1]])}
    return "Pad", given, {"mode": mode}, result


@st.composite
def gathers(draw: st.DrawFn, size: list[int]) -> Found:
    axis = draw(st.integers(0, 3))
    n = size[axis]
    groups = [g for g in (2, 3, 4) if n % g == 0]
    if groups and draw(st.booleans()):
        each = n // draw(st.sampled_from(groups))
        indices = [g * each + c for c in range(each) for g in range(n // each)]
    else:
        indices = draw(st.lists(st.integers(-n, n - 1), min_size=1, max_size=20))
    result = [*size[:axis], len(indices), *size[axis + 1 :]]
    return "Gather", {"i": ints(indices)}, {"axis": axis}, result


@st.composite
def tiles(draw: st.DrawFn, size: list[int]) -> Found:
    repeats = [draw(st.sampled_from([1, 1, 2, 3])) for _ in size]
    return "Tile", {"r": ints(repeats)}, {}, [n * r for n, r in zip(size, repeats, strict=True)]


@st.composite
def reductions(draw: st.DrawFn, size: list[int]) -> Found:
    kind = draw(st.sampled_from(["L1", "L2", "LogSumExp", "Max", "Min", "SumSquare"]))
    axes = draw(st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True))
    result = [1 if d in axes else n for d, n in enumerate(size)]
    return f"Reduce{kind}", {"a": ints(axes)}, {}, result


@st.composite
def networks(draw: st.DrawFn) -> onnx.ModelProto:
    """convolution, movement or reduction, relu, and again a convolution"""
    n, c = draw(st.integers(1, 3)), draw(st.sampled_from(CHANNELS))
    size = [n, c, draw(st.integers(1, 7)), draw(st.integers(1, 7))]
    op, inputs, attributes, result = draw(
        st.one_of(slices(size), pads(size), gathers(size), tiles(size), reductions(size))
    )
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    weights = {
        "v": rng.standard_normal((c, 4, 1, 1), np.float32),
        "w": rng.standard_normal((draw(st.sampled_from(CHANNELS)), result[1], 3, 3), np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "v"], ["h"]),
        helper.make_node(op, ["h", *inputs], ["m"], **attributes),
        helper.make_node("Relu", ["m"], ["f"]),
        helper.make_node("Conv", ["f", "w"], ["y"], pads=[1, 1, 1, 1]),
    ]
    return model(nodes, {"x": [n, 4, *size[2:]]}, {**weights, **inputs}, ["y", "m"], opset=19)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(networks())
def test_movement_between_convolutions(proto: onnx.ModelProto) -> None:
    agree(proto)
