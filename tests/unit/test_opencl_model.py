"""Networks on an OpenCL device: the driver of the extra `opencl`, which runs on the CPU."""

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import helper

import lamina
from lamina.backends.cpu.manifest import Manifest
from lamina.backends.opencl.model import OpenCLModel
from lamina.errors import InputValueError, LaminaError
from tests.unit.small_network import small_network

pyopencl = pytest.importorskip("pyopencl")
GEN9, LDS, PORTABLE = "opencl:intel-gen9", "opencl:lds", "opencl:portable"
Array = NDArray[np.float32]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAMINA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def network(*nodes: onnx.NodeProto, x: tuple[int, ...], **weights: Array) -> onnx.ModelProto:
    """A network of one input, `x`, and one output, `y`."""
    given = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, x)
    made = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    constants = [onnx.numpy_helper.from_array(w, name) for name, w in weights.items()]
    graph = helper.make_graph(nodes, "g", [given], [made], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return onnx.shape_inference.infer_shapes(model)


def random(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def conv(*, x: tuple[int, ...], w: tuple[int, ...], **attributes: Any) -> onnx.ModelProto:
    w_, b = random(*w, seed=1), random(w[0], seed=2)
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], "conv", **attributes),
        helper.make_node("Relu", ["c"], ["y"]),
    ]
    return network(*nodes, x=x, w=w_, b=b)


def one(op: str, *, x: tuple[int, ...], **attributes: Any) -> onnx.ModelProto:
    return network(helper.make_node(op, ["x"], ["y"], **attributes), x=x)


def dense(*, x: tuple[int, ...], w: tuple[int, ...]) -> onnx.ModelProto:
    node = helper.make_node("Gemm", ["x", "w", "b"], ["y"], transB=1)
    return network(node, x=x, w=random(*w), b=random(w[0], seed=3))


def branches() -> onnx.ModelProto:
    """Parts of a concat, of which one begins in a place that no device can address."""
    nodes = [
        helper.make_node("Conv", ["x", "a"], ["p"], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["x", "b"], ["q"]),
        helper.make_node("Exp", ["q"], ["r"]),
        helper.make_node("Concat", ["p", "r", "q"], ["s"], axis=1),
        helper.make_node("Slice", ["s", "from", "to", "axis"], ["y"]),
    ]
    ints = {"from": [16], "to": [60], "axis": [1]}
    more = {name: np.array(v, np.int64) for name, v in ints.items()}
    weights = {"a": random(16, 16, 3, 3), "b": random(24, 16, 1, 1), **more}
    return network(*nodes, x=(1, 16, 3, 9), **weights)  # pyright: ignore[reportArgumentType]


def backwards() -> onnx.ModelProto:
    """Blocks whose addresses fall from step to step."""
    ints = {"from": [3], "to": [0], "axis": [1], "by": [-2]}
    weights = {name: np.array(v, np.int64) for name, v in ints.items()}
    node = helper.make_node("Slice", ["x", *ints], ["y"])
    return network(node, x=(1, 4, 24, 26), **weights)  # pyright: ignore[reportArgumentType]


PAD = {"pads": [1, 1, 1, 1]}
NETWORKS = {
    "direct": lambda: conv(x=(1, 32, 14, 14), w=(48, 32, 3, 3), **PAD),
    "ragged": lambda: conv(x=(2, 5, 11, 13), w=(21, 5, 3, 3), **PAD),
    "plain": lambda: conv(x=(1, 3, 17, 19), w=(7, 3, 5, 5)),
    "pointwise": lambda: conv(x=(1, 37, 9, 7), w=(40, 37, 1, 1)),
    "strided": lambda: conv(x=(1, 16, 15, 15), w=(32, 16, 3, 3), strides=[2, 2], **PAD),
    "depthwise": lambda: conv(x=(1, 40, 12, 12), w=(40, 1, 3, 3), group=40, **PAD),
    "groups": lambda: conv(x=(1, 12, 8, 8), w=(18, 4, 3, 3), group=3, **PAD),
    "dilated": lambda: conv(x=(1, 16, 12, 12), w=(16, 16, 3, 3), dilations=[2, 2]),
    "dense": lambda: dense(x=(3, 50), w=(29, 50)),
    "long sums": lambda: dense(x=(1, 2048), w=(16, 2048)),
    "max": lambda: one("MaxPool", x=(1, 20, 13, 13), kernel_shape=[3, 3], strides=[2, 2], **PAD),
    "mean": lambda: one("AveragePool", x=(1, 20, 13, 13), kernel_shape=[3, 3], **PAD),
    "whole mean": lambda: one("GlobalAveragePool", x=(2, 20, 7, 7)),
    "softmax": lambda: one("Softmax", x=(3, 45), axis=1),
    "softmax of long rows": lambda: one("Softmax", x=(2, 2997), axis=1),
    "softmax of channels": lambda: one("Softmax", x=(1, 5, 6, 7), axis=1),
    "transpose": lambda: one("Transpose", x=(3, 5, 7), perm=[2, 0, 1]),
    "sum": lambda: one("ReduceSum", x=(4, 33, 5), keepdims=0),
    "sigmoid": lambda: one("Sigmoid", x=(1, 33)),
    "branches": branches,
    "backwards": backwards,
    "network": small_network,
}
INTEGERS = np.array([-(2**31), 2**31 - 1, -7, -1, 0, 1, 7, 5], np.int32)


def expected(model: onnx.ModelProto, x: Array) -> Array:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    (y,) = session.run(None, {"x": x})
    return np.asarray(y)


def compiled(model: onnx.ModelProto, target: str = GEN9) -> OpenCLModel:
    found = lamina.compile(model, target=target)
    assert isinstance(found, OpenCLModel)
    return found


WITHOUT_SUBGROUPS = ["direct", "pointwise", "strided", "depthwise", "dense", "max", "softmax"]
WITHOUT_SUBGROUPS += ["transpose", "network"]


@pytest.mark.parametrize(
    ("name", "target"),
    [
        *((name, GEN9) for name in NETWORKS),
        *((name, target) for name in WITHOUT_SUBGROUPS for target in (LDS, PORTABLE)),
    ],
)
def test_kernels_compute_what_onnxruntime_does(name: str, target: str) -> None:
    model = NETWORKS[name]()
    ours = compiled(model, target)
    x = random(*ours.inputs[0].shape, seed=7)
    y, reference = ours(x), expected(model, x)
    assert y.shape == reference.shape
    assert np.abs(y - reference).max() <= 1e-5 * np.abs(reference).max()


def test_signed_integers_are_divided_towards_zero() -> None:
    given = helper.make_tensor_value_info("x", onnx.TensorProto.INT32, [8])
    made = helper.make_tensor_value_info("y", onnx.TensorProto.INT32, [5, 8])
    by = np.array([[3], [-3], [7], [1], [-(2**31)]], np.int32)
    constant, node = (
        onnx.numpy_helper.from_array(by, "by"),
        helper.make_node("Div", ["x", "by"], ["y"]),
    )
    graph = helper.make_graph([node], "g", [given], [made], [constant])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (y,) = lamina.compile(model, target=GEN9).run({"x": INTEGERS}).values()
    np.testing.assert_array_equal(y, np.trunc(INTEGERS / by.astype(float)).astype(np.int32))


@pytest.fixture
def model() -> OpenCLModel:
    return compiled(NETWORKS["ragged"]())


@pytest.fixture
def x() -> Array:
    return random(2, 5, 11, 13, seed=7)


def test_xe_runs_too(model: OpenCLModel, x: Array) -> None:
    xe = compiled(NETWORKS["ragged"](), "opencl:intel-xe")
    np.testing.assert_allclose(xe(x), model(x), atol=1e-5)


@pytest.mark.parametrize("target", [LDS, PORTABLE])
def test_kernels_without_subgroups_need_no_extension(target: str) -> None:
    sources = b"".join(compiled(NETWORKS["pointwise"](), target).objects.values())
    assert b"get_local_id(0)" in sources
    assert b"sub_group" not in sources
    assert (b"__local" in sources) == (target == LDS)


def test_results_are_not_overwritten_by_the_next_call(model: OpenCLModel, x: Array) -> None:
    first = model(x)
    copy = first.copy()
    assert np.abs(model(2 * x) - first).max() > 1e-3
    assert np.array_equal(first, copy)


def test_arrays_of_any_strides_are_read(model: OpenCLModel, x: Array) -> None:
    assert np.array_equal(model(np.asfortranarray(x)), model(x))


def test_wrong_input_is_refused(model: OpenCLModel) -> None:
    with pytest.raises(InputValueError, match="input 'x' needs shape"):
        model(random(1, 5, 11, 13))


def test_concurrent_calls_do_not_share_an_arena(model: OpenCLModel, x: Array) -> None:
    inputs = [x + k for k in range(6)]
    right = [model(v) for v in inputs]
    results: dict[int, list[Array]] = {}

    def work(k: int) -> None:
        results[k] = [model(inputs[k]) for _ in range(5)]

    threads = [threading.Thread(target=work, args=[k]) for k in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k, ys in results.items():
        assert all(np.array_equal(y, right[k]) for y in ys)


def test_profile_lists_the_calls_in_order(model: OpenCLModel, x: Array) -> None:
    timings = model.profile({"x": x}, rounds=3)
    assert [t.symbol for t in timings] == [c.symbol for c in model.manifest.calls]
    assert all(0 < t.seconds < 1 for t in timings)
    assert max(t.flops for t in timings) >= 2 * 21 * 5 * 9 * 11 * 13 * 2


def test_enqueueing_is_timed_apart(model: OpenCLModel, x: Array) -> None:
    host = model.enqueueing({"x": x}, rounds=3)
    assert host.kernels == len(model.manifest.launches)
    assert 0 < host.seconds < host.whole < 1


def test_host_waits_for_nothing_between_launches(
    model: OpenCLModel, x: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, done = model(x), list[str]()

    def noted(name: str) -> Any:
        original = getattr(pyopencl, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            done.append(name)
            return original(*args, **kwargs)

        return call

    names = ["enqueue_nd_range_kernel", "enqueue_map_buffer", "wait_for_events", "Buffer", "Kernel"]
    for name in names:
        monkeypatch.setattr(pyopencl, name, noted(name))
    np.testing.assert_array_equal(model(x), right)
    launches = ["enqueue_nd_range_kernel"] * len(model.manifest.launches)
    assert done == ["enqueue_map_buffer", *launches, "enqueue_map_buffer"]


def test_values_are_those_of_the_cpu(model: OpenCLModel, x: Array) -> None:
    values = model.values({"x": x})
    np.testing.assert_array_equal(values["y"], model(x))
    assert set(values) == set(model.layouts)


def test_saved_model_computes_the_same(model: OpenCLModel, x: Array, tmp_path: Path) -> None:
    model.save(tmp_path / "m.lam")
    found = lamina.load(tmp_path / "m.lam")
    assert found.manifest == model.manifest
    np.testing.assert_array_equal(found(x), model(x))
    with pytest.raises(LaminaError, match="threads=2 needs a model that was compiled for so many"):
        lamina.load(tmp_path / "m.lam", threads=2)


def test_device_that_is_too_small_is_refused(model: OpenCLModel, x: Array) -> None:
    small = replace(model.device, memory=1000)
    with pytest.raises(LaminaError, match=r"has 0.00 GiB, .* choose another device"):
        OpenCLModel(model.objects, model.manifest, model.weights, small)(x)


def test_out_of_memory_is_said_in_one_line(model: OpenCLModel, x: Array) -> None:
    huge = tuple(
        replace(a, shape=(1 << 45,)) if a.role == "arena" else a for a in model.manifest.arguments
    )
    manifest = replace(model.manifest, arguments=huge)
    large = replace(model.device, memory=1 << 60, largest=1 << 60)
    with pytest.raises(
        LaminaError, match=r"out of memory: each call needs 32768\.00 GiB"
    ) as caught:
        OpenCLModel(model.objects, manifest, model.weights, large)(x)
    assert "\n" not in str(caught.value)


def test_manifest_is_read_as_it_was_written(model: OpenCLModel) -> None:
    assert model.manifest.launches
    assert Manifest.from_json(model.manifest.to_json()) == model.manifest


def test_buffers_begin_where_a_device_can_address_them() -> None:
    manifest = compiled(branches()).manifest
    parts = [b for x in manifest.launches for b in x.buffers]
    assert all(b.offset % 128 == 0 for b in parts)
    assert any(b.offset for b in parts)


def test_threads_are_those_of_a_cpu() -> None:
    with pytest.raises(LaminaError, match="threads=2 are those of a CPU, found target opencl"):
        lamina.compile(NETWORKS["dense"](), target=GEN9, threads=2)


def test_command_runs_a_model(tmp_path: Path) -> None:
    onnx.save(NETWORKS["dense"](), tmp_path / "m.onnx")
    command = [sys.executable, "-m", "lamina.tools.lamina"]
    compile = [*command, "compile", "m.onnx", "--target", GEN9, "-o", "m.lam"]
    subprocess.run(compile, cwd=tmp_path, check=True)
    done = subprocess.run(
        [*command, "run", "m.lam"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert "y: 3x29 float32" in done.stdout


def test_bench_profiles_the_kernels_of_a_device(tmp_path: Path) -> None:
    onnx.save(NETWORKS["dense"](), tmp_path / "m.onnx")
    command = [sys.executable, "-m", "lamina.tools.lamina", "bench", "m.onnx", "--rounds", "2"]
    command += ["--target", GEN9, "--profile", "--against", "onnxruntime"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "dense_0" in done.stdout
    assert "of peak" not in done.stdout
    assert "the host enqueues" in done.stdout
