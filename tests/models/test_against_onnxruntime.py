"""
Whole networks beside ONNX Runtime: the result and what every kernel hands on differ by at most
1e-5 of the largest value, and the result depends on the input.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
import pytest

import lamina
from benchmarks.models import build
from lamina.backends.cpu.model import CompiledModel
from lamina.dialects.layout import Layout

Arrays = dict[str, np.ndarray]

TOLERANCE = 1e-5
MODELS = [
    ("resnet18", "cpu"),
    ("resnet18", "cpu:haswell"),
    ("resnet50", "cpu"),
    ("vgg16", "cpu"),
    ("densenet121", "cpu"),
    ("inception_v3", "cpu"),
    ("mobilenet_v1", "cpu"),
    ("mobilenet_v2", "cpu"),
    ("mobilenet_v2", "cpu:haswell"),
    ("squeezenet1_1", "cpu"),
]


@dataclass(frozen=True)
class Case:
    """A model, compiled and in ONNX Runtime, and what both make of one image."""

    model: CompiledModel
    inputs: Arrays
    outputs: Arrays
    """what lamina computes"""
    expected: Arrays
    """every value of the ONNX graph, as ONNX Runtime computes it"""


def image(model: onnx.ModelProto, seed: int) -> Arrays:
    """A random image."""
    (data,) = model.graph.input
    shape = [dim.dim_value for dim in data.type.tensor_type.shape.dim]
    return {data.name: np.random.default_rng(seed).standard_normal(shape, np.float32)}


def every_value(model: onnx.ModelProto, inputs: Arrays) -> Arrays:
    """All values of a graph by their names: each becomes an output that nothing is fused across."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    names = [name for node in model.graph.node for name in node.output]
    known = {output.name for output in model.graph.output}
    copy.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names if n not in known)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(copy.SerializeToString(), options)
    found = session.run(names, inputs)
    return {name: np.asarray(value) for name, value in zip(names, found, strict=True)}


@pytest.fixture(scope="module", params=MODELS, ids="-".join)
def case(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Case]:
    name, target = request.param
    onnx_model = build(name, bn_stats=True)
    path = tmp_path_factory.mktemp("models") / f"{name}.onnx"
    onnx.save(onnx_model, path)
    model = lamina.compile(path, target=target, cache=False)
    inputs = image(onnx_model, seed=0)
    yield Case(model, inputs, model.run(inputs), every_value(onnx_model, inputs))
    path.unlink()  # half a gigabyte for VGG-16


def difference(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, as a share of the largest value."""
    assert found.shape == expected.shape
    assert np.isfinite(found).all()
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def logical(stored: np.ndarray, layout: str, shape: tuple[int, ...]) -> np.ndarray:
    """A tensor of this shape from how it lies in memory, such as `NCHW16c, halo [1:1, 1:1]`."""
    order, _, halo = layout.partition(", halo ")
    sides = [(int(before), int(after)) for before, after in re.findall(r"(\d+):(\d+)", halo)]
    return Layout.parse(order, sides).invert_array(stored, shape)


def test_result_is_that_of_onnxruntime(case: Case) -> None:
    for name, found in case.outputs.items():
        assert difference(found, case.expected[name]) <= TOLERANCE


def test_every_kernel_computes_what_onnxruntime_does(case: Case) -> None:
    compared = 0
    wrong: dict[str, float] = {}
    for name, stored in case.model.values(case.inputs).items():
        assert name in case.expected, f"kernel {name} computes no value of the model"
        expected = case.expected[name]
        found = logical(stored, case.model.layouts[name], expected.shape)
        if (share := difference(found, expected)) > TOLERANCE:
            wrong[name] = share
        compared += 1
    assert compared
    assert not wrong


def test_result_depends_on_the_input(case: Case) -> None:
    other = {name: x[..., ::-1, :].copy() for name, x in case.inputs.items()}
    for name, found in case.model.run(other).items():
        assert difference(found, case.outputs[name]) > 100 * TOLERANCE
