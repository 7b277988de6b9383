"""Networks of bytes on an OpenCL device compute what they compute on a CPU, in every bit."""

import numpy as np
import onnx
import pytest

import lamina
from tests.unit.qdq_networks import Network
from tests.unit.test_quantized_networks import Build, dense, images, odd_weights, pools

pytest.importorskip("pyopencl")


def check(proto: onnx.ModelProto, target: str) -> None:
    """The device's results are the CPU's, which are not all alike."""
    inputs = dict(zip((i.name for i in proto.graph.input), images(proto, 1), strict=True))
    cpu = lamina.compile(proto, threads=1, cache=False).run(inputs)
    device = lamina.compile(proto, target=target, cache=False).run(inputs)
    for name, expected in cpu.items():
        assert np.ptp(expected) > 0
        np.testing.assert_array_equal(device[name], expected)


@pytest.mark.parametrize(("build", "kind"), [(pools, "uint8"), (odd_weights, "int8")])
def test_results_are_those_of_a_cpu(build: Build, kind: str) -> None:
    net = Network(kind, seed=3)
    check(net.model(*build(net)), "opencl:intel-gen9")


def conv(net: Network) -> list[str]:
    """Windows of all channels."""
    return [net.stored(net.conv(net.input(1, 20, 9, 7), (24, 20, 3, 3), pads=[1] * 4), 0.05)]


def depthwise(net: Network) -> list[str]:
    """Windows of a channel each."""
    x = net.input(1, 24, 9, 7)
    return [net.stored(net.conv(x, (24, 1, 3, 3), group=24, pads=[1] * 4), 0.05)]


def rows(net: Network) -> list[str]:
    """A dense layer."""
    return [net.stored(dense(net, net.input(2, 37), 37, 20), 0.02)]


def largest(net: Network) -> list[str]:
    """The largest of windows."""
    x = net.input(1, 20, 9, 7)
    return [net.again(net.add("MaxPool", x, kernel_shape=[3, 3], pads=[1] * 4), *net.meant[x])]


def means(net: Network) -> list[str]:
    """Means of windows."""
    x = net.input(1, 20, 9, 7)
    return [net.stored(net.add("AveragePool", x, kernel_shape=[3, 2]), 0.02)]


def sums(net: Network) -> list[str]:
    """Sums of what has different scales."""
    x, y = net.input(1, 20, 9, 7), net.input(1, 20, 9, 7, scale=0.05)
    return [net.stored(net.add("Add", x, y), 0.06)]


def joined(net: Network) -> list[str]:
    """Channels behind channels of another scale."""
    x, y = net.input(1, 20, 9, 7), net.input(1, 12, 9, 7, scale=0.05)
    return [net.stored(net.add("Concat", x, y, axis=1), 0.06)]


@pytest.mark.parametrize("target", ["opencl:portable", "opencl:lds"])
@pytest.mark.parametrize("kind", ["uint8", "int8"])
@pytest.mark.parametrize("build", [conv, depthwise, rows, largest, means, sums, joined])
def test_single_ops_on_devices_without_subgroups(build: Build, kind: str, target: str) -> None:
    net = Network(kind, seed=5)
    check(net.model(*build(net)), target)
