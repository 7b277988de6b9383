"""
Opening an ONNX file without reading its weights.

Protobuf would hold every weight in memory a second time for as long as the model is imported. A
file is a sequence of fields, each a key (number * 8 + how it is encoded) and a value, and weights
are fields of fields: ModelProto.graph = 7, GraphProto.initializer = 5, TensorProto.raw_data = 9.
https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from onnx import ModelProto, TensorProto, helper

_GRAPH, _INITIALIZER, _RAW_DATA = 7, 5, 9

SMALL = 1024
"""weights of up to this many bytes are left in the model: shapes, axes, bounds"""


@dataclass(frozen=True)
class Span:
    """Where in a file the numbers of a tensor are."""

    path: Path
    begin: int
    end: int

    def read(self, tensor: TensorProto) -> np.ndarray:
        """The numbers; raises ValueError if the file has not as many as the tensor needs."""
        dtype, count = helper.tensor_dtype_to_np_dtype(tensor.data_type), int(np.prod(tensor.dims))
        if count * dtype.itemsize != self.end - self.begin:
            raise ValueError(f"{count} {dtype} needed, got {self.end - self.begin} bytes")
        return np.fromfile(self.path, dtype, count, offset=self.begin).reshape(tuple(tensor.dims))


def open_model(path: Path) -> tuple[ModelProto, dict[str, Span]]:
    """
    The model, its large weights without their numbers, and where those are by name.

    Raises OSError; or, if this is no model or a part of one, ValueError or protobuf's DecodeError.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        model, spans = ModelProto(), {}
        for number, begin, value, end in _fields(data, 0, len(data)):
            if number != _GRAPH:
                model.MergeFromString(data[begin:end])
                continue
            rest = bytearray()
            for inner, begin_, value_, end_ in _fields(data, value, end):
                if inner == _INITIALIZER and end_ - value_ > SMALL:
                    tensor, raw = _without_data(data, value_, end_)
                    model.graph.initializer.append(tensor)
                    if raw is not None:
                        spans[tensor.name] = Span(path, *raw)
                else:
                    rest += data[begin_:end_]
            model.graph.MergeFromString(bytes(rest))
        return model, spans


def _without_data(
    data: mmap.mmap, begin: int, end: int
) -> tuple[TensorProto, tuple[int, int] | None]:
    rest, raw = bytearray(), None
    for number, begin_, value, end_ in _fields(data, begin, end):
        if number == _RAW_DATA:
            raw = (value, end_)
        else:
            rest += data[begin_:end_]
    return TensorProto.FromString(bytes(rest)), raw


def _fields(data: mmap.mmap, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Number, begin, begin of the value and end of each field."""
    while at < end:
        begin = at
        key, at = _varint(data, at)
        match key & 7:
            case 0:
                stop = _varint(data, at)[1]
            case 1:
                stop = at + 8
            case 2:
                size, at = _varint(data, at)
                stop = at + size
            case 5:
                stop = at + 4
            case kind:
                raise ValueError(f"no field can be of kind {kind}")
        if stop > end:
            raise ValueError(f"a field ends {stop - end} bytes after its message")
        yield key >> 3, begin, at, stop
        at = stop


def _varint(data: mmap.mmap, at: int) -> tuple[int, int]:
    """A number in groups of 7 bits, lowest first, all but the last with the top bit set."""
    value = shift = 0
    while at < len(data):
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise ValueError("the file ends in the middle of a number")
