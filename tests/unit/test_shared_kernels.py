"""Kernels that differ in scales and zero points are one, and its results are what they were."""

import numpy as np
import onnx
import pytest
from onnx import helper

import lamina
from lamina.backends.cpu.model import CompiledModel
from lamina.passes import pipelines
from tests.unit.onnx_models import model, run_onnxruntime
from tests.unit.qdq_networks import Network

ZEROS = {"uint8": [255, 7, 131, 254, 2], "int8": [127, -126, 3, -120, 64]}


def residuals(blocks: int, channels: int, type: str) -> onnx.ModelProto:
    """Convolutions that are added to what they read, each with parameters of its own."""
    net, zeros = Network(type), ZEROS[type]
    x = net.input(1, channels, 5, 6)
    for k in range(blocks):
        y = net.stored(net.conv(x, (channels, channels, 1, 1)), 0.11 + k / 8, zeros[k])
        x = net.stored(net.add("Add", x, y), 0.13 + k / 8, zeros[-k])
    return net.model(x)


def branches(count: int, channels: int) -> onnx.ModelProto:
    """Convolutions of one tensor whose results are brought to the steps of their concatenation."""
    net = Network()
    x = net.input(1, channels, 5, 6)
    convs = [net.conv(x, (channels, channels, 3, 3), pads=[1, 1, 1, 1]) for _ in range(count)]
    parts = [net.stored(y, 0.3 + k / 8, ZEROS["uint8"][k]) for k, y in enumerate(convs)]
    return net.model(net.stored(net.add("Concat", *parts, axis=1), 0.4, 100))


def kernels(compiled: CompiledModel) -> int:
    return len({call.symbol for call in compiled.manifest.calls})


def alone(proto: onnx.ModelProto, target: str, monkeypatch: pytest.MonkeyPatch) -> CompiledModel:
    """The model compiled without sharing."""
    passes = pipelines.default(target)
    rest = tuple(p for p in passes if p.name != "share-kernels")
    with monkeypatch.context() as patch:
        patch.setattr(pipelines, "default", lambda *_: rest)
        return lamina.compile(proto, target=target, cache=False)


@pytest.mark.parametrize("channels", [3, 16, 37])
@pytest.mark.parametrize("target", ["cpu:skylake-avx512", "cpu:haswell"])
@pytest.mark.parametrize("kind", ["uint8", "int8", "concat"])
def test_results_are_the_same_to_the_last_bit(
    kind: str, target: str, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    proto = branches(4, channels) if kind == "concat" else residuals(4, channels, kind)
    shared = lamina.compile(proto, target=target, cache=False)
    apart = alone(proto, target, monkeypatch)
    assert kernels(shared) < kernels(apart)
    x = np.random.default_rng(0).standard_normal((1, channels, 5, 6)).astype(np.float32) * 4
    found, wanted = shared(x), apart(x)
    assert len(np.unique(found)) > 3
    np.testing.assert_array_equal(found, wanted)


def test_kernels_do_not_grow_in_number_with_a_network_of_bytes() -> None:
    few, many = (lamina.compile(residuals(n, 16, "uint8"), cache=False) for n in (3, 5))
    assert kernels(few) == kernels(many)


def test_factors_of_floats_are_shared() -> None:
    proto = scaled_softmaxes([0.25, 3, 7, 0.3])
    x = np.random.default_rng(0).standard_normal((3, 5)).astype(np.float32)
    compiled = lamina.compile(proto, cache=False)
    assert kernels(compiled) == kernels(lamina.compile(scaled_softmaxes([2, 3]), cache=False))
    np.testing.assert_allclose(compiled(x), run_onnxruntime(proto, [x])[0], rtol=1e-5)


def scaled_softmaxes(factors: list[float]) -> onnx.ModelProto:
    names = ["x", *(f"v{k}" for k in range(1, len(factors))), "y"]
    nodes = [
        node
        for k in range(len(factors))
        for node in (
            helper.make_node("Mul", [names[k], f"a{k}"], [f"m{k}"]),
            helper.make_node("Softmax", [f"m{k}"], [names[k + 1]]),
        )
    ]
    weights = {f"a{k}": np.array([factor], np.float32) for k, factor in enumerate(factors)}
    return model(nodes, {"x": (3, 5)}, weights)
