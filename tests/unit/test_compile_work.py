"""
The work of the compiler grows with the number of different kernels, not faster, and hardly with how
often they are called.

Function calls are counted, which are the same on any machine however busy; what LLVM does is
counted by the size of what it is given.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from types import FrameType

import numpy as np
import onnx
import pytest
from onnx import helper

import lamina
from lamina import steps
from lamina.backends.model import CompiledModel
from tests.unit.onnx_models import model


def convolutions(channels: list[int]) -> onnx.ModelProto:
    """Convolutions one after the other with so many channels between them."""
    rng = np.random.default_rng(0)
    pairs = list(pairwise(channels))
    weights = {
        f"w{i}": rng.standard_normal((b, a, 1, 1)).astype(np.float32)
        for i, (a, b) in enumerate(pairs)
    }
    names = ["x", *(f"v{i}" for i in range(1, len(pairs))), "y"]
    nodes = [
        helper.make_node("Conv", [names[i], f"w{i}"], [names[i + 1]]) for i in range(len(pairs))
    ]
    return model(nodes, {"x": (1, channels[0], 4, 4)}, weights)


def counted(work: Callable[[], CompiledModel]) -> tuple[CompiledModel, int]:
    """The result, and how many functions were called for it."""
    calls = Counter[str]()

    def count(frame: FrameType, event: str, argument: object) -> None:
        calls[event] += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        result = work()
    finally:
        sys.setprofile(before)
    return result, calls["call"] + calls["c_call"]


def compiled(channels: list[int]) -> tuple[int, int, int]:
    """Kernels, function calls, and bytes of the text that LLVM is given."""
    proto = convolutions(channels)
    found, calls = counted(lambda: lamina.compile(proto, target="cpu:haswell", cache=False))
    ctx, module = steps.lowered(proto, "cpu:haswell", "vector")
    text = steps.text_of(ctx, module, "llvm", "cpu:haswell")
    return len({call.symbol for call in found.manifest.calls}), calls, len(text)


@pytest.fixture(scope="module", autouse=True)
def imported() -> None:
    """What is done once for all models is done."""
    compiled([8, 16, 8])


def test_work_is_proportional_to_the_kernels() -> None:
    few, some, many = (compiled([*range(8, 8 * (n + 2), 8)]) for n in (6, 12, 24))
    assert many[0] - some[0] == 2 * (some[0] - few[0]) == 12
    for before, between, after in zip(few[1:], some[1:], many[1:], strict=True):
        # twice as many kernels were added: twice the work, and a little more for larger ones
        assert after - between < 2.4 * (between - before)


def test_kernel_that_is_called_again_is_not_made_again() -> None:
    three, thirty, sixty = (compiled([16] * (n + 1)) for n in (3, 33, 63))
    assert three[0] == thirty[0] == sixty[0]
    for before, between, after in zip(three[1:], thirty[1:], sixty[1:], strict=True):
        # ten times as many calls take less than six times the work, twenty times twice as much
        assert between < 6 * before
        assert after - between < 1.2 * (between - before)
