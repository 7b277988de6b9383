"""
Whole networks beside ONNX Runtime, on the same image.

The result may differ by 1e-5 of the largest value. So may what each kernel computes from the inputs
that it really had: the differences of the kernels before it are not counted again, since in a deep
network they alone may grow beyond that (and those of ONNX Runtime to exact arithmetic as well).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

import lamina
from benchmarks.models import build
from lamina.backends.cpu.model import CompiledModel
from lamina.dialects.layout import Layout

Arrays = Mapping[str, np.ndarray]

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
    """A network in ONNX, the same compiled, and an image."""

    onnx: onnx.ModelProto
    compiled: CompiledModel
    inputs: Arrays


@pytest.fixture(scope="module", params=MODELS, ids="-".join)
def case(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Case]:
    name, target = request.param
    model = build(name, bn_stats=True)
    path = tmp_path_factory.mktemp("models") / f"{name}.onnx"
    onnx.save(model, path)
    shape = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    image = np.random.default_rng(0).standard_normal(shape, np.float32)
    yield Case(model, lamina.compile(path, target=target, cache=False), {"data": image})
    path.unlink()  # half a gigabyte for VGG-16


def by_onnxruntime(model: onnx.ModelProto, inputs: Arrays) -> Arrays:
    """The outputs of a model by name."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    names = [output.name for output in model.graph.output]
    found = session.run(names, dict(inputs))
    return {name: np.asarray(value) for name, value in zip(names, found, strict=True)}


def cut(model: onnx.ModelProto, values: Arrays) -> tuple[onnx.ModelProto, Arrays]:
    """
    The model cut where these values are: each becomes an output, and who read it reads a new input
    instead, which is given the value. Also returns those inputs.
    """
    parts = onnx.ModelProto()
    parts.CopyFrom(model)
    for node in parts.graph.node:
        for position, name in enumerate(node.input):
            if name in values:
                node.input[position] = f"{name}:given"
    given = {f"{name}:given": value for name, value in values.items()}
    parts.graph.input.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape)
        for name, value in given.items()
    )
    known = {output.name for output in model.graph.output}
    parts.graph.output.extend(onnx.ValueInfoProto(name=n) for n in values if n not in known)
    return parts, given


def computed(case: Case) -> Arrays:
    """What every kernel computes, by the value's name in ONNX, each with its logical shape."""
    inferred = onnx.shape_inference.infer_shapes(case.onnx).graph
    shapes = {
        value.name: tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        for value in (*inferred.value_info, *inferred.output)
    }
    found: dict[str, np.ndarray] = {}
    for name, stored in case.compiled.values(case.inputs).items():
        if name.startswith("relayout"):
            continue  # a copy of an input, or of a value that its own kernel computed
        assert name in shapes, f"kernel {name} computes no value of the model"
        found[name] = logical(stored, case.compiled.layouts[name], shapes[name])
    return found


def logical(stored: np.ndarray, layout: str, shape: tuple[int, ...]) -> np.ndarray:
    """A tensor of this shape from how it lies in memory, such as `NCHW16c, halo [1:1, 1:1]`."""
    order, _, halo = layout.partition(", halo ")
    sides = [(int(before), int(after)) for before, after in re.findall(r"(\d+):(\d+)", halo)]
    return Layout.parse(order, sides).invert_array(stored, shape)


def difference(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, as a share of the largest value."""
    assert found.shape == expected.shape
    assert np.isfinite(found).all()
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def test_result_is_that_of_onnxruntime(case: Case) -> None:
    expected = by_onnxruntime(case.onnx, case.inputs)
    found = case.compiled.run(case.inputs)
    assert {name: difference(found[name], expected[name]) <= TOLERANCE for name in expected} == {
        "output": True
    }


def test_every_kernel_computes_what_onnxruntime_does(case: Case) -> None:
    found = computed(case)
    parts, given = cut(case.onnx, found)
    expected = by_onnxruntime(parts, {**case.inputs, **given})
    differences = {name: difference(value, expected[name]) for name, value in found.items()}
    weighted = sum(node.op_type in ("Conv", "Gemm") for node in case.onnx.graph.node)
    assert len(differences) >= weighted, "some convolution or dense layer was not compared"
    assert not {name: share for name, share in differences.items() if share > TOLERANCE}


def test_result_depends_on_the_input(case: Case) -> None:
    (one,) = case.compiled.run(case.inputs).values()
    (other,) = case.compiled.run({"data": -case.inputs["data"]}).values()
    assert difference(other, one) > 100 * TOLERANCE
