"""What stands before and after convolutions is computed in their kernels, and is the same."""

import numpy as np
import pytest
from xdsl.dialects.builtin import ArrayAttr, ModuleOp, StringAttr, UnitAttr
from xdsl.ir import SSAValue

import lamina
from lamina import interpreters
from lamina.dialects.graph import (
    AddOp,
    AvgPool2dOp,
    MaxPool2dOp,
    MulOp,
    ReluOp,
    shape,
)
from tests.unit.shares import however_small
from tests.unit.test_graph_pipeline import Net

SIZES = [
    # batch, channels, height, width, channels after
    (1, 64, 56, 56, 128),
    (2, 48, 37, 23, 24),
    (1, 20, 31, 30, 10),
    (1, 256, 14, 14, 64),
]


def network(sizes: tuple[int, ...], window: int, stride: int, pool: type) -> tuple[Net, SSAValue]:
    """relu(x * s + t), a convolution of single elements, pooling; twice, with 3 x 3 between."""
    n, c, h, w, o = sizes
    net = Net((n, c, h, w))
    x = net.conv(net.input, c, pads=(1, 1, 1, 1))
    for _ in range(2):
        scaled = net.add(MulOp(x, net.weight(1, shape(x)[1], 1, 1)))
        y = net.add(ReluOp(net.add(AddOp(scaled, net.weight(1, shape(x)[1], 1, 1)))))
        y = net.conv(y, o, (1, 1), strides=(stride, stride))
        x = net.add(pool(y, (window, window), (window, window)))
        x = net.conv(x, o, (3, 3), pads=(1, 1, 1, 1))
        if min(shape(x)[2:]) < window * stride:
            break
    return net, x


def as_entry(module: ModuleOp) -> ModuleOp:
    (main,) = module.ops
    main.attributes |= {"lamina.entry": UnitAttr(), "lamina.outputs": ArrayAttr([StringAttr("y")])}
    return module


@pytest.mark.parametrize("target", ["cpu", "cpu:haswell", "cpu:nehalem"])
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize(("window", "stride", "pool"), [(2, 1, MaxPool2dOp), (3, 2, AvgPool2dOp)])
def test_networks_of_joined_kernels_compute_the_same(
    sizes: tuple[int, ...], window: int, stride: int, pool: type, target: str
) -> None:
    net, y = network(sizes, window, stride, pool)
    module = as_entry(net.module(y))
    x = np.random.default_rng(1).standard_normal(sizes[:4]).astype(np.float32)
    (wanted,) = interpreters.call(module, "main", [x], store=net.ctx.weights)
    model = lamina.compile(module, target=target, weights=net.ctx.weights, cache=False)
    found = model(x)
    assert np.abs(found - wanted).max() < 1e-4 * np.abs(wanted).max()


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("sizes", SIZES)
def test_networks_of_joined_kernels_compute_the_same_on_threads(
    sizes: tuple[int, ...], threads: int
) -> None:
    x = np.random.default_rng(1).standard_normal(sizes[:4]).astype(np.float32)
    found: list[np.ndarray] = []
    for n in (1, threads):
        net, y = network(sizes, 2, 1, MaxPool2dOp)
        with however_small():
            model = lamina.compile(
                as_entry(net.module(y)), weights=net.ctx.weights, cache=False, threads=n
            )
        found.append(model(x))
    assert np.abs(found[1] - found[0]).max() < 1e-6 * np.abs(found[0]).max()
