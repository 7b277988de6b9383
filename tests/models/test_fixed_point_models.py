"""Networks of bytes in fixed point, beside ONNX Runtime, which scales in float."""

import numpy as np
import onnx
import pytest

import lamina
from benchmarks import quantized
from tests.models.test_quantized_models import (
    EQUAL,
    Case,
    by_onnxruntime,
    layers,
    steps_apart,
    with_bytes,
)

CASES = (("mobilenet_v2", "s8s8-tensor", 0.98), ("resnet50", "u8s8-channel", 0.99))
"""
networks, and what cosine their results have at least: in both, tensors are added, and a byte on a
tie that differs reaches most others some layers later
"""


@pytest.fixture(scope="module", params=CASES, ids=lambda case: "-".join(case[:2]))
def case(request: pytest.FixtureRequest) -> tuple[Case, float]:
    name, variant, cosine = request.param
    model = quantized.quantized(quantized.prepared(name), variant, images=2)
    (data,) = model.graph.input
    size = [dim.dim_value for dim in data.type.tensor_type.shape.dim]
    inputs = {data.name: quantized.image(size, 1000)}
    found = by_onnxruntime(with_bytes(model), inputs)
    for output in model.graph.output:
        del found[output.name]
    return Case(name, model, inputs, found, by_onnxruntime(model, inputs)), cosine


def fixed(model: onnx.ModelProto) -> lamina.CompiledModel:
    return lamina.compile(model, cache=False, requantize="fixed")


def test_every_layer_is_within_a_step(case: tuple[Case, float]) -> None:
    parts, given = layers(case[0])
    found = fixed(parts).run(given)
    apart = {name: steps_apart(found[name], case[0].bytes[name]) for name in case[0].bytes}
    assert not {name: steps.max() for name, steps in apart.items() if steps.max() > 1}
    equal = {name: float((steps == 0).mean()) for name, steps in apart.items()}
    assert not {name: share for name, share in equal.items() if share < EQUAL}


def test_the_whole_network_computes_about_the_same(case: tuple[Case, float]) -> None:
    network, cosine = case
    found = fixed(network.model).run(network.inputs)
    for name, expected in network.results.items():
        product = np.vdot(found[name], expected)
        sizes = np.linalg.norm(found[name]) * np.linalg.norm(expected)
        assert product / sizes >= cosine
