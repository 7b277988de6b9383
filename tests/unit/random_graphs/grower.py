"""
Grows an ONNX graph node by node, running each node in ONNX Runtime as soon as it is there.

What a node computes is known while the next one is chosen, so nobody has to repeat how ONNX infers
shapes, and graphs can be kept well-conditioned. Each value is carried three times: as it is, and
with rounding errors of `NOISE` of its largest element added and subtracted after every node. A node
whose results would then differ by more than `LIMIT` is not added: floor beside an integer, the
square root of a zero, the quotient by a small number. For such graphs two right implementations
agree, with errors ten times smaller than the noise, to far less than `LIMIT`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import onnx
import onnxruntime
from hypothesis import strategies as st
from onnx import NodeProto, helper, numpy_helper

NOISE = 1e-6
"""rounding errors added to every value, as a part of its largest element"""
LIMIT = 1e-5
"""how much of its largest element a value may differ by because of them"""
SMALLEST, LARGEST = 1e-3, 1e4
"""between these is the largest element of every value"""
ELEMENTS = 60_000
"""no value has more"""

T = TypeVar("T")


class Rejected(Exception):
    """This node cannot follow what is there; the graph goes on without it."""


@dataclass(frozen=True)
class Value:
    """A tensor of the graph: as it is, and with errors in one direction and in the other."""

    name: str
    array: np.ndarray
    off: tuple[np.ndarray, np.ndarray]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def rank(self) -> int:
        return self.array.ndim

    @property
    def is_float(self) -> bool:
        return self.array.dtype == np.float32


@dataclass(frozen=True)
class Operator:
    """A way to add nodes that use a value, and to which values it can be applied."""

    grow: Callable[[Grower, Value], Value | list[Value]]
    takes: Callable[[Value], bool]
    since: int = 9
    """the first opset that has it"""


Operand = Value | np.ndarray | None
"""what a node reads: a tensor, a weight, or nothing"""


@dataclass
class Grower:
    """The graph so far. Functions in the tables of operators add nodes to it."""

    draw: st.DrawFn
    opset: int
    nodes: list[NodeProto] = field(default_factory=list)
    inputs: dict[str, np.ndarray] = field(default_factory=dict)
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    values: list[Value] = field(default_factory=list)
    """inputs, and results that later nodes may use"""
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    _names: int = 0

    # -- choices

    def choose(self, options: Sequence[T]) -> T:
        """One of these; the first is the simplest."""
        if not options:
            raise Rejected("nothing to choose from")
        return self.draw(st.sampled_from(options))

    def maybe(self) -> bool:
        """Whether to do something that could be left out."""
        return self.draw(st.booleans())

    def between(self, low: int, high: int) -> int:
        """A whole number; `low` is the simplest."""
        return self.draw(st.integers(low, high))

    def some(self, options: Sequence[T], least: int = 1) -> list[T]:
        """Some of these, in any order."""
        return self.draw(st.lists(st.sampled_from(options), min_size=least, unique=True))

    def draw_permutation(self, rank: int) -> list[int]:
        """An order of this many dimensions."""
        return list(self.draw(st.permutations(range(rank))))

    def another(self, x: Value, fits: Callable[[Value], bool]) -> Value:
        """A value that fits, rather one other than x."""
        found = [y for y in reversed(self.values) if y is not x and fits(y)]
        return self.choose([*found, x] if fits(x) else found)

    # -- numbers

    def numbers(self, *size: int, scale: float = 1.0) -> np.ndarray:
        """Normally distributed numbers."""
        return np.asarray(self.rng.standard_normal(size, np.float32) * np.float32(scale))

    def parameter(self, *size: int, scale: float = 1.0) -> Operand:
        """Weights, which now and then are an input of the graph."""
        if len(self.inputs) < 4 and self.choose([False] * 15 + [True]):
            return self.given(self.numbers(*size, scale=scale))
        return self.numbers(*size, scale=scale)

    def positive(self, *size: int) -> np.ndarray:
        """Numbers between 0.5 and 1.5."""
        return np.asarray(self.rng.random(size, np.float32) + np.float32(0.5))

    def like(self, type: np.dtype, size: Sequence[int]) -> np.ndarray:
        """Numbers of any type."""
        if type == np.float32:
            return self.numbers(*size)
        return self.rng.integers(0, 2 if type == np.bool_ else 100, size).astype(type)

    def tensor(self, values: Sequence[float]) -> onnx.TensorProto:
        """Numbers as an attribute."""
        return numpy_helper.from_array(np.array(values, np.float32))

    # -- the graph

    def input(self, size: Sequence[int], type: str = "float32") -> Value:
        """A new input of the graph."""
        array = self.like(np.dtype(type), size)
        if type == "float32":
            array += np.float32(np.abs(array).max() < SMALLEST)
        self.values.append(value := self.given(array))
        return value

    def given(self, array: np.ndarray) -> Value:
        """A new input that holds this, and that only one node reads."""
        name = f"x{len(self.inputs)}"
        value = self._noisy(name, [array, array, array])
        self.inputs[name] = array
        return value

    def add(self, op: str, *operands: Operand, **attributes: Any) -> Value:
        """A node of one result."""
        return self.several(op, 1, *operands, **attributes)[0]

    def several(self, op: str, results: int, *operands: Operand, **attributes: Any) -> list[Value]:
        """A node of several results."""
        names = [self._operand(x) for x in operands]
        outputs = [self._new("v") for _ in range(results)]
        attributes = {name: value for name, value in attributes.items() if value is not None}
        node = helper.make_node(op, names, outputs, outputs[0], **attributes)
        values = self._run(node, operands)
        self.nodes.append(node)
        return values

    def attempt(
        self, operator: Operator, x: Value, fits: Callable[[Value], bool] = lambda y: True
    ) -> bool:
        """Apply an operator; False, and the graph as before, if that or the result does not fit."""
        before = len(self.nodes), set(self.weights), set(self.inputs)
        try:
            found = operator.grow(self, x)
            found = found if isinstance(found, list) else [found]
            if not all(map(fits, found)):
                raise Rejected("not what is wanted")
        except Rejected:
            del self.nodes[before[0] :]
            for name in set(self.weights) - before[1]:
                del self.weights[name]
            for name in set(self.inputs) - before[2]:
                del self.inputs[name]
            return False
        self.values += found
        return True

    def model(self, outputs: Sequence[Value]) -> onnx.ModelProto:
        """The whole graph."""
        types = {y.name: _element(y.array) for y in outputs}
        model = _model(self.nodes, self.inputs, self.weights, types, self.opset)
        match self.choose(["weights"] * 6 + ["inputs", "nodes"]):
            case "inputs":  # that users need not give
                model.graph.input.extend(_info(n, w) for n, w in self.weights.items())
            case "nodes":
                for i, w in enumerate(model.graph.initializer):
                    constant = helper.make_node("Constant", [], [w.name], w.name, value=w)
                    model.graph.node.insert(i, constant)
                del model.graph.initializer[:]
            case _:
                pass
        return model

    def _new(self, kind: str) -> str:
        self._names += 1
        return f"{kind}{self._names}"

    def _operand(self, x: Operand) -> str:
        if x is None:
            return ""
        if isinstance(x, Value):
            return x.name
        name = self._new("w")
        self.weights[name] = x
        return name

    def _run(self, node: NodeProto, operands: Sequence[Operand]) -> list[Value]:
        given = {n: x for n, x in zip(node.input, operands, strict=True) if isinstance(x, Value)}
        weights = {n: x for n, x in zip(node.input, operands, strict=True) if _is_array(x)}
        inputs = {name: x.array for name, x in given.items()}
        results = dict.fromkeys(node.output)
        session = _session(_model([node], inputs, weights, results, self.opset))
        runs: list[Sequence[np.ndarray]] = []
        for pick in range(3):
            feed = {name: (x.array, *x.off)[pick] for name, x in given.items()}
            try:
                runs.append([np.asarray(y) for y in session.run(None, feed)])
            except Exception as e:  # whatever ONNX Runtime raises
                raise Rejected(str(e)) from e
        return [self._noisy(n, [r[i] for r in runs]) for i, n in enumerate(node.output)]

    def _noisy(self, name: str, arrays: Sequence[np.ndarray]) -> Value:
        """A value whose errors stay within bounds, with errors added."""
        exact, *off = arrays
        if not 0 < exact.size <= ELEMENTS:
            raise Rejected(f"{exact.size} elements")
        if exact.dtype != np.float32:
            if any(not np.array_equal(exact, y) for y in off):
                raise Rejected("integers that depend on rounding errors")
            return Value(name, exact, (off[0], off[1]))
        largest = np.abs(exact).max()
        if not SMALLEST <= largest <= LARGEST:
            raise Rejected(f"largest element {largest}")
        if not all(np.abs(y - exact).max() <= LIMIT * largest for y in off):
            raise Rejected("not well-conditioned")
        error = (self.rng.random(exact.shape, np.float32) - 0.5) * np.float32(2 * NOISE * largest)
        return Value(name, exact, (np.asarray(off[0] + error), np.asarray(off[1] - error)))


def _is_array(x: Operand) -> bool:
    return isinstance(x, np.ndarray)


def _element(array: np.ndarray) -> int:
    return helper.np_dtype_to_tensor_dtype(array.dtype)


def _info(name: str, array: np.ndarray) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, _element(array), array.shape)


def _model(
    nodes: Sequence[NodeProto],
    inputs: Mapping[str, np.ndarray],
    weights: Mapping[str, Any],
    outputs: Mapping[str, int | None],
    opset: int,
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "random",
        [_info(name, x) for name, x in inputs.items()],
        [
            helper.make_tensor_value_info(n, t, None) if t else onnx.ValueInfoProto(name=n)
            for n, t in outputs.items()
        ],
        [numpy_helper.from_array(w, name) for name, w in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def _session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as e:  # whatever ONNX Runtime raises
        raise Rejected(str(e)) from e
