"""
An ONNX network as a PyTorch module, so that PyTorch can be timed on the files the others read.

Each node becomes the call of `torch.nn.functional` that a PyTorch user would have written, in a
`torch.fx` graph, and weights become parameters: eager mode and `torch.compile` see an ordinary
network. Operators that the measured networks do not have are refused, not approximated.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper
from torch.fx import Graph, GraphModule
from torch.fx import Node as Value

Attributes = Mapping[str, Any]
Convert = Callable[["Network", Attributes, list[Any]], Any]
"""Adds the calls for one node: its attributes and operands -> its result, or a tuple of them"""


class CannotConvert(Exception):
    """The network has something that this file does not know."""


class Network:
    """A graph of PyTorch calls that grows node by node."""

    def __init__(self, model: onnx.ModelProto) -> None:
        opsets = {entry.domain: entry.version for entry in model.opset_import}
        self.opset = opsets.get("", 1)
        self.calls = Graph()
        self.module = torch.nn.Module()
        self.arrays = {w.name: numpy_helper.to_array(w) for w in model.graph.initializer}
        self.values: dict[str, Value] = {}
        self.inputs = [i.name for i in model.graph.input if i.name not in self.arrays]
        self.outputs = [o.name for o in model.graph.output]
        for i, name in enumerate(self.inputs):
            self.values[name] = self.calls.placeholder(f"input_{i}")
        for node in model.graph.node:
            self._add(node)
        self.calls.output(tuple(self.values[name] for name in self.outputs))

    def converted(self) -> GraphModule:
        """The module: from the inputs in order to a tuple of the outputs."""
        return GraphModule(self.module, self.calls).eval()

    def call(self, function: Callable[..., Any], *args: Any, **options: Any) -> Value:
        """One more call."""
        return self.calls.call_function(function, args, options)

    def numbers(self, operand: Any) -> list[int]:
        """The elements of an operand that has to be constant, such as a shape."""
        if not isinstance(operand, np.ndarray):
            raise CannotConvert("an operand that is not constant")
        return [int(n) for n in operand.reshape(-1)]

    def _add(self, node: onnx.NodeProto) -> None:
        if node.domain or node.op_type not in OPERATORS:
            raise CannotConvert(f"operator {node.domain or 'ai.onnx'} {node.op_type}")
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        convert, constant = OPERATORS[node.op_type]
        operands = [self._operand(name, i in constant) for i, name in enumerate(node.input)]
        try:
            results = convert(self, attributes, operands)
        except CannotConvert as e:
            raise CannotConvert(f"{e} in {node.op_type} '{node.name}'") from e
        results = results if isinstance(results, tuple) else (results,)
        self.values.update(zip(node.output, results, strict=False))

    def _operand(self, name: str, constant: bool) -> Any:
        """An array where the operator wants a constant, a call's result elsewhere."""
        if not name:
            return None
        if constant and name in self.arrays:
            return self.arrays[name]
        if name not in self.values:
            weight = torch.from_numpy(np.array(self.arrays[name]))
            attribute = f"weight_{len(self.values)}"
            parameter = torch.nn.Parameter(weight, requires_grad=False)
            self.module.register_parameter(attribute, parameter)
            self.values[name] = self.calls.get_attr(attribute)
        return self.values[name]


def _operand(operands: list[Any], i: int) -> Any:
    return operands[i] if i < len(operands) else None


def _pads(attributes: Attributes) -> tuple[list[int], list[int]]:
    """Symmetric padding for the operator itself, and what has to be padded before it."""
    if attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        raise CannotConvert(f"auto_pad={attributes['auto_pad'].decode()}")
    pads = list(attributes.get("pads", [0, 0, 0, 0]))
    rank = len(pads) // 2
    if pads[:rank] == pads[rank:]:
        return pads[:rank], []
    pairs = [pads[i + k * rank] for i in reversed(range(rank)) for k in (0, 1)]
    return [0] * rank, pairs


def _conv(net: Network, a: Attributes, x: list[Any]) -> Value:
    padding, before = _pads(a)
    data = net.call(F.pad, x[0], before) if before else x[0]
    strides, dilations = a.get("strides", [1, 1]), a.get("dilations", [1, 1])
    if len(strides) != 2 or len(dilations) != 2:
        raise CannotConvert(f"{len(strides)} spatial dimensions")
    bias = _operand(x, 2)
    return net.call(F.conv2d, data, x[1], bias, strides, padding, dilations, a.get("group", 1))


def _max_pool(net: Network, a: Attributes, x: list[Any]) -> Value:
    padding, before = _pads(a)
    data = net.call(F.pad, x[0], before, value=-float("inf")) if before else x[0]
    options = {"stride": a.get("strides", [1, 1]), "padding": padding}
    options |= {"dilation": a.get("dilations", [1, 1]), "ceil_mode": bool(a.get("ceil_mode", 0))}
    return net.call(F.max_pool2d, data, a["kernel_shape"], **options)


def _average_pool(net: Network, a: Attributes, x: list[Any]) -> Value:
    padding, before = _pads(a)
    counts = bool(a.get("count_include_pad", 0))
    if before and not counts:
        raise CannotConvert("uneven padding that does not count")
    data = net.call(F.pad, x[0], before) if before else x[0]
    options = {"stride": a.get("strides", [1, 1]), "padding": padding}
    options |= {"ceil_mode": bool(a.get("ceil_mode", 0)), "count_include_pad": counts}
    return net.call(F.avg_pool2d, data, a["kernel_shape"], **options)


def _batch_norm(net: Network, a: Attributes, x: list[Any]) -> Value:
    scale, shift, mean, variance = x[1:5]
    epsilon = a.get("epsilon", 1e-5)
    return net.call(F.batch_norm, x[0], mean, variance, scale, shift, eps=epsilon)


def _gemm(net: Network, a: Attributes, x: list[Any]) -> Value:
    plain = a.get("alpha", 1.0) == 1 and a.get("beta", 1.0) == 1 and not a.get("transA", 0)
    if not plain or not a.get("transB", 0):
        raise CannotConvert("factors or an order of dimensions other than x * transpose(w) + b")
    return net.call(F.linear, x[0], x[1], _operand(x, 2))


def _clip(net: Network, a: Attributes, x: list[Any]) -> Value:
    low, high = (_scalar(net, a, x, i, key) for i, key in ((1, "min"), (2, "max")))
    if (low, high) == (0, 6):
        return net.call(F.relu6, x[0])
    return net.call(torch.clamp, x[0], low, high)


def _scalar(net: Network, a: Attributes, x: list[Any], i: int, key: str) -> float | None:
    """An attribute of old opsets, an operand of newer ones."""
    if (bound := _operand(x, i)) is None:
        return a.get(key)
    if not isinstance(bound, np.ndarray):
        raise CannotConvert("an operand that is not constant")
    return float(bound.reshape(()))


def _softmax(net: Network, a: Attributes, x: list[Any]) -> Value:
    if net.opset < 13:
        raise CannotConvert("the meaning that the axis had before opset 13")
    return net.call(F.softmax, x[0], dim=a.get("axis", -1))


def _flatten(net: Network, a: Attributes, x: list[Any]) -> Value:
    if (axis := a.get("axis", 1)) != 1:
        raise CannotConvert(f"axis={axis}")
    return net.call(torch.flatten, x[0], 1)


def _reshape(net: Network, a: Attributes, x: list[Any]) -> Value:
    shape = net.numbers(x[1])
    if 0 in shape:
        raise CannotConvert("a shape with zeros")
    return net.call(torch.reshape, x[0], shape)


def _split(net: Network, a: Attributes, x: list[Any]) -> tuple[Value, ...]:
    if _operand(x, 1) is None:
        raise CannotConvert("sizes that are not given")
    sizes = net.numbers(x[1])
    parts = net.call(torch.split, x[0], sizes, a.get("axis", 0))
    return tuple(net.call(operator.getitem, parts, i) for i in range(len(sizes)))


def _slice(net: Network, a: Attributes, x: list[Any]) -> Value:
    starts, ends = net.numbers(x[1]), net.numbers(x[2])
    axes = net.numbers(x[3]) if _operand(x, 3) is not None else list(range(len(starts)))
    steps = net.numbers(x[4]) if _operand(x, 4) is not None else [1] * len(starts)
    if any(step < 0 for step in steps) or any(axis < 0 for axis in axes):
        raise CannotConvert("a negative step or axis")
    chosen = dict(zip(axes, map(slice, starts, ends, steps), strict=True))
    index = tuple(chosen.get(i, slice(None)) for i in range(max(axes) + 1))
    return net.call(operator.getitem, x[0], index)


def _plain(function: Callable[..., Any]) -> Convert:
    """A call with the operands as they are."""
    return lambda net, a, x: net.call(function, *x)


OPERATORS: Mapping[str, tuple[Convert, tuple[int, ...]]] = {
    "Add": (_plain(torch.add), ()),
    "AveragePool": (_average_pool, ()),
    "BatchNormalization": (_batch_norm, ()),
    "Clip": (_clip, (1, 2)),
    "Concat": (lambda net, a, x: net.call(torch.cat, x, a["axis"]), ()),
    "Conv": (_conv, ()),
    "Div": (_plain(torch.div), ()),
    "Exp": (_plain(torch.exp), ()),
    "Flatten": (_flatten, ()),
    "Gemm": (_gemm, ()),
    "GlobalAveragePool": (lambda net, a, x: net.call(F.adaptive_avg_pool2d, x[0], 1), ()),
    "Identity": (lambda net, a, x: x[0], ()),
    "MatMul": (_plain(torch.matmul), ()),
    "MaxPool": (_max_pool, ()),
    "Mul": (_plain(torch.mul), ()),
    "Relu": (_plain(F.relu), ()),
    "Reshape": (_reshape, (1,)),
    "Sigmoid": (_plain(torch.sigmoid), ()),
    "Slice": (_slice, (1, 2, 3, 4)),
    "Softmax": (_softmax, ()),
    "Split": (_split, (1,)),
    "Sub": (_plain(torch.sub), ()),
    "Tanh": (_plain(torch.tanh), ()),
    "Transpose": (lambda net, a, x: net.call(torch.permute, x[0], a["perm"]), ()),
}
"""operator -> how it is converted, and which operands must be constants"""


def convert(model: onnx.ModelProto) -> tuple[GraphModule, list[str], list[str]]:
    """The module and the names of its inputs and outputs, in order."""
    network = Network(model)
    return network.converted(), network.inputs, network.outputs
