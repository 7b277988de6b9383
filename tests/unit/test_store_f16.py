"""Networks whose floats lie in memory in 16 bits, computed in 32."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

import lamina
from lamina.backends.split.model import SplitModel
from lamina.errors import LaminaError
from tests.unit.test_opencl_model import NETWORKS, expected, network, random

pytest.importorskip("pyopencl")
PLACES = ["*:opencl", "graph.exp:cpu"]


@pytest.mark.parametrize("target", ["cpu", "opencl:intel-gen9", "opencl:portable"])
@pytest.mark.parametrize("name", ["ragged", "branches", "softmax"])
def test_results_are_close_to_those_of_onnxruntime(name: str, target: str) -> None:
    """Within 5e-3 of the largest value."""
    model = NETWORKS[name]()
    ours = lamina.compile(model, target=target, threads=1, storage="f16", cache=False)
    x = random(*ours.inputs[0].shape, seed=7) / np.float32(8)  # exp of its sums is in f16
    y, reference = ours(x), expected(model, x)
    assert y.dtype == np.float32
    assert np.abs(y - reference).max() <= 5e-3 * np.abs(reference).max()
    stored = {a.dtype for a in ours.manifest.arguments if a.role == "weight"}
    assert ("float16" in stored) == (name != "softmax")


def test_other_storage_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    onnx.save(NETWORKS["ragged"](), path)
    with pytest.raises(LaminaError, match="storage is f32 or f16, found 'f8'"):
        lamina.compile(path, storage="f8")
    with pytest.raises(LaminaError, match=r"on CPUs with AVX2 \(F16C\), found cpu:nehalem"):
        lamina.compile(path, storage="f16", target="cpu:nehalem", threads=1)


def test_regions_on_several_devices_hand_over_floats() -> None:
    """What lies between two devices is as wide as an input or a result."""
    model = NETWORKS["branches"]()
    ours = lamina.compile(
        model, target="opencl:intel-gen9,cpu", place=PLACES, storage="f16", cache=False
    )
    assert isinstance(ours, SplitModel)
    assert {m.manifest.target for m in ours.models} == {"opencl:intel-gen9", "cpu"}
    x = random(*ours.inputs[0].shape, seed=7) / np.float32(8)
    reference = expected(model, x)
    assert np.abs(ours(x) - reference).max() <= 5e-3 * np.abs(reference).max()


@pytest.mark.parametrize("target", ["cpu", "opencl:intel-gen9"])
def test_artifacts_keep_halves(target: str, tmp_path: Path) -> None:
    model = NETWORKS["ragged"]()
    ours = lamina.compile(model, target=target, threads=1, storage="f16", cache=False)
    ours.save(tmp_path / "m.lam")
    x = random(*ours.inputs[0].shape, seed=3)
    np.testing.assert_array_equal(lamina.load(tmp_path / "m.lam")(x), ours(x))


@pytest.mark.parametrize("target", ["opencl:intel-gen9", "opencl:portable"])
def test_numbers_outside_of_halves(target: str) -> None:
    """Too large is infinite, too small is subnormal and then zero: as NumPy rounds."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["t"], group=9),
        helper.make_node("MaxPool", ["t"], ["y"], kernel_shape=[1, 2]),
    ]
    model = network(*nodes, x=(1, 9, 1, 2), w=np.ones((9, 1, 1, 1), np.float32))
    ours = lamina.compile(model, target=target, storage="f16", cache=False)
    numbers = np.array([1e5, -1e5, 65504, 6e-8, 1e-9, 0.1, 65519, -65520, 1 + 2**-11], np.float32)
    x = np.repeat(numbers, 2).reshape(1, 9, 1, 2)
    with np.errstate(over="ignore"):
        rounded = numbers.astype(np.float16).astype(np.float32)
    np.testing.assert_array_equal(ours(x).ravel(), rounded)
