"""Networks with quantize and dequantize are computed on bytes, as ONNX Runtime does it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from xdsl.dialects import func
from xdsl.dialects.builtin import MemRefType, ModuleOp, TensorType, f32

import lamina
from lamina import steps
from lamina.backends.machine import describe
from lamina.context import new_context
from lamina.dialects.graph import ConstantOp
from lamina.frontends.onnx import import_model
from lamina.options import Options
from lamina.passes import pipelines
from lamina.passes.graph._layout_apply import apply
from lamina.passes.graph._layout_devices import Devices
from lamina.passes.graph._layout_graph import build
from lamina.tools.validate.check import Checker
from lamina.tools.validate.state import State
from lamina.tools.validate.stored import Steps
from tests.unit.onnx_models import run_onnxruntime, typed_model
from tests.unit.qdq_networks import Network, run_quantized
from tests.unit.quantized import check, integers
from tests.unit.test_layout_choice import function, random_choice

Build = Callable[[Network], list[str]]
PASSES = pipelines.default("cpu")
NAMES = [p.name for p in PASSES]
SELECT, CANCEL = NAMES.index("select-layouts"), NAMES.index("cancel-relayouts")


def residual(net: Network) -> list[str]:
    """Two convolutions beside a shortcut, which is read twice; then another that changes size."""
    x = net.input(1, 3, 17, 19)
    a = net.stored(net.conv(x, (24, 3, 3, 3), pads=[1] * 4, strides=[2, 2]), 0.05)
    b = net.stored(net.conv(a, (24, 24, 1, 1)), 0.05)
    c = net.stored(net.conv(b, (24, 24, 3, 3), pads=[1] * 4), 0.1)
    d = net.stored(net.add("Relu", net.add("Add", c, a)), 0.07, np.iinfo(net.type).min)
    e = net.stored(net.conv(d, (40, 24, 1, 1), strides=[2, 2]), 0.08)
    g = net.stored(net.conv(d, (40, 24, 3, 3), strides=[2, 2], pads=[1] * 4), 0.1)
    return [net.stored(net.add("Add", e, g), 0.15)]


def branches(net: Network) -> list[str]:
    """Parts of a concat of which one means the same as the result, and two something else."""
    x = net.input(2, 16, 9, 11)
    a = net.stored(net.conv(x, (32, 16, 1, 1)), 0.06)
    b = net.stored(net.conv(x, (20, 16, 3, 3), pads=[1] * 4), 0.11)
    c = net.again(net.add("MaxPool", x, kernel_shape=[3, 3], pads=[1] * 4), *net.meant[x])
    joined = net.again(net.add("Concat", a, b, c, axis=1), *net.meant[a])
    return [net.stored(net.conv(joined, (16, 68, 1, 1)), 0.2)]


def pools(net: Network) -> list[str]:
    """Means over windows of all kinds, and over whole images, before a dense layer."""
    x = net.input(2, 20, 13, 15)
    a = net.stored(net.add("AveragePool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1]), 0.017)
    b = net.stored(
        net.add("AveragePool", a, kernel_shape=[3, 2], pads=[1, 0, 1, 1], count_include_pad=1), 0.01
    )
    c = net.again(
        net.add("MaxPool", b, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1), *net.meant[b]
    )
    d = net.stored(net.add("GlobalAveragePool", c), 0.0031)
    e = net.again(net.add("Flatten", d), *net.meant[d])
    return [net.stored(dense(net, e, 20, 10), 0.004)]


def dense(net: Network, x: str, inputs: int, outputs: int) -> str:
    """x @ w + b as exporters write it: weights and bias through bytes, w transposed."""
    w, scale = net.matrix((outputs, inputs), None)
    return net.add("Gemm", x, w, net.bias(x, scale, outputs), transB=1)


def apart(net: Network) -> list[str]:
    """A group for each channel, groups of some, gaps between taps, clipped."""
    x = net.input(1, 24, 14, 10)
    a = net.stored(net.conv(x, (24, 1, 3, 3), group=24, pads=[1] * 4), 0.05)
    low, high = net.known(0.0), net.known(2.0)
    b = net.stored(
        net.add("Clip", net.conv(a, (24, 1, 5, 5), group=24, pads=[2] * 4), low, high), 0.02
    )
    c = net.stored(net.conv(b, (48, 6, 3, 3), group=4, pads=[1] * 4, dilations=[1, 1]), 0.05)
    d = net.stored(net.conv(c, (32, 48, 3, 3), pads=[2] * 4, dilations=[2, 2], bias=False), 0.3)
    return [net.stored(net.conv(d, (48, 16, 1, 1), group=2), 0.4)]


def gates(net: Network) -> list[str]:
    """Squeeze and excite, and a product with a sigmoid of the same."""
    x = net.input(1, 16, 8, 8)
    a = net.stored(net.conv(x, (32, 16, 1, 1)), 0.05)
    b = net.stored(net.add("Mul", a, net.stored(net.add("Sigmoid", a), 1 / 255)), 0.04)
    c = net.stored(net.add("GlobalAveragePool", b), 0.01)
    d = net.stored(net.add("Sigmoid", net.stored(net.conv(c, (32, 32, 1, 1)), 0.01)), 1 / 255)
    return [net.stored(net.add("Mul", b, d), 0.02)]


def normed(net: Network) -> list[str]:
    """A batch norm that nothing folds into, then a convolution of single elements."""
    x = net.input(1, 20, 7, 9)
    parts = [net.known(net.rng.uniform(0.5, 2, 20)) for _ in range(4)]
    a = net.stored(net.add("Relu", net.add("BatchNormalization", x, *parts)), 0.02)
    return [net.stored(net.conv(a, (37, 20, 1, 1)), 0.06)]


def moved(net: Network) -> list[str]:
    """Padding by an op, a slice and a transpose, all on bytes; a matrix product with a batch."""
    x = net.input(2, 8, 6, 7)
    s, z = net.meant[x]
    pads = net.known([0, 0, 1, 2, 0, 0, 1, 1], np.int64)
    a = net.again(net.add("Pad", x, pads), s, z)
    b = net.stored(net.conv(a, (16, 8, 3, 3)), 0.06)
    ends = [net.known(v, np.int64) for v in ([1], [7], [3])]
    c = net.again(net.add("Slice", b, *ends), *net.meant[b])
    d = net.again(net.add("Transpose", c, perm=[0, 2, 3, 1]), *net.meant[c])
    w, _ = net.matrix((16, 12), 1)
    return [net.stored(net.add("MatMul", d, w), 0.07)]


def odd_weights(net: Network) -> list[str]:
    """Unsigned weights with zero points, one of which leaves differences of more than 8 bits."""
    x = net.input(1, 12, 6, 6)
    a = net.stored(net.conv(x, (20, 12, 3, 3), axis=None, zero=128, type="uint8"), 0.1)
    return [net.stored(net.conv(a, (16, 20, 1, 1), axis=None, zero=77, type="uint8"), 0.3)]


NETWORKS = [residual, branches, pools, apart, gates, normed, moved, odd_weights]


def images(proto: onnx.ModelProto, seed: int) -> list[np.ndarray]:
    """Inputs for which some bytes are the ends of their range."""
    rng = np.random.default_rng(seed)
    sizes = [[d.dim_value for d in i.type.tensor_type.shape.dim] for i in proto.graph.input]
    return [2 * rng.standard_normal(size).astype(np.float32) for size in sizes]


def scale_of(proto: onnx.ModelProto, y: str) -> float:
    """What a step of the bytes of `y` is worth."""
    (node,) = (n for n in proto.graph.node if y in n.output)
    (scale,) = (w for w in proto.graph.initializer if w.name == node.input[1])
    return float(numpy_helper.to_array(scale))


def steps_apart(proto: onnx.ModelProto, found: list[np.ndarray], seed: int) -> np.ndarray:
    """How many steps each element is off from what ONNX Runtime computes."""
    wanted = run_quantized(proto, images(proto, seed))
    apart: list[np.ndarray] = []
    for y, got, want in zip(proto.graph.output, found, wanted, strict=True):
        assert want.std() > 2 * scale_of(proto, y.name), "the test says little"
        apart.append(np.rint(np.abs(got - want) / scale_of(proto, y.name)).reshape(-1))
    return np.concatenate(apart)


@pytest.mark.parametrize("type", ["uint8", "int8"])
@pytest.mark.parametrize("network", NETWORKS, ids=lambda f: f.__name__)
def test_results_are_those_of_onnxruntime_within_a_step(network: Build, type: str) -> None:
    net = Network(type, seed=len(network.__name__))
    proto = net.model(*network(net))
    model = lamina.compile(proto, cache=False, threads=1)
    inputs = images(proto, 1)
    found = model.run({f"x{i}": x for i, x in enumerate(inputs)})
    apart = steps_apart(proto, [found[y.name] for y in proto.graph.output], 1)
    assert apart.max() <= 1
    assert (apart > 0).mean() <= 1e-3


@pytest.mark.parametrize("numerics", ["fast", "strict"])
def test_layouts_threads_and_numerics_make_no_difference(numerics: str) -> None:
    net = Network("int8")
    proto = net.model(*residual(net))
    x = {"x0": images(proto, 3)[0]}
    found = [
        lamina.compile(proto, cache=False, threads=threads, numerics=numerics, layouts=layouts).run(
            x
        )
        for threads, layouts in ((1, "exact"), (2, "exact"), (1, "nchw"), (1, "blocked"))
    ]
    for other in found[1:]:
        for name, y in found[0].items():
            np.testing.assert_array_equal(other[name], y)


@pytest.mark.parametrize("type", ["uint8", "int8"])
@pytest.mark.parametrize("network", NETWORKS, ids=lambda f: f.__name__)
def test_each_pass_changes_numbers_as_it_declares(network: Build, type: str) -> None:
    """Tensor by tensor, on samples of all kinds, as --validate compares them."""
    net = Network(type, seed=7)
    ctx = new_context()
    module = import_model(net.model(*network(net)), ctx.weights, None)
    checker, state = Checker(ctx, 0, 60.0, {}), State(module.clone())
    stored = Steps()
    for p in PASSES[:SELECT]:
        p.apply(ctx, module)
        module.verify()
        before, state = state, State(module.clone(), state)
        report = checker.check(before, state, p)
        assert not report.problems, p.name
        for checked in report.checked.values():
            stored += checked.steps
    assert stored.size > 1000
    assert stored.largest <= 1


@pytest.mark.parametrize("network", [gates, odd_weights], ids=lambda f: f.__name__)
def test_below_the_graph_bytes_stay_the_same(network: Build) -> None:
    """No pass from the choice of layouts to vectors changes a bit of any kernel's result."""
    net = Network("uint8", seed=7)
    ctx = new_context()
    module = import_model(net.model(*network(net)), ctx.weights, None)
    passes = pipelines.default("cpu", Options(threads=1))
    steps.lower(ctx, module, passes[:SELECT], silent)
    checker, state = Checker(ctx, 0, 60.0, {}), State(module.clone())
    for p in passes[SELECT:]:
        p.apply(ctx, module)
        before, state = state, State(module.clone(), state)
        report = checker.check(before, state, p)
        assert not report.problems, p.name
        assert all(c.how == "interpreted" for c in report.checked.values()), p.name
        assert all(c.difference == 0 for c in report.checked.values()), p.name


@pytest.mark.parametrize("network", NETWORKS, ids=lambda f: f.__name__)
def test_any_layouts_give_the_same_bytes(network: Build) -> None:
    net = Network("uint8", seed=5)
    proto = net.model(*network(net))
    x = {f"x{i}": x for i, x in enumerate(images(proto, 2))}
    wanted = lamina.compile(proto, cache=False, threads=1).run(x)
    ctx = new_context()
    module = import_model(proto, ctx.weights, None)
    steps.lower(ctx, module, PASSES[:SELECT], silent)
    main = function(module, "main")
    graph = build(main, Devices("cpu"))
    choice = random_choice(graph, np.random.default_rng(len(network.__name__)))
    apply(main, {op: graph.choices[op][choice[v]] for op, v in graph.variable.items()})
    steps.lower(ctx, module, PASSES[CANCEL:], silent, verify=True)
    found = steps.generate(ctx, module, describe("cpu"), silent, cache=False).run(x)
    for name, y in wanted.items():
        np.testing.assert_array_equal(found[name], y)


@pytest.mark.parametrize("scale", [1e-38, 1e37])
@pytest.mark.parametrize("of_weights", [False, True])
def test_tiny_and_huge_scales_stay_what_they_are(scale: float, of_weights: bool) -> None:
    net = Network("uint8", seed=1)
    x = net.input(1, 4, 5, 5)
    if not of_weights:
        x = net.again(x, net.known(scale), net.known(3, np.uint8))
    w, _ = net.matrix((8, 4, 3, 3))
    if of_weights:
        w = net.again(w, net.known(scale), net.known(3, np.uint8))
    y = net.again(net.add("Conv", x, w, pads=[1] * 4), net.known(0.05), net.known(9, np.uint8))
    z = net.stored(net.add("Relu", net.add("MaxPool", y, kernel_shape=[2, 2])), 0.05)
    proto = net.model(z)
    (wanted,) = run_onnxruntime(proto, images(proto, 1))
    found = lamina.compile(proto, cache=False, threads=1).run({"x0": images(proto, 1)[0]})[z]
    assert (np.rint(np.abs(found - wanted) / scale_of(proto, z)) <= 1).all()


@pytest.mark.parametrize("type", ["uint8", "int8"])
def test_maxima_of_bytes_do_not_count_padding(type: str) -> None:
    pool = helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[3, 2], pads=[1, 1, 1, 0])
    x = integers(np.random.default_rng(0), type, (2, 5, 6, 7))
    check(typed_model([pool], {"x": np.minimum(x, np.iinfo(type).min + 3)}, {}, type), {"x": x})


def silent(what: str, more: int = 0) -> None:
    """No progress."""


def on_integers(proto: onnx.ModelProto) -> ModuleOp:
    """The network as calls of kernels."""
    ctx = new_context()
    module = import_model(proto, ctx.weights, None)
    passes = pipelines.default("cpu:skylake-avx512", Options())
    steps.lower(ctx, module, steps.until(passes, "graph"), silent, verify=True)
    return module


@pytest.mark.parametrize("network", NETWORKS, ids=lambda f: f.__name__)
def test_kernels_hand_on_bytes_only(network: Build) -> None:
    net = Network("int8")
    module = on_integers(net.model(*network(net)))
    (main,) = (f for f in module.ops if isinstance(f, func.FuncOp) and f.sym_name.data == "main")
    last = main.body.block.last_op
    assert last is not None
    ours = [r for op in main.body.block.ops if not isinstance(op, ConstantOp) for r in op.results]
    real = [r for r in ours if r not in last.operands and element(r.type) == f32]
    copied = {r for r in real if all(set(u.operation.results) & set(last.operands) for u in r.uses)}
    handed = [r for r in real if r not in copied]  # results may be copied to other layouts
    assert len(handed) == (network is pools)  # a mean over an even window is one of real numbers


def element(type: object) -> object:
    assert isinstance(type, TensorType | MemRefType)
    return type.element_type
