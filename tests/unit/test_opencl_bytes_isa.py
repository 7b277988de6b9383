"""What Intel's compiler makes of contractions of bytes: dp4a where the device has it."""

import os
from collections import Counter
from shutil import which

import pytest

from lamina import steps
from lamina.backends.opencl.ocloc import assemblies, chip
from lamina.options import Options
from lamina.tools._inspection import kernels_of, program
from tests.unit.qdq_networks import Network

pytestmark = pytest.mark.skipif(
    which(os.environ.get("LAMINA_OCLOC", "ocloc")) is None, reason="needs ocloc"
)


def hot_opcodes(device: str) -> Counter[str]:
    """How often each instruction is in the hot block of a 3x3 convolution; nothing is spilled."""
    net = Network("uint8", seed=5)
    x = net.input(1, 64, 28, 28)
    y = net.stored(net.conv(x, (64, 64, 3, 3), pads=[1] * 4), 0.05)
    target = chip(device).target
    _, module = steps.lowered(net.model(y), target, "vector", Options(1), {})
    kernels, _ = kernels_of(module, target)
    found = assemblies(program(kernels), device)
    assert [(k.lanes, k.spill) for k in found.values()] == [(16, 0)] * len(found)
    (kernel,) = (k for name, k in found.items() if name.startswith("conv2d"))
    return Counter(i.opcode for i in kernel.hot.instructions if i.lanes > 1)


@pytest.mark.parametrize("device", ["tgllp", "dg2"])
def test_products_of_bytes_are_dp4a_on_xe(device: str) -> None:
    found = hot_opcodes(device)
    assert found["dp4a"] >= 64, found
    assert found["mul"] <= 4, found


def test_products_of_bytes_are_multiply_adds_of_floats_on_gen9() -> None:
    found = hot_opcodes("bxt")
    assert found["mad"] >= 0.9 * found.total(), found
    assert found["add"] == 0, found  # sums become integers behind the loop
    assert found["mul"] == 0, found
