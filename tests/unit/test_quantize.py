"""`lamina.quantize`: what it writes, and that others read it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import lamina
from lamina.tools.quantize.observe import Observer
from lamina.tools.quantize.quantizer import Quantizer, Settings
from tests.unit.onnx_models import model, node, run_onnxruntime
from tests.unit.small_network import constants, operators, samples, small_network

PAIR = ("QuantizeLinear", "DequantizeLinear")


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache for all tests, because they compile the same network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAMINA_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def cosine(x: np.ndarray, y: np.ndarray) -> float:
    a, b = (z.reshape(-1).astype(np.float64) for z in (x, y))
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def outputs(proto: onnx.ModelProto, images: np.ndarray) -> np.ndarray:
    """What ONNX Runtime makes of each image, without its own rewrites."""
    return np.array([run_onnxruntime(proto, [image[None]])[0] for image in images])


def quantized_tensors(proto: onnx.ModelProto) -> set[str]:
    return {n.input[0] for n in proto.graph.node if n.op_type == "QuantizeLinear"}


# -- what is written


@pytest.fixture(scope="module")
def written() -> onnx.ModelProto:
    return lamina.quantize(small_network(), samples(8))


def test_result_is_valid_and_close_to_the_float_model(written: onnx.ModelProto) -> None:
    onnx.checker.check_model(written, full_check=True)
    images = samples(16, seed=1)
    assert cosine(outputs(written, images), outputs(small_network(), images)) > 0.999


@pytest.mark.parametrize("level", ["ORT_ENABLE_BASIC", "ORT_ENABLE_ALL"])
def test_onnxruntime_makes_integers_of_it(written: onnx.ModelProto, level: str) -> None:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    session = onnxruntime.InferenceSession(written.SerializeToString(), options)
    images = samples(4, seed=2)
    found = [np.asarray(session.run(None, {"x": image[None]})[0]) for image in images]
    assert cosine(np.array(found), outputs(small_network(), images)) > 0.999


def test_lamina_computes_it_in_integers(written: onnx.ModelProto) -> None:
    compiled = lamina.compile(written)
    images = samples(8, seed=2)
    found = np.array([compiled(image[None]) for image in images])
    want = outputs(written, images)
    assert cosine(found, want) > 0.99999
    assert np.abs(found - want).max() <= 0.02 * np.abs(want).max()  # a step here and there


def test_ends_stay_float_and_the_rest_has_8_bits(written: onnx.ModelProto) -> None:
    weights = {n.output[0]: n for n in written.graph.node if n.op_type == PAIR[1]}
    layers = {n.name: n for n in written.graph.node if n.op_type in ("Conv", "Gemm")}
    rounded = {name for name, n in layers.items() if n.input[1] in weights}
    assert rounded == {"conv2", "conv3", "conv4", "dense5"}
    assert quantized_tensors(written) == {
        *("r1", "p1", "c2", "r2", "c3", "r3", "k3", "q4", "m4", "f4")
    }


def test_weights_are_int8_by_channel_and_biases_int32(written: onnx.ModelProto) -> None:
    arrays = constants(written)
    assert {n: a.dtype for n, a in arrays.items() if n.startswith(("w", "g5"))} == {
        "w1_folded": np.float32,
        **{
            f"{w}_{what}": np.dtype(dtype)
            for w in ("w2", "w3", "w4", "g5")
            for what, dtype in (("quantized", "i1"), ("scale", "f4"), ("zero_point", "i1"))
        },
    }
    channels = {w: arrays[f"{w}_scale"].shape for w in ("w2", "w3", "w4", "g5")}
    assert channels == {"w2": (12,), "w3": (12,), "w4": (5,), "g5": (6,)}
    axes = {n.output[0]: n.attribute[0].i for n in written.graph.node if n.attribute[:1]}
    assert axes["g5_dequantized"] == 1
    assert axes["w4_dequantized"] == 0
    for layer, x in (("b2", "p1"), ("b4", "k3")):
        scale = arrays[f"{x}_scale"] * arrays[f"w{layer[1]}_scale"]
        assert arrays[f"{layer}_quantized"].dtype == np.int32
        assert np.array_equal(arrays[f"{layer}_scale"], scale)


def test_what_moves_elements_shares_a_scale(written: onnx.ModelProto) -> None:
    arrays = constants(written)
    for names in (("r1", "p1"), ("r3", "c2", "k3"), ("m4", "f4")):
        assert len({float(arrays[f"{n}_scale"]) for n in names}) == 1
        assert len({int(arrays[f"{n}_zero_point"]) for n in names}) == 1
    assert arrays["r1_scale"] != arrays["r3_scale"]


def test_batch_norm_is_folded_and_names_stay(written: onnx.ModelProto) -> None:
    assert "BatchNormalization" not in operators(written)
    (conv,) = [n for n in written.graph.node if n.name == "conv1"]
    assert list(conv.output) == ["n1"]
    assert {v.name for v in written.graph.output} == {"y"}
    assert [v.name for v in written.graph.input] == ["x"]


def test_model_in_memory_stays_as_it_is() -> None:
    float_model = small_network()
    before = float_model.SerializeToString()
    lamina.quantize(float_model, samples(2), cache=False)
    assert float_model.SerializeToString() == before


def test_signed_activations_and_seven_bits() -> None:
    found = lamina.quantize(
        small_network(), samples(8), activations="s8", seven_bit=True, whole=True, cache=False
    )
    arrays = constants(found)
    assert arrays["r1_zero_point"].dtype == np.int8
    assert arrays["r1_zero_point"] == -128
    weights = [a for n, a in arrays.items() if n.endswith("_quantized") and a.dtype == np.int8]
    assert len(weights) == 6
    assert {int(np.abs(w.astype(int)).max()) for w in weights} == {64}
    images = samples(16, seed=1)
    assert cosine(outputs(found, images), outputs(small_network(), images)) > 0.995


def test_simulated_model_computes_what_the_quantized_one_does() -> None:
    quantizer = Quantizer(small_network(), Settings())
    ranges = quantizer.calibrated(quantizer.samples(samples(8)), keep=False)
    real, simulated = (quantizer.written(ranges, simulate=s) for s in (False, True))
    assert not {*PAIR} & {*operators(simulated)}
    images = samples(8, seed=3)
    x, y = outputs(real, images), outputs(simulated, images)
    assert np.abs(x - y).max() <= 1e-6 * np.abs(x).max()
    run = Observer(simulated, [], {})
    z = np.array([run({"x": image[None]})["y"] for image in images])
    assert np.abs(x - z).max() <= 0.02 * np.abs(x).max()  # a step here and there


@pytest.mark.parametrize("opset", [11, 12, 13, 21])
def test_older_opsets_are_raised_and_newer_ones_stay(opset: int) -> None:
    found = lamina.quantize(small_network(opset), samples(2), cache=False)
    assert found.opset_import[0].version == max(opset, 13)
    onnx.checker.check_model(found, full_check=True)
    run_onnxruntime(found, [samples(1)])


@pytest.mark.parametrize("opset", [7, 9])
def test_weights_that_are_inputs_are_weights(opset: int) -> None:
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["y"], transB=1)]
    weights = {"w": samples_of((4, 5)), "b": samples_of((4,))}
    proto = model(nodes, {"x": [1, 5], "w": [4, 5], "b": [4]}, weights, opset=opset)
    proto.ir_version = 3
    found = lamina.quantize(proto, samples_of((3, 5)), whole=True, cache=False)
    assert [v.name for v in found.graph.input] == ["x"]
    assert operators(found) == [*PAIR, *PAIR[1:] * 2, "Gemm"]
    onnx.checker.check_model(found, full_check=True)


def test_names_that_are_taken_are_not_used_twice() -> None:
    proto = small_network()
    proto.graph.node[4].output[0] = proto.graph.node[5].input[0] = "r1_quantized"
    proto.graph.node[9].input[1] = "r1_quantized"
    found = lamina.quantize(proto, samples(2), cache=False)
    onnx.checker.check_model(found, full_check=True)


# -- what is quantized in which way


def test_constants_in_nodes_and_under_other_names_are_weights() -> None:
    rng = np.random.default_rng(0)
    w = rng.standard_normal((4, 3, 1, 1)).astype(np.float32)
    nodes = [
        helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(w)),
        helper.make_node("Identity", ["w"], ["v"]),
        helper.make_node("Conv", ["x", "v"], ["y"]),
    ]
    found = lamina.quantize(
        model(nodes, {"x": [1, 3, 4, 4]}), rng.standard_normal((2, 3, 4, 4), np.float32), whole=True
    )
    assert operators(found) == [*PAIR, "DequantizeLinear", "Conv"]


def test_products_of_two_computed_matrices_have_8_bits() -> None:
    nodes = [helper.make_node("MatMul", ["x", "z"], ["y"])]
    data = {n: np.random.default_rng(1).standard_normal((3, 4, 4), np.float32) for n in "xz"}
    proto = model(nodes, {"x": [1, 4, 4], "z": [1, 4, 4]})
    assert quantized_tensors(lamina.quantize(proto, data, whole=True)) == {"x", "z"}


def test_shared_weights_are_written_once_for_each_scale() -> None:
    w = np.random.default_rng(1).standard_normal((4, 4)).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("MatMul", ["a", "w"], ["b"]),
        helper.make_node("Gemm", ["b", "w"], ["y"], transB=1),
    ]
    proto = model(nodes, {"x": [1, 4]}, {"w": w})
    found = lamina.quantize(proto, samples_of((2, 4)), whole=True)
    assert sorted(n for n, a in constants(found).items() if a.ndim == 2) == [
        "w_quantized",
        "w_quantized_",
    ]


def samples_of(size: Sequence[int]) -> np.ndarray:
    return np.random.default_rng(9).standard_normal(size).astype(np.float32)


REFUSED: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("Gemm", ((4, 4), samples_of((4, 4))), {"transA": 1}, "its input is transposed"),
    ("Gemm", ((4, 4), samples_of((4, 4))), {"alpha": 2.0}, "its alpha and beta are not 1"),
    ("Gemm", ((4, 4), (4, 4)), {}, "its weights are computed"),
    ("MatMul", (samples_of((4, 4)), (4, 4)), {}, "its input is no float tensor"),
    ("MatMul", ((2, 4, 4), samples_of((2, 4, 4))), {}, "its weights have 3 dimensions, not 2"),
]


@pytest.mark.parametrize(("op", "operands", "attributes", "why"), REFUSED)
def test_layers_that_cannot_have_8_bits_stay_float(
    op: str, operands: tuple[Any, ...], attributes: dict[str, Any], why: str
) -> None:
    with pytest.raises(lamina.LaminaError, match=f"nothing to quantize: .*{why}"):
        lamina.quantize(node(op, *operands, **attributes), {}, whole=True)


def test_kept_float_layers_and_kinds() -> None:
    found = lamina.quantize(
        small_network(), samples(2), keep_float=["conv[24]"], kinds=["conv", "concat"]
    )
    weights = {n for n, a in constants(found).items() if a.dtype == np.int8 and a.ndim > 1}
    assert weights == {"w3_quantized"}
    assert quantized_tensors(found) == {"r2"}


def test_ranges_instead_of_data(tmp_path: Path) -> None:
    quantizer = Quantizer(small_network(), Settings())
    ranges = quantizer.calibrated(quantizer.samples(samples(4)), keep=False)
    found = lamina.quantize(small_network(), ranges=ranges)
    assert found == lamina.quantize(small_network(), samples(4))
    wider = {**ranges, "r2": (-1.0, 1e6)}
    assert constants(lamina.quantize(small_network(), ranges=wider))["r2_scale"] > 1000


def test_open_dimensions_stay_open() -> None:
    proto = small_network()
    proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "N"
    found = lamina.quantize(proto, samples(3))
    assert found.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"
    assert run_onnxruntime(found, [samples(5)])[0].shape == (5, 4)


def test_sums_with_constants_stay_float() -> None:
    nodes = [
        helper.make_node("Add", ["x", "c"], ["a"]),
        helper.make_node("Conv", ["a", "w"], ["y"]),
    ]
    weights = {"c": samples_of((3, 1, 1)), "w": samples_of((4, 3, 1, 1))}
    proto = model(nodes, {"x": [1, 3, 4, 4]}, weights)
    found = lamina.quantize(proto, samples_of((2, 3, 4, 4)), whole=True)
    assert quantized_tensors(found) == {"a"}


def test_constant_channels_and_activations_are_defined() -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["r"]),
        helper.make_node("Conv", ["r", "w", "b"], ["y"]),
    ]
    w = np.zeros((2, 1, 1, 1), np.float32)
    proto = model(nodes, {"x": [1, 1, 2, 2]}, {"w": w, "b": np.array([0.25, 0], np.float32)})
    found = lamina.quantize(proto, -np.ones((3, 1, 2, 2), np.float32), whole=True)
    arrays = constants(found)
    assert (arrays["r_scale"], arrays["r_zero_point"], arrays["w_scale"][1]) == (1, 0, 1)
    y = run_onnxruntime(found, [np.ones((1, 1, 2, 2), np.float32)])[0]
    assert np.allclose(y[0, :, 0, 0], [0.25, 0], rtol=1e-5)


def test_integer_tensors_are_left_alone() -> None:
    shape = helper.make_tensor("s", TensorProto.INT64, [2], [1, -1])
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node("Shape", ["c"], ["n"]),
        helper.make_node("Concat", ["n", "n"], ["k"], axis=0),
        helper.make_node("Reshape", ["c", "s"], ["f"]),
        helper.make_node("MatMul", ["f", "g"], ["y"]),
    ]
    weights = {"w": samples_of((2, 1, 1, 1)), "g": samples_of((8, 3))}
    proto = model(nodes, {"x": [1, 1, 2, 2]}, weights)
    proto.graph.initializer.append(shape)
    found = lamina.quantize(proto, samples_of((2, 1, 2, 2)), whole=True)
    assert quantized_tensors(found) == {"x", "c", "f"}


# -- accuracy


def test_report_ranks_what_loses_most_first() -> None:
    quantizer = Quantizer(small_network(), Settings())
    data = quantizer.samples(samples(4))
    ranges = dict(quantizer.calibrated(data, keep=False))
    ranges["r2"] = (0.0, ranges["r2"][1] / 4)
    ranges["q4"] = (-100.0, 100.0)
    found = quantizer.accuracy(ranges, data)
    rows = {r.tensor: r for r in found.rows}
    assert set(rows) == {*("r1", "r2", "c2", "c3", "r3", "q4", "m4", "w2", "w3", "w4", "g5")}
    noise = [r.own.decibels for r in found.rows]
    assert noise == sorted(noise)
    assert {found.rows[0].tensor, found.rows[1].tensor} == {"r2", "q4"}
    assert rows["r2"].saturated > 0
    assert rows["r2"].size == 4 * 12 * 5 * 4
    assert rows["q4"].saturated == 0
    assert rows["r2"].readers == "conv3"
    assert rows["w4"].readers == "conv4"
    assert found.outputs["y"].decibels < 60
    assert found.outputs["y"].cosine < 1
    assert len(found.table().splitlines()) == 1 + len(found.rows)


def test_report_says_what_onnxruntime_finds() -> None:
    quantizer = Quantizer(small_network(), Settings())
    images = samples(4)
    data = quantizer.samples(images)
    ranges = quantizer.calibrated(data, keep=False)
    found = quantizer.accuracy(ranges, data).outputs["y"]
    real = outputs(quantizer.written(ranges), images)
    exact = outputs(small_network(), images)
    noise = float(((exact - real) ** 2).sum())
    assert found.signal == pytest.approx(float((exact**2).sum()), rel=1e-4)
    assert found.noise == pytest.approx(noise, rel=0.2)
    assert found.cosine == pytest.approx(cosine(exact, real), abs=1e-4)
