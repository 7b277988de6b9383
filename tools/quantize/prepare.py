"""A model as the quantizer wants it: in memory, in a new opset, constants as initializers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import (
    ModelProto,
    NodeProto,
    ValueInfoProto,
    helper,
    inliner,
    numpy_helper,
    version_converter,
)

from lamina.frontends.onnx.model import Model, headline, read
from lamina.frontends.onnx.older import converted
from lamina.tools.quantize.fold_batch_norm import fold_batch_norms

OPSET, IR_VERSION = 13, 7
"""the first with scales for each channel, and the first version of the format that has it"""
QUANTIZED = (
    *("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"),
    *("QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger"),
)


def prepared(
    model: str | os.PathLike[str] | ModelProto, shapes: Mapping[str, Sequence[int]]
) -> Model:
    """
    A copy of a model, for the rest of the quantizer; LaminaError if it cannot be quantized.
    Inputs have `shapes` where the model says nothing of theirs.

    Its tensors have the names that they have in the user's model, but for those that vanish: what
    a batch norm behind a convolution read.
    """
    found = read(model if isinstance(model, ModelProto) else Path(model))
    found.check_names()
    found.check()
    found = _in_memory(model, found)
    for node in found.proto.graph.node:
        _require_plain(found, node)
    found = _new_enough(found)
    graph = found.proto.graph
    _name_constants(graph)
    weights = {t.name for t in graph.initializer}
    for value in [v for v in graph.input if v.name in weights]:
        graph.input.remove(value)
    for value in graph.input:
        _give_rank(value, shapes, found)
    fold_batch_norms(graph)
    found.proto.ir_version = max(found.proto.ir_version, IR_VERSION)
    return _with_shapes(Model(found.proto, found.where, "", {}))


def _require_plain(model: Model, node: NodeProto) -> None:
    """Refuse what is quantized, and graphs inside nodes, which nothing here looks into."""
    name = node.name or ", ".join(node.output)
    if node.op_type in QUANTIZED:
        raise model.error(
            f"is quantized already: node '{name}' is {node.op_type}; "
            "quantize the float model that it was made from"
        )
    if any(a.HasField("g") or a.graphs for a in node.attribute):
        raise model.error(f"cannot be quantized: node '{name}', {node.op_type}, has graphs in it")


def _in_memory(model: str | os.PathLike[str] | ModelProto, found: Model) -> Model:
    """The model with all of its weights, and with functions of its own spelled out."""
    proto = ModelProto()
    try:
        if isinstance(model, ModelProto):
            proto.CopyFrom(model)
        else:
            proto = onnx.load(model)
        if proto.functions:
            proto = inliner.inline_local_functions(proto)
    except OSError as e:
        raise found.error(f"cannot be read: {e.strerror or e}") from e
    except (onnx.checker.ValidationError, RuntimeError, ValueError) as e:
        raise found.error(f"cannot be read: {headline(e)}") from e
    if lacking := [t.name for t in proto.graph.initializer if t.external_data]:
        raise found.error(f"weight '{lacking[0]}' is in another file; give the path of the model")
    return Model(proto, found.where, "", {})


def _new_enough(model: Model) -> Model:
    """The model in an opset that has scales for each channel."""
    model = converted(model)
    model.check_opset()
    if model.opset >= OPSET:
        return model
    try:
        proto = version_converter.convert_version(model.proto, OPSET)
    except (RuntimeError, version_converter.ConvertError) as e:
        problem = f"cannot convert opset {model.opset} to {OPSET}, the first with QDQ by channel"
        raise model.error(f"{problem}: {headline(e)}") from e
    return Model(proto, model.where, "", {})


def _name_constants(graph: onnx.GraphProto) -> None:
    """Constant nodes become initializers, and other names of initializers go."""
    outputs = {v.name for v in graph.output}
    weights = {t.name for t in graph.initializer}
    names: dict[str, str] = {}
    for node in list(graph.node):
        for k, name in enumerate(node.input):
            node.input[k] = names.get(name, name)
        if not node.output or node.output[0] in outputs:
            continue
        array = _number(node)
        if array is not None:
            graph.initializer.append(numpy_helper.from_array(array, node.output[0]))
            weights.add(node.output[0])
        elif node.op_type == "Identity" and node.input[0] in weights:
            names[node.output[0]] = node.input[0]
        else:
            continue
        graph.node.remove(node)


def _give_rank(value: ValueInfoProto, shapes: Mapping[str, Sequence[int]], model: Model) -> None:
    """
    As many open dimensions as its shape has, if the model has none: types of layers follow then.
    """
    type = value.type.tensor_type
    if type.HasField("shape"):
        return
    if value.name not in shapes:
        raise model.error(
            f"input '{value.name}' has no shape; set it, as in --shape {value.name}=1x3x224x224"
        )
    type.shape.SetInParent()
    for _ in shapes[value.name]:
        type.shape.dim.add()


def _with_shapes(model: Model) -> Model:
    """The model with the shapes of its outputs, which onnx.checker wants and not all write."""
    inferred = model.inferred()
    for value in model.proto.graph.output:
        if not value.type.tensor_type.HasField("shape") and value.name in inferred:
            value.CopyFrom(inferred[value.name])
    return Model(model.proto, model.where, "", {})


def _number(node: NodeProto) -> np.ndarray | None:
    """The array that a Constant node is, unless it is one of texts or a sparse one."""
    if node.op_type != "Constant":
        return None
    (attribute,) = node.attribute
    value = helper.get_attribute_value(attribute)
    match attribute.name:
        case "value":
            return numpy_helper.to_array(value)
        case "value_float" | "value_floats":
            return np.array(value, np.float32)
        case "value_int" | "value_ints":
            return np.array(value, np.int64)
    return None
