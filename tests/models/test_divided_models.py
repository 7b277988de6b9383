"""ResNet-50 divided between an OpenCL device and the CPU, at three places."""

import numpy as np
import onnx
import onnxruntime
import pytest

import lamina
from benchmarks.models import build
from lamina.backends.split.model import SplitModel

pytest.importorskip("pyopencl")
PLACES = (
    ["*:opencl", "graph.max_pool2d:cpu"],
    ["*:opencl", "graph.dense:cpu"],
    ["*:cpu", "relu_5?_out:opencl", "relu_6?_out:opencl"],
)


@pytest.fixture(scope="module")
def model() -> onnx.ModelProto:
    return build("resnet50")


@pytest.fixture(scope="module")
def image(model: onnx.ModelProto) -> np.ndarray:
    size = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    return np.random.default_rng(5).standard_normal(size).astype(np.float32)


@pytest.fixture(scope="module")
def expected(model: onnx.ModelProto, image: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return np.asarray(session.run(None, {model.graph.input[0].name: image})[0])


@pytest.mark.parametrize("place", PLACES, ids=["pooling", "dense", "middle"])
def test_divided_network_gives_the_same_answer(
    place: list[str], model: onnx.ModelProto, image: np.ndarray, expected: np.ndarray
) -> None:
    found = lamina.compile(
        model, target="opencl:intel-gen9,cpu", place=place, numerics="strict", cache=False
    )
    assert isinstance(found, SplitModel)
    assert len(found.models) > 1
    assert {m.manifest.target for m in found.models} == {"opencl:intel-gen9", "cpu"}
    assert all(step.kind != "copy" for step in found.manifest.steps)
    error = np.abs(found(image) - expected).max() / np.abs(expected).max()
    assert error <= 1e-5
