"""Networks that no issue of ours names: odd sizes, channels, windows and strides, and batches."""

import numpy as np
import onnx
import onnxruntime
import pytest

import lamina
from tests.models.odd_networks import NETWORKS, build

SIZES = [(1, 3, 61, 47), (3, 3, 61, 47), (1, 1, 32, 40), (2, 4, 33, 64)]


def by_onnxruntime(model: onnx.ModelProto, image: np.ndarray) -> dict[str, np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    names = [y.name for y in session.get_outputs()]
    return dict(zip(names, map(np.asarray, session.run(names, {"data": image})), strict=True))


@pytest.mark.parametrize("size", SIZES, ids=lambda s: "x".join(map(str, s)))
@pytest.mark.parametrize("name", NETWORKS)
def test_network(name: str, size: tuple[int, ...]) -> None:
    model = build(name, size)
    image = np.random.default_rng(1).standard_normal(size, np.float32)
    target = "cpu:haswell" if size == SIZES[1] else "cpu"
    found = lamina.compile(model, target=target, cache=False).run({"data": image})
    for output, want in by_onnxruntime(model, image).items():
        assert found[output].shape == want.shape
        assert np.abs(found[output] - want).max() <= 1e-5 * np.abs(want).max(), output
