"""Whole quantized networks on an OpenCL device give what they give on a CPU, in every bit."""

import numpy as np
import pytest

import lamina
from benchmarks import quantized

pytest.importorskip("pyopencl")

CASES = (("mobilenet_v2", "u8s8-channel"), ("mobilenet_v1", "s8s8-tensor"))


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_results_are_those_of_a_cpu(name: str, variant: str) -> None:
    model = quantized.quantized(quantized.prepared(name), variant, images=2)
    (data,) = model.graph.input
    size = [dim.dim_value for dim in data.type.tensor_type.shape.dim]
    inputs = {data.name: quantized.image(size, 1000)}
    cpu = lamina.compile(model, cache=False).run(inputs)
    device = lamina.compile(model, target="opencl:intel-gen9", cache=False).run(inputs)
    assert any(np.ptp(value) > 0 for value in cpu.values()), (
        "results that are all alike tell nothing"
    )
    for output, expected in cpu.items():
        np.testing.assert_array_equal(device[output], expected)
