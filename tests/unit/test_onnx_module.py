"""A model as it is given, and the module that it becomes: files, open shapes, nothing changed."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import helper

from lamina.context import new_context
from lamina.frontends.onnx import import_model
from tests.unit.onnx_models import model
from tests.unit.tiny import tiny_model


def test_file_and_model_in_memory_are_the_same(tmp_path: Path) -> None:
    proto = tiny_model()
    onnx.save(proto, tmp_path / "tiny.onnx")
    text = str(import_model(proto, new_context().weights))
    assert str(import_model(tmp_path / "tiny.onnx", new_context().weights)) == text


def test_shapes_set_open_dimensions() -> None:
    proto = model([helper.make_node("Relu", ["x"], ["y"])], {"x": ["batch", 3, "h", "w"]})
    module = import_model(proto, new_context().weights, {"x": (2, 3, 8, 8)})
    assert "tensor<2x3x8x8xf32> -> tensor<2x3x8x8xf32>" in str(module)


def test_model_stays_as_it_was() -> None:
    proto = tiny_model()
    before = proto.SerializeToString()
    import_model(proto, new_context().weights)
    assert proto.SerializeToString() == before
