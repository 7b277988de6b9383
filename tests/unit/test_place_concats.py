"""Networks whose concats and slices are parts of one buffer compute what ONNX Runtime does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper
from xdsl.dialects import func

import lamina
from lamina.context import new_context
from lamina.dialects.graph import ConcatOp, SliceOp
from lamina.frontends.onnx import import_model
from lamina.options import Options
from lamina.passes.pipelines import LEVELS, default
from tests.unit.blocked_networks import Builder
from tests.unit.onnx_models import model, run_onnxruntime

POOL = {"kernel_shape": [3, 3], "strides": [1, 1], "pads": [1, 1, 1, 1]}


class Net(Builder):
    """Appends concats and slices too."""

    def __init__(self, channels: int = 16, size: int = 9, batch: int = 1) -> None:
        super().__init__(channels, size)
        self.input = (batch, channels, size, size)

    def join(self, *xs: str, axis: int = 1) -> str:
        """The concat of some maps."""
        return self.op("Concat", *xs, axis=axis)

    def slice(self, x: str, start: int, stop: int) -> str:
        """Some channels."""
        return self.op("Slice", x, [start], [stop], [1])

    def named(self, name: str, x: str) -> str:
        """An output called `name`, which is what the last node but this computes."""
        self.nodes.append(helper.make_node("Identity", [x], [name]))
        return name


def nested(b: Net) -> list[str]:
    """A dense block, each concat read by the next"""
    x = b.conv("x", 16, 32)
    for channels in (32, 48, 64):
        x = b.join(x, b.conv(b.op("Relu", x), channels, 16, 3))
    return [b.conv(x, 80, 16)]


def flat(b: Net) -> list[str]:
    """A dense block, each concat of all maps so far"""
    maps = [b.conv("x", 16, 32)]
    for channels in (32, 48, 64):
        x = b.join(*maps) if len(maps) > 1 else maps[0]
        maps.append(b.conv(b.op("Relu", x), channels, 16, 3))
    return [b.conv(b.join(*maps), 80, 16)]


def two_concats(b: Net) -> list[str]:
    """A map that is in two concats"""
    x, y, z = (b.conv("x", 16, 16, k) for k in (1, 3, 5))
    return [b.conv(b.join(x, y), 32, 16), b.conv(b.join(y, z), 32, 16)]


def twice(b: Net) -> list[str]:
    """A concat of a map and itself"""
    x = b.conv("x", 16, 16)
    return [b.conv(b.join(x, x, x), 48, 16)]


def output_inside(b: Net) -> list[str]:
    """An output that is also in a concat, in plain storage"""
    x, y = (b.op("Exp", b.op("Reshape", b.conv("x", 16, c), [1, -1, 9])) for c in (16, 24))
    return [x, b.op("Relu", b.join(x, y))]


def output_around(b: Net) -> list[str]:
    """A concat that is an output, along rows of plain storage"""
    x, y = (b.op("Reshape", b.conv("x", 16, c), [1, -1, 9]) for c in (16, 24))
    return [b.join(b.op("Relu", x), b.op("Exp", y))]


def inputs_and_constants(b: Net) -> list[str]:
    """A concat of the input, a constant and a map"""
    return [b.conv(b.join("x", b.weight(b.random(1, 16, 9, 9)), b.conv("x", 16, 32)), 64, 16, 3)]


def reordered(b: Net) -> list[str]:
    """The halves of a map in the other order, and each by itself"""
    x = b.conv("x", 16, 64, 3)
    low, high = b.ops("Split", 2, x, [32, 32], axis=1)
    y = b.join(high, low)
    return [b.conv(y, 64, 16), b.conv(low, 32, 16, 3), b.conv(high, 32, 16)]


def residual(b: Net) -> list[str]:
    """A sum beside slices of the buffer that holds its operand"""
    x, y = b.conv("x", 16, 16), b.conv("x", 16, 16, 3)
    z = b.op("Add", b.op("Relu", b.join(x, y)), b.conv("x", 16, 32))
    w = b.op("Add", b.slice(z, 0, 16), x)
    return [b.conv(b.join(w, b.op("Add", y, w)), 32, 16)]


def ragged(b: Net) -> list[str]:
    """Maps of 16, 20, 28 and 24 channels"""
    maps = [b.conv("x", 16, c, 3) for c in (16, 20, 28, 24)]
    return [b.conv(b.join(*maps), 88, 24), b.conv(b.join(maps[0], maps[3]), 40, 24)]


def padded_maximum(b: Net) -> list[str]:
    """A maximum with a border reads a map that is in a concat which windows of sums read"""
    x, y = b.conv("x", 16, 16), b.conv("x", 16, 16, 3)
    return [b.conv(b.join(x, y), 32, 16, 5), b.op("MaxPool", x, **POOL)]


def pools(b: Net) -> list[str]:
    """Pools with borders read a concat, and a convolution wider than both"""
    y = b.join(b.conv("x", 16, 16), b.conv("x", 16, 32, 3))
    z = b.join(b.op("AveragePool", y, **POOL), b.conv(y, 48, 16, 5))
    return [b.op("MaxPool", z, **POOL), b.conv(z, 64, 16)]


def slices_of_slices(b: Net) -> list[str]:
    """Parts of a part of a concat"""
    y = b.join(b.conv("x", 16, 32), b.conv("x", 16, 32, 3))
    part = b.slice(y, 16, 64)
    return [b.conv(b.slice(part, 0, 32), 32, 16, 3), b.slice(part, 16, 48)]


def unet(b: Net) -> list[str]:
    """Skips around smaller maps"""
    top = b.op("Relu", b.conv("x", 16, 16, 3))
    down = b.op("Relu", b.conv(b.op("MaxPool", top, kernel_shape=[3, 3], strides=[3, 3]), 16, 16))
    scales = np.array([1, 1, 3, 3], np.float32)
    up = b.op("Resize", down, "", scales, mode="nearest")
    return [b.conv(b.join(up, top), 32, 16, 3)]


NETWORKS: dict[Callable[[Net], list[str]], tuple[int, int]] = {
    nested: (3, 0),
    flat: (3, 0),
    two_concats: (1, 1),
    twice: (1, 1),
    output_inside: (1, 1),
    output_around: (1, 0),
    inputs_and_constants: (1, 1),
    reordered: (1, 2),
    residual: (3, 0),
    ragged: (1, 2),
    padded_maximum: (1, 1),
    pools: (2, 0),
    slices_of_slices: (3, 1),
    unet: (1, 0),
}
"""network -> concats and slices in place, and kernels that copy for others"""


def counts(proto: onnx.ModelProto) -> tuple[int, int]:
    """
    How many concats and slices of a network are in place, and how many kernels copy, in layouts and
    by algorithms that do not depend on what is fast on a machine.
    """
    ctx = new_context()
    module = import_model(proto, ctx.weights)
    for step in default("cpu:skylake-avx512", Options(numerics="strict", layouts="local")):
        step.apply(ctx, module)
        if step.name == LEVELS["graph"]:
            break
    functions = {f.sym_name.data: f for f in module.ops if isinstance(f, func.FuncOp)}
    steps = list(functions.pop("main").body.block.ops)
    names = [op.callee.string_value() for op in steps if isinstance(op, func.CallOp)]
    copied = [op for name in names for op in functions[name].body.block.ops]
    in_place, copies = (
        sum(isinstance(op, ConcatOp | SliceOp) for op in ops) for ops in (steps, copied)
    )
    return in_place, copies


def agrees(proto: onnx.ModelProto, size: tuple[int, ...]) -> None:
    """Compiled, every pass verified, `proto` computes what ONNX Runtime does."""
    x = np.random.default_rng(3).standard_normal(size, dtype=np.float32)
    found = lamina.compile(proto, cache=False, verify=True).run({"x": x})
    for got, want in zip(found.values(), run_onnxruntime(proto, [x]), strict=True):
        assert got.shape == want.shape
        assert np.abs(got - want).max() <= 1e-5 * np.abs(want).max()


@pytest.mark.parametrize("network", NETWORKS, ids=lambda f: f.__name__)
def test_network_of_parts(network: Callable[[Net], list[str]]) -> None:
    b = Net()
    proto = b.model(*network(b))
    agrees(proto, b.input)
    assert counts(proto) == NETWORKS[network]


@pytest.mark.parametrize("network", [nested, reordered, pools])
def test_parts_of_a_batch_are_copied(network: Callable[[Net], list[str]]) -> None:
    b = Net(batch=2)
    proto = b.model(*network(b))
    agrees(proto, b.input)
    assert counts(proto)[0] == 0


@st.composite
def wirings(draw: st.DrawFn) -> tuple[onnx.ModelProto, tuple[int, ...]]:
    """Maps of one size that concats, slices, pools, sums and convolutions make of one another."""
    b = Net(draw(st.sampled_from([16, 20])), 5, draw(st.sampled_from([1, 1, 1, 2])))
    maps = [("x", b.input[1]), (b.conv("x", b.input[1], 32), 32)]
    for kind in draw(st.lists(st.sampled_from("ccccsspprab"), min_size=3, max_size=14)):
        x, n = draw(st.sampled_from(maps))
        if kind == "c":
            more = draw(st.lists(st.sampled_from(maps), min_size=1, max_size=3))
            if (total := n + sum(m for _, m in more)) > 200:
                continue
            made = b.join(x, *(y for y, _ in more)), total
        elif kind == "s":
            start = draw(st.sampled_from([0, 0, 8, 16, 32]))
            stop = min(n, start + draw(st.sampled_from([16, 24, 32, 64])))
            if start >= stop:
                continue
            made = b.slice(x, start, stop), stop - start
        elif kind in "pr":
            made = (b.op("MaxPool", x, **POOL) if kind == "p" else b.op("Relu", x)), n
        elif kind == "a":
            same = [y for y, m in maps if m == n]
            made = b.op("Add", x, draw(st.sampled_from(same))), n
        else:
            outs = draw(st.sampled_from([16, 24, 32]))
            made = b.conv(x, n, outs, draw(st.sampled_from([1, 3]))), outs
        maps.append(made)
    outputs = draw(st.lists(st.sampled_from(maps[1:]), min_size=1, max_size=3, unique=True))
    return model(b.nodes, {"x": b.input}, b.weights, [name for name, _ in outputs]), b.input


@settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(wirings())
def test_random_wiring(wiring: tuple[onnx.ModelProto, tuple[int, ...]]) -> None:
    agrees(*wiring)
