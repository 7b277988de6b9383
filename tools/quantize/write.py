"""
The quantized model: QuantizeLinear and DequantizeLinear around what is computed in 8 bits.

The nodes between them are those of the float model, so any runtime that knows QDQ runs it, and
one that knows 8 bits computes a layer between its pairs in integers. The simulated model rounds the
same numbers in the same places with ordinary float operators.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from onnx import ModelProto, NodeProto, helper, numpy_helper

from lamina.errors import LaminaError
from lamina.frontends.onnx.model import Model
from lamina.passes.int8 import _scales as scales
from lamina.passes.int8._rules import Plan
from lamina.passes.int8._scales import Scale
from lamina.tools.quantize.nodes import weight_axis

Scales = Mapping[str, Scale]
"""of each quantized tensor"""


@dataclass(frozen=True)
class Weights:
    """The weights of a layer, float and in 8 bits."""

    name: str
    layer: str
    exact: np.ndarray
    rounded: np.ndarray


class Writer:
    """Writes one model, quantized or simulated."""

    def __init__(
        self, model: Model, plan: Plan, tensors: Scales, limit: int, simulate: bool
    ) -> None:
        self.model = model
        self.plan = plan
        self.scales = tensors
        self.limit = limit
        """of weights in absolute value"""
        self.simulate = simulate
        self.weights: list[Weights] = []
        """those that were quantized"""
        self._proto = ModelProto()
        self._proto.CopyFrom(model.proto)
        graph = self._proto.graph
        self._taken = {name for n in graph.node for name in (*n.input, *n.output)}
        self._taken |= {v.name for v in (*graph.input, *graph.output, *graph.initializer)}
        self._nodes: list[NodeProto] = []
        self._read: dict[str, str] = {}
        """a tensor -> what is read in its place"""
        self._constants: dict[tuple[str, bytes], str] = {}
        """a constant and its scales -> what is read in its place"""

    def write(self) -> ModelProto:
        """The model."""
        graph = self._proto.graph
        for value in graph.input:
            self._round(value.name)
        for node in list(graph.node):
            layer = node.output and node.output[0] in self.plan.layers
            if layer and node.input[1] in self.model.initializers:
                self._quantize_weights(node)
            for k, name in enumerate(node.input):
                node.input[k] = self._read.get(name, name)
            self._nodes.append(node)
            for name in node.output:
                self._round(name)
        used = {name for n in self._nodes for name in n.input} | {v.name for v in graph.output}
        constants = [t for t in graph.initializer if t.name in used]
        del graph.node[:], graph.initializer[:]
        graph.node.extend(self._nodes)
        graph.initializer.extend(constants)
        return self._proto

    def _round(self, name: str) -> None:
        """x -> dequantize(quantize(x)), for whoever reads x from here on"""
        if name not in self.plan.tensors:
            return
        s = self.scales[name]
        if self.simulate:
            low, high = (np.float32(step) for step in s.steps())
            scale = self._constant(f"{name}_scale", s.scale)
            x = self._node("Div", f"{name}_steps", name, scale)
            x = self._node("Round", f"{name}_rounded", x)
            bounds = [self._constant(f"{name}_{k}", n) for k, n in (("low", low), ("high", high))]
            x = self._node("Clip", f"{name}_clipped", x, *bounds)
            self._read[name] = self._node("Mul", f"{name}_simulated", x, scale)
            return
        scale = self._constant(f"{name}_scale", s.scale)
        zero = self._constant(f"{name}_zero_point", s.dtype.type(s.zero_point))
        q = self._node("QuantizeLinear", f"{name}_quantized", name, scale, zero)
        self._read[name] = self._node("DequantizeLinear", f"{name}_dequantized", q, scale, zero)

    def _quantize_weights(self, node: NodeProto) -> None:
        """The layer reads 8-bit weights, and a bias in 32 bits where that is a constant vector."""
        x, name, *rest = node.input
        w, axis = self.model.weight(name), weight_axis(node)
        self._require_finite(name, w)
        by_channel = scales.weight_scales(w, axis, self.limit)
        bias_name = rest[0] if rest and rest[0] in self.model.initializers else ""
        bias = self._bias(bias_name, len(by_channel)) if bias_name else None
        if bias is not None:
            scale_x = self.scales[x].scale
            by_channel = scales.fit_bias(by_channel, w, axis, bias, float(scale_x))
            of_bias = scale_x * by_channel
            q = scales.rounded_bias(bias, of_bias)
            node.input[2] = self._integers(bias_name, q, 0, of_bias)
        q = scales.rounded_weights(w, axis, by_channel, self.limit)
        node.input[1] = self._integers(name, q, axis, by_channel)
        layer = self.plan.layers[node.output[0]].name
        self.weights.append(Weights(name, layer, w, scales.meant(q, axis, by_channel)))

    def _bias(self, name: str, channels: int) -> np.ndarray | None:
        """A bias, if it has a number for each channel and nothing else."""
        bias = self.model.weight(name)
        if bias.size != channels or bias.shape[-1:] != (channels,):
            return None
        self._require_finite(name, bias)
        return bias.reshape(-1)

    def _require_finite(self, name: str, array: np.ndarray) -> None:
        if not np.isfinite(array).all():
            raise LaminaError(
                f"{self.model.where}: weight '{name}' needs finite numbers to be quantized, found "
                f"{array[~np.isfinite(array)][0]}; keep the layer that reads it in float"
            )

    def _integers(self, name: str, q: np.ndarray, axis: int, by_channel: np.ndarray) -> str:
        """What is read in place of the constant `name`: integers, and their scales."""
        key = (name, axis.to_bytes(1, "little") + by_channel.tobytes())
        if key not in self._constants:
            if self.simulate:
                meant = scales.meant(q, axis, by_channel)
                self._constants[key] = self._constant(f"{name}_simulated", meant)
                return self._constants[key]
            operands = [
                self._constant(f"{name}_quantized", q),
                self._constant(f"{name}_scale", by_channel),
                self._constant(f"{name}_zero_point", np.zeros(by_channel.shape, q.dtype)),
            ]
            self._constants[key] = self._node(
                "DequantizeLinear", f"{name}_dequantized", *operands, axis=axis
            )
        return self._constants[key]

    def _constant(self, name: str, array: np.ndarray | np.generic) -> str:
        name = self._fresh(name)
        self._proto.graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def _node(self, op: str, result: str, *operands: str, axis: int | None = None) -> str:
        """Add a node named like what it computes."""
        name = self._fresh(result)
        self._nodes.append(helper.make_node(op, operands, [name], name, axis=axis))
        return name

    def _fresh(self, name: str) -> str:
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name
