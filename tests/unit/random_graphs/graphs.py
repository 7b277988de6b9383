"""Random graphs: a strategy, and a graph as the Python code of a test."""

from __future__ import annotations

from math import prod

import numpy as np
import onnx
from hypothesis import assume, reject
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from tests.unit.onnx_models import run_onnxruntime
from tests.unit.random_graphs import (
    choice,
    elementwise,
    linear,
    movement,
    reductions,
    resizing,
    windows,
)
from tests.unit.random_graphs.grower import ELEMENTS, Grower, Rejected, Value

OPERATORS = [
    *windows.OPERATORS,
    *linear.OPERATORS,
    *elementwise.OPERATORS,
    *movement.OPERATORS,
    *reductions.OPERATORS,
    *choice.OPERATORS,
    *resizing.OPERATORS,
]
CONVOLUTIONS = [windows.Operator(windows.plain_conv, lambda x: True)] * 12
OPSETS = (17, 13, 11, 9, 10, 12, *range(14, 17), *range(18, 29))
CHANNELS = (3, 1, 4, 16, 8, 17, 20, 32, 37, 48, 65)
SIDES = st.integers(1, 13) | st.integers(14, 30)
MANY = (16, 3, 20, 32, 36, 37, 48, 65)
TYPES = (*["float32"] * 12, "bool", "int8", "uint8", "int32", "int64")


class Graph:
    """A model, numbers to run it on, and what ONNX Runtime computes of them."""

    def __init__(self, model: onnx.ModelProto, inputs: dict[str, np.ndarray]) -> None:
        self.model, self.inputs = model, inputs
        try:
            self.outputs = run_onnxruntime(model, list(inputs.values()))
        except Exception as e:  # whatever ONNX Runtime raises where single nodes were right
            raise Rejected(str(e)) from e

    def __repr__(self) -> str:
        return code(self.model)


@st.composite
def sizes(draw: st.DrawFn) -> list[int]:
    """The shape of an input: mostly images, lines and matrices."""
    n = draw(st.sampled_from([1, 1, 2, 3]))
    match draw(st.sampled_from(["image", "image", "image", "line", "matrix", "any"])):
        case "image":
            size = [n, draw(st.sampled_from(CHANNELS)), *draw(st.tuples(SIDES, SIDES))]
            return size if prod(size) <= ELEMENTS else [1, *size[1:]]
        case "line":
            return [n, draw(st.sampled_from(CHANNELS)), draw(st.integers(1, 40))]
        case "matrix":
            return [n, draw(st.integers(1, 70))]
        case _:
            return draw(st.lists(st.integers(1, 6), min_size=1, max_size=5))


@st.composite
def graphs(draw: st.DrawFn, largest: int = 8) -> Graph:
    """Up to `largest` operators over up to three inputs, some of them of several nodes."""
    g = Grower(draw, draw(st.sampled_from(OPSETS)))
    grow = draw(st.sampled_from([grow_anything, grow_anything, grow_images]))
    grow(g, draw(st.integers(1, largest)))
    assume(g.nodes)
    try:
        return Graph(g.model(outputs(g)), g.inputs)
    except Rejected:
        reject()


def grow_anything(g: Grower, count: int) -> None:
    """Operators that take the last value, or one of those before."""
    first = g.draw(sizes())
    g.input(first, g.choose(TYPES))
    for _ in range(g.choose([0, 0, 1, 2])):
        g.input(first if g.maybe() else g.draw(sizes()), g.choose(TYPES))
    for _ in range(count):
        recent = g.values[-1]
        x = g.choose([recent, recent, recent, *reversed(g.values)])
        g.attempt(g.choose([o for o in OPERATORS if g.opset >= o.since and o.takes(x)]), x)


def grow_images(g: Grower, count: int) -> None:
    """Operators on images of many channels between convolutions: what is stored in blocks."""
    side = g.between(1, 9)
    x = g.input([g.choose((1, 2)), g.choose(MANY), side, g.choose((side, g.between(1, 9)))])
    g.values.append(windows.plain_conv(g, x))
    for _ in range(count):
        recent = g.values[-1]
        x = g.choose([recent, recent, recent, *reversed(g.values[1:])])
        table = CONVOLUTIONS + [o for o in OPERATORS if g.opset >= o.since and o.takes(x)]
        g.attempt(g.choose(table), x, lambda y: y.is_float and y.rank == 4 and y.array.size > 7)


def outputs(g: Grower) -> list[Value]:
    """The last value, what no node uses, and perhaps one that nodes use."""
    found = [y for y in g.values if y.name not in g.inputs]
    used = {name for node in g.nodes for name in node.input}
    chosen = [y for y in found if y.name not in used or y is found[-1]]
    if g.maybe():
        chosen.append(g.choose(found))
    return list({y.name: y for y in chosen}.values())


def code(model: onnx.ModelProto) -> str:
    """A call of `tests.unit.onnx_models.model` that makes this model, with other weights."""
    lines = ["model(", "    ["]
    for node in model.graph.node:
        words = [repr(node.op_type), repr(list(node.input)), repr(list(node.output))]
        for a in node.attribute:
            value = helper.get_attribute_value(a)
            if isinstance(value, onnx.TensorProto):
                value = f"tensor({numpy_helper.to_array(value).tolist()})"
            else:
                value = repr(value.decode() if isinstance(value, bytes) else value)
            words.append(f"{a.name}={value}")
        lines.append(f"        helper.make_node({', '.join(words)}),")
    inputs = {
        v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in model.graph.input
    }
    lines += ["    ],", f"    {inputs},", "    {"]
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype == np.float32 and array.size > 1:
            value = f"numbers{array.shape}".replace(",)", ")")
        else:
            value = f"np.array({array.tolist()}, np.{array.dtype})"
        lines.append(f"        {tensor.name!r}: {value},")
    names = [v.name for v in model.graph.output]
    return "\n".join(
        [*lines, "    },", f"    {names},", f"    opset={model.opset_import[0].version},", ")"]
    )
