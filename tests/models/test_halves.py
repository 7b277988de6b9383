"""Networks on an OpenCL device whose floats lie in memory in 16 bits, beside ONNX Runtime's."""

import numpy as np
import onnxruntime
import pytest

import lamina
from benchmarks.models import build

pytest.importorskip("pyopencl")
TOLERANCE = 5e-3
"""how far from ONNX Runtime, of the largest value"""

NETWORKS = ("resnet18", "resnet50", "mobilenet_v1", "mobilenet_v2", "squeezenet1_1")


@pytest.mark.parametrize("name", NETWORKS)
def test_result_is_nearly_that_of_onnxruntime(name: str) -> None:
    model = build(name, bn_stats=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (data,) = session.get_inputs()
    image = np.random.default_rng(0).standard_normal(data.shape, np.float32)
    expected = np.asarray(session.run(None, {data.name: image})[0])
    found = lamina.compile(model, target="opencl:intel-gen9", storage="f16", cache=False)(image)
    difference = np.abs(found - expected).max() / np.abs(expected).max()
    assert 0 < difference <= TOLERANCE
