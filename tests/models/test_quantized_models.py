"""
Networks of bytes beside ONNX Runtime: every layer on the bytes that ONNX Runtime had before it.

A layer reaches from what was quantized to what is quantized next. All layers of a network are
compiled as one model: what is quantized is an output, and who reads it reads an input instead,
which is given the bytes that ONNX Runtime has there. So a difference is not counted again behind
it. A number near the middle of two steps may become either; some layers later such a difference has
reached most bytes, so of a whole network only the result is compared.

Signed bytes are kept by ONNX Runtime: unless it is told to, it makes them unsigned, and then leaves
a third of the layers of networks with branches on real numbers. Their sums are rounded in another
way on each machine, and its results are no more like those on bytes (cosine 0.97 to 0.99) than
those of its other levels of optimization are.
"""

import gc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

import lamina
from benchmarks import quantized

Arrays = Mapping[str, np.ndarray]

CASES = (
    ("resnet50", "u8s8-channel"),
    ("vgg19", "s8s8-tensor"),
    ("inception_v3", "u8s8-tensor"),
    ("mobilenet_v1", "s8s8-channel"),
    ("mobilenet_v2", "u8s8-channel"),
    ("densenet121", "s8s8-channel"),
    ("resnet50", "s8s8-tensor"),
)

EQUAL = 0.999
"""the share of the bytes of a layer that are those of ONNX Runtime; the others are a step off"""

COSINE = 0.999
"""of the result of a whole network and that of ONNX Runtime, at least"""


@dataclass(frozen=True)
class Case:
    """A quantized network, an image, and what ONNX Runtime makes of it: all bytes, and results."""

    name: str
    model: onnx.ModelProto
    inputs: Arrays
    bytes: Arrays
    results: Arrays


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    name, variant = request.param
    model = quantized.quantized(quantized.prepared(name), variant, images=2)
    (data,) = model.graph.input
    size = [dim.dim_value for dim in data.type.tensor_type.shape.dim]
    inputs = {data.name: quantized.image(size, 1000)}
    found = by_onnxruntime(with_bytes(model), inputs)
    for output in model.graph.output:
        del found[output.name]
    yield Case(name, model, inputs, found, by_onnxruntime(model, inputs))
    gc.collect()


def stored(model: onnx.ModelProto) -> dict[str, int]:
    """What is quantized -> the type of its bytes."""
    types = {weight.name: weight.data_type for weight in model.graph.initializer}
    nodes = [node for node in model.graph.node if node.op_type == "QuantizeLinear"]
    return {node.output[0]: types[node.input[2]] for node in nodes}


def with_bytes(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with everything that is quantized as an output."""
    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    whole.graph.output.extend(
        helper.make_tensor_value_info(name, type, None) for name, type in stored(model).items()
    )
    return whole


def by_onnxruntime(model: onnx.ModelProto, inputs: Arrays) -> dict[str, np.ndarray]:
    """The outputs of a model by name."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    if onnx.TensorProto.INT8 in stored(model).values():
        options.add_session_config_entry("session.qdqisint8allowed", "1")
    else:  # without VNNI it would add products of bytes in 16 bits, which saturate
        options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    names = [output.name for output in session.get_outputs()]
    found = session.run(names, dict(inputs))
    return {name: np.asarray(value) for name, value in zip(names, found, strict=True)}


def layers(case: Case) -> tuple[onnx.ModelProto, dict[str, np.ndarray]]:
    """The network cut where something is quantized, and what its parts get to read."""
    parts, given = onnx.ModelProto(), dict(case.inputs)
    parts.CopyFrom(case.model)
    types = stored(case.model)
    for node in parts.graph.node:
        for position, name in enumerate(node.input):
            if name in types:
                node.input[position] = f"{name}:given"
                given[f"{name}:given"] = case.bytes[name]
    for name, type in types.items():
        size = case.bytes[name].shape
        parts.graph.output.append(helper.make_tensor_value_info(name, type, size))
        if f"{name}:given" in given:
            value = helper.make_tensor_value_info(f"{name}:given", type, size)
            parts.graph.input.append(value)
    return parts, given


def steps_apart(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """By how many steps bytes differ."""
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    return np.abs(found.astype(np.int16) - expected)


def test_all_networks_and_variants_are_compared() -> None:
    assert {name for name, _ in CASES} == set(quantized.NETWORKS)
    assert {variant for _, variant in CASES} == set(quantized.VARIANTS)
    assert len(quantized.NETWORKS) == 6


def test_every_layer_computes_the_bytes_of_onnxruntime(case: Case) -> None:
    parts, given = layers(case)
    found = lamina.compile(parts, cache=False).run(given)
    apart = {name: steps_apart(found[name], case.bytes[name]) for name in case.bytes}
    weighted = sum(node.op_type in ("Conv", "Gemm") for node in case.model.graph.node)
    assert len(apart) >= weighted, "some convolution or dense layer was not compared"
    assert not {name: steps.max() for name, steps in apart.items() if steps.max() > 1}
    equal = {name: float((steps == 0).mean()) for name, steps in apart.items()}
    assert not {name: share for name, share in equal.items() if share < EQUAL}


def test_the_whole_network_computes_what_onnxruntime_does(case: Case) -> None:
    found = lamina.compile(case.model, cache=False).run(case.inputs)
    for name, expected in case.results.items():
        product = np.vdot(found[name], expected)
        cosine = product / (np.linalg.norm(found[name]) * np.linalg.norm(expected))
        assert cosine >= COSINE
        assert expected.std() > 0


def test_bytes_depend_on_the_image(case: Case) -> None:
    """Else nothing would be said by comparing them."""
    other = by_onnxruntime(
        with_bytes(case.model), {name: -image for name, image in case.inputs.items()}
    )
    alike = [name for name, x in case.bytes.items() if (steps_apart(other[name], x) == 0).all()]
    assert not alike
