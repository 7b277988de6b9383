"""Windows in all their forms: imported, folded and compiled, beside ONNX Runtime."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from xdsl.dialects import func

import lamina
from lamina.context import new_context
from lamina.frontends.onnx import import_model
from lamina.passes.pipelines import default
from tests.unit.onnx_models import model, node, run_onnxruntime
from tests.unit.test_onnx_operators import check, inputs_of, weight

IMAGE, LINE, VOLUME = (2, 37, 9, 10), (2, 37, 19), (2, 5, 3, 4, 2)


def pool(op: str, size: tuple[int, ...] = IMAGE, opset: int = 22, **attributes: Any):
    """A pool with an uneven window, unless `attributes` say another."""
    window = {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]}
    return node(op, size, opset=opset, **(window | attributes))


def line(op: str, opset: int = 22, **attributes: Any):
    window = {"kernel_shape": [3], "strides": [2], "pads": [1, 0]}
    return node(op, LINE, opset=opset, **(window | attributes))


def volume(op: str, opset: int = 22, **attributes: Any):
    window = {"kernel_shape": [2, 3, 2], "strides": [2, 2, 1], "dilations": [1, 1, 2]}
    return node(op, (2, 5, 4, 7, 6), opset=opset, pads=[1, 0, 1, 0, 1, 1], **window, **attributes)


def up(*kernel: int, inputs: int = 7, outputs: int = 9, bias: int = 0, **attributes: Any):
    """A transposed convolution."""
    size = (2, inputs, *(6, 5)[2 - len(kernel) :])
    w, strides = weight(inputs, outputs, *kernel), attributes.pop("strides", [2] * len(kernel))
    b = [weight(bias)] if bias else []
    return node("ConvTranspose", size, w, *b, strides=strides, **attributes)


POOLS: dict[str, onnx.ModelProto] = {
    "MaxPool dilations": pool("MaxPool", dilations=[2, 3]),
    "MaxPool dilations 10": pool("MaxPool", dilations=[2, 3], opset=10),
    "MaxPool VALID, ceil": node(
        "MaxPool",
        IMAGE,
        kernel_shape=[4, 3],
        strides=[2, 2],
        auto_pad="VALID",
        ceil_mode=1,
    ),
    "MaxPool line": line("MaxPool", ceil_mode=1, dilations=[2]),
    "MaxPool line 9": line("MaxPool", opset=9),
    "AveragePool dilations": pool("AveragePool", dilations=[2, 3]),
    "AveragePool dilations 19": pool("AveragePool", dilations=[2, 3], opset=19),
    "AveragePool dilations counting": pool("AveragePool", dilations=[2, 3], count_include_pad=1),
    "AveragePool line": line("AveragePool", ceil_mode=1),
    "AveragePool line counting": line("AveragePool", ceil_mode=1, count_include_pad=1),
    "AveragePool SAME counting": node(
        "AveragePool",
        IMAGE,
        kernel_shape=[3, 3],
        strides=[2, 2],
        auto_pad="SAME_LOWER",
        count_include_pad=1,
    ),
    "LpPool SAME": node("LpPool", IMAGE, opset=11, kernel_shape=[3, 2], auto_pad="SAME_UPPER"),
    "LpPool line": line("LpPool", ceil_mode=1, dilations=[2]),
    **{f"LpPool {p}": pool("LpPool", p=p, opset=17) for p in (1, 2, 3, 4, 5, 16)},
    **{
        f"{op} {len(size) - 2}-D": node(op, size)
        for op in ("GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool")
        for size in (LINE, IMAGE, VOLUME)
    },
    **{f"GlobalLpPool {p}": node("GlobalLpPool", IMAGE, p=p) for p in (1, 3)},
    **{
        f"LRN {beta}": node("LRN", IMAGE, size=5, alpha=0.3, bias=1.5, beta=beta)
        for beta in (0.25, 0.3, 0.5, 0.75, 1.0, 1.75)
    },
    **{f"{op} volume": volume(op) for op in ("AveragePool", "LpPool", "MaxPool")},
    **{f"{op} volume ceil": volume(op, ceil_mode=1) for op in ("AveragePool", "LpPool", "MaxPool")},
    "AveragePool volume counting": volume("AveragePool", ceil_mode=1, count_include_pad=1),
    "MaxPool volume SAME": node(
        "MaxPool", VOLUME, kernel_shape=[2, 3, 2], strides=[2, 2, 1], auto_pad="SAME_UPPER"
    ),
    "LRN wide": node("LRN", (3, 7, 5, 6), size=9, alpha=0.5),
}

CONVOLUTIONS: dict[str, onnx.ModelProto] = {
    "Conv line": node(
        "Conv", (3, 37, 19), weight(21, 37, 5), weight(21), strides=[2], pads=[1, 3], dilations=[2]
    ),
    "Conv line depthwise": node("Conv", LINE, weight(37, 1, 3), group=37, auto_pad="SAME_UPPER"),
    "Conv line at run time": node("Conv", (2, 4, 19), (6, 2, 3), (6,), group=2),
    "ConvTranspose 1": up(2, 2),
    "ConvTranspose 2": up(3, 3, outputs=37, bias=37, pads=[1, 1, 1, 1]),
    "ConvTranspose 3": up(3, 3, pads=[1, 1, 1, 1], output_padding=[1, 1]),
    "ConvTranspose blocks": up(4, 4, inputs=16, outputs=32, bias=32, pads=[1, 1, 1, 1]),
    "ConvTranspose stride 1": up(3, 3, strides=[1, 1], bias=9),
    "ConvTranspose stride 1, pads": up(3, 3, strides=[1, 1], pads=[1, 1, 1, 1]),
    "ConvTranspose all in pads": up(1, 1, strides=[1, 1], pads=[1, 1, 1, 1]),
    "ConvTranspose window below stride": up(1, 2, strides=[3, 4]),
    "ConvTranspose dilations": up(3, 2, strides=[2, 1], dilations=[2, 3], pads=[1, 0, 2, 1]),
    "ConvTranspose dilations, stride 3": up(
        3, 2, strides=[3, 2], dilations=[2, 2], pads=[4, 0, 0, 1]
    ),
    "ConvTranspose group": up(3, 3, inputs=6, outputs=5, bias=15, group=3, pads=[0, 1, 2, 1]),
    "ConvTranspose group of blocks": up(4, 4, inputs=32, outputs=16, group=2, pads=[1, 1, 1, 1]),
    "ConvTranspose depthwise": up(4, 4, inputs=37, outputs=1, group=37, pads=[1, 1, 1, 1]),
    "ConvTranspose wide pads": up(3, 3, pads=[3, 4, 5, 3]),
    "ConvTranspose line": up(4, bias=9, strides=[3], pads=[1, 2], output_padding=[2]),
    **{
        f"ConvTranspose {auto_pad}": up(3, 4, strides=[2, 3], auto_pad=auto_pad)
        for auto_pad in ("SAME_UPPER", "SAME_LOWER", "VALID")
    },
    "ConvTranspose output_shape": up(3, 3, output_shape=[12, 9], output_padding=[1, 1]),
    "ConvTranspose output_shape, SAME_UPPER": up(3, 3, output_shape=[12, 8], auto_pad="SAME_UPPER"),
    "ConvTranspose at run time": node(
        "ConvTranspose", (2, 6, 4, 5), (6, 5, 3, 3), (15,), strides=[2, 2], group=3
    ),
}


def counting_pools() -> dict[str, onnx.ModelProto]:
    """Means that count padding but not what ceil_mode adds: every rounding decides one."""
    return {
        f"AveragePool counting {size} {kernel} {stride} {pads} {gap}": node(
            "AveragePool",
            (2, 3, size),
            opset=19,
            kernel_shape=[kernel],
            strides=[stride],
            pads=pads,
            dilations=[gap],
            ceil_mode=1,
            count_include_pad=1,
        )
        for size, kernel, stride, pads, gap in product(
            (6, 7), (2, 3), (2, 3), ([0, 0], [1, 0], [0, 1], [1, 1]), (1, 2)
        )
    }


CASES = POOLS | CONVOLUTIONS


@pytest.mark.parametrize("name", [*POOLS, *counting_pools()])
def test_pool_computes_what_onnxruntime_computes(name: str) -> None:
    check((POOLS | counting_pools())[name])


@pytest.mark.parametrize("name", CASES)
def test_machine_code_computes_what_onnxruntime_computes(name: str) -> None:
    proto, inputs = CASES[name], inputs_of(CASES[name])
    want = run_onnxruntime(proto, inputs)[0]
    names = [i.name for i in proto.graph.input]
    model = lamina.compile(proto, cache=False, verify=True)
    got = model.run(dict(zip(names, inputs, strict=True)))["y"]
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= 1e-5 * np.abs(want).max()


def test_network_over_lines_has_the_kernels_of_one_over_images() -> None:
    """Batch norm, residual and activation join the convolutions; nothing is unpacked between."""
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["a"], pads=[2, 2]),
        helper.make_node("BatchNormalization", ["a", "b1", "b1", "b1", "v"], ["n"]),
        helper.make_node("Relu", ["n"], ["b"]),
        helper.make_node("Conv", ["b", "w2"], ["c"], pads=[1, 1]),
        helper.make_node("Add", ["c", "b"], ["d"]),
        helper.make_node("Relu", ["d"], ["e"]),
        helper.make_node("MaxPool", ["e"], ["f"], kernel_shape=[2], strides=[2]),
        helper.make_node("ConvTranspose", ["f", "w3", "b3"], ["g"], strides=[2]),
        helper.make_node("Relu", ["g"], ["y"]),
    ]
    weights = {"w1": weight(37, 8, 5), "b1": weight(37), "v": abs(weight(37)) + 0.5}
    weights |= {"w2": weight(37, 37, 3), "w3": weight(37, 16, 4), "b3": weight(16)}
    proto = model(nodes, {"x": (2, 8, 26)}, weights)
    inputs = inputs_of(proto)
    want = run_onnxruntime(proto, inputs)[0]
    compiled = lamina.compile(proto, cache=False, verify=True)
    assert np.abs(compiled(inputs[0]) - want).max() <= 1e-5 * np.abs(want).max()

    ctx = new_context()
    module = import_model(proto, ctx.weights)
    for each in default("cpu:skylake-avx512"):
        each.apply(ctx, module)
        if each.name == "outline-kernels":
            break
    kernels = [op.callee.string_value() for op in module.walk() if isinstance(op, func.CallOp)]
    assert [name.rpartition("_")[0] for name in kernels] == [
        "relayout",
        "conv2d_relu",
        "conv2d_add_relu_max_pool2d",
        "conv2d",
        "interleave_add_relu",
    ]


def test_zeros_have_a_norm_of_zero() -> None:
    """The root of a sum that is zero, also where it is computed through a logarithm."""
    for p in (1, 2, 3):
        proto = node("GlobalLpPool", (1, 2, 3, 3), p=p)
        x = np.zeros((1, 2, 3, 3), np.float32)
        np.testing.assert_array_equal(lamina.compile(proto, cache=False)(x), 0)


def test_normalization_over_an_even_number_of_channels_takes_one_more_after() -> None:
    x = inputs_of(node("LRN", (1, 5, 2, 2), size=4))[0]
    got = lamina.compile(node("LRN", (1, 5, 2, 2), size=4, alpha=2.0), cache=False)(x)
    for c in range(5):
        near = np.square(x[:, max(0, c - 1) : c + 3]).sum(1)
        want = x[:, c] / (1 + 2.0 / 4 * near) ** 0.75
        np.testing.assert_allclose(got[:, c], want, rtol=1e-5)
