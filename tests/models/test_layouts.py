"""Layouts of whole networks: the exact search is quick enough, and a heuristic comes near it."""

from __future__ import annotations

import pytest

from benchmarks.models import MODELS, build, light
from lamina import steps
from lamina.context import new_context
from lamina.frontends.onnx import import_model
from lamina.passes import pipelines
from lamina.passes.graph._layout_choice import Choice
from lamina.passes.graph.cancel_relayouts import CancelRelayoutsPass
from lamina.passes.graph.select_layouts import SelectLayoutsPass
from lamina.progress import progress_bar
from tests.models.test_against_onnxruntime import REFUSED
from tests.unit.test_layout_choice import moved

TARGET = "cpu:skylake-avx512"
NAMES = [name for name in [*MODELS, *light.names()] if name not in REFUSED]


@pytest.mark.parametrize("name", NAMES)
def test_exact_search_is_possible_and_others_are_no_better(name: str) -> None:
    ctx = new_context()
    module = import_model((build if name in MODELS else light.build)(name), ctx.weights)
    passes = pipelines.default(TARGET)
    before = [p.name for p in passes].index("select-layouts")
    with progress_bar() as step:
        steps.lower(ctx, module, passes[:before], step)

    def choose(search: str) -> Choice:
        (found,) = SelectLayoutsPass(TARGET, search, tiles=True).choose(module)
        return found[1]

    exact, near = choose("exact"), choose("heuristic")
    assert exact.found.exact
    assert exact.found.cost / near.found.cost >= 0.9
    for search in ("usual", "greedy", "nhwc", "nchw"):
        assert exact.found.cost <= choose(search).found.cost * (1 + 1e-9)
    SelectLayoutsPass(TARGET, tiles=True).apply(ctx, module)
    CancelRelayoutsPass().apply(ctx, module)
    assert moved(module) == len(exact.transforms)
