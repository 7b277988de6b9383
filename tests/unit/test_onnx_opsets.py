"""Models older than the oldest opset that is read, which ONNX converts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from lamina import interpreters
from lamina.context import new_context
from lamina.frontends.onnx import import_model
from tests.unit.onnx_models import model, node, run_onnxruntime


def old_model(opset: int) -> onnx.ModelProto:
    """With numbers for names, as PyTorch gave them, and operators that have changed since."""
    rng = np.random.default_rng(0)
    nodes = [
        helper.make_node("Conv", ["0", "1"], ["5"], kernel_shape=[3, 3]),
        helper.make_node("BatchNormalization", ["5", "2", "3", "2", "3"], ["6"], "norm"),
        helper.make_node("Dropout", ["6"], ["7"], ratio=0.5),
        helper.make_node("MaxPool", ["7"], ["8"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["8"], ["9"]),
        helper.make_node("Gemm", ["9", "4", "bias"], ["y"], transB=1),
    ]
    if opset < 7:
        nodes[-1].attribute.append(helper.make_attribute("broadcast", 1))
    weights = {
        "1": rng.standard_normal((8, 3, 3, 3)).astype(np.float32),
        "2": rng.random(8).astype(np.float32),
        "3": rng.random(8).astype(np.float32) + 1,
        "4": rng.standard_normal((5, 8 * 3 * 3)).astype(np.float32),
        "bias": rng.random(5).astype(np.float32),
    }
    return model(nodes, {"0": (2, 3, 8, 8)}, weights, opset=opset)


@pytest.mark.parametrize("opset", [6, 7, 8])
def test_older_model_computes_what_onnxruntime_computes(opset: int, tmp_path: Path) -> None:
    proto = old_model(opset)
    x = np.random.default_rng(1).standard_normal((2, 3, 8, 8)).astype(np.float32)
    onnx.save(proto, tmp_path / "old.onnx")
    (wanted,) = run_onnxruntime(old_model(max(opset, 7)), [x])  # it knows none that is older
    for given in (proto, tmp_path / "old.onnx"):  # in a file, large weights are read at the end
        ctx = new_context()
        module = import_model(given, ctx.weights).clone()
        (got,) = interpreters.call(module, "main", [x], store=ctx.weights)
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)


def test_slope_of_each_channel_stays_with_its_channel() -> None:
    slopes, x = np.array([0.1, 0.2, 0.5], np.float32), -np.ones((1, 3, 2, 3), np.float32)
    ctx = new_context()
    module = import_model(node("PRelu", x.shape, slopes, opset=6), ctx.weights)
    (got,) = interpreters.call(module, "main", [x], store=ctx.weights)
    np.testing.assert_array_equal(got, x * slopes.reshape(3, 1, 1))
