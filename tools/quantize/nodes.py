"""An ONNX graph as the rules see it: a step for each node."""

from __future__ import annotations

from collections.abc import Mapping

from onnx import NodeProto, TensorProto, helper

from lamina.frontends.onnx.model import Model
from lamina.passes.int8._rules import CLAMP, Step

KINDS: Mapping[str, str] = {
    "Conv": "conv",
    "Gemm": "dense",
    "MatMul": "matmul",
    "Add": "add",
    "Mul": "mul",
    "AveragePool": "average",
    "GlobalAveragePool": "average",
    "Concat": "concat",
    "MaxPool": "max",
    "GlobalMaxPool": "max",
    **dict.fromkeys(("Dropout", "Flatten", "Identity", "Reshape", "Squeeze"), "move"),
    **dict.fromkeys(("Transpose", "Unsqueeze"), "move"),
    "Relu": CLAMP,
    "Clip": CLAMP,
}
"""operators that may be computed in 8 bits -> their kind"""
FLOAT = "float"
"""the kind of all others"""


def layer_name(node: NodeProto) -> str:
    """What the user calls a node: its name, or that of what it computes."""
    return node.name or node.output[0]


def steps(model: Model) -> list[Step]:
    """The nodes of a prepared model, in its order, which ONNX says is one of computation."""
    types = {v.name: v for v in model.proto.graph.input} | dict(model.inferred())
    constants = set(model.initializers)
    floats = {
        name
        for name, value in types.items()
        if name not in constants and value.type.tensor_type.elem_type == TensorProto.FLOAT
    }
    return [_step(node, floats, model) for node in model.proto.graph.node if node.output]


def _step(node: NodeProto, floats: set[str], model: Model) -> Step:
    reads = tuple(name for name in node.input if name in floats)
    writes = tuple(filter(None, node.output))
    kind = KINDS.get(node.op_type, FLOAT) if node.domain in ("", "ai.onnx") else FLOAT
    refused = ""
    match kind:
        case "conv" | "dense" | "matmul":
            refused = _refusal(node, reads, model)
        case "add" | "mul" | "concat" if len(reads) < len(node.input):
            kind = FLOAT  # a constant for each channel, say, is no tensor that takes time
        case _ if len(writes) != 1 or writes[0] not in floats or not reads:
            kind = FLOAT
        case "max" | "move" | "average" | "clamp" if reads != tuple(node.input[:1]):
            kind = FLOAT  # bounds that are computed
        case _:
            pass
    return Step(layer_name(node), kind, reads, writes, refused)


def _refusal(node: NodeProto, reads: tuple[str, ...], model: Model) -> str:
    """Why a layer cannot be computed in 8 bits; empty if it can."""
    x, w = node.input[0], node.input[1]
    weights = model.initializers.get(w)
    if x not in reads:
        return "its input is no float tensor that is computed"
    if weights is None:
        both = node.op_type == "MatMul" and w in reads
        return "" if both else "its weights are computed"
    if weights.data_type != TensorProto.FLOAT:
        return "its weights are not float32"
    if len(weights.dims) != 2 and node.op_type != "Conv":
        return f"its weights have {len(weights.dims)} dimensions, not 2"
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    if any(attributes.get(name, 1) != 1 for name in ("alpha", "beta")):
        return "its alpha and beta are not 1"
    return "its input is transposed" if attributes.get("transA", 0) else ""


def weight_axis(node: NodeProto) -> int:
    """Along which dimension of its weights the outputs of a layer are."""
    transposed = any(a.name == "transB" and a.i for a in node.attribute)
    return 0 if node.op_type == "Conv" or transposed else 1
