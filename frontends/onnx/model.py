"""Reading and checking an ONNX file, before any of it is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from lamina.errors import LaminaError

OLDEST = 9
"""operators changed their meaning before this opset"""

_SMALL = 1024
"""tensors of up to this many bytes stay in the model that is checked: shapes, axes, bounds"""


@dataclass(frozen=True)
class Model:
    """An ONNX model, and where its weights are."""

    proto: ModelProto
    where: str
    """what error messages call the model"""
    folder: str
    """where external data is"""

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
        return versions.get("", versions.get("ai.onnx", 1))

    def error(self, message: str) -> LaminaError:
        """An error about this model."""
        return LaminaError(f"{self.where}: {' '.join(message.split())}")

    def array(self, tensor: TensorProto) -> np.ndarray:
        """The numbers of a tensor."""
        try:
            return numpy_helper.to_array(tensor, self.folder)
        except (OSError, ValueError, TypeError, onnx.checker.ValidationError) as e:
            raise self.error(f"cannot read tensor '{tensor.name}': {e}") from e

    @cached_property
    def outline(self) -> ModelProto:
        """
        The model without the contents of its weights, which are inputs instead.

        onnx.checker and onnx.shape_inference copy whole models, so they are given this.
        """
        graph, known = self.proto.graph, {v.name for v in self.proto.graph.input}
        tensors = [(t.name, t) for t in graph.initializer]
        nodes = []
        for node in graph.node:
            if node.op_type == "Constant" and not _is_small(node):
                tensors += [(node.output[0], a.t) for a in node.attribute]
            else:
                nodes.append(node)
        weights = [
            helper.make_tensor_value_info(name, t.data_type, t.dims)
            for name, t in tensors
            if not _is_small(t) and name not in known
        ]
        small = [t for t in graph.initializer if _is_small(t)]
        outline = helper.make_graph(
            nodes, graph.name or "model", [*graph.input, *weights], graph.output, small
        )
        model = helper.make_model(
            outline, opset_imports=self.proto.opset_import, functions=self.proto.functions
        )
        model.ir_version = self.proto.ir_version
        for value in [*model.graph.input, *model.graph.output]:
            value.type.tensor_type.shape.SetInParent()  # the checker insists, ONNX Runtime does not
        return model

    def check(self) -> None:
        """Refuse what is not a valid ONNX model."""
        newest = onnx.defs.onnx_opset_version()
        if not OLDEST <= self.opset <= newest:
            raise self.error(f"needs an opset from {OLDEST} to {newest}, got {self.opset}")
        try:
            onnx.checker.check_model(self.outline)
        except onnx.checker.ValidationError as e:
            raise self.error(f"not a valid ONNX model: {_headline(e)}") from e

    def inferred(self) -> Mapping[str, ValueInfoProto]:
        """Types of values that ONNX itself infers."""
        graph = onnx.shape_inference.infer_shapes(self.outline).graph
        return {v.name: v for v in [*graph.value_info, *graph.output]}


def read(model: str | Path | ModelProto) -> Model:
    """Open a model file, or take a model from memory."""
    if isinstance(model, ModelProto):
        found = Model(model, "model", "")
    else:
        path = Path(model)
        try:
            proto = ModelProto.FromString(path.read_bytes())
        except OSError as e:
            raise LaminaError(f"cannot read {path}: {e.strerror or e}") from e
        except DecodeError as e:
            raise LaminaError(f"{path}: not an ONNX file, or one that was cut off") from e
        found = Model(proto, path.name, str(path.parent))
    if not found.proto.HasField("graph") or not found.proto.graph.node:
        raise found.error("not an ONNX file: there is no graph in it")
    return found


def _is_small(x: TensorProto | NodeProto) -> bool:
    return x.ByteSize() <= _SMALL and not (isinstance(x, TensorProto) and x.external_data)


def _headline(error: Exception) -> str:
    """The first line of a message that goes on with a stack or the whole node."""
    return str(error).strip().partition("\n")[0]
