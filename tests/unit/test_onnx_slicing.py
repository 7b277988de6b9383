"""Slices, gathers, tiles, pads and reductions: imported, folded and compiled, by ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

import lamina
from lamina.errors import LaminaError
from tests.unit.onnx_models import model, node, run_onnxruntime
from tests.unit.test_onnx_operators import check, inputs_of, ints, scalar, weight

MAPS = (2, 37, 9, 8)
REDUCTIONS = ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare")

CASES: dict[str, onnx.ModelProto] = {
    "Slice 9": node("Slice", MAPS, opset=9, starts=[1, -20], ends=[2, 1000], axes=[0, 1]),
    "Slice 9 in order": node("Slice", (5, 7), opset=9, starts=[1, -3], ends=[3, -1]),
    "Slice": node("Slice", MAPS, ints(1, 2), ints(2, 30)),
    "Slice steps": node("Slice", MAPS, ints(1, 0), ints(8, 8), ints(-2, -1), ints(2, 3)),
    "Slice backwards": node(
        "Slice", MAPS, ints(-1, 7), ints(-1000, 0), ints(1, 3), ints(-3, -2), opset=10
    ),
    "Slice all": node("Slice", (3, 5), ints(0), ints(2**63 - 1), ints(0)),
    "Slice one": node("Slice", (3, 5), ints(4), ints(-100), ints(1), ints(-5)),
    "Gather": node("Gather", MAPS, ints(3, 3, -1, 0, 7, 8, 9), axis=1),
    "Gather number": node("Gather", MAPS, np.array(-2), axis=1, opset=9),
    "Gather table": node("Gather", MAPS, np.array([[0, 1], [1, 1]], np.int32), axis=-2),
    "Gather rows": node("Gather", weight(300, 7), ints(2, 4, 6)),
    "Pad reflect": node("Pad", MAPS, ints(0, 0, 2, 3, 0, 0, 1, 2), mode="reflect"),
    "Pad reflect 9": node("Pad", MAPS, opset=9, pads=[0, 0, 2, 0, 0, 1, 1, 2], mode="reflect"),
    "Pad edge": node("Pad", MAPS, ints(0, 1, 2, 3, 0, 2, 1, 2), mode="edge", opset=11),
    "Pad wrap": node("Pad", MAPS, ints(2, 3, 1, 2), "", ints(-2, 3), mode="wrap", opset=19),
    "Pad below zero": node("Pad", MAPS, ints(0, -1, 2, 3, 0, 0, -1, -2), scalar(0.5)),
    "Tile": node("Tile", (2, 3, 4), ints(1, 2, 3)),
    "Tile once": node("Tile", (2, 3, 4), ints(1, 1, 1), opset=9),
    "Tile maps": node("Tile", MAPS, ints(1, 1, 2, 3)),
    "Expand": node("Expand", (37, 1), ints(2, 1, 5)),
    "Expand less": node("Expand", (2, 37, 5), ints(37, 1), opset=9),
    "Split": node("Split", (4, 37), axis=0, opset=11),
    "SpaceToDepth": node("SpaceToDepth", (2, 5, 6, 9), blocksize=3, opset=9),
    "DepthToSpace": node("DepthToSpace", (2, 36, 3, 5), blocksize=3, opset=9),
    "DepthToSpace DCR": node("DepthToSpace", (2, 148, 3, 5), blocksize=2, mode="DCR"),
    "DepthToSpace CRD": node("DepthToSpace", (2, 148, 3, 5), blocksize=2, mode="CRD"),
    "ReduceSum 13": node("ReduceSum", MAPS, ints(-1, 1), opset=13),
    "ReduceSum of numbers": node("ReduceSum", (37,), keepdims=0),
    "ReduceMax 20": node("ReduceMax", MAPS, ints(2, 3), opset=20),
    "ReduceSum nothing": node("ReduceSum", MAPS, opset=13, noop_with_empty_axes=1),
    "ReduceL1 18": node("ReduceL1", MAPS, ints(2, -1), opset=18, keepdims=0),
}


def _reductions() -> dict[str, onnx.ModelProto]:
    found: dict[str, onnx.ModelProto] = {}
    for kind in REDUCTIONS:
        size = (2, 5, 3, 4) if kind == "Prod" else MAPS
        for axes in ([2, 3], [1], [-1], [0, 2]):
            for keep in (0, 1):
                name = f"Reduce{kind} {axes} {'keeps' if keep else 'drops'}"
                found[name] = node(f"Reduce{kind}", size, axes=axes, keepdims=keep, opset=9)
        found[f"Reduce{kind} all"] = node(f"Reduce{kind}", (3, 5), opset=12)
    return found


CASES |= _reductions()


def samples(proto: onnx.ModelProto) -> list[np.ndarray]:
    """Inputs; above zero, so that every sum has a logarithm and none cancels."""
    inputs = inputs_of(proto)
    if proto.graph.node[0].op_type in ("ReduceLogSum", "ReduceSum", "ReduceMean"):
        return [np.abs(x) + np.float32(0.1) for x in inputs]
    return inputs


def compiled(proto: onnx.ModelProto, inputs: list[np.ndarray]) -> list[np.ndarray]:
    names = [i.name for i in proto.graph.input]
    found = lamina.compile(proto, cache=False).run(dict(zip(names, inputs, strict=True)))
    return [found[o.name] for o in proto.graph.output]


def agree(proto: onnx.ModelProto) -> None:
    """Machine code and ONNX Runtime compute the same."""
    inputs = samples(proto)
    wanted = run_onnxruntime(proto, inputs)
    for got, want in zip(compiled(proto, inputs), wanted, strict=True):
        assert got.shape == want.shape
        assert np.abs(got - want).max() <= 1e-5 * np.abs(want).max()


@pytest.mark.parametrize("name", [name for name in CASES if "LogSum " not in name])
def test_operator_computes_what_onnxruntime_computes(name: str) -> None:
    check(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_machine_code_computes_what_onnxruntime_computes(name: str) -> None:
    agree(CASES[name])


@pytest.mark.parametrize(
    ("opset", "sizes", "attributes"),
    [
        (11, None, {}),
        (11, None, {"split": [5, 30, 2]}),
        (13, [5, 30, 2], {}),
        (18, [5, 30, 2], {}),
        (18, None, {"num_outputs": 3}),
    ],
)
def test_split_computes_what_onnxruntime_computes(
    opset: int, sizes: list[int] | None, attributes: dict[str, Any]
) -> None:
    channels = 36 if opset == 11 and not attributes else 37
    weights = {} if sizes is None else {"s": ints(*sizes)}
    split = helper.make_node("Split", ["x", *weights], ["a", "b", "c"], axis=1, **attributes)
    relu = helper.make_node("Relu", ["b"], ["y"])
    agree(model([split, relu], {"x": [2, channels, 5, 3]}, weights, ["a", "y", "c"], opset))


def test_sum_of_exponentials_does_not_overflow() -> None:
    x = np.array([[1000.0, 1000.0, -1000.0]], np.float32)
    (y,) = compiled(node("ReduceLogSumExp", (1, 3), axes=[1]), [x])
    np.testing.assert_allclose(y, [[1000 + np.log(2)]], rtol=1e-6)


@pytest.mark.parametrize(
    ("kind", "formula"),
    [
        ("L1", np.abs),
        ("L2", np.abs),
        ("LogSum", np.log),
        ("LogSumExp", np.positive),
        ("Max", np.positive),
        ("SumSquare", np.square),
    ],
)
@pytest.mark.parametrize("size", [(2, 37), ()], ids=str)
def test_reduction_of_no_dimension_still_computes(
    kind: str, formula: Any, size: tuple[int, ...]
) -> None:
    x = np.random.default_rng(1).uniform(0.1, 2, size).astype(np.float32)
    proto = node(f"Reduce{kind}", size, noop_with_empty_axes=1, opset=18)
    (y,) = compiled(proto, [x])
    assert y.shape == size
    np.testing.assert_allclose(y, formula(x), rtol=1e-5, atol=1e-6)


def test_tile_of_what_broadcasts_is_not_computed() -> None:
    nodes = [
        helper.make_node("Expand", ["g", "size"], ["e"]),
        helper.make_node("Mul", ["x", "e"], ["y"]),
    ]
    shapes = {"x": [2, 37, 9, 8], "g": [2, 37, 1, 1]}
    agree(model(nodes, shapes, {"size": ints(2, 37, 9, 8)}))


@pytest.mark.parametrize(
    ("proto", "message"),
    [
        (
            node("Slice", (3, 5), ints(2), ints(2)),
            r"Slice of \[3, 5\] to \[0, 5\]; an empty result is not supported",
        ),
        (
            node("Tile", (3, 5), ints(1, 0)),
            r"Tile with repeats \[1, 0\]; an empty result is not supported",
        ),
        (node("Gather", (3, 5), ints(0, 3)), "Gather with index 3 of 3"),
        (node("Gather", (3, 5), np.zeros(0, np.int64)), "Gather without indices"),
        (node("Expand", (3, 5), ints(2, 5)), r"Expand of \[3, 5\] to \[2, 5\]"),
        (node("Split", (3, 5), ints(1, 2), axis=1), r"Split of 5 elements into \[1, 2\]"),
        (node("DepthToSpace", (1, 6, 2, 2), blocksize=2), "blocks of 2 do not make"),
        (node("ReduceSum", (3, 5), ints(2)), "ReduceSum with axis 2 of 2 dimensions"),
        (
            node("Slice", (3, 5), ints(0), ints(1), ints(0), ints(0)),
            r"Slice with starts \[0\], ends \[1\], axes \[0\], steps \[0\]",
        ),
        (node("Pad", (3, 5), ints(1, 1)), r"Pad with pads \[1, 1\] of axes \[0, 1\]"),
        (node("Tile", (3, 5), ints(1)), r"Tile of \[3, 5\] with repeats \[1\]"),
        (node("Slice", (3, 5), ints(0), ints(1), ints(2)), "Slice with axis 2 of 2 dimensions"),
    ],
)
def test_refused_forms_are_named(proto: onnx.ModelProto, message: str) -> None:
    with pytest.raises(LaminaError, match=message):
        lamina.compile(proto, cache=False)
