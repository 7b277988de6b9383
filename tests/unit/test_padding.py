"""What a kernel stores where channels fill a block up is zero, whatever it computes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from xdsl.builder import Builder
from xdsl.dialects import func
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, ModuleOp, TensorType, f32
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.rewriter import InsertPoint

from lamina import interpreters
from lamina.context import new_context
from lamina.dialects import graph
from lamina.dialects.graph import LayoutAttr
from lamina.dialects.graph.constants import constant
from lamina.dialects.layout import Layout
from lamina.passes.graph._copy import pieces
from lamina.passes.graph.lower_graph_to_te import LowerGraphToTePass
from lamina.weights import WeightStore

BLOCKED = Layout.parse("NCHW16c")
MAP, GATE, PIXELS = (1, 20, 2, 3), (1, 20, 1, 1), (1, 1, 2, 3)
UNARY = (
    *(graph.AbsOp, graph.CeilOp, graph.ErfOp, graph.ExpOp, graph.Expm1Op, graph.FloorOp),
    *(graph.LogOp, graph.Log1pOp, graph.NegOp, graph.ReluOp, graph.RoundOp, graph.SigmoidOp),
    *(graph.SqrtOp, graph.TanhOp),
)
BINARY = (
    *(graph.AddOp, graph.DivOp, graph.MaximumOp, graph.MinimumOp, graph.MulOp, graph.PowOp),
    graph.SubOp,
)
NUMBERS = (0.0, 0.5, 1.0, -1.0, 3.0, -2.0, 6.0, 1e-6, 700.0)
STORAGE = BLOCKED.apply_array(np.ones(MAP, np.float32))
"""1 where the storage of a map holds an element"""


def blocked(size: tuple[int, ...], element: Attribute = f32) -> TensorType:
    """The type of a tensor in blocks."""
    return TensorType(element, size, LayoutAttr(BLOCKED))


@st.composite
def kernels(draw: st.DrawFn) -> ModuleOp:
    """A kernel that computes a map from a map, a gate, and a number for each pixel."""
    types = [blocked(MAP), blocked(GATE), TensorType(f32, PIXELS)]
    block = Block(arg_types=types)
    builder = Builder(InsertPoint.at_end(block))
    values: list[SSAValue] = [block.args[0]]

    def operand() -> SSAValue:
        kind = draw(st.sampled_from(["map", "map", "gate", "pixels", "number", "number"]))
        if kind == "map":
            return draw(st.sampled_from(values))
        if kind != "number":
            return block.args[1 if kind == "gate" else 2]
        type = TensorType(f32, [1, 1, 1, 1])
        number = DenseIntOrFPElementsAttr.from_list(type, [draw(st.sampled_from(NUMBERS))])
        return builder.insert(graph.ConstantOp(number)).result

    def scaled() -> tuple[SSAValue, SSAValue]:
        """A scale and a zero point."""
        type = draw(st.sampled_from([np.uint8, np.int8]))
        zero = np.full((1, 1, 1, 1), draw(st.sampled_from([0, 3, 127])), type)
        return operand(), builder.insert(constant(zero, WeightStore())).result

    def in_bytes(x: SSAValue, scale: SSAValue, zero: SSAValue) -> SSAValue:
        kind = draw(st.sampled_from([graph.QuantizeOp, graph.RequantizeOp]))
        type = blocked(MAP, graph.tensor_type(zero).element_type)
        return builder.insert(kind(x, scale, zero, type)).results[0]

    for _ in range(draw(st.integers(1, 6))):
        x = draw(st.sampled_from(values[-2:]))
        match draw(st.sampled_from(["unary", "binary", "clip", "bytes"])):
            case "bytes":
                scale, zero = scaled()
                q = in_bytes(x, scale, zero)
                op = graph.DequantizeOp(q, scale, zero, blocked(MAP))
            case "unary":
                op = draw(st.sampled_from(UNARY))(x)
            case "clip":
                low, high = sorted(draw(st.sampled_from(NUMBERS)) for _ in range(2))
                op = graph.ClipOp(x, low, draw(st.sampled_from([high, math.inf])))
            case _:
                pair = [x, operand()]
                a, b = pair if draw(st.booleans()) else pair[::-1]
                op = draw(st.sampled_from(BINARY))(a, b, blocked(MAP))
        values.append(builder.insert(op).results[0])
    if draw(st.booleans()):
        values.append(in_bytes(values[-1], *scaled()))
    block.add_op(func.ReturnOp(values[-1]))
    body = func.FuncOp("k", (types, [values[-1].type]), Region(block), "private")
    return ModuleOp([body])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(kernels(), st.lists(st.sampled_from([0.0, 1.0, -1.0, 1e30, math.inf, math.nan]), min_size=6))
def test_any_formula_stores_zeros_in_the_padding(module: ModuleOp, pixels: list[float]) -> None:
    rng = np.random.default_rng(0)
    x, gate = (rng.standard_normal(size, np.float32) * 3 for size in (MAP, GATE))
    each = np.array(pixels[:6], np.float32).reshape(PIXELS)
    module.verify()
    text = str(module)
    LowerGraphToTePass().apply(new_context(), module)
    inputs = [BLOCKED.apply_array(x), BLOCKED.apply_array(gate), each]
    with np.errstate(all="ignore"):
        (found,) = interpreters.call(module, "k", inputs)
    assert (found[STORAGE == 0] == 0).all(), text


@pytest.mark.parametrize("block", [4, 16])
@given(st.integers(1, 70), st.integers(0, 40), st.integers(0, 40))
def test_pieces_are_all_elements_once_and_lie_in_one_block(
    block: int, count: int, read: int, write: int
) -> None:
    parts = pieces(count, read, write, block)
    assert len(parts) <= 6
    found = [
        range(first + k * block, first + k * block + size)
        for first, size, times in parts
        for k in range(times)
    ]
    assert sorted(i for run in found for i in run) == list(range(count))
    if read % block or write % block:
        for start in (read, write):
            assert all((start + r[0]) // block == (start + r[-1]) // block for r in found)
