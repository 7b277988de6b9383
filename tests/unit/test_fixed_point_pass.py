"""Networks whose integers are scaled in fixed point: beside exact arithmetic, float, and others."""

from __future__ import annotations

import logging
import re
from fractions import Fraction
from math import floor
from pathlib import Path

import numpy as np
import onnx
import pytest

import lamina
from lamina import interpreters
from lamina.backends.machine import describe
from lamina.context import new_context
from lamina.frontends.onnx import import_model
from lamina.options import REQUANTIZE, Options
from lamina.passes.int8._fixed_point import fixed, in_common
from lamina.passes.int8.int8_fixed_point import Int8FixedPointPass
from lamina.passes.pipelines import default, on_integers
from lamina.tools import opt
from lamina.tools._reproducer import save_weights
from lamina.tools.lamina import main
from tests.unit.qdq_networks import Network
from tests.unit.rewriting import parse
from tests.unit.test_quantized_networks import NETWORKS, Build, images, residual, steps_apart

MOST = 2**31 - 1
FEW = [0, 1, -1, 3, -3, 127, -128, 255, 256, 511, 2047, 2048, 2049, -2049, 2**24 + 1, MOST]
SUMS = np.array([*FEW, -MOST, -MOST - 1], np.int32)
SCALES = [2.0**-40, 2.0**-33, 2.0**-32, 1.17e-7, 1e-3, 0.1, 0.2499999, 0.25, 0.5, 0.75, 1.0, 3.3]
SCALES += [100.0, 511.9, 512.0, 1e6, 1e30]
BYTES = np.array([0, 1, 2, 3, 77, 127, 128, 129, 200, 254, 255], np.uint8)


def nearest(x: Fraction, zero: int, dtype: type) -> int:
    """To the nearest integer, of two the larger, and within the bytes."""
    info = np.iinfo(dtype)
    return min(max(floor(x + Fraction(1, 2)) + zero, info.min), info.max)


def rewritten(text: str, *inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a function computes before and after the pass, which leaves nothing in float."""
    module = parse(text)
    (before,) = interpreters.call(module, "f", inputs)
    Int8FixedPointPass().apply(new_context(), module)
    module.verify()
    assert "requantize_fixed" in str(module)
    assert "f32>, tensor" not in str(module)
    (after,) = interpreters.call(module, "f", inputs)
    return before, after


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("type", "zero"), [("ui8", 0), ("ui8", 255), ("i8", -128), ("i8", 3)])
def test_sums_are_scaled_exactly(scale: float, type: str, zero: int) -> None:
    dtype, real = {"ui8": np.uint8, "i8": np.int8}[type], np.float32(scale)
    n, written = len(SUMS), f"{float(real):.17e}"
    text = f"""
    func.func @f(%x: tensor<{n}xi32>) -> tensor<{n}x{type}> {{
      %s = graph.constant dense<{written}> : tensor<1xf32>
      %z = graph.constant dense<{zero}> : tensor<1x{type}>
      %y = graph.requantize %x, %s, %z
        : (tensor<{n}xi32>, tensor<1xf32>, tensor<1x{type}>) -> tensor<{n}x{type}>
      func.return %y : tensor<{n}x{type}>
    }}"""
    before, after = rewritten(text, SUMS)
    exact = [nearest(int(x) * Fraction(float(real)), zero, dtype) for x in SUMS]
    np.testing.assert_array_equal(after, exact)
    assert np.abs(after.astype(int) - before).max() <= 1


def test_scales_are_exact_in_24_bits() -> None:
    rng = np.random.default_rng(0)
    scales = np.exp2(rng.uniform(-32, 9, 1000)).astype(np.float32)
    by = fixed(scales)
    assert by.multiplier.min() >= 2**30
    parts = zip(by.multiplier, by.shift, by.left, scales, strict=True)
    assert all(
        Fraction(int(m), 2 ** (33 + int(t))) * 2 ** int(k) == Fraction(float(s))
        for m, t, k, s in parts
    )


def test_rounding_up_to_a_power_of_two_is_carried() -> None:
    by = fixed(np.array([1 - 2.0**-40, 2.0**-5 - 2.0**-60]))
    np.testing.assert_array_equal(by.multiplier, 2**30)
    np.testing.assert_array_equal(by.left, [3, 0])
    np.testing.assert_array_equal(by.shift, [0, 2])


@pytest.mark.parametrize("ratios", [(0.5, 0.25), (1.0, -1.0), (1e-9, 3e-7), (900.0, 0.1), (1.7,)])
def test_common_shift_is_the_largest_that_fits(ratios: tuple[float, ...]) -> None:
    found = in_common(ratios)
    assert found is not None
    numbers, s = found
    assert 255 * sum(map(abs, numbers)) < 2**31
    assert s == 32 or 255 * sum(abs(round(r * 2 ** (s + 1))) for r in ratios) >= 2**31
    assert all(abs(n / 2**s - r) <= 2.0**-s / 2 for n, r in zip(numbers, ratios, strict=True))


def test_no_common_shift_of_huge_ratios() -> None:
    assert in_common([2.0**30, 1.0]) is None


PAIR = """
func.func @f(%a: tensor<11x1xui8>, %b: tensor<1x11xui8>) -> tensor<11x11xui8> {{
  %s = graph.constant dense<{s}> : tensor<1x1xf32>
  %t = graph.constant dense<{t}> : tensor<1x1xf32>
  %u = graph.constant dense<{u}> : tensor<1x1xf32>
  %z = graph.constant dense<{z}> : tensor<1x1xui8>
  %w = graph.constant dense<{w}> : tensor<1x1xui8>
  %x = graph.dequantize %a, %s, %z
    : (tensor<11x1xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<11x1xf32>
  %y = graph.dequantize %b, %t, %w
    : (tensor<1x11xui8>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<1x11xf32>
  %c = graph.{op} %x, %y : (tensor<11x1xf32>, tensor<1x11xf32>) -> tensor<11x11xf32>
  %o = graph.constant dense<100> : tensor<1x1xui8>
  %q = graph.quantize %c, %u, %o
    : (tensor<11x11xf32>, tensor<1x1xf32>, tensor<1x1xui8>) -> tensor<11x11xui8>
  func.return %q : tensor<11x11xui8>
}}"""


@pytest.mark.parametrize("op", ["add", "sub", "mul"])
@pytest.mark.parametrize(("z", "w"), [(0, 0), (128, 3), (255, 255)])
@pytest.mark.parametrize(
    ("s", "t", "u"), [(0.5, 0.25, 1.0), (0.031, 0.0173, 0.029), (1.0, 1e-4, 2.0), (3.0, 2.0, 0.7)]
)
def test_two_tensors_are_combined_in_integers(
    op: str, s: float, t: float, u: float, z: int, w: int
) -> None:
    text = PAIR.format(op=op, s=s, t=t, u=u, z=z, w=w)
    before, after = rewritten(text, BYTES[:, None], BYTES[None])
    r, p, v = (Fraction(float(np.float32(x))) for x in (s, t, u))
    found: list[int] = []
    for a in BYTES.astype(int):
        for b in BYTES.astype(int):
            x, y = (int(a) - z) * r, (int(b) - w) * p
            exact = {"add": x + y, "sub": x - y, "mul": x * y}[op] / v
            if op != "mul":
                common = in_common([float(r / v), float(p / v) * (1 - 2 * (op == "sub"))])
                assert common is not None
                (m, n), shift = common
                near = Fraction((int(a) - z) * m + (int(b) - w) * n, 2**shift)
                assert abs(near - exact) < Fraction(1, 1000)
                exact = near
            found.append(nearest(exact, 100, np.uint8))
    np.testing.assert_array_equal(after.reshape(-1), found)
    assert np.abs(after.astype(int) - before).max() <= 1
    assert len(set(found)) > 2


@pytest.mark.parametrize("target", ["cpu", "cpu:haswell", "cpu:x86-64"])
@pytest.mark.parametrize("type", ["uint8", "int8"])
@pytest.mark.parametrize("network", NETWORKS, ids=lambda f: f.__name__)
def test_networks_are_within_a_step_of_onnxruntime(network: Build, type: str, target: str) -> None:
    net = Network(type, seed=len(network.__name__))
    proto = net.model(*network(net))
    model = lamina.compile(proto, cache=False, threads=1, target=target, requantize="fixed")
    found = model.run({f"x{i}": x for i, x in enumerate(images(proto, 1))})
    apart = steps_apart(proto, [found[y.name] for y in proto.graph.output], 1)
    assert apart.max() <= 1
    assert (apart > 0).mean() <= 2e-3


def test_threads_and_layouts_make_no_difference() -> None:
    net = Network("int8")
    proto = net.model(*residual(net))
    x = {"x0": images(proto, 3)[0]}
    found = [
        lamina.compile(
            proto, cache=False, requantize="fixed", threads=n, layouts=layouts, target=target
        ).run(x)
        for n, layouts, target in (
            (1, "exact", "cpu"),
            (2, "exact", "cpu"),
            (1, "nchw", "cpu:haswell"),
            (1, "blocked", "cpu:x86-64"),
        )
    ]
    for other in found[1:]:
        for name, y in found[0].items():
            np.testing.assert_array_equal(other[name], y)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda f: f.__name__)
def test_each_tensor_is_within_a_step_of_itself_in_float(
    network: Build, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    net, ctx, path = Network("int8", seed=5), new_context(), tmp_path / "network.mlir"
    text = str(import_model(net.model(*network(net)), ctx.weights))
    save_weights(ctx.weights, text, path)
    path.write_text(text)
    found = on_integers([describe("cpu")], Options(requantize="fixed"))
    passes = ",".join(str(p.spec()) for p in found)
    status, err = opt.main([str(path), "-p", passes, "--validate"]), capfd.readouterr().err
    assert status == 0, err
    said = r"int8-fixed-point: within a step; interpreted .*; (none|\d+) of \d+ bytes differ"
    assert re.search(said, err), err


def test_a_remark_counts_what_is_in_fixed_point(caplog: pytest.LogCaptureFixture) -> None:
    gates = next(n for n in NETWORKS if n.__name__ == "gates")
    net = Network("uint8")
    proto = net.model(*gates(net))
    with caplog.at_level(logging.WARNING, "lamina"):
        lamina.compile(proto, cache=False, requantize="fixed")
    assert caplog.messages == [
        "lamina: remark: int8-fixed-point: requantizations in fixed point: 5, in float: 2"
        " (2 of graph.sigmoid)"
    ]


def test_only_fixed_has_the_pass() -> None:
    names = {r: [p.name for p in default("cpu", Options(requantize=r))] for r in REQUANTIZE}
    assert {r: "int8-fixed-point" in n for r, n in names.items()} == {"float": False, "fixed": True}


def test_command_passes_it_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = Network("uint8")
    path = tmp_path / "network.onnx"
    onnx.save(net.model(*residual(net)), path)
    texts: list[str] = []
    for options in ([], ["--requantize", "fixed"]):
        assert main(["compile", str(path), "--emit", "graph", *options]) == 0
        texts.append(capsys.readouterr().out)
    assert ["requantize_fixed" in text for text in texts] == [False, True]
    assert main(["compile", str(path), "--requantize", "int", "--emit", "te"]) == 1
    assert "argument --requantize: invalid choice: 'int'" in capsys.readouterr().err
    saved = str(tmp_path / "network.lam")
    assert main(["compile", str(path), "--requantize", "fixed", "-o", saved]) == 0
    capsys.readouterr()
    assert main(["run", saved, "--requantize", "fixed"]) == 1
    assert "--requantize, --storage and --shape come too late" in capsys.readouterr().err
