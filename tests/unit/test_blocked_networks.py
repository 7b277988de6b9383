"""Networks of the field keep the blocked layout: how many kernels they are, what they compute."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from xdsl.dialects import func
from xdsl.ir import Operation

import lamina
from lamina.context import new_context
from lamina.dialects.graph import Graph, RelayoutOp
from lamina.frontends.onnx import import_model
from lamina.passes.graph._layout_rules import rule_of
from lamina.passes.pipelines import LEVELS, default
from tests.unit.blocked_networks import NETWORKS
from tests.unit.onnx_models import run_onnxruntime
from tests.unit.shares import however_small

COUNTS = {
    "swish": (4, 2),
    "hard_swish": (4, 2),
    "mish": (4, 2),
    "gelu": (4, 2),
    "elu_plus": (4, 2),
    "sigmoid": (4, 2),
    "reciprocal": (4, 2),
    "quotient": (4, 2),
    "threshold": (4, 2),
    "sign": (4, 2),
    "shufflenet": (16, 1),
    "mobilenet_v3": (10, 1),
    "mbconv": (10, 1),
    "ghostnet": (9, 1),
    "convnext_permuted": (9, 3),
    "convnext_spelled": (9, 3),
    "unet": (9, 1),
    "regnet": (8, 1),
    "slices": (7, 2),
    "concats": (8, 2),
    "channel_norms": (18, 6),
    "halos": (12, 4),
    "attention": (12, 1),
    "channels_last": (11, 2),
}
"""network -> the kernels that it calls, and the relayouts in them"""


def counts(proto: onnx.ModelProto) -> tuple[int, int]:
    """How many kernels a network calls, and how many relayouts these hold."""
    ctx = new_context()
    module = import_model(proto, ctx.weights)
    for step in default("cpu:skylake-avx512"):
        step.apply(ctx, module)
        if step.name == LEVELS["graph"]:
            break
    functions = {f.sym_name.data: f for f in module.ops if isinstance(f, func.FuncOp)}
    steps = functions["main"].body.block.ops
    calls = [op.callee.string_value() for op in steps if isinstance(op, func.CallOp)]
    moved = [op for name in calls for op in functions[name].walk() if isinstance(op, RelayoutOp)]
    return len(calls), len(moved)


@pytest.mark.parametrize("name", NETWORKS)
def test_network_takes_no_more_kernels_and_relayouts_than_stated(name: str) -> None:
    assert counts(NETWORKS[name]) == COUNTS[name]


@pytest.mark.parametrize("name", NETWORKS)
def test_network_computes_what_onnxruntime_computes(name: str) -> None:
    proto = NETWORKS[name]
    sizes = [[d.dim_value for d in i.type.tensor_type.shape.dim] for i in proto.graph.input]
    rng = np.random.default_rng(5)
    inputs = [rng.standard_normal(size).astype(np.float32) for size in sizes]
    found = lamina.compile(proto, cache=False).run({"x": inputs[0]})
    for got, want in zip(found.values(), run_onnxruntime(proto, inputs), strict=True):
        assert got.shape == want.shape
        assert np.abs(got - want).max() <= 1e-5 * np.abs(want).max()


@pytest.mark.parametrize("name", NETWORKS)
def test_network_computes_the_same_on_any_number_of_threads(name: str) -> None:
    """Bit by bit: no sum is formed in another order."""
    proto = NETWORKS[name]
    (size, *_) = [[d.dim_value for d in i.type.tensor_type.shape.dim] for i in proto.graph.input]
    x = np.random.default_rng(5).standard_normal(size).astype(np.float32)
    one = lamina.compile(proto, threads=1, cache=False).run({"x": x})
    with however_small():
        three = lamina.compile(proto, threads=3, cache=False).run({"x": x})
    for name, y in one.items():
        np.testing.assert_array_equal(three[name], y)


def test_model_for_threads_is_saved_profiled_and_looked_into(tmp_path: Path) -> None:
    proto = NETWORKS["mbconv"]
    size = [d.dim_value for d in proto.graph.input[0].type.tensor_type.shape.dim]
    x = {"x": np.random.default_rng(5).standard_normal(size).astype(np.float32)}
    one = lamina.compile(proto, threads=1, cache=False)
    with however_small():
        lamina.compile(proto, threads=2, cache=False).save(tmp_path / "two.lam")
    two = lamina.load(tmp_path / "two.lam")
    assert two.manifest.threads == 2
    assert any(name.endswith("_step") for name in two.objects)
    assert [t.flops for t in two.profile(x, 1)] == [t.flops for t in one.profile(x, 1)]
    wanted, found = one.values(x), two.values(x)
    assert list(found) == list(wanted)
    for name, value in found.items():
        np.testing.assert_array_equal(value, wanted[name])


@pytest.mark.parametrize("op", list(Graph.operations), ids=lambda op: op.name)
def test_every_op_states_how_layouts_pass_through_it(op: type[Operation]) -> None:
    assert rule_of(op) is not None
