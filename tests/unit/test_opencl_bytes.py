"""Networks of bytes on an OpenCL device compute what they compute on a CPU, in every bit."""

import numpy as np
import pytest

import lamina
from tests.unit.qdq_networks import Network
from tests.unit.test_quantized_networks import Build, images, odd_weights, pools

pytest.importorskip("pyopencl")


@pytest.mark.parametrize(("build", "kind"), [(pools, "uint8"), (odd_weights, "int8")])
def test_results_are_those_of_a_cpu(build: Build, kind: str) -> None:
    net = Network(kind, seed=3)
    proto = net.model(*build(net))
    inputs = dict(zip((i.name for i in proto.graph.input), images(proto, 1), strict=True))
    cpu = lamina.compile(proto, threads=1, cache=False).run(inputs)
    device = lamina.compile(proto, target="opencl:intel-gen9", cache=False).run(inputs)
    for name, expected in cpu.items():
        np.testing.assert_array_equal(device[name], expected)
