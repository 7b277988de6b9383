"""Activations as machine code beside ONNX Runtime: between convolutions, and special values."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

import lamina
from lamina.context import new_context
from lamina.frontends.onnx import import_model
from lamina.passes.pipelines import default
from tests.unit.onnx_models import model, node, run_onnxruntime

CASES: dict[str, dict[str, Any]] = {
    **{op: {} for op in ("Abs", "Ceil", "Elu", "Floor", "HardSigmoid", "HardSwish", "Neg")},
    **{op: {} for op in ("LeakyRelu", "Mish", "Reciprocal", "Round", "Selu", "Softplus")},
    "Softsign": {},
    "Celu": {"alpha": 0.7},
    "Gelu": {},
    "Swish": {"alpha": 1.3},
}
OPSET = {"Gelu": 20, "Mish": 18, "Swish": 24}

rng = np.random.default_rng(3)


def weight(*size: int) -> np.ndarray:
    return (rng.standard_normal(size) / np.sqrt(np.prod(size[1:]))).astype(np.float32)


def between_convolutions(op: str, channels: int, *extra: str, **attributes: Any) -> onnx.ModelProto:
    nodes = [
        helper.make_node("Conv", ["x", "a", "bias"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node(op, ["c", *extra], ["d"], **attributes),
        helper.make_node("Conv", ["d", "b"], ["y"]),
    ]
    weights = {
        "a": weight(channels, 5, 3, 3),
        "bias": weight(channels, 1).ravel(),
        "b": weight(19, channels, 1, 1),
        "slope": weight(channels, 1, 1),
        "exponent": np.array(2.5, np.float32),
    }
    return model(nodes, {"x": [3, 5, 9, 7]}, weights, opset=OPSET.get(op, 17))


def check(proto: onnx.ModelProto) -> None:
    x = rng.standard_normal((3, 5, 9, 7)).astype(np.float32)
    (wanted,) = run_onnxruntime(proto, [x])
    got = lamina.compile(proto, cache=False)(x)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("channels", [32, 37])
@pytest.mark.parametrize("op", CASES)
def test_activation_between_convolutions(op: str, channels: int) -> None:
    check(between_convolutions(op, channels, **CASES[op]))


@pytest.mark.parametrize("channels", [32, 37])
def test_slopes_between_convolutions(channels: int) -> None:
    check(between_convolutions("PRelu", channels, "slope"))


def test_gelu_with_tanh() -> None:
    check(between_convolutions("Gelu", 32, approximate="tanh"))


@pytest.mark.parametrize("exponent", [2.0, 2.5, -0.3, 33.0])
def test_power_of_positive_numbers(exponent: float) -> None:
    proto = node("Pow", (2, 37, 5), np.array(exponent, np.float32))
    x = np.exp(rng.uniform(-2.0, 2.0, (2, 37, 5))).astype(np.float32)
    (wanted,) = run_onnxruntime(proto, [x])
    np.testing.assert_allclose(lamina.compile(proto, cache=False)(x), wanted, rtol=2e-6)


@pytest.mark.parametrize("target", ["cpu", "cpu:x86-64"])
@pytest.mark.parametrize("op", [*CASES, "Log"])
def test_special_values(op: str, target: str) -> None:
    x = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1e38, -1e38, 1e-30, 2.5, -3.5, -1e-3], "f4")
    proto = node(op, x.shape, opset=OPSET.get(op, 17), **CASES.get(op, {}))
    (wanted,) = run_onnxruntime(proto, [x])
    got = lamina.compile(proto, target=target, cache=False)(x)
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("op", ["Elu", "Gelu", "HardSwish", "Mish", "PRelu", "Swish"])
def test_activation_joins_the_kernel_of_the_convolution(op: str) -> None:
    extra = ["slope"] if op == "PRelu" else []
    ctx = new_context()
    module = import_model(between_convolutions(op, 32, *extra), ctx.weights)
    for each in default():
        each.apply(ctx, module)
        if each.name == "outline-kernels":
            break
    assert str(module).count("func.call @conv2d") == 2
    others = str(module).count("func.call") - 2
    assert others == str(module).count("func.call @relayout")
