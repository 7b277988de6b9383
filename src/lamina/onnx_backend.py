"""
Lamina as a backend of the `onnx` package, so that suites written for such backends can run on it.

    prepared = LaminaBackend.prepare(onnx.load("model.onnx"))
    (y,) = prepared.run([x])

Lamina compiles for shapes that are known. Tests of ONNX give shapes, axes and scales as inputs,
which are then known only when a model is run: `prepare` compiles a model that computes on all of
its inputs, for others `run` does so, once for all runs with the same values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, ValueInfoProto, numpy_helper
from onnx.backend.base import Backend, BackendRep, Device, DeviceType

from lamina.backends.model import CompiledModel
from lamina.compiler import compile
from lamina.errors import InputValueError, LaminaError

MAYBE = (TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL)
"""types of inputs that may say what a node does: then a model of them is refused as it is"""

PARAMETERS: Mapping[str, Sequence[int]] = {
    "Dropout": (1,),
    "Pad": (2,),
    "Range": (0, 1, 2),
    "Resize": (1, 2),
    "Upsample": (1,),
}
"""inputs that say what a node does: bounds, scales, what to pad with"""


class LaminaBackend(Backend):
    """Compiles for the processor it runs on; what is not supported is a LaminaError."""

    @classmethod
    def is_compatible(cls, model: ModelProto, device: str = "CPU", **kwargs: Any) -> bool:
        """Always: whether a model is supported is known when it is compiled."""
        return True

    @classmethod
    def prepare(cls, model: ModelProto, device: str = "CPU", **kwargs: Any) -> Prepared:
        """A model to run; compiled, if its inputs are what it computes on."""
        return Prepared(model)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Whether models run there: on the processor only."""
        return Device(device).type == DeviceType.CPU


class Prepared(BackendRep):
    """
    A model, and what it was compiled to for each choice of its parameters: inputs that must be
    known to compile it. Integers and truth values are such only if it is refused without them.
    """

    def __init__(self, model: ModelProto) -> None:
        self.model = model
        weights = {t.name for t in model.graph.initializer}
        inputs = [v for v in model.graph.input if v.name not in weights]
        self.inputs = [v.name for v in inputs]
        self.parameters = {v.name for v in inputs if _is_parameter(v, model)}
        self._compiled: dict[tuple[object, ...], CompiledModel] = {}
        if self.parameters:
            self.parameters |= {v.name for v in inputs if _may_be_parameter(v)}
            return
        try:
            self._specialised({})
        except LaminaError:
            self.parameters = {v.name for v in inputs if _may_be_parameter(v)}
            if not self.parameters:
                raise

    def run(self, inputs: Any, **kwargs: Any) -> tuple[np.ndarray, ...]:
        """The outputs in order, for inputs in order or by name."""
        given = inputs if isinstance(inputs, Mapping) else self._named(inputs)
        parameters = {name: np.asarray(given[name]) for name in sorted(self.parameters)}
        found = self._specialised(parameters).run(
            {name: x for name, x in given.items() if name not in parameters}
        )
        return tuple(found[v.name] for v in self.model.graph.output)

    def _named(self, inputs: Any) -> Mapping[str, Any]:
        values = [inputs] if isinstance(inputs, np.ndarray) else list(inputs)
        if len(values) > len(self.inputs):
            raise InputValueError(f"{len(values)} inputs for a model of {len(self.inputs)}")
        return dict(zip(self.inputs, values, strict=False))

    def _specialised(self, parameters: Mapping[str, np.ndarray]) -> CompiledModel:
        """The model with these inputs as weights."""
        key = tuple((n, a.dtype.str, a.shape, a.tobytes()) for n, a in parameters.items())
        if key not in self._compiled:
            model = ModelProto()
            model.CopyFrom(self.model)
            for name, array in parameters.items():
                model.graph.initializer.append(numpy_helper.from_array(array, name))
            self._compiled[key] = compile(model, cache=False)
        return self._compiled[key]


def _may_be_parameter(info: ValueInfoProto) -> bool:
    """Whether an input is of a type of shapes, axes, indices and switches."""
    return info.type.tensor_type.elem_type in MAYBE


def _is_parameter(info: ValueInfoProto, model: ModelProto) -> bool:
    """Whether an input is needed to compile: what PARAMETERS lists."""
    return any(
        info.name in [node.input[i] for i in PARAMETERS[node.op_type] if i < len(node.input)]
        for node in model.graph.node
        if node.op_type in PARAMETERS
    )
