"""Resize and Upsample, imported and compiled, by ONNX Runtime and by the reference of ONNX."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

import lamina
from lamina import interpreters
from lamina.context import new_context
from lamina.dialects.graph import RelayoutOp, RepeatOp, ResampleOp, SliceOp, layout_of, shape
from lamina.errors import LaminaError
from lamina.frontends.onnx import import_model
from lamina.frontends.onnx.resampling import MODES, ROUNDINGS
from lamina.passes.pipelines import default
from tests.unit.onnx_models import model, node, run_onnxruntime, run_reference
from tests.unit.test_onnx_operators import check, inputs_of, ints
from tests.unit.test_onnx_slicing import agree, compiled

MAPS = (2, 37, 5, 6)


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def resize(
    size: tuple[int, ...], *, scales=None, sizes=None, roi=None, opset: int = 19, **attributes: Any
) -> onnx.ModelProto:
    nothing = floats() if opset < 13 else ""  # could not be left out then
    given_roi = nothing if roi is None else floats(*roi)
    by = [floats(*scales)] if scales else [nothing, ints(*sizes or ())]
    return node("Resize", size, given_roi, *by, opset=opset, **attributes)


UP, DOWN, ODD = (1, 1, 2, 2), (1, 1, 0.5, 0.5), (1, 1, 1.5, 0.75)

CASES: dict[str, onnx.ModelProto] = {
    "nearest twice": resize(
        MAPS, scales=UP, coordinate_transformation_mode="asymmetric", nearest_mode="floor"
    ),
    "nearest thrice": resize(MAPS, scales=(1, 1, 3, 2)),
    "nearest smaller": resize(MAPS, scales=DOWN, opset=13),
    "nearest to odd sizes": resize(MAPS, sizes=(2, 37, 7, 11), opset=11),
    "nearest channels": resize(MAPS, scales=(1, 2, 1, 1.5)),
    "linear twice": resize(MAPS, scales=UP, mode="linear"),
    "linear smaller": resize(MAPS, scales=DOWN, mode="linear"),
    "linear of an image": resize((1, 3, 7, 9), sizes=(1, 3, 14, 20), mode="linear"),
    "linear to one": resize(
        MAPS,
        sizes=(2, 37, 1, 1),
        mode="linear",
        coordinate_transformation_mode="pytorch_half_pixel",
    ),
    "linear by a seventh": resize(
        (2, 37, 7, 7),
        scales=(1, 1, 1 / 7, 3 / 7),
        mode="linear",
        coordinate_transformation_mode="pytorch_half_pixel",
    ),
    "linear, corners": resize(
        MAPS, sizes=(2, 37, 9, 13), mode="linear", coordinate_transformation_mode="align_corners"
    ),
    "linear, symmetric": resize(
        MAPS,
        scales=(1, 1, 1.7, 0.6),
        mode="linear",
        coordinate_transformation_mode="half_pixel_symmetric",
    ),
    "linear in three dimensions": resize((1, 5, 3, 4, 5), scales=(1, 1, 2, 1.5, 2), mode="linear"),
    "linear rows": resize((3, 5), scales=(1, 2.5), mode="linear", opset=13),
    "linear antialias": resize(MAPS, sizes=(2, 37, 2, 3), mode="linear", antialias=1),
    "cubic": resize(MAPS, scales=ODD, mode="cubic"),
    "cubic of its own": resize(
        MAPS, scales=UP, mode="cubic", cubic_coeff_a=-0.5, exclude_outside=1
    ),
    "cubic antialias": resize(MAPS, scales=DOWN, mode="cubic", antialias=1),
    "crop": resize(
        MAPS,
        roi=(0, 0, 0.25, 0.5, 1, 1, 0.75, 1.25),
        sizes=(2, 37, 4, 7),
        mode="linear",
        coordinate_transformation_mode="tf_crop_and_resize",
        extrapolation_value=7.0,
    ),
    "crop to fractional extents": resize(
        MAPS,
        roi=(0, 0, 0.25, 0.5, 1, 1, 0.75, 1.25),
        scales=(1, 1, 1.5, 0.7),
        mode="linear",
        coordinate_transformation_mode="tf_crop_and_resize",
    ),
    "cubic to a fraction of one": resize(
        MAPS,
        scales=(1, 1, 0.3, 2),
        mode="cubic",
        coordinate_transformation_mode="pytorch_half_pixel",
    ),
    "crop outside": resize(
        MAPS,
        roi=(2, 2, 3, 3),
        sizes=(4, 4),
        axes=[2, 3],
        coordinate_transformation_mode="tf_crop_and_resize",
        extrapolation_value=-2.0,
    ),
    "axes": resize(MAPS, scales=(2, 0.5), axes=[3, -2], mode="linear", opset=18),
    "not larger": resize(
        MAPS, sizes=(8, 12), axes=[2, 3], keep_aspect_ratio_policy="not_larger", mode="linear"
    ),
    "not smaller": resize(MAPS, sizes=(8, 12), axes=[2, 3], keep_aspect_ratio_policy="not_smaller"),
    "as it is": resize(MAPS, scales=(1, 1, 1, 1), mode="cubic"),
    "of opset 10": node("Resize", MAPS, floats(1, 1, 1.6, 2), opset=10),
    "of opset 10, smaller": node("Resize", MAPS, floats(1, 1, 0.6, 0.3), opset=10),
    "of opset 10, linear": node("Resize", MAPS, floats(*ODD), opset=10, mode="linear"),
    "Upsample 9": node("Upsample", MAPS, floats(*UP), opset=9),
    "Upsample 9 linear": node("Upsample", MAPS, floats(1, 1, 2, 1.5), opset=9, mode="linear"),
    "Upsample 7": node("Upsample", MAPS, opset=7, scales=[1.0, 1.0, 2.0, 3.0], mode="linear"),
    **{
        f"nearest, {rounding}, {mode}": resize(
            MAPS,
            sizes=(2, 37, 8, 4),
            nearest_mode=rounding,
            coordinate_transformation_mode=mode,
            opset=11 if mode == "tf_half_pixel_for_nn" else 19,
        )
        for rounding in ROUNDINGS
        for mode in MODES
        if mode != "tf_crop_and_resize"
    },
}


@pytest.mark.parametrize("name", CASES)
def test_operator_computes_what_onnxruntime_computes(name: str) -> None:
    check(CASES[name])


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("nearest, ")])
def test_machine_code_computes_what_onnxruntime_computes(name: str) -> None:
    agree(CASES[name])


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("new", [16, 11])
def test_resized_lines_stay_in_blocks_between_convolutions(mode: str, new: int) -> None:
    rng = np.random.default_rng(4)
    weights = {
        "v": rng.standard_normal((37, 5, 3), np.float32),
        "w": rng.standard_normal((20, 37, 3), np.float32),
        "size": ints(2, 37, new),
    }
    nodes = [
        helper.make_node("Conv", ["x", "v"], ["h"], pads=[1, 1]),
        helper.make_node("Resize", ["h", "", "", "size"], ["m"], mode=mode),
        helper.make_node("Relu", ["m"], ["f"]),
        helper.make_node("Conv", ["f", "w"], ["y"], pads=[1, 1]),
    ]
    proto = model(nodes, {"x": (2, 5, 8)}, weights, opset=19)
    agree(proto)
    ctx = new_context()
    module = import_model(proto, ctx.weights)
    for each in takewhile(lambda p: p.name != "assign-halos", default("cpu:skylake-avx512")):
        each.apply(ctx, module)
    moved = [op for op in module.walk() if isinstance(op, RelayoutOp)]
    unpacked = [shape(op.y) for op in moved if layout_of(op.y.type).is_plain]
    assert unpacked in ([], [(2, 20, 1, new)])  # the last convolution, or after it


@pytest.mark.parametrize("scales", [(1, 1, 2, 2), (1, 1, 1.5, 0.7), (1, 1, 0.5, 3)])
def test_nearest_integers_are_those_of_onnxruntime(scales: tuple[float, ...]) -> None:
    resized = helper.make_node("Resize", ["x", "", "s"], ["y"])
    types = {"input_type": TensorProto.UINT8, "opset": 19}
    proto = model([resized], {"x": MAPS}, {"s": floats(*scales)}, **types)
    proto.graph.output[0].type.tensor_type.elem_type = TensorProto.UINT8
    x = np.random.default_rng(1).integers(0, 256, MAPS).astype(np.uint8)
    np.testing.assert_array_equal(compiled(proto, [x])[0], run_onnxruntime(proto, [x])[0])
    proto.graph.node[0].attribute.append(helper.make_attribute("mode", "linear"))
    with pytest.raises(
        LaminaError, match=r"not supported: Resize: graph.resample needs elements of kind float"
    ):
        lamina.compile(proto, cache=False)


def test_upsample_of_opset_6_is_converted() -> None:
    upsample = helper.make_node("Upsample", ["x"], ["y"], width_scale=3.0, height_scale=2.0)
    proto = model([upsample], {"x": (1, 2, 3, 4)}, opset=6)  # which ONNX Runtime cannot run
    (x,) = inputs_of(proto)
    (y,) = compiled(proto, [x])
    np.testing.assert_array_equal(y, x.repeat(2, 2).repeat(3, 3))


def test_corners_of_fractional_extents_are_those_of_the_reference() -> None:
    """ONNX Runtime divides by the rounded extent; expected results of ONNX's own tests do not."""
    scales, mode = (1, 1, 0.6, 2.3), "align_corners"
    proto = resize(MAPS, scales=scales, mode="linear", coordinate_transformation_mode=mode)
    inputs = inputs_of(proto)
    (want,) = run_reference(proto, inputs)
    (y,) = compiled(proto, inputs)
    np.testing.assert_allclose(y, want, rtol=0, atol=1e-5 * np.abs(want).max())
    (other,) = run_onnxruntime(proto, inputs)
    assert np.abs(other - want).max() > 0.1


@st.composite
def resizes(draw: st.DrawFn) -> onnx.ModelProto:
    """
    Any Resize that the reference knows. Scales and regions are binary fractions, so that float32
    and float64 agree on what is nearest.
    """
    mode = draw(st.sampled_from(["nearest", "linear", "cubic"]))
    coordinates = draw(st.sampled_from([m for m in MODES if m != "tf_half_pixel_for_nn"]))
    assume(mode != "nearest" or coordinates != "tf_crop_and_resize")
    size = [draw(st.integers(1, 3)), 2, draw(st.integers(1, 9)), draw(st.integers(1, 9))]
    scales = [draw(st.sampled_from([0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0])) for _ in range(2)]
    assume(all(int(n * s) >= 1 for n, s in zip(size[2:], scales, strict=True)))
    # with other extents the reference has its own idea of these modes, and is off by one element
    # where rounding errors move a coordinate off a whole number
    lengths = [n * s for n, s in zip(size[2:], scales, strict=True)]
    whole = all(n == int(n) for n in lengths) and 1 not in lengths
    special = ("pytorch_half_pixel", "half_pixel_symmetric", "tf_crop_and_resize")
    assume(whole or coordinates not in special)
    given: dict[str, Any] = {"coordinate_transformation_mode": coordinates, "mode": mode}
    if mode == "nearest":
        given["nearest_mode"] = draw(st.sampled_from(list(ROUNDINGS)))
    else:
        given["antialias"] = draw(st.integers(0, 1))
    if mode == "cubic":
        given["cubic_coeff_a"] = draw(st.sampled_from([-0.75, -0.5]))
        given["exclude_outside"] = draw(st.integers(0, 1))
    roi = None
    if coordinates == "tf_crop_and_resize":
        given["extrapolation_value"] = 3.5
        roi = [draw(st.sampled_from([-0.25, 0.0, 0.125, 0.5])) for _ in range(2)]
        roi += [draw(st.sampled_from([0.75, 1.0, 1.25])) for _ in range(2)]
    return resize(tuple(size), scales=scales, roi=roi, axes=[2, 3], **given)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(resizes())
def test_tables_are_those_of_the_reference(proto: onnx.ModelProto) -> None:
    (x,) = inputs_of(proto)
    ctx = new_context()
    (y,) = interpreters.call(import_model(proto, ctx.weights), "main", [x], store=ctx.weights)
    (want,) = run_reference(proto, [x])
    assert y.shape == want.shape
    np.testing.assert_allclose(y, want, rtol=0, atol=1e-5 * np.abs(want).max() + 1e-6)


@pytest.mark.parametrize(
    ("proto", "op"),
    [
        (resize(MAPS, scales=UP), RepeatOp),
        (resize(MAPS, scales=DOWN, nearest_mode="floor"), SliceOp),
        (resize(MAPS, scales=UP, mode="linear"), ResampleOp),
        (resize(MAPS, sizes=(2, 37, 7, 11)), ResampleOp),
    ],
)
def test_resize_is_as_few_ops_as_it_can_be(proto: onnx.ModelProto, op: type) -> None:
    ctx = new_context()
    module = import_model(proto, ctx.weights)
    found = [o for o in module.walk() if isinstance(o, RepeatOp | SliceOp | ResampleOp)]
    assert {type(o) for o in found} == {op}
    assert op is SliceOp or len(found) == 1


@pytest.mark.parametrize(
    ("proto", "message"),
    [
        (resize(MAPS, scales=(1, 1, 2)), "Resize with 3 scales or sizes of 4"),
        (resize(MAPS, scales=(1, 1, 0.1, 1)), r"Resize to \[2, 37, 0, 6\]; an empty result"),
        (resize(MAPS, scales=UP, antialias=1), "Resize with antialias of mode nearest"),
        (resize(MAPS, scales=UP, exclude_outside=1), "with exclude_outside of mode nearest"),
        (resize(MAPS, scales=UP, mode="area"), "Resize with mode area"),
        (resize(MAPS, scales=UP, nearest_mode="odd"), "Resize with nearest_mode odd"),
        (
            resize(MAPS, scales=UP, coordinate_transformation_mode="odd"),
            "Resize with coordinate_transformation_mode odd",
        ),
        (
            resize(MAPS, scales=UP, coordinate_transformation_mode="tf_crop_and_resize"),
            "Resize with a region of 0 numbers",
        ),
        (
            resize(MAPS, sizes=(2, 37, 8, 8), keep_aspect_ratio_policy="odd"),
            "Resize with keep_aspect_ratio_policy odd",
        ),
        (node("Upsample", MAPS, floats(*UP), opset=9, mode="cubic"), "Upsample with mode cubic"),
    ],
)
def test_refused_forms_are_named(proto: onnx.ModelProto, message: str) -> None:
    with pytest.raises(LaminaError, match=message):
        lamina.compile(proto, cache=False)
