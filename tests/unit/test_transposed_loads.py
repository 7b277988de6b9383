"""What is stored in another order of dimensions, or in blocks, is copied by whole vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lamina
from lamina.backends.machine import describe
from lamina.context import new_context
from lamina.dialects.layout import Layout
from lamina.dialects.te import ComputeOp
from lamina.passes.graph.lower_graph_to_te import LowerGraphToTePass
from lamina.passes.te._cost import candidates
from tests.unit.rewriting import parse

TYPES = {"f32": np.float32, "i64": np.int64, "i8": np.int8, "i1": np.bool_}


def relayout(shape: tuple[int, ...], old: str, new: str, element: str) -> str:
    """A network that stores its input in another layout."""
    size = "x".join(map(str, shape))
    x, y = (f"tensor<{size}x{element}, #graph.layout<{t}>>" for t in (old, new))
    return f"""
func.func @main(%x: {x} {{lamina.input = "x"}}) -> {y} attributes {{lamina.entry, lamina.outputs = ["y"]}} {{
  %y = graph.relayout %x : {x} -> {y}
  func.return %y : {y}
}}
"""  # noqa: E501


@pytest.mark.parametrize("target", ["cpu", "cpu:haswell", "cpu:nehalem"])
@settings(max_examples=15, derandomize=True, deadline=None)
@given(
    st.tuples(*(st.integers(1, n) for n in (2, 40, 9, 40))),
    st.permutations([Layout.parse(t) for t in ("NCHW", "NHWC", "NCHW16c", "NCHW8c")]),
    st.sampled_from([*TYPES]),
)
def test_relayout_puts_each_element_in_its_place(
    tmp_path_factory: pytest.TempPathFactory,
    target: str,
    shape: tuple[int, ...],
    layouts: list[Layout],
    element: str,
) -> None:
    old, new = layouts[:2]
    path: Path = tmp_path_factory.mktemp("relayout") / "model.mlir"
    path.write_text(relayout(shape, old.text, new.text, element))
    compiled = lamina.compile(path, target=target, cache=False, verify=True)
    values = np.random.default_rng(0).integers(0, 100, shape).astype(TYPES[element])
    found = compiled.run({"x": old.apply_array(values)})["y"]
    assert np.array_equal(new.invert_array(found, shape), values)


@pytest.mark.parametrize("layouts", [("NCHW16c", "NCHW"), ("NCHW", "NCHW16c"), ("NHWC", "NCHW")])
def test_relayout_costs_a_fraction_of_an_instruction_an_element(layouts: tuple[str, str]) -> None:
    module = parse(relayout((1, 64, 56, 56), *layouts, "f32"))
    LowerGraphToTePass().apply(new_context(), module)
    (op,) = [op for op in module.walk() if isinstance(op, ComputeOp)]
    machine = describe("cpu:skylake-avx512")
    (best,) = candidates(op, machine)
    elements = 64 * 56 * 56
    assert best.seconds * machine.rates.ghz * 1e9 < elements
