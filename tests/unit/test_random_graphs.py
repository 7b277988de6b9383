"""
Random graphs of all operators and opsets, compiled, beside ONNX Runtime.

The same graphs are tried each time, unless one asks for the profile of hypothesis that `make fuzz`
uses: it tries thousands of others. What it finds becomes a test in test_found_by_random.py.
"""

from __future__ import annotations

import re

import numpy as np
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

import lamina
from lamina import LaminaError
from lamina.backends.model import CompiledModel
from tests.unit.random_graphs.graphs import Graph, graphs
from tests.unit.shares import however_small

LONG = settings.get_current_profile_name() == "long"
REFUSED = (
    r"ConvTranspose with auto_pad SAME_\w+, which makes \d+ elements of \d+",
    r"(Conv|Pool) with auto_pad SAME_\w+ and strides",
)
"""why graphs are refused that ONNX Runtime runs: expressions that the reason matches"""


@settings(
    max_examples=10_000 if LONG else 150,
    derandomize=not LONG,
    backend="hypothesis-urandom" if LONG else "hypothesis",  # does not try the same with changes
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(graphs(), st.sampled_from(["cpu", "cpu", "cpu:haswell"]), st.sampled_from([1, 1, 1, 2, 3]))
def test_random_graph(graph: Graph, target: str, threads: int) -> None:
    if compiled := compile_or_refuse(graph, target, threads):
        agree(graph, compiled)


def compile_or_refuse(graph: Graph, target: str, threads: int) -> CompiledModel | None:
    """Compiled, every pass verified; or None if refused by a line that names a node, and why."""
    try:
        with however_small():
            return lamina.compile(
                graph.model, target=target, threads=threads, cache=False, verify=True
            )
    except LaminaError as e:
        refusal = str(e)
    event(f"refused: {refusal}")
    assert re.fullmatch(r"model: .* \(nodes? '.*\)", refusal)
    assert any(re.search(reason, refusal) for reason in REFUSED)
    return None


def agree(graph: Graph, compiled: CompiledModel) -> None:
    """Every result is that of ONNX Runtime, to 1e-5 of its largest element."""
    found = compiled.run(graph.inputs)
    for value, want in zip(graph.model.graph.output, graph.outputs, strict=True):
        got = found[value.name]
        assert got.shape == want.shape
        assert got.dtype == want.dtype
        if want.dtype != np.float32:
            np.testing.assert_array_equal(got, want)
            continue
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-5 * np.abs(want).max())
