"""One walk over the nodes of an ONNX graph."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from onnx import ModelProto, NodeProto, ValueInfoProto
from xdsl.builder import Builder
from xdsl.dialects import func
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    ModuleOp,
    StringAttr,
    TensorType,
    UnitAttr,
    f32,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.rewriter import InsertPoint
from xdsl.utils.exceptions import VerifyException

from lamina.dialects.graph import SOURCE, ElementError, shape
from lamina.dialects.graph.constants import constant
from lamina.frontends.onnx import (
    activations,
    choice,
    convolution,
    grid_sample,
    integer_products,
    known,
    linear,
    movement,
    normalization,
    pointwise,
    pooling,
    power,
    quantization,
    reductions,
    resize,
    selection,
    slicing,
    taking,
)
from lamina.frontends.onnx.elements import REMEDY, attribute_of, check_supported, name_of
from lamina.frontends.onnx.functions import spelled_out
from lamina.frontends.onnx.inputs import fixed, input_shapes
from lamina.frontends.onnx.model import Model, read
from lamina.frontends.onnx.node import Node, Unsupported, Value
from lamina.frontends.onnx.older import converted
from lamina.weights import WeightStore

Operator = Callable[[Node], Sequence[Value]]

OPERATORS: Mapping[str, Operator] = {
    **activations.OPERATORS,
    **choice.OPERATORS,
    **convolution.OPERATORS,
    **grid_sample.OPERATORS,
    **integer_products.OPERATORS,
    **known.OPERATORS,
    **linear.OPERATORS,
    **movement.OPERATORS,
    **normalization.OPERATORS,
    **pointwise.OPERATORS,
    **pooling.OPERATORS,
    **power.OPERATORS,
    **quantization.OPERATORS,
    **reductions.OPERATORS,
    **resize.OPERATORS,
    **selection.OPERATORS,
    **slicing.OPERATORS,
    **taking.OPERATORS,
}


def run(
    model: str | Path | ModelProto, store: WeightStore, shapes: Mapping[str, Sequence[int]]
) -> ModuleOp:
    """Read, check and import a model."""
    found = spelled_out(converted(read(model)), {*OPERATORS, *known.EVALUATIONS})
    try:
        return Importer(found, store).module(shapes)
    except UnicodeDecodeError as e:
        raise found.error(f"not a valid ONNX model: a name is not UTF-8: {e.object!r}") from e


class Importer:
    """Builds @main while it collects what is not supported."""

    def __init__(self, model: Model, store: WeightStore) -> None:
        self.model = model
        self.opset = model.opset
        self.values: dict[str, Value | None] = {}
        """by ONNX name; None where a node that was refused leaves the type open"""
        self._store = store
        self._constants: dict[str, SSAValue] = {}
        self._problems: defaultdict[str, list[str]] = defaultdict(list)
        """what about nodes is not supported, and the names of those nodes"""
        self._inputs: list[str] = []
        """what about inputs and weights is not supported"""
        self._inferred: Mapping[str, ValueInfoProto] | None = None

    def module(self, shapes: Mapping[str, Sequence[int]]) -> ModuleOp:
        """The whole model, or an error that lists everything that is not supported."""
        graph = self.model.proto.graph
        self.model.check_opset()
        self.model.check_names()
        self._check_operators()
        block = Block(arg_types=self._input_types(shapes))
        self._builder = Builder(InsertPoint.at_end(block))
        for arg, v in zip(block.args, self.model.inputs, strict=True):
            arg.name_hint = _hint(v.name)
            self.values[v.name] = arg
        used = {name for node in graph.node for name in node.input} | {v.name for v in graph.output}
        for node in graph.node:
            self._import(node, used)
        self._refuse()
        return ModuleOp([self._main(block)])

    def _check_operators(self) -> None:
        """Note what is unknown; ONNX checks a model only if it has nothing of that kind."""
        graph = self.model.proto.graph
        for node in graph.node:
            if not _is_known(node):
                self._problems[_operator(node)].append(_name(node))
        for tensor in graph.sparse_initializer:
            self._inputs.append(f"sparse weight '{tensor.values.name}'")
        if not self._problems:
            self.model.check()

    def _refuse(self) -> None:
        """Raise an error that lists all problems, if there are any."""
        listed = self._inputs + [
            f"{reason} ({'node' if len(names) == 1 else 'nodes'} {', '.join(names)})"
            for reason, names in self._problems.items()
        ]
        if listed:
            raise self.model.error(f"not supported: {', '.join(listed)}")

    def _main(self, block: Block) -> func.FuncOp:
        names = [v.name for v in self.model.proto.graph.output]
        try:
            results = [self.operand(name) for name in names]
        except Unsupported as e:
            raise self.model.error(f"not supported: output {e}") from e
        self._builder.insert(func.ReturnOp(*results))
        main = func.FuncOp(
            "main",
            ([a.type for a in block.args], [r.type for r in results]),
            Region(block),
            arg_attrs=ArrayAttr(
                DictionaryAttr({"lamina.input": StringAttr(v.name)}) for v in self.model.inputs
            ),
        )
        main.attributes["lamina.entry"] = UnitAttr()
        main.attributes["lamina.outputs"] = ArrayAttr(map(StringAttr, names))
        return main

    # -- what nodes use

    def value(self, name: str) -> Value:
        """The value with this ONNX name; weights are decoded each time, so as not to keep them."""
        if name in self.values:
            value = self.values[name]
            assert value is not None, name
            return value
        if name not in self.model.initializers:
            raise self.model.error(
                f"not a valid ONNX model: nothing computes '{name}' before its use"
            )
        return self.model.weight(name)

    def operand(self, name: str) -> SSAValue:
        """The value with this ONNX name as an operand."""
        if name in self._constants:
            return self._constants[name]
        value = self.value(name)
        if isinstance(value, SSAValue):
            return value
        lies_in_file = name not in self.values and name in self.model.spans
        again = (lambda: self.model.weight(name)) if lies_in_file else None
        return self._constants.setdefault(name, self.constant(value, name, again))

    def constant(
        self,
        array: np.ndarray,
        source: str | None,
        again: Callable[[], np.ndarray] | None = None,
    ) -> SSAValue:
        """A constant that holds `array`, which `again` reads from the model's file if given."""
        check_supported(array)
        op = self._builder.insert(constant(array, self._store, source=source, again=again))
        op.result.name_hint = _hint(source or "c")
        return op.result

    def add(self, op: Operation) -> SSAValue:
        """Append `op`, if it is valid."""
        op.verify()
        if empty := [size for r in op.results if 0 in (size := shape(r))]:
            raise Unsupported(f"with a result of shape {list(empty[0])}, which has no elements")
        return self._builder.insert(op).results[0]

    # -- one node

    def _import(self, proto: NodeProto, used: set[str]) -> None:
        if not _is_known(proto) or any(self.values.get(x, 0) is None for x in proto.input):
            self._give_up(proto)
            return
        try:
            node = Node(proto, self)
            results = _convert(node)
            node.check_attributes()
            for name in proto.output[len(results) :]:
                if name in used:
                    raise Unsupported(f"with its output '{name}' in use")
        except Unsupported as e:
            self._problems[f"{_operator(proto)} {e}"].append(_name(proto))
            self._give_up(proto)
        except ElementError as e:
            self._problems[f"{_operator(proto)}: {e}"].append(_name(proto))
            self._give_up(proto)
        except VerifyException as e:
            if self._problems:  # may come from a stand-in
                self._give_up(proto)
                return
            raise self.model.error(f"{_operator(proto)} (node {_name(proto)}): {e}") from e
        else:
            for name, value in zip(proto.output, results, strict=False):
                self.values[name] = value
                _label(value, name)

    def _give_up(self, proto: NodeProto) -> None:
        """Go on with stand-ins for the results, so that later nodes are looked at too."""
        if self._inferred is None:
            self._inferred = self.model.inferred()
        for name in filter(None, proto.output):
            info = self._inferred.get(name)
            size = fixed(info) if info is not None else None
            self.values[name] = None
            if info is not None and size is not None:
                element = attribute_of(info.type.tensor_type.elem_type) or f32
                self.values[name] = Block(arg_types=[TensorType(element, size)]).args[0]

    # -- inputs

    def _input_types(self, shapes: Mapping[str, Sequence[int]]) -> list[Attribute]:
        if any(not fixed(v) and v.name not in shapes for v in self.model.inputs):
            self._refuse()  # first what no shape can help
        found = input_shapes(self.model, shapes)
        return [TensorType(self._element(v), found[v.name]) for v in self.model.inputs]

    def _element(self, info: ValueInfoProto) -> Attribute:
        """The type of the elements of an input; a stand-in where it is not supported."""
        kind = info.type.WhichOneof("value")
        type = info.type.tensor_type.elem_type
        element = attribute_of(type) if kind == "tensor_type" else None
        if element is None:
            what = name_of(type) if kind == "tensor_type" else str(kind)
            self._inputs.append(f"input '{info.name}' of type {what}, {REMEDY}")
        return element or f32


def _is_known(node: NodeProto) -> bool:
    supported = node.op_type in OPERATORS or node.op_type in known.EVALUATIONS
    return node.domain in ("", "ai.onnx") and supported


def _convert(node: Node) -> Sequence[Value]:
    if known.is_known(node):
        return known.evaluate(node)
    if node.proto.op_type not in OPERATORS:
        raise Unsupported("of what is computed at run time; only of numbers known before")
    return OPERATORS[node.proto.op_type](node)


def _operator(node: NodeProto) -> str:
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"


def _name(node: NodeProto) -> str:
    return f"'{node.name}'" if node.name else f"that computes '{', '.join(node.output)}'"


def _label(value: Value, name: str) -> None:
    """Note what the model calls a value, on the value and on the op that computes it."""
    if isinstance(value, SSAValue) and isinstance(value.owner, Operation):
        if SOURCE not in value.owner.attributes:
            value.owner.attributes[SOURCE] = StringAttr(name)
            value.name_hint = _hint(name)


def _hint(name: str) -> str:
    """`name` as the printer accepts it; it would drop a number after an underscore."""
    name = re.sub(r"[^\w$.-]", "_", name, flags=re.ASCII)
    name = re.sub(r"_(\d+)$", r".\1", name)
    return name if re.match(r"[A-Za-z_]", name) else f"v{name}"
