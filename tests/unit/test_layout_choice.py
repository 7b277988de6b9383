"""Layouts of whole networks: any choice computes the same, and what was chosen is what is left."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from xdsl.dialects.builtin import ArrayAttr, ModuleOp, StringAttr, UnitAttr
from xdsl.dialects.func import FuncOp

from lamina import steps
from lamina.backends.machine import describe
from lamina.context import new_context
from lamina.dialects.graph import ConstantOp, RelayoutOp
from lamina.ir_file import read_ir
from lamina.passes import pipelines
from lamina.passes.graph._layout_apply import apply
from lamina.passes.graph._layout_choice import SEARCHES, solve
from lamina.passes.graph._layout_devices import Devices
from lamina.passes.graph._layout_graph import build
from lamina.passes.graph._layout_problem import FORBIDDEN
from lamina.passes.graph.cancel_relayouts import CancelRelayoutsPass
from lamina.passes.graph.outline_kernels import is_view
from lamina.passes.graph.select_layouts import SelectLayoutsPass
from tests.unit.test_graph_pipeline import NETWORKS, Net, residual_in_place

PASSES = pipelines.default("cpu")
NAMES = [p.name for p in PASSES]
SELECT, CANCEL = NAMES.index("select-layouts"), NAMES.index("cancel-relayouts")


def function(module: ModuleOp, name: str) -> FuncOp:
    """The function of this name."""
    functions = (op for op in module.ops if isinstance(op, FuncOp))
    return next(f for f in functions if f.sym_name.data == name)


def prepared(network, size, seed: int = 0) -> tuple[Net, ModuleOp]:
    """A network before its layouts are chosen."""
    net = Net(size, seed)
    module = net.module(*network(net))
    main = function(module, "main")
    main.attributes["lamina.entry"] = UnitAttr()
    count = len(main.function_type.outputs)
    main.attributes["lamina.outputs"] = ArrayAttr(StringAttr(f"y{i}") for i in range(count))
    steps.lower(net.ctx, module, PASSES[:SELECT], silent)
    return net, module


def silent(what: str, more: int = 0) -> None:
    """No progress."""


def run_native(net: Net, module: ModuleOp, x: np.ndarray) -> list[np.ndarray]:
    steps.lower(net.ctx, module, PASSES[CANCEL:], silent)
    model = steps.generate(net.ctx, module, describe("cpu"), silent, cache=False)
    found = model.run({"data": x})
    return [found[t.name] for t in model.outputs]


SIZES = [(1, 3, 9, 11), (2, 24, 7, 8)]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda f: f.__name__)
def test_any_choice_of_layouts_keeps_the_meaning(network) -> None:
    size = SIZES[len(network.__name__) % 2]
    rng = np.random.default_rng(len(network.__name__))
    net, module = prepared(network, size)
    x = rng.standard_normal(size, dtype=np.float32)
    wanted = net.run(module, x)
    main = function(module, "main")
    graph = build(main, Devices("cpu"))
    choice = random_choice(graph, rng)
    apply(main, {op: graph.choices[op][choice[v]] for op, v in graph.variable.items()})
    module.verify()
    for got, want in zip(run_native(net, module, x), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=2e-5 * np.abs(want).max() + 1e-9)


def random_choice(graph, rng: np.random.Generator) -> list[int]:
    """Possible values of all variables, changed one after the other at random."""
    costs = graph.problem.costs
    choice = [0] * len(costs)
    for _ in range(3):
        for v in rng.permutation(len(costs)):
            values = rng.permutation(len(costs[v]))
            for i in values:
                other = [*choice[:v], int(i), *choice[v + 1 :]]
                if graph.problem.cost(other) < FORBIDDEN:
                    choice = other
                    break
    return choice


def moved(module: ModuleOp) -> int:
    """Tensors that are stored in another layout when the network runs."""
    found = [op for op in module.walk() if isinstance(op, RelayoutOp)]
    return sum(not isinstance(op.x.owner, ConstantOp) and not is_view(op) for op in found)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda f: f.__name__)
def test_what_was_chosen_is_what_is_left(network) -> None:
    for search, size in (("exact", SIZES[0]), ("exact", SIZES[1]), ("greedy", SIZES[1])):
        net, module = prepared(network, size)
        select = SelectLayoutsPass("cpu", search)
        chosen = [choice for _, choice in select.choose(module)]
        select.apply(net.ctx, module)
        assert moved(module) == sum(len(c.transforms) for c in chosen)
        CancelRelayoutsPass().apply(net.ctx, module)
        module.verify()
        assert moved(module) == sum(len(c.transforms) for c in chosen)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda f: f.__name__)
def test_no_other_choice_is_better_than_the_exact_one(network) -> None:
    for size, target in zip(SIZES, ("cpu:skylake-avx512", "cpu:nehalem"), strict=True):
        _, module = prepared(network, size)
        main = function(module, "main")
        graph = build(main, Devices(target))
        if not graph.variable:
            continue
        best, near = solve(graph, "exact"), solve(graph, "heuristic")
        assert best.exact
        assert best.cost / near.cost >= 0.9
        others = [solve(graph, how).cost for how in SEARCHES]
        rng = np.random.default_rng(0)
        others += [graph.problem.cost(random_choice(graph, rng)) for _ in range(3)]
        assert best.cost <= min(others) * (1 + 1e-9)


def test_beyond_the_bound_a_remark_says_what_was_done(caplog) -> None:
    net, module = prepared(residual_in_place, (1, 24, 12, 12))
    with caplog.at_level("WARNING", logger="lamina"):
        SelectLayoutsPass("cpu", "exact", bound=2).apply(net.ctx, module)
    (record,) = caplog.records
    assert re.fullmatch(
        r"lamina: remark: select-layouts: the exact search for @main needs a table of \d+ numbers,"
        r" bound is 2; its layouts are those of a heuristic",
        record.getMessage(),
    )
    module.verify()


AGREEMENT = Path(__file__).parents[1] / "lit/passes/graph/select-layouts.mlir"


def test_each_convolution_for_itself_loses() -> None:
    ctx = new_context()
    module = read_ir(AGREEMENT, ctx)
    main = function(module, "agreement_at_an_add_decides")
    graph = build(main, Devices("cpu:skylake-avx512"))
    greedy, best = solve(graph, "greedy").cost, solve(graph, "exact").cost
    assert best < 0.95 * greedy
