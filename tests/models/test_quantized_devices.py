"""Whole networks of bytes on an OpenCL device: what they compute on a CPU, in every bit."""

import gc

import numpy as np
import pytest

import lamina
from benchmarks import quantized

pytest.importorskip("pyopencl")


@pytest.mark.parametrize(
    ("name", "variant", "target"),
    [
        ("mobilenet_v2", "u8s8-channel", "opencl:intel-gen9"),
        ("resnet18", "s8s8-tensor", "opencl:intel-gen9"),
        ("resnet18", "u8s8-channel", "opencl:intel-xe"),
        ("squeezenet1_1", "u8s8-tensor", "opencl:intel-gen9"),
    ],
)
def test_results_are_those_of_a_cpu(name: str, variant: str, target: str) -> None:
    model = quantized.quantized(quantized.prepared(name), variant, images=2)
    (data,) = model.graph.input
    image = quantized.image([dim.dim_value for dim in data.type.tensor_type.shape.dim], 1000)
    cpu, device = (
        lamina.compile(model, target=place, cache=False).run({data.name: image})
        for place in ("cpu", target)
    )
    assert device.keys() == cpu.keys()
    for output, expected in cpu.items():
        assert np.ptp(expected) > 0
        np.testing.assert_array_equal(device[output], expected)
    gc.collect()
