"""Operators that the model or ONNX defines by others: the definition takes their place."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from google.protobuf.message import EncodeError
from onnx import ModelProto, NodeProto, helper
from onnx.checker import ValidationError
from onnx.inliner import inline_selected_functions

from lamina.frontends.onnx.model import Model

Name = tuple[str, str]
"""the domain and the operator"""


def spelled_out(model: Model, supported: Collection[str]) -> Model:
    """
    The model without calls of functions, if `supported` has all that those consist of.

    An operator that is supported stays as it is. One whose definition has something in it that is
    not supported stays too: an error had better name what is in the user's model.
    """
    local = [(f.domain, f.name) for f in model.proto.functions]
    unknown = dict.fromkeys(map(_name, model.proto.graph.node))
    for names in (local, *([name] for name in unknown if not _is_supported(name, supported))):
        found = _inlined(model.proto, names) if names else model.proto
        old, new = (
            {_name(n) for n in proto.graph.node if not _is_supported(_name(n), supported)}
            for proto in (model.proto, found)
        )
        if new < old:
            model = replace(model, proto=found)
    return model


def _inlined(proto: ModelProto, names: list[Name]) -> ModelProto:
    """The model with definitions in the place of some operators; as it is, if ONNX cannot."""
    listed = ModelProto()
    listed.CopyFrom(proto)
    inputs = {v.name for v in proto.graph.input}
    for t in proto.graph.initializer:  # ONNX looks for types of values among the inputs only
        if t.name not in inputs:
            listed.graph.input.append(helper.make_tensor_value_info(t.name, t.data_type, t.dims))
    try:
        found = inline_selected_functions(listed, names, inline_schema_functions=True)
    except (RuntimeError, EncodeError, TypeError, ValueError, ValidationError):
        # an optional input without a type, more than 2 GB, a name that is not UTF-8, two functions
        # of one name, one that calls itself
        return proto
    del found.graph.input[len(proto.graph.input) :]
    return found


def _name(node: NodeProto) -> Name:
    return ("" if node.domain == "ai.onnx" else node.domain, node.op_type)


def _is_supported(name: Name, supported: Collection[str]) -> bool:
    return name[0] == "" and name[1] in supported
