"""GridSample and AffineGrid, compiled, by ONNX Runtime and by the reference of ONNX."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper

import lamina
from lamina import interpreters
from lamina.context import new_context
from lamina.errors import LaminaError
from lamina.frontends.onnx import import_model
from tests.unit.onnx_models import model, node, run_onnxruntime, run_reference
from tests.unit.test_onnx_slicing import compiled

IMAGE, GRID = (2, 37, 5, 6), (2, 4, 7, 2)
MODES = {16: ("bilinear", "nearest", "bicubic"), 20: ("linear", "nearest", "cubic")}
PADDINGS = ("zeros", "border", "reflection")


def samples(image: tuple[int, ...], grid: tuple[int, ...]) -> list[np.ndarray]:
    """An image, and places in it and around it: some of them its corners and edges."""
    rng = np.random.default_rng(3)
    places = rng.uniform(-2, 2, grid).astype(np.float32)
    places.flat[::3] = np.round(places.flat[::3] * 4) / 4
    return [rng.standard_normal(image).astype(np.float32), places]


def agrees(got: np.ndarray, want: np.ndarray) -> bool:
    return got.shape == want.shape and bool(np.abs(got - want).max() <= 1e-5 * np.abs(want).max())


CASES = [
    (opset, mode, padding, corners)
    for opset, modes in MODES.items()
    for mode in modes
    for padding in PADDINGS
    for corners in (0, 1)
    if (opset == 20) == (padding == "reflection")
]


@pytest.mark.parametrize(("opset", "mode", "padding", "corners"), CASES)
def test_pixels_are_those_of_onnxruntime(opset, mode, padding, corners) -> None:
    attributes = {"mode": mode, "padding_mode": padding, "align_corners": corners}
    proto = node("GridSample", IMAGE, GRID, opset=opset, **attributes)
    inputs = samples(IMAGE, GRID)
    (got,), (want,) = compiled(proto, inputs), run_onnxruntime(proto, inputs)
    if mode in ("bicubic", "cubic") and padding == "border":
        # ONNX Runtime lets the weights be those of the place outside; in the reference of ONNX the
        # place itself moves to the border
        assert not agrees(got, want)
        attributes["mode"] = "cubic"
        proto = node("GridSample", IMAGE, GRID, opset=20, **attributes)
        (want,) = run_reference(proto, inputs)
    assert agrees(got, want)


@pytest.mark.parametrize("mode", ["linear", "nearest"])
@pytest.mark.parametrize("padding", ["zeros", "border"])
def test_volumes_are_sampled_as_by_onnxruntime(mode: str, padding: str) -> None:
    image, grid = (2, 3, 4, 3, 5), (2, 3, 2, 6, 3)
    proto = node("GridSample", image, grid, opset=20, mode=mode, padding_mode=padding)
    inputs = samples(image, grid)
    (got,), (want,) = compiled(proto, inputs), run_onnxruntime(proto, inputs)
    assert agrees(got, want)


def test_sampled_map_between_convolutions_stays_in_blocks() -> None:
    rng = np.random.default_rng(2)
    weights = {
        "v": rng.standard_normal((37, 4, 1, 1), np.float32),
        "w": rng.standard_normal((20, 37, 3, 3), np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "v"], ["h"]),
        helper.make_node("GridSample", ["h", "g"], ["m"], align_corners=1),
        helper.make_node("Relu", ["m"], ["f"]),
        helper.make_node("Conv", ["f", "w"], ["y"], pads=[1, 1, 1, 1]),
    ]
    proto = model(nodes, {"x": (2, 4, 5, 6), "g": GRID}, weights)
    inputs = samples((2, 4, 5, 6), GRID)
    (got,), (want,) = compiled(proto, inputs), run_onnxruntime(proto, inputs)
    assert agrees(got, want)


@pytest.mark.parametrize("corners", [0, 1])
@pytest.mark.parametrize("size", [(2, 3, 5, 7), (3, 1, 2, 4, 5)], ids=str)
def test_affine_grid_is_that_of_onnxruntime(size: tuple[int, ...], corners: int) -> None:
    dims = len(size) - 2
    theta = (size[0], dims, dims + 1)
    proto = node("AffineGrid", theta, np.array(size), opset=20, align_corners=corners)
    inputs = [np.random.default_rng(1).standard_normal(theta).astype(np.float32)]
    (got,), (want,) = compiled(proto, inputs), run_onnxruntime(proto, inputs)
    assert agrees(got, want)


def test_transformed_image_is_that_of_onnxruntime() -> None:
    nodes = [
        helper.make_node("AffineGrid", ["t", "size"], ["g"]),
        helper.make_node("GridSample", ["x", "g"], ["y"], padding_mode="reflection"),
    ]
    shapes = {"x": (2, 3, 5, 6), "t": (2, 2, 3)}
    proto = model(nodes, shapes, {"size": np.array([2, 3, 9, 8])}, opset=20)
    inputs = [
        np.random.default_rng(1).standard_normal(s).astype(np.float32) for s in shapes.values()
    ]
    (got,), (want,) = compiled(proto, inputs), run_onnxruntime(proto, inputs)
    assert agrees(got, want)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("corners", [0, 1])
def test_no_place_is_read_outside(padding: str, corners: int) -> None:
    """Whatever the grid holds, which the interpreter checks; in an image of one pixel too."""
    for image in ((1, 2, 5, 6), (1, 2, 1, 1)):
        proto = node("GridSample", image, (1, 1, 6, 2), padding_mode=padding, align_corners=corners)
        grid = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, 0.5], np.float32)
        grid = np.stack([grid, grid[::-1]], -1).reshape(1, 1, 6, 2)
        inputs, ctx = [np.ones(image, np.float32), grid], new_context()
        module = import_model(proto, ctx.weights)
        (want,) = interpreters.call(module, "main", inputs, store=ctx.weights)  # or an error
        (y,) = compiled(proto, inputs)
        np.testing.assert_array_equal(np.isfinite(y[..., -1]), np.isfinite(want[..., -1]))


@pytest.mark.parametrize(
    ("proto", "message"),
    [
        (
            node("AffineGrid", (2, 2, 3), np.array([1, 3, 4, 4]), opset=20),
            r"AffineGrid of \[2, 2, 3\] for sizes \[1, 3, 4, 4\]",
        ),
        (node("GridSample", IMAGE, GRID, mode="area"), "GridSample with mode area"),
        (
            node("GridSample", (1, 1, 2, 2, 2), (1, 1, 1, 1, 3), mode="bicubic"),
            "GridSample with mode bicubic",
        ),
        (
            node("GridSample", IMAGE, GRID, padding_mode="wrap"),
            "GridSample with padding_mode wrap",
        ),
        (
            node("GridSample", IMAGE, (2, 4, 7, 3)),
            r"GridSample of \[2, 37, 5, 6\] at \[2, 4, 7, 3\]",
        ),
    ],
)
def test_refused_forms_are_named(proto: onnx.ModelProto, message: str) -> None:
    with pytest.raises(LaminaError, match=message):
        lamina.compile(proto, cache=False)
