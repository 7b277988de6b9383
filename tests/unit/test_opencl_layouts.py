"""Layouts on a graphics processor: what they cost there, and that any choice computes the same."""

from __future__ import annotations

import numpy as np
import pytest

from lamina import steps
from lamina.backends.machine import describe
from lamina.dialects.layout import Layout
from lamina.passes import pipelines
from lamina.passes.graph._layout_apply import apply
from lamina.passes.graph._layout_candidates import weights_layout
from lamina.passes.graph._layout_devices import Devices, costs_on
from lamina.passes.graph._layout_graph import build
from lamina.passes.graph._layout_workload import Workload
from tests.unit.test_graph_pipeline import depthwise_and_dilated, grouped
from tests.unit.test_layout_choice import SIZES, function, prepared, random_choice, silent

GEN9 = "opencl:intel-gen9"
PLAIN, LAST, BLOCKED = (Layout.parse(text) for text in ("NCHW", "NHWC", "NCHW16c"))
MAP = (1, 64, 56, 56)


def contraction(channels: int, outputs: int, size: int, width: int = 4) -> float:
    """How much longer 3 x 3 products take between plain tensors than between blocks."""
    square = (size, size)
    w = Workload(1, channels, outputs, 1, square, square, (3, 3), 1, width)
    costs = costs_on(describe(GEN9))
    return costs.convolution(w, PLAIN, PLAIN) / costs.convolution(w, BLOCKED, BLOCKED)


def test_blocks_are_as_wide_as_subgroups() -> None:
    assert contraction(64, 64, 56) > 1.1
    assert contraction(64, 64, 56, width=1) > 1.1
    assert contraction(4, 4, 56) < 0.5  # most lanes stand for nothing


def test_products_of_bytes_are_in_groups_of_four_where_there_is_an_instruction() -> None:
    w = Workload(1, 64, 64, 1, (28, 28), (28, 28), (3, 3), 1, 1)
    with_dp4a, without = (costs_on(describe(f"opencl:intel-{t}")) for t in ("xe", "gen9"))
    assert weights_layout(w, BLOCKED, BLOCKED, with_dp4a.packing).text == "OIHW4i16o4i"
    assert weights_layout(w, BLOCKED, BLOCKED, without.packing).text == "OIHW16i16o"
    times = [c.convolution(w, BLOCKED, BLOCKED) - c.call for c in (with_dp4a, without)]
    assert times[0] * with_dp4a.machine.units < 0.5 * times[1] * without.machine.units


def test_a_transform_moves_bytes_and_is_a_launch() -> None:
    costs = costs_on(describe(GEN9))
    machine = costs.machine
    moved = machine.seconds(2 * 4 * 64 * 56 * 56 / (machine.rates.dram * machine.units))
    assert costs.call == pytest.approx(5e-6)
    assert costs.transform(MAP, PLAIN, PLAIN) == 0
    assert moved + costs.call <= costs.transform(MAP, PLAIN, BLOCKED) < 3 * moved + costs.call
    assert costs.transform((1, 64, 1, 1), PLAIN, BLOCKED) == 0  # its bytes stay as they are
    assert costs.transform((1, 20, 1, 1), PLAIN, BLOCKED) >= costs.call


PASSES = pipelines.default(GEN9)
CANCEL = [p.name for p in PASSES].index("cancel-relayouts")


@pytest.mark.parametrize("network", [depthwise_and_dilated, grouped], ids=lambda f: f.__name__)
def test_any_choice_of_layouts_keeps_the_meaning(network, tmp_path, monkeypatch) -> None:
    pytest.importorskip("pyopencl")
    monkeypatch.setenv("LAMINA_CACHE", str(tmp_path))
    size = SIZES[0]
    rng = np.random.default_rng(1)
    net, module = prepared(network, size)
    x = rng.standard_normal(size, dtype=np.float32)
    wanted = net.run(module, x)
    main = function(module, "main")
    graph = build(main, Devices(GEN9))
    choice = random_choice(graph, rng)
    apply(main, {op: graph.choices[op][choice[v]] for op, v in graph.variable.items()})
    steps.lower(net.ctx, module, PASSES[CANCEL:], silent)
    model = steps.generate(net.ctx, module, describe(GEN9), silent, cache=False)
    found = model.run({"data": x})
    for output, want in zip(model.outputs, wanted, strict=True):
        got = found[output.name]
        np.testing.assert_allclose(got, want, rtol=0, atol=2e-5 * np.abs(want).max() + 1e-9)
