"""Models older than the oldest opset that we read: ONNX converts them, but for one operator."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from onnx import ModelProto, ValueInfoProto, helper, version_converter

from lamina.frontends.onnx.model import CONVERTED, OLDEST, Model, headline


def converted(model: Model) -> Model:
    """The model in opset OLDEST, if it is older; as it is, if it is too old for that."""
    if not CONVERTED <= model.opset < OLDEST:
        return model
    problem = f"cannot convert opset {model.opset} to {OLDEST}"
    if any(t.external_data for t in model.initializers.values()):
        raise model.error(f"{problem}: weights are in other files")
    proto = ModelProto()
    proto.CopyFrom(model.proto)
    if model.opset < 7:
        _broadcast_slopes(model, proto)
    try:
        return replace(model, proto=version_converter.convert_version(proto, OLDEST))
    except (RuntimeError, version_converter.ConvertError) as e:
        raise model.error(f"{problem}: {headline(e)}") from e


def _broadcast_slopes(model: Model, proto: ModelProto) -> None:
    """The slopes of PRelu were one for each channel, now they broadcast; nobody converts that."""
    types = {v.name: v for v in model.proto.graph.input} | dict(model.inferred())
    tensors = {t.name: t for t in proto.graph.initializer}
    for node in proto.graph.node:
        if node.op_type != "PRelu":
            continue
        rank, slopes = _rank(types.get(node.input[0])), tensors.get(node.input[1])
        if slopes is not None and prod(slopes.dims) == 1:
            continue
        if rank is None or slopes is None or len(slopes.dims) != 1:
            raise model.error(f"cannot convert opset {model.opset}: slopes '{node.input[1]}'")
        size = [slopes.dims[0], *[1] * (rank - 2)]
        slopes.dims[:] = size
        for v in proto.graph.input:
            if v.name == slopes.name:
                v.CopyFrom(helper.make_tensor_value_info(v.name, slopes.data_type, size))


def _rank(info: ValueInfoProto | None) -> int | None:
    if info is None or not info.type.tensor_type.HasField("shape"):
        return None
    return len(info.type.tensor_type.shape.dim)
