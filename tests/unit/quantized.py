"""Models of integers, their inputs, and what they have to compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

import lamina
from lamina.context import new_context
from lamina.errors import LaminaError
from lamina.frontends.onnx import import_model
from tests.unit.onnx_models import run_onnxruntime, typed_model

Arrays = Mapping[str, np.ndarray]
BYTES = ("uint8", "int8")


def f32(*values: float) -> np.ndarray:
    return np.array(values[0] if len(values) == 1 else values, np.float32)


def integers(rng: np.random.Generator, type: str, shape: Sequence[int]) -> np.ndarray:
    """All numbers of the type, the ends of its range above all."""
    info = np.iinfo(type)
    ends = rng.choice(np.array([info.min, info.max], type), shape)
    return np.where(
        rng.random(shape) < 0.3, ends, rng.integers(info.min, info.max + 1, shape)
    ).astype(type)


def run(proto: onnx.ModelProto, inputs: Arrays) -> np.ndarray:
    return lamina.compile(proto, cache=False).run(inputs)["y"]


def check(proto: onnx.ModelProto, inputs: Arrays, wanted: np.ndarray | None = None) -> None:
    """What is compiled computes what ONNX Runtime does, or what is wanted, in every bit."""
    if wanted is None:
        (wanted,) = run_onnxruntime(proto, list(inputs.values()))
    found = run(proto, inputs)
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    np.testing.assert_array_equal(found, wanted)


def refused(op: str, weights: Mapping[str, Any], result: str = "uint8", **attributes: Any) -> str:
    """The one line that says why this node is refused."""
    names, opset = ["x", *weights], attributes.pop("opset", 21)
    x = attributes.pop("x", np.zeros((2, 3), np.float32))
    node = helper.make_node(op, names, ["y"], "n", **attributes)
    with pytest.raises(LaminaError) as caught:
        import_model(typed_model([node], {"x": x}, weights, result, opset), new_context().weights)
    message = str(caught.value)
    assert "\n" not in message
    return message
