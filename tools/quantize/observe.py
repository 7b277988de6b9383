"""What tensors inside a network hold: it is compiled with them as further outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from onnx import ModelProto, TensorProto, helper

import lamina
from lamina.tools._arrays import Arrays


class Observer:
    """A compiled model that tells the values of tensors by their names in ONNX."""

    def __init__(
        self, model: ModelProto, tensors: Iterable[str], shapes: Mapping[str, Sequence[int]]
    ) -> None:
        seen = ModelProto()
        seen.CopyFrom(model)
        known = {v.name for v in (*seen.graph.input, *seen.graph.output)}
        for name in tensors:
            if name not in known:
                seen.graph.output.append(
                    helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
                )
        self._model = lamina.compile(seen, shapes=shapes, numerics="strict")

    def __call__(self, sample: Arrays) -> Mapping[str, np.ndarray]:
        """The inputs, the observed tensors and the outputs for one sample."""
        return {**sample, **self._model.run(sample)}
