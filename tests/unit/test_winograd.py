"""Convolutions by tiles: beside ONNX Runtime, beside exact sums, and what decides between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

import lamina
from lamina import steps
from lamina.backends.machine import describe
from lamina.context import LaminaContext, new_context
from lamina.dialects.graph import WinogradInputOp
from lamina.dialects.graph.winograd import POINTS, transforms
from lamina.dialects.loop import ForOp
from lamina.dialects.te import ComputeOp
from lamina.frontends.onnx import import_model
from lamina.interpreters import call
from lamina.options import NUMERICS, Options
from lamina.passes.graph.winograd_convolutions import WinogradConvolutionsPass
from lamina.passes.pipelines import default
from lamina.progress import progress_bar
from lamina.tools import opt
from lamina.tools._reproducer import save_weights
from lamina.tools.lamina import main
from tests.unit.onnx_models import model, run_onnxruntime

SAME, NONE, UNEVEN = (1, 1, 1, 1), (0, 0, 0, 0), (0, 2, 1, 0)
CASES = {
    "channels of half a block, two images": (2, 20, 37, 14, 14, SAME),
    "more than tiles divide": (1, 37, 20, 15, 7, NONE),
    "small map": (1, 64, 64, 7, 7, SAME),
    "uneven padding": (2, 37, 64, 28, 15, UNEVEN),
    "wide padding": (1, 64, 20, 5, 28, (2, 3, 2, 3)),
    "plain layout": (2, 3, 4, 14, 7, SAME),
    "one place": (1, 20, 20, 3, 3, NONE),
    "large map": (1, 20, 37, 56, 56, SAME),
}
"""batch, channels in and out, height, width, padding"""


def network(n: int, c: int, o: int, h: int, w: int, pads: tuple[int, ...]) -> onnx.ModelProto:
    """relu(conv(abs(x)) + bias): what makes x writes its border, what follows is in the kernel."""
    rng = np.random.default_rng(0)
    nodes = [
        helper.make_node("Abs", ["x"], ["a"]),
        helper.make_node("Conv", ["a", "w", "b"], ["c"], pads=list(pads)),
        helper.make_node("Relu", ["c"], ["y"]),
    ]
    weights = {
        "w": rng.standard_normal((o, c, 3, 3), dtype=np.float32) / np.float32(3 * np.sqrt(c)),
        "b": rng.standard_normal(o, dtype=np.float32),
    }
    return model(nodes, {"x": (n, c, h, w)}, weights)


class RequireTilesPass(ModulePass):
    """Fails where there are none: then nothing here would be tested."""

    name = "require-tiles"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        assert any(isinstance(o, WinogradInputOp) for o in op.walk()), op


def pipeline(tile: int, target: str = "cpu", threads: int = 1) -> Iterator[ModulePass]:
    """The default pipeline, with convolutions by these tiles wherever it is possible."""
    for each in default(target, Options(threads, numerics="strict", layouts="local")):
        if each.name == "assign-halos":
            yield WinogradConvolutionsPass(target=target, tile=tile)
            yield RequireTilesPass()
        yield each


def lowered(proto: onnx.ModelProto, passes: Iterable[ModulePass]) -> tuple[LaminaContext, ModuleOp]:
    """A model after these passes."""
    ctx = new_context()
    module = import_model(proto, ctx.weights)
    with progress_bar() as step:
        steps.lower(ctx, module, list(passes), step, verify=True)
    return ctx, module


def compiled(
    proto: onnx.ModelProto, tile: int, x: np.ndarray, target: str = "cpu", threads: int = 1
) -> np.ndarray:
    """What machine code computes."""
    ctx, module = lowered(proto, pipeline(tile, target, threads))
    machine = describe(target)
    with progress_bar() as step:
        model = steps.generate(ctx, module, machine, step, Options(threads), cache=False)
    return next(iter(model.run({"x": x}).values()))


def image(*size: int) -> np.ndarray:
    return np.random.default_rng(1).standard_normal(size, dtype=np.float32)


@pytest.mark.parametrize("tile", POINTS)
@pytest.mark.parametrize("case", CASES)
def test_tiles_compute_what_onnxruntime_computes(case: str, tile: int) -> None:
    n, c, o, h, w, pads = CASES[case]
    proto, x = network(n, c, o, h, w, pads), image(n, c, h, w)
    (want,) = run_onnxruntime(proto, [x])
    got = compiled(proto, tile, x)
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= 1e-5 * np.abs(want).max()


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("size", [(9, 36, 36, 5, 4), (2, 64, 96, 35, 35), (1, 80, 64, 71, 73)])
def test_shares_of_tiles_are_whole(size: tuple[int, int, int, int, int], threads: int) -> None:
    """Shares are of another size than the blocks that were planned inside."""
    n, c, o, h, w = size
    proto, x = network(n, c, o, h, w, (1, 1, 1, 1)), image(n, c, h, w)
    (want,) = run_onnxruntime(proto, [x])
    got = compiled(proto, 4, x, threads=threads)
    assert np.abs(got - want).max() <= 1e-5 * np.abs(want).max()


@pytest.mark.parametrize("target", ["cpu:haswell", "cpu:nehalem"])
@pytest.mark.parametrize("tile", POINTS)
def test_tiles_on_narrower_vectors(tile: int, target: str) -> None:
    n, c, o, h, w, pads = CASES["uneven padding"]
    proto, x = network(n, c, o, h, w, pads), image(n, c, h, w)
    (want,) = run_onnxruntime(proto, [x])
    assert np.abs(compiled(proto, tile, x, target) - want).max() <= 1e-5 * np.abs(want).max()


@pytest.mark.parametrize("tile", POINTS)
@pytest.mark.parametrize("case", ["uneven padding", "plain layout"])
def test_interpreter_of_tiles_computes_the_convolution(case: str, tile: int) -> None:
    n, c, o, h, w, pads = CASES[case]
    proto, x = network(n, c, o, h, w, pads), image(n, c, h, w)
    ctx, module = lowered(proto, takewhile(lambda p: p.name != "assign-halos", pipeline(tile)))
    (got,) = call(module, "main", [x], store=ctx.weights)
    (want,) = run_onnxruntime(proto, [x])
    assert np.abs(got - want).max() <= 2e-6 * np.abs(want).max()


@pytest.mark.parametrize("tile", POINTS)
def test_transforms_are_exact_in_real_numbers(tile: int) -> None:
    m, rng = transforms(tile), np.random.default_rng(2)
    bt, g, at = (np.array(matrix) for matrix in (m.bt, m.g, m.at))
    d, w = rng.standard_normal((tile + 2, tile + 2)), rng.standard_normal((3, 3))
    want = sum(d[i : i + tile, j : j + tile] * w[i, j] for i in range(3) for j in range(3))
    np.testing.assert_allclose(at @ ((g @ w @ g.T) * (bt @ d @ bt.T)) @ at.T, want, rtol=1e-12)


@pytest.mark.parametrize("tile", POINTS)
def test_float32_holds_the_tables_that_kernels_have(tile: int) -> None:
    for matrix in (transforms(tile).bt, transforms(tile).at):
        np.testing.assert_array_equal(np.array(matrix, np.float32), np.array(matrix))


@pytest.mark.parametrize(("tile", "most"), [(2, 1.5e-6), (4, 6e-6)])
def test_rounding_errors_are_as_small_as_the_page_says(tile: int, most: float) -> None:
    """Beside exact sums, for the layer of the page's third line."""
    proto, x = network(1, 256, 256, 14, 14, SAME), image(1, 256, 14, 14)
    w, b = (numpy_helper.to_array(each).astype(np.float64) for each in proto.graph.initializer)
    wide = np.pad(abs(x).astype(np.float64), ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(wide, (3, 3), (2, 3))
    want = np.tensordot(windows, w, ([1, 4, 5], [1, 2, 3])).transpose(0, 3, 1, 2)
    want = np.maximum(want + b[:, None, None], 0)
    assert np.abs(compiled(proto, tile, x) - want).max() <= most * want.max()


def test_strict_numerics_keep_tiles_out(tmp_path: Path) -> None:
    path = tmp_path / "network.onnx"
    proto, x = network(*CASES["large map"]), image(1, 20, 56, 56)
    onnx.save(proto, path)
    texts = {n: str(steps.lowered(path, "cpu", "graph", Options(numerics=n))[1]) for n in NUMERICS}
    assert "winograd" in texts["fast"]
    assert "winograd" not in texts["strict"]
    fast, strict = (lamina.compile(path, numerics=n)(x) for n in NUMERICS)  # not one cached model
    assert 0 < np.abs(fast - strict).max() <= 1e-5 * np.abs(strict).max()


def test_command_passes_numerics_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "network.onnx"
    onnx.save(network(*CASES["large map"]), path)
    texts = []
    for options in ([], ["--numerics", "strict"]):
        assert main(["compile", str(path), "--emit", "graph", *options]) == 0
        texts.append(capsys.readouterr().out)
    assert ["winograd" in text for text in texts] == [True, False]
    assert main(["compile", str(path), "--numerics", "exact", "--emit", "te"]) == 1
    assert "argument --numerics: invalid choice: 'exact'" in capsys.readouterr().err


def test_every_pass_of_the_pipeline_keeps_its_promise_with_tiles(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ctx, path = new_context(), tmp_path / "network.mlir"
    text = str(import_model(network(1, 20, 16, 7, 6, UNEVEN), ctx.weights))
    save_weights(ctx.weights, text, path)
    path.write_text(text)
    passes = ",".join(str(p.spec()) for p in pipeline(4) if p.name != "require-tiles")
    weights = str(path.with_suffix(".safetensors"))
    assert opt.main([str(path), "--weights", weights, "-p", passes, "--validate"]) == 0
    err = capsys.readouterr().err
    assert "not checked" not in err
    assert re.search(r"convolutions{.*}: tolerance 2e-5 of finite; interpreted @main on 3 k", err)


@pytest.mark.parametrize("size", [144, 147])
def test_rows_of_tiles_share_a_loop(size: int) -> None:
    """Also where neither 4 divides the rows nor anything the 37 tiles of a row."""
    passes = list(pipeline(4, "cpu:znver5"))
    names = [p.name for p in passes]
    fused = passes[: names.index("te-fuse-loops") + 1]
    _, module = lowered(network(1, 32, 64, size, size, SAME), iter(fused))
    loop = next(op for op in module.walk() if isinstance(op, ForOp))
    assert sum(isinstance(op, ComputeOp) for op in loop.walk()) == 5
