"""Small networks divided in any way between a device and the CPU."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import lamina
from lamina.backends.interface import HostWorker, Worker
from lamina.backends.opencl.worker import OpenCLWorker

pytest.importorskip("pyopencl")


def network() -> tuple[onnx.ModelProto, list[str]]:
    """
    Convolutions, a residual sum, a concat, pooling, a dense layer; what rules may name. Values keep
    their size from layer to layer: large ones would make the softmax 0 or 1, whatever they are.
    """
    g = np.random.default_rng(0)
    weights = {
        "a": g.standard_normal((16, 3, 3, 3)) / 27**0.5,
        "b": g.standard_normal((16, 16, 1, 1)) / 16**0.5,
        "c": g.standard_normal((24, 16, 3, 3)) / 144**0.5,
        "d": g.standard_normal((40, 10)) / 40**0.5,
    }
    nodes = [
        helper.make_node("Conv", ["x", "a"], ["first"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["first"], ["relu"]),
        helper.make_node("Conv", ["relu", "b"], ["second"]),
        helper.make_node("Add", ["second", "relu"], ["sum"]),
        helper.make_node("Conv", ["sum", "c"], ["third"], pads=[1, 1, 1, 1]),
        helper.make_node("Concat", ["third", "sum"], ["both"], axis=1),
        helper.make_node("MaxPool", ["both"], ["pool"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("GlobalAveragePool", ["pool"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("MatMul", ["flat", "d"], ["dense"]),
        helper.make_node("Softmax", ["dense"], ["y"]),
    ]
    constants = [numpy_helper.from_array(w.astype(np.float32), n) for n, w in weights.items()]
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 3, 10, 10])
    y = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 10])
    graph = helper.make_graph(nodes, "g", [x], [y], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    kinds = ["conv2d", "relu", "add", "concat", "max_pool2d", "global_avg_pool", "softmax"]
    return model, [f"graph.{kind}" for kind in kinds] + ["third"]


def rules(named: Sequence[str], seed: int) -> list[str]:
    """A device for all, and others for some of those that are named."""
    g = np.random.default_rng(seed)
    devices = ["cpu", "opencl"]
    some = [f"{name}:{devices[g.integers(2)]}" for name in named if g.random() < 0.6]
    return [f"*:{devices[g.integers(2)]}", *some]


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> None:
    """What regions hand on is NaN until they write it: borders, and what pads blocks, too."""

    def poison(worker: Worker, buffer: Any) -> Any:
        worker.map(buffer)[...] = np.nan
        worker.unmap(buffer)
        return buffer

    for kind in (HostWorker, OpenCLWorker):
        own = kind.buffer

        def buffer(worker: Any, shape: Any, dtype: Any, own: Any = own) -> Any:
            return poison(worker, own(worker, shape, dtype))

        monkeypatch.setattr(kind, "buffer", buffer)


REGIONS = (5, 4, 3, 6, 3, 6)
"""how many each seed makes: all of them divide the network, some several times"""


@pytest.mark.usefixtures("poisoned")
@pytest.mark.parametrize("seed", range(len(REGIONS)))
def test_division_changes_nothing(seed: int) -> None:
    model, named = network()
    x = np.random.default_rng(seed).standard_normal((1, 3, 10, 10)).astype(np.float32)
    whole = lamina.compile(model, numerics="strict", cache=False)(x)
    assert np.ptp(whole) < 0.9  # it says something about all numbers before
    divided = lamina.compile(
        model,
        target="opencl:intel-gen9,cpu",
        place=rules(named, seed),
        numerics="strict",
        cache=False,
    )
    devices = [region.target for region in divided.manifest.regions]
    assert len(devices) == REGIONS[seed]
    assert set(devices) == {"cpu", "opencl:intel-gen9"}
    assert all(a != b for a, b in pairwise(devices))  # none is there for nothing
    np.testing.assert_allclose(divided(x), whole, atol=1e-5)
