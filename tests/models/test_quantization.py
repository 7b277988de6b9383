"""Quantized networks are as like their float models as those that ONNX Runtime quantizes."""

import pytest

from benchmarks.models import BN_STATS, build
from benchmarks.quantization import METHODS, cosines

NETWORKS = sorted(path.stem for path in BN_STATS.iterdir())
CASES = [(name, "minmax") for name in NETWORKS] + [
    ("mobilenet_v2", method) for method in METHODS if method != "minmax"
]


@pytest.mark.parametrize(("name", "method"), CASES)
def test_cosine_is_that_of_onnxruntime_or_better(name: str, method: str) -> None:
    found = cosines(build(name, bn_stats=True), method, count=4)
    assert found["whole"] >= found["onnxruntime"] - 0.002
    assert found["default"] >= found["onnxruntime"] - 0.002
    assert found["default"] > 0.98
