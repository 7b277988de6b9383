"""Reading and checking an ONNX file, before any of it is imported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import ModelProto, TensorProto, ValueInfoProto, helper, numpy_helper

from lamina.errors import LaminaError
from lamina.frontends.onnx.file import SMALL, Span, open_model

OLDEST = 9
"""operators changed their meaning before this opset"""
CONVERTED = 6
"""from this opset on, ONNX itself converts models to the oldest that we read"""


@dataclass(frozen=True)
class Model:
    """An ONNX model, and where its weights are."""

    proto: ModelProto
    where: str
    """what error messages call the model"""
    folder: str
    """where external data is"""
    spans: Mapping[str, Span]
    """the weights that are still in the file"""

    @cached_property
    def initializers(self) -> Mapping[str, TensorProto]:
        """The weights by name, not yet decoded."""
        return {t.name: t for t in self.proto.graph.initializer}

    @cached_property
    def inputs(self) -> list[ValueInfoProto]:
        """What the user gives; older models list their weights as inputs too."""
        return [v for v in self.proto.graph.input if v.name not in self.initializers]

    @cached_property
    def opset(self) -> int:
        """The version of the operators of ONNX itself."""
        versions = {o.domain: o.version for o in self.proto.opset_import}
        none = onnx.defs.onnx_opset_version() if versions else 1
        return versions.get("", versions.get("ai.onnx", none))

    def error(self, message: str) -> LaminaError:
        """An error about this model."""
        return LaminaError(f"{self.where}: {' '.join(message.split())}")

    def weight(self, name: str) -> np.ndarray:
        """The numbers of an initializer; a large one is read from the file each time."""
        return self.array(self.initializers[name], self.spans.get(name))

    def array(self, tensor: TensorProto, span: Span | None = None) -> np.ndarray:
        """The numbers of a tensor."""
        if tensor.data_type not in TensorProto.DataType.values():
            raise self.error(f"cannot read tensor '{tensor.name}' of type {tensor.data_type}")
        try:
            return span.read(tensor) if span else numpy_helper.to_array(tensor, self.folder)
        except (OSError, KeyError, ValueError, TypeError, onnx.checker.ValidationError) as e:
            raise self.error(f"cannot read tensor '{tensor.name}': {e}") from e

    @cached_property
    def outline(self) -> ModelProto:
        """
        The model without the contents of its weights, which are inputs instead.

        onnx.checker and onnx.shape_inference copy whole models, so they are given this.
        """
        graph = self.proto.graph
        small = [t for t in graph.initializer if self._is_small(t)]
        constants = [n for n in graph.node if n.op_type == "Constant" and n.ByteSize() > SMALL]
        large = {t.name: t for t in graph.initializer if not self._is_small(t)}
        large |= {n.output[0]: a.t for n in constants for a in n.attribute}
        listed = {v.name for v in graph.input}
        weights = [
            helper.make_tensor_value_info(name, t.data_type, t.dims)
            for name, t in large.items()
            if name not in listed
        ]
        outline = helper.make_graph(
            [n for n in graph.node if n.op_type != "Constant" or n.ByteSize() <= SMALL],
            graph.name or "model",
            [*graph.input, *weights],
            graph.output,
            small,
        )
        model = helper.make_model(
            outline, opset_imports=self.proto.opset_import, functions=self.proto.functions
        )
        model.ir_version = self.proto.ir_version
        for value in [*model.graph.input, *model.graph.output]:
            value.type.tensor_type.shape.SetInParent()  # the checker insists, ONNX Runtime does not
        return model

    def _is_small(self, tensor: TensorProto) -> bool:
        """Whether the checker is given this weight with its numbers: shapes, axes and bounds."""
        away = tensor.external_data or tensor.name in self.spans
        return not away and tensor.ByteSize() <= SMALL

    def check(self) -> None:
        """Refuse what is not a valid ONNX model."""
        if not self.proto.graph.output:
            raise self.error("not a valid ONNX model: it has no outputs")
        try:
            onnx.checker.check_model(self.outline)
        except onnx.checker.ValidationError as e:
            raise self.error(f"not a valid ONNX model: {headline(e)}") from e

    def check_names(self) -> None:
        """Refuse names that are not UTF-8, which protobuf hands over as bytes."""
        graph = self.proto.graph
        names = [v.name for v in (*graph.input, *graph.output, *graph.initializer)]
        names += [name for n in graph.node for name in (n.name, *n.input, *n.output)]
        for name in names:
            if isinstance(name, bytes):
                raise self.error(f"not a valid ONNX model: {name!r} is not UTF-8")

    def check_opset(self) -> None:
        """Refuse operators that are older or newer than those we know."""
        newest = onnx.defs.onnx_opset_version()
        if not OLDEST <= self.opset <= newest:
            raise self.error(f"needs an opset from {CONVERTED} to {newest}, got {self.opset}")

    def inferred(self) -> Mapping[str, ValueInfoProto]:
        """Types of values that ONNX itself infers; none if it cannot make sense of the model."""
        outline = ModelProto()
        outline.CopyFrom(self.outline)
        for given, value in zip(self.proto.graph.output, outline.graph.output, strict=True):
            if not given.type.tensor_type.HasField("shape"):  # which is not that of a scalar
                value.type.tensor_type.ClearField("shape")
        try:
            graph = onnx.shape_inference.infer_shapes(outline).graph
        except (
            onnx.shape_inference.InferenceError,
            onnx.checker.ValidationError,
            RuntimeError,  # and what its C++ does not catch: a Loop without a graph
            ValueError,
        ):
            return {}
        return {v.name: v for v in [*graph.value_info, *graph.output]}


def read(model: str | Path | ModelProto) -> Model:
    """Open a model file, or take a model from memory."""
    if isinstance(model, ModelProto):
        found = Model(model, "model", "", {})
    else:
        path = Path(model)
        try:
            proto, spans = open_model(path)
        except OSError as e:
            raise LaminaError(f"cannot read {path}: {e.strerror or e}") from e
        except (ValueError, DecodeError) as e:
            raise LaminaError(f"{path}: not an ONNX file, or one that was cut off") from e
        found = Model(proto, path.name, str(path.parent), spans)
    if not found.proto.HasField("graph") or not found.proto.graph.node:
        raise found.error("not an ONNX file: there is no graph in it")
    return found


def headline(error: Exception) -> str:
    """The first line of a message that goes on with a stack or the whole node, and its name."""
    first, _, rest = str(error).strip().partition("\n")
    name = re.search(r"name: (\S+)", rest)
    return f"{first.rstrip()} {name[1]}" if name and first.rstrip().endswith("node:") else first
