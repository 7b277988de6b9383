"""Random graphs: a strategy, and a graph as the Python code of a test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from hypothesis import assume
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from tests.unit.random_graphs import elementwise, linear, movement, windows
from tests.unit.random_graphs.grower import Grower, Value

OPERATORS = [
    *windows.OPERATORS,
    *linear.OPERATORS,
    *elementwise.OPERATORS,
    *movement.OPERATORS,
]
OPSETS = (17, 13, 11, 9, 10, 12, *range(14, 17), *range(18, 29))
CHANNELS = (3, 1, 4, 16, 8, 17, 20, 32, 37)


@dataclass
class Graph:
    """A model, and numbers to run it on."""

    model: onnx.ModelProto
    inputs: dict[str, np.ndarray]

    def __repr__(self) -> str:
        return code(self.model)


@st.composite
def sizes(draw: st.DrawFn) -> list[int]:
    """The shape of an input: mostly images, lines and matrices."""
    n = draw(st.sampled_from([1, 1, 2, 3]))
    match draw(st.sampled_from(["image", "image", "image", "line", "matrix", "any"])):
        case "image":
            return [n, draw(st.sampled_from(CHANNELS)), *draw(st.tuples(*[st.integers(1, 13)] * 2))]
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
    first = draw(sizes())
    g.input(first)
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        g.input(first if g.maybe() else draw(sizes()))
    for _ in range(draw(st.integers(1, largest))):
        recent = g.values[-1]
        x = g.choose([recent, recent, recent, *reversed(g.values)])
        g.attempt(g.choose([o for o in OPERATORS if g.opset >= o.since and o.takes(x)]), x)
    assume(g.nodes)
    return Graph(g.model(outputs(g)), {x.name: x.array for x in g.values if x.name in g.inputs})


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
