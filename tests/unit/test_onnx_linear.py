"""Matrix products and normalizations: imported, folded and compiled, beside ONNX Runtime."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper
from xdsl.dialects import func

import lamina
from lamina.context import new_context
from lamina.errors import LaminaError
from lamina.frontends.onnx import import_model
from lamina.passes.pipelines import default
from tests.unit.onnx_models import model, node, run_onnxruntime
from tests.unit.test_onnx_operators import check, inputs_of, weight

PER_CHANNEL = [weight(37), weight(37), weight(37), abs(weight(37)) + 0.1]

CASES: dict[str, onnx.ModelProto] = {
    "MatMul": node("MatMul", (5, 37), (37, 19)),
    "MatMul batch": node("MatMul", (2, 3, 7, 37), (2, 3, 37, 19)),
    "MatMul both broadcast": node("MatMul", (3, 1, 5, 7), (2, 7, 37)),
    "MatMul matrix on the right": node("MatMul", (3, 5, 7), (7, 37)),
    "MatMul matrix on the left": node("MatMul", (5, 7), (3, 7, 37)),
    "MatMul ones in front": node("MatMul", (5, 7), (1, 1, 7, 9)),
    "MatMul row": node("MatMul", (7,), (2, 7, 9)),
    "MatMul column": node("MatMul", (2, 5, 7), (7,)),
    "MatMul row and matrix": node("MatMul", (7,), (7, 9)),
    "MatMul of vectors": node("MatMul", (37,), (37,)),
    "MatMul long column": node("MatMul", (2, 5, 199), (2, 199, 1)),
    "MatMul weights left": node("MatMul", weight(5, 7), (3, 7, 9)),
    "MatMul weights right": node("MatMul", (3, 5, 7), weight(3, 7, 9)),
    "MatMul weights of one matrix": node("MatMul", (3, 5, 7), weight(1, 7, 9)),
    "MatMul weights column": node("MatMul", (3, 5, 7), weight(7)),
    "Gemm all": node("Gemm", (7, 5), (9, 7), (5, 1), transA=1, transB=1, alpha=0.5, beta=0.25),
    "Gemm row": node("Gemm", (5, 7), (7, 9), (9,), beta=0.25),
    "Gemm number": node("Gemm", (5, 7), (9, 7), (), transB=1),
    "Gemm matrix": node("Gemm", (7, 5), (7, 9), (5, 9), transA=1, alpha=2.0),
    "Gemm no sum": node("Gemm", (5, 7), (7, 9), opset=11),
    "Gemm beta 0": node("Gemm", (5, 7), (7, 9), (5, 9), beta=0.0),
    "Gemm weights left": node("Gemm", weight(5, 7), (7, 9), weight(9)),
    "Gemm 9": node("Gemm", (5, 7), weight(9, 7), weight(1, 9), transB=1, opset=9),
    "BatchNormalization matrix": node("BatchNormalization", (3, 37), *PER_CHANNEL),
    "BatchNormalization line": node("BatchNormalization", (3, 37, 5), *PER_CHANNEL, opset=9),
    "BatchNormalization run time": node("BatchNormalization", (3, 37, 5), (37,), *PER_CHANNEL[1:]),
    "InstanceNormalization": node("InstanceNormalization", (2, 37, 9, 7), weight(37), weight(37)),
    "InstanceNormalization line": node(
        "InstanceNormalization", (2, 37, 9), (37,), (37,), epsilon=0.1, opset=9
    ),
    "InstanceNormalization volume": node(
        "InstanceNormalization", (2, 3, 4, 5, 6), weight(3), weight(3)
    ),
    "LayerNormalization": node("LayerNormalization", (2, 5, 37), weight(37), weight(37)),
    "LayerNormalization no bias": node(
        "LayerNormalization", (2, 5, 6, 37), weight(6, 37), axis=-2, epsilon=0.1
    ),
    "LayerNormalization all": node(
        "LayerNormalization", (2, 5, 6), (2, 5, 6), (2, 5, 6), axis=0, stash_type=1
    ),
    "GroupNormalization": node(
        "GroupNormalization", (2, 12, 5, 7), weight(12), weight(12), opset=21, num_groups=3
    ),
    "GroupNormalization matrix": node(
        "GroupNormalization", (2, 12), (12,), (12,), opset=21, num_groups=3, epsilon=0.1
    ),
    "MeanVarianceNormalization": node("MeanVarianceNormalization", (2, 37, 5, 3)),
    "MeanVarianceNormalization axes": node("MeanVarianceNormalization", (2, 5, 6), axes=[-1]),
    "RMSNormalization": node("RMSNormalization", (2, 5, 37), weight(37), opset=23),
    "RMSNormalization axis": node(
        "RMSNormalization", (2, 5, 6), weight(5, 6), opset=23, axis=1, epsilon=0.1
    ),
    "LayerNormalization long rows": node("LayerNormalization", (3, 197), weight(197), weight(197)),
    "InstanceNormalization wide": node("InstanceNormalization", (2, 3, 5, 61), (3,), (3,)),
    "LogSoftmax long rows": node("LogSoftmax", (3, 1001)),
    "Softmax long rows": node("Softmax", (3, 1001)),
    "LogSoftmax": node("LogSoftmax", (2, 3, 37)),
    "LogSoftmax channels": node("LogSoftmax", (2, 37, 5, 3), axis=1),
    "LogSoftmax 11": node("LogSoftmax", (2, 3, 37), opset=11),
    "LogSoftmax 9 axis": node("LogSoftmax", (2, 3, 37), axis=-1, opset=9),
}


def compiled(proto: onnx.ModelProto, inputs: list[np.ndarray]) -> np.ndarray:
    names = [i.name for i in proto.graph.input]
    return lamina.compile(proto, cache=False).run(dict(zip(names, inputs, strict=True)))["y"]


@pytest.mark.parametrize("name", CASES)
def test_operator_computes_what_onnxruntime_computes(name: str) -> None:
    check(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_machine_code_computes_what_onnxruntime_computes(name: str) -> None:
    inputs = inputs_of(CASES[name])
    want = run_onnxruntime(CASES[name], inputs)[0]
    got = compiled(CASES[name], inputs)
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= 1e-5 * np.abs(want).max()


def test_mean_far_from_zero_costs_no_digits() -> None:
    proto = node("InstanceNormalization", (1, 3, 9, 8), np.ones(3, np.float32), weight(3))
    x = inputs_of(proto)[0] + np.float32(1000)
    exact = x.astype(np.float64)
    exact -= exact.mean((2, 3), keepdims=True)
    exact /= np.sqrt(np.square(exact).mean((2, 3), keepdims=True) + 1e-5)
    bias = onnx.numpy_helper.to_array(proto.graph.initializer[1]).reshape(-1, 1, 1)
    np.testing.assert_allclose(compiled(proto, [x]), exact + bias, rtol=0, atol=2e-4)


def test_improbable_classes_have_a_finite_logarithm() -> None:
    x = np.array([[0.0, 500.0, -500.0]], np.float32)
    np.testing.assert_allclose(compiled(node("LogSoftmax", (1, 3)), [x]), [[-500, 0, -1000]])


def test_instance_norm_stays_in_blocks_between_convolutions() -> None:
    nodes = [
        helper.make_node("Conv", ["x", "v"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("InstanceNormalization", ["a", "s", "b"], ["n"]),
        helper.make_node("Relu", ["n"], ["r"]),
        helper.make_node("Conv", ["r", "w"], ["y"], pads=[1, 1, 1, 1]),
    ]
    weights = {"v": weight(37, 5, 3, 3), "s": weight(37), "b": weight(37), "w": weight(6, 37, 3, 3)}
    proto = model(nodes, {"x": [2, 5, 9, 8]}, weights)
    inputs = inputs_of(proto)
    want = run_onnxruntime(proto, inputs)[0]
    assert np.abs(compiled(proto, inputs) - want).max() <= 1e-5 * np.abs(want).max()


def test_layer_norm_spelled_out_is_one_op() -> None:
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["m"], axes=[-1]),
        helper.make_node("Sub", ["x", "m"], ["d"]),
        helper.make_node("Pow", ["d", "two"], ["q"]),
        helper.make_node("ReduceMean", ["q"], ["v"], axes=[-1]),
        helper.make_node("Add", ["v", "epsilon"], ["a"]),
        helper.make_node("Sqrt", ["a"], ["r"]),
        helper.make_node("Div", ["d", "r"], ["n"]),
        helper.make_node("Mul", ["n", "s"], ["p"]),
        helper.make_node("Add", ["p", "b"], ["y"]),
    ]
    numbers = {"two": np.array(2, np.float32), "epsilon": np.array(1e-5, np.float32)}
    weights = {**numbers, "s": weight(37), "b": weight(37)}
    proto = model(nodes, {"x": [2, 5, 37]}, weights)
    inputs = inputs_of(proto)
    want = run_onnxruntime(proto, inputs)[0]
    assert np.abs(compiled(proto, inputs) - want).max() <= 1e-5 * np.abs(want).max()
    ctx = new_context()
    module = import_model(proto, ctx.weights)
    for each in default("cpu"):
        each.apply(ctx, module)
        if each.name == "outline-kernels":
            break
    kernels = [op.sym_name.data for op in module.ops if isinstance(op, func.FuncOp)]
    assert kernels == ["main", "normalize_mul_add_0"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    op=st.sampled_from(
        ["LogSoftmax", "Softmax", "ReduceMax", "ReduceMean", "ReduceProd", "ReduceL2"]
    ),
    size=st.tuples(st.integers(1, 5), st.integers(1, 20), st.integers(1, 150)),
    first=st.integers(0, 2),
)
def test_rows_of_any_length_are_reduced(op: str, size: tuple[int, ...], first: int) -> None:
    if op.startswith("Reduce"):
        proto = node(op, size, axes=list(range(first, 3)), opset=13)
    else:
        proto = node(op, size, axis=first)
    inputs = [abs(x) for x in inputs_of(proto)]  # a sum near zero would be all rounding errors
    want = run_onnxruntime(proto, inputs)[0]
    assert np.abs(compiled(proto, inputs) - want).max() <= 1e-5 * np.abs(want).max() + 1e-30


def test_layer_norm_gives_its_statistics() -> None:
    norm = helper.make_node("LayerNormalization", ["x", "s"], ["y", "mean", "inverse"], axis=1)
    names = ["y", "mean", "inverse"]
    proto = model([norm], {"x": [2, 5, 37]}, {"s": weight(5, 37)}, outputs=names)
    check(proto)
    inputs = inputs_of(proto)
    got = lamina.compile(proto, cache=False).run({"x": inputs[0]})
    for name, want in zip(names, run_onnxruntime(proto, inputs), strict=True):
        assert got[name].shape == want.shape
        np.testing.assert_allclose(got[name], want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("proto", "message"),
    [
        (node("MatMul", (2, 3), ()), r"MatMul of \[2, 3\] and \[\]; a number is no matrix"),
        (
            node("Gemm", (2, 3, 4), weight(4, 5)),
            r"Gemm of \[2, 3, 4\] and \[4, 5\]; matrices are needed",
        ),
        (
            node("MeanVarianceNormalization", (2, 3), axes=[2]),
            "MeanVarianceNormalization with axis 2 of 2 dimensions",
        ),
        (
            node("InstanceNormalization", (2, 3), weight(3), weight(3)),
            r"InstanceNormalization of \[2, 3\]; N, C and more are needed",
        ),
        (
            node("LayerNormalization", (2, 3), weight(3), stash_type=10),
            "LayerNormalization with stash_type 10",
        ),
        (
            node("GroupNormalization", (2, 5, 3), weight(5), weight(5), opset=21, num_groups=2),
            r"GroupNormalization of \[2, 5, 3\] in 2 groups",
        ),
    ],
)
def test_refused_forms_are_named(proto: onnx.ModelProto, message: str) -> None:
    with pytest.raises(LaminaError, match=message):
        lamina.compile(proto, cache=False)
