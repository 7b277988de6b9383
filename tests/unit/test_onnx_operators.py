"""Each operator, imported and interpreted, beside ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from xdsl.dialects import func

from lamina import interpreters
from lamina.context import new_context
from lamina.frontends.onnx import (
    choice,
    grid_sample,
    import_model,
    integer_products,
    known,
    quantization,
    resize,
    selection,
)
from lamina.frontends.onnx.importer import OPERATORS
from lamina.passes.graph.fold_batch_norm import FoldBatchNormPass
from lamina.passes.graph.fold_constants import FoldConstantsPass
from lamina.passes.graph.simplify_graph import SimplifyGraphPass
from tests.unit.onnx_models import model, node, run_onnxruntime

rng = np.random.default_rng(1)


def weight(*size: int) -> np.ndarray:
    return rng.standard_normal(size).astype(np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def scalar(value: float) -> np.ndarray:
    return np.array(value, np.float32)


IMAGE = (1, 4, 9, 8)
REDUCTIONS = ("L1", "L2", "LogSumExp", "Max", "Min", "Prod", "SumSquare")
PER_CHANNEL = [weight(4), weight(4), weight(4), abs(weight(4)) + 0.1]

CASES: dict[str, onnx.ModelProto] = {
    # windows
    "Conv": node("Conv", IMAGE, weight(6, 4, 3, 3)),
    "Conv bias": node("Conv", IMAGE, weight(6, 4, 3, 3), weight(6), pads=[1, 1, 1, 1]),
    "Conv strides, uneven pads": node(
        "Conv", IMAGE, weight(6, 4, 3, 2), strides=[2, 3], pads=[0, 1, 2, 3]
    ),
    "Conv dilations": node("Conv", IMAGE, weight(6, 4, 3, 3), dilations=[2, 3]),
    "Conv group": node("Conv", IMAGE, weight(6, 2, 3, 3), weight(6), group=2),
    "Conv depthwise": node("Conv", IMAGE, weight(8, 1, 3, 3), group=4, pads=[1, 1, 1, 1]),
    "Conv batch": node("Conv", (3, 4, 5, 5), weight(6, 4, 3, 3)),
    "Conv SAME_UPPER": node(
        "Conv", IMAGE, weight(6, 4, 3, 3), strides=[2, 2], auto_pad="SAME_UPPER"
    ),
    "Conv SAME_LOWER": node(
        "Conv", IMAGE, weight(6, 4, 3, 3), strides=[2, 2], auto_pad="SAME_LOWER"
    ),
    "Conv VALID": node("Conv", IMAGE, weight(6, 4, 3, 3), strides=[2, 2], auto_pad="VALID"),
    "Conv weights at run time": node("Conv", IMAGE, (6, 4, 3, 3)),
    "MaxPool": node("MaxPool", IMAGE, kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1]),
    "MaxPool default strides": node("MaxPool", IMAGE, kernel_shape=[2, 2]),
    "MaxPool SAME": node(
        "MaxPool", IMAGE, kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_LOWER"
    ),
    "AveragePool": node("AveragePool", IMAGE, kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    "AveragePool count_include_pad": node(
        "AveragePool", IMAGE, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1
    ),
    "GlobalAveragePool": node("GlobalAveragePool", IMAGE),
    "ReduceMean": node("ReduceMean", IMAGE, axes=[2, 3]),
    "ReduceMean drops": node("ReduceMean", IMAGE, axes=[-1, -2], keepdims=0),
    "ReduceMean 18": node("ReduceMean", IMAGE, ints(2, 3), opset=18, keepdims=0),
    "ReduceMean nothing": node("ReduceMean", IMAGE, opset=18, noop_with_empty_axes=1),
    "ConvTranspose": node("ConvTranspose", IMAGE, weight(4, 6, 3, 3), weight(6), strides=[2, 2]),
    "GlobalLpPool": node("GlobalLpPool", IMAGE),
    "GlobalMaxPool": node("GlobalMaxPool", IMAGE),
    "LRN": node("LRN", IMAGE, size=3, alpha=0.1),
    "LpPool": node("LpPool", IMAGE, kernel_shape=[3, 2], pads=[1, 0, 1, 1]),
    # products
    "Gemm": node("Gemm", (2, 5), weight(5, 3)),
    "Gemm transB": node("Gemm", (2, 5), weight(3, 5), weight(3), transB=1),
    "Gemm transA": node("Gemm", (5, 2), weight(5, 3), weight(1, 3), transA=1),
    "Gemm alpha beta": node("Gemm", (2, 5), weight(5, 3), weight(3), alpha=0.5, beta=2.0),
    "Gemm scalar": node("Gemm", (2, 5), weight(5, 3), scalar(3.0)),
    "Gemm column": node("Gemm", (2, 5), weight(5, 3), weight(2, 1), beta=0.5),
    "Gemm matrix": node("Gemm", (2, 5), weight(5, 3), weight(2, 3)),
    "Gemm beta 0": node("Gemm", (2, 5), weight(5, 3), weight(2, 3), beta=0.0),
    "Gemm at run time": node("Gemm", (2, 5), (5, 3), (3,), alpha=0.5),
    "Gemm sum at run time": node("Gemm", (2, 5), (5, 3), (2, 1), beta=2.0),
    "MatMul": node("MatMul", (2, 5), weight(5, 3)),
    "MatMul batch": node("MatMul", (2, 4, 5), weight(5, 3)),
    "MatMul at run time": node("MatMul", (2, 5), (5, 3)),
    "BatchNormalization": node("BatchNormalization", IMAGE, *PER_CHANNEL, epsilon=0.01),
    "BatchNormalization matrix": node("BatchNormalization", (2, 4), *PER_CHANNEL),
    "GroupNormalization": node(
        "GroupNormalization", IMAGE, weight(4), weight(4), opset=21, num_groups=2
    ),
    "InstanceNormalization": node("InstanceNormalization", IMAGE, weight(4), weight(4)),
    "LayerNormalization": node("LayerNormalization", IMAGE, weight(8), weight(8)),
    "LogSoftmax": node("LogSoftmax", (2, 3, 4)),
    "MeanVarianceNormalization": node("MeanVarianceNormalization", IMAGE),
    "RMSNormalization": node("RMSNormalization", IMAGE, weight(8), opset=23),
    "Softmax": node("Softmax", (2, 3, 4)),
    "Softmax axis": node("Softmax", (2, 3, 4), axis=1),
    "Softmax 11": node("Softmax", (2, 3, 4), opset=11),
    "Softmax 11 axis": node("Softmax", (2, 3, 4), opset=11, axis=-1),
    "Softmax 9 matrix": node("Softmax", (2, 3), opset=9),
    # pointwise
    **{op: node(op, IMAGE) for op in ("Erf", "Exp", "Relu", "Sigmoid", "Sqrt", "Tanh")},
    **{op: node(op, IMAGE, IMAGE) for op in ("Add", "Sub", "Mul", "Div", "Max", "Min", "Sum")},
    "Add channel": node("Add", IMAGE, weight(4, 1, 1)),
    "Sub scalar": node("Sub", scalar(2.0), IMAGE),
    "Mul broadcast": node("Mul", (3, 1), (2, 1, 4)),
    "Div of constants": node("Div", weight(3), weight(3)),
    "Max of three": node("Max", IMAGE, (9, 8), scalar(0.5)),
    "Min of one": node("Min", IMAGE),
    "Sum of four": node("Sum", (2, 3), (2, 3), (3,), (2, 3), opset=9),
    **{op: node(op, IMAGE) for op in ("Abs", "Ceil", "Floor", "Log", "Neg", "Reciprocal", "Round")},
    "Mean": node("Mean", IMAGE, (9, 8), (4, 1, 1)),
    "Mean of one": node("Mean", IMAGE),
    **{f"Pow {n}": node("Pow", IMAGE, scalar(n)) for n in (-3, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 7)},
    **{f"Pow {n}": node("Pow", IMAGE, scalar(n)) for n in (0.3, -2.75, 20)},
    "Pow of each": node("Pow", (2, 3), weight(3)),
    "Pow at run time": node("Pow", IMAGE, (4, 1, 1)),
    "Pow of a constant": node("Pow", scalar(1.7), IMAGE),
    "Pow integers": node("Pow", (2, 3), ints(1, 2, 3)),
    "Pow that broadcasts": node("Pow", (3,), np.full((2, 1), 2.0, np.float32)),
    "Pow integer": node("Pow", (2, 3), ints(2)),
    "Pow 9": node("Pow", (2, 3), scalar(2.0), opset=9),
    # activations
    **{op: node(op, IMAGE) for op in ("Celu", "Elu", "HardSigmoid", "HardSwish", "LeakyRelu")},
    **{op: node(op, IMAGE) for op in ("Selu", "Softplus", "Softsign")},
    "Celu alpha": node("Celu", IMAGE, alpha=0.3),
    "Elu alpha": node("Elu", IMAGE, opset=9, alpha=2.0),
    "Gelu": node("Gelu", IMAGE, opset=20),
    "Gelu tanh": node("Gelu", IMAGE, opset=20, approximate="tanh"),
    "HardSigmoid attributes": node("HardSigmoid", IMAGE, opset=9, alpha=0.5, beta=0.6),
    **{f"LeakyRelu {a}": node("LeakyRelu", IMAGE, alpha=a) for a in (-0.5, 0.0, 1.0, 1.5)},
    "Mish": node("Mish", IMAGE, opset=18),
    "PRelu": node("PRelu", IMAGE, weight(4, 1, 1)),
    "PRelu scalar": node("PRelu", IMAGE, weight(1), opset=9),
    "PRelu at run time": node("PRelu", IMAGE, (4, 9, 8)),
    "Selu attributes": node("Selu", IMAGE, alpha=2.0, gamma=3.0),
    "Swish": node("Swish", IMAGE, opset=24),
    "Swish alpha": node("Swish", IMAGE, opset=24, alpha=1.7),
    "Clip": node("Clip", IMAGE, scalar(-0.5), scalar(1.0)),
    "Clip low": node("Clip", IMAGE, scalar(0.0)),
    "Clip high": node("Clip", IMAGE, "", scalar(0.5)),
    "Clip nothing": node("Clip", IMAGE),
    "Clip crossed": node("Clip", IMAGE, scalar(1.0), scalar(0.5)),
    "Clip 6": node("Clip", IMAGE, opset=9, min=0.0, max=6.0),
    "Clip 6 open": node("Clip", IMAGE, opset=9, min=0.0),
    # movement
    "DepthToSpace": node("DepthToSpace", (1, 8, 3, 2), blocksize=2),
    "Expand": node("Expand", (3, 1), ints(2, 1, 4)),
    "Gather": node("Gather", (3, 4), ints(1, -1, 0), axis=1),
    "GatherND": node("GatherND", (3, 4, 2), ints(1, -1, 0, 3).reshape(2, 2)),
    "GatherElements": node("GatherElements", (3, 4), ints(1, -1, 0, 3, 2, 2).reshape(2, 3), axis=1),
    "Slice": node("Slice", IMAGE, ints(1, -1), ints(3, 0), ints(1, 2), ints(1, -2)),
    "SpaceToDepth": node("SpaceToDepth", (1, 2, 6, 4), blocksize=2),
    "Split": node("Split", (3, 4), axis=0, num_outputs=1, opset=18),
    "Tile": node("Tile", (2, 3), ints(2, 3)),
    **{f"Reduce{kind}": node(f"Reduce{kind}", (2, 3, 4), axes=[0, -1]) for kind in REDUCTIONS},
    "ReduceLogSum": node("ReduceLogSum", abs(weight(40, 30)) + 0.1, axes=[1]),
    "ReduceSum": node("ReduceSum", (2, 3, 4), ints(0, -1)),
    "Concat": node("Concat", (1, 2, 3), (1, 1, 3), axis=1),
    "Concat weight": node("Concat", (1, 2), weight(1, 3), axis=-1),
    "Concat weights": node("Concat", weight(1, 2), weight(1, 3), axis=-1),
    "Dropout": node("Dropout", IMAGE),
    "Dropout ratio": node("Dropout", IMAGE, scalar(0.5), np.array(False)),
    "Dropout 9": node("Dropout", IMAGE, opset=9, ratio=0.5),
    "Flatten": node("Flatten", IMAGE),
    "Flatten 0": node("Flatten", IMAGE, axis=0),
    "Flatten back": node("Flatten", IMAGE, axis=-1),
    "Flatten to a column": node("Flatten", (3,)),
    "Identity": node("Identity", IMAGE),
    "Pad": node("Pad", (2, 3), ints(1, 0, 0, 2), scalar(1.5)),
    "Pad nothing": node("Pad", (2, 3), ints(0, 0, 0, 0)),
    "Pad 9": node("Pad", IMAGE, opset=9, pads=[0, 0, 1, 2, 0, 0, 3, 4]),
    "Pad axes": node("Pad", IMAGE, ints(1, 2, 3, 4), "", ints(2, -1), opset=18),
    "Reshape": node("Reshape", (2, 3, 4), ints(4, 6)),
    "Reshape 0 -1": node("Reshape", (2, 3, 4), ints(0, -1)),
    "Reshape allowzero": node("Reshape", (2, 3, 4), ints(2, -1), allowzero=1),
    "Reshape to itself": node("Reshape", (2, 3), ints(2, 3)),
    "Squeeze": node("Squeeze", (2, 1, 3, 1), ints(-1)),
    "Squeeze all": node("Squeeze", (2, 1, 3, 1)),
    "Squeeze 11": node("Squeeze", (2, 1, 3, 1), opset=11, axes=[1]),
    "Unsqueeze": node("Unsqueeze", (2, 3), ints(0, -1)),
    "Unsqueeze 11": node("Unsqueeze", (2, 3), opset=11, axes=[1, 2]),
    "Transpose": node("Transpose", (2, 3, 4)),
    "Transpose perm": node("Transpose", (2, 3, 4), perm=[0, 2, 1]),
    "Transpose weight": node("Transpose", weight(2, 3), perm=[1, 0]),
}


def ceil_modes() -> dict[str, onnx.ModelProto]:
    """Windows that do not fit, with and without padding: every rounding rule decides one."""
    found: dict[str, onnx.ModelProto] = {}
    for size in (5, 6, 7, 8):
        for kernel, stride in ((2, 2), (3, 2), (2, 3), (1, 3)):
            for pads in ([0, 0, 0, 0], [1, 0, 0, 1]):
                if kernel <= max(pads):
                    continue
                window: dict[str, Any] = {
                    "kernel_shape": [kernel, kernel],
                    "strides": [stride, stride],
                    "pads": pads,
                    "ceil_mode": 1,
                }
                name = f"{size} by {kernel} / {stride} {pads}"
                x = (1, 2, size, size + 1)
                found[f"MaxPool ceil {name}"] = node("MaxPool", x, **window)
                found[f"AveragePool ceil {name}"] = node("AveragePool", x, opset=19, **window)
                if not any(pads):
                    found[f"AveragePool ceil counting {name}"] = node(
                        "AveragePool", x, opset=22, count_include_pad=1, **window
                    )
    return found


CASES |= ceil_modes()


def inputs_of(proto: onnx.ModelProto) -> list[np.ndarray]:
    sizes = [[d.dim_value for d in v.type.tensor_type.shape.dim] for v in proto.graph.input]
    return [np.random.default_rng(2).standard_normal(s).astype(np.float32) for s in sizes]


def check(proto: onnx.ModelProto) -> None:
    """The same as ONNX Runtime, as imported and after the passes that fold and simplify."""
    inputs = inputs_of(proto)
    wanted = run_onnxruntime(proto, inputs)
    ctx = new_context()
    module = import_model(proto, ctx.weights)
    for passes in ((), (FoldConstantsPass(), FoldBatchNormPass(), SimplifyGraphPass())):
        for each in passes:
            each.apply(ctx, module)
        module.verify()
        got = interpreters.call(module, "main", inputs, store=ctx.weights)
        for a, b in zip(got, wanted, strict=True):
            assert a.shape == b.shape
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_operator_computes_what_onnxruntime_computes(name: str) -> None:
    check(CASES[name])


def test_every_operator_has_a_case() -> None:
    tested = {proto.graph.node[0].op_type for proto in CASES.values()} | {"Constant"}
    tested_elsewhere = (
        *(known, choice, selection, resize, grid_sample),
        *(quantization, integer_products),
    )
    elsewhere = {op for table in tested_elsewhere for op in table.OPERATORS}
    assert set(OPERATORS) - elsewhere == tested - elsewhere


@pytest.mark.parametrize(
    "value",
    [
        {"value": numpy_helper.from_array(weight(3))},
        {"value_float": 2.0},
        {"value_floats": [1.0, 2.0, 3.0]},
    ],
    ids=["tensor", "float", "floats"],
)
def test_constant_node_is_a_constant(value: dict[str, Any]) -> None:
    nodes = [
        helper.make_node("Constant", [], ["c"], **value),
        helper.make_node("Add", ["x", "c"], ["y"]),
    ]
    check(model(nodes, {"x": [2, 3]}))


@pytest.mark.parametrize("value", [{"value_int": 1}, {"value_ints": [1]}], ids=["int", "ints"])
def test_constant_node_gives_axes(value: dict[str, Any]) -> None:
    nodes = [
        helper.make_node("Constant", [], ["c"], **value),
        helper.make_node("Reshape", ["c", "one"], ["axes"]),
        helper.make_node("Unsqueeze", ["x", "axes"], ["y"]),
    ]
    check(model(nodes, {"x": [2, 3]}, {"one": ints(1)}))


def test_extreme_values_go_through_activations() -> None:
    x = np.array([np.inf, -np.inf, np.nan, -0.0, 1e38, -1e38, 1e-30], np.float32)
    plain = ("Relu", "Sigmoid", "Tanh", "Exp", "Erf", "Sqrt", "Abs", "Neg", "Floor", "Ceil")
    smooth = ("Log", "Elu", "Selu", "Celu", "Softplus", "Softsign", "HardSigmoid", "HardSwish")
    for op in (*plain, *smooth, "Round", "LeakyRelu", "Reciprocal", "Mish", "Gelu", "Swish"):
        proto = node(op, (7,), opset=24 if op in ("Mish", "Gelu", "Swish") else 17)
        ctx = new_context()
        module = import_model(proto, ctx.weights)
        got = interpreters.call(module, "main", [x], store=ctx.weights)
        np.testing.assert_allclose(got[0], run_onnxruntime(proto, [x])[0], rtol=1e-5, err_msg=op)


def test_names_of_the_model_stay_on_ops_values_and_arguments() -> None:
    nodes = [
        helper.make_node("Relu", ["in/0"], ["layer.1/out"]),
        helper.make_node("Mul", ["layer.1/out", "w"], ["y"]),
    ]
    module = import_model(
        model(nodes, {"in/0": [2, 3]}, {"w": weight(1, 3)}), new_context().weights
    )
    text = str(module)
    assert '%in.0: tensor<2x3xf32> {lamina.input = "in/0"}' in text
    assert 'attributes {lamina.entry, lamina.outputs = ["y"]}' in text
    assert '%layer.1_out = graph.relu %in.0 {lamina.source = "layer.1/out"}' in text
    assert '{lamina.source = "w"}' in text
    assert '%y = graph.mul %layer.1_out, %w {lamina.source = "y"}' in text


def test_weights_are_keys_and_equal_weights_are_one() -> None:
    w = weight(20, 20)
    nodes = [
        helper.make_node("Gemm", ["x", "a"], ["h"], transB=1),
        helper.make_node("Gemm", ["h", "b"], ["y"], transB=1),
    ]
    ctx = new_context()
    module = import_model(model(nodes, {"x": [1, 20]}, {"a": w, "b": w.copy()}), ctx.weights)
    assert "dense" not in str(module).replace("graph.dense", "")
    assert len(ctx.weights) == 1


def test_input_may_also_be_listed_as_a_weight() -> None:
    proto = node("Add", (2, 3), weight(2, 3))
    listed = helper.make_tensor_value_info("w1", onnx.TensorProto.FLOAT, [2, 3])
    proto.graph.input.append(listed)
    module = import_model(proto, new_context().weights)
    main = next(op for op in module.ops if isinstance(op, func.FuncOp))
    assert len(main.args) == 1


def test_output_may_be_an_input_or_a_constant() -> None:
    nodes = [helper.make_node("Identity", ["x"], ["y"]), helper.make_node("Identity", ["w"], ["z"])]
    ctx = new_context()
    w, x = weight(2), weight(3)
    module = import_model(model(nodes, {"x": [3]}, {"w": w}, outputs=["y", "z"]), ctx.weights)
    got = interpreters.call(module, "main", [x], store=ctx.weights)
    np.testing.assert_array_equal(got[0], x)
    np.testing.assert_array_equal(got[1], w)


def test_pool_whose_second_output_nobody_reads_is_fine() -> None:
    pool = helper.make_node("MaxPool", ["x"], ["y", "indices"], kernel_shape=[2, 2])
    check(model([pool], {"x": [1, 2, 4, 4]}))


def test_large_constant_node_is_a_weight() -> None:
    large = numpy_helper.from_array(weight(20, 20))
    nodes = [
        helper.make_node("Constant", [], ["c"], value=large),
        helper.make_node("MatMul", ["x", "c"], ["y"]),
    ]
    check(model(nodes, {"x": [2, 20]}))


@pytest.mark.parametrize(
    ("op", "extra", "attributes"),
    [
        ("Conv", ["w"], {"pads": [0, 0, 1, 0]}),
        ("AveragePool", [], {"kernel_shape": [3, 3]}),
        ("AveragePool", [], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
        ("AveragePool", [], {"kernel_shape": [3, 3], "pads": [1] * 4, "count_include_pad": 1}),
        ("MaxPool", [], {"kernel_shape": [3, 3]}),
    ],
)
def test_padding_before_a_window(op: str, extra: list[str], attributes: dict[str, Any]) -> None:
    nodes = [
        helper.make_node("Pad", ["x", "pads"], ["p"]),
        helper.make_node(op, ["p", *extra], ["y"], **attributes),
    ]
    weights = {"pads": ints(0, 0, 1, 2, 0, 0, 3, 0), "w": weight(5, 4, 3, 3)}
    check(model(nodes, {"x": IMAGE}, weights))
