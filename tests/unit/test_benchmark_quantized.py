"""The quantized networks that we measure: what their variants are, the same in every run."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from benchmarks import quantized
from benchmarks.models import BN_STATS

NAME = "mobilenet_v1"


@pytest.fixture(scope="module")
def model() -> onnx.ModelProto:
    return quantized.prepared(NAME)


def stored(model: onnx.ModelProto) -> set[int]:
    """The types that real numbers are quantized to."""
    types = {weight.name: weight.data_type for weight in model.graph.initializer}
    return {types[node.input[2]] for node in model.graph.node if node.op_type == "QuantizeLinear"}


@pytest.mark.parametrize(
    ("variant", "activations"),
    [("u8s8-channel", TensorProto.UINT8), ("s8s8-tensor", TensorProto.INT8)],
)
def test_variants_are_what_their_names_say(
    model: onnx.ModelProto, variant: str, activations: int
) -> None:
    found = quantized.quantized(model, variant, images=1)
    convolutions = [node for node in found.graph.node if node.op_type == "Conv"]
    assert len(convolutions) == 27
    assert "BatchNormalization" not in {node.op_type for node in found.graph.node}
    assert stored(found) == {activations}
    weights = {weight.name: weight for weight in found.graph.initializer}
    (read,) = [node for node in found.graph.node if node.output[0] == convolutions[0].input[1]]
    assert weights[read.input[0]].data_type == TensorProto.INT8
    assert list(weights[read.input[1]].dims) == ([32] if variant.endswith("channel") else [])


def test_a_variant_has_the_same_bytes_every_time(model: onnx.ModelProto) -> None:
    one, two = (quantized.quantized(model, "u8s8-channel", images=1) for _ in range(2))
    assert one.SerializeToString(deterministic=True) == two.SerializeToString(deterministic=True)


def test_images_are_like_those_of_the_recorded_statistics() -> None:
    model = quantized.build("resnet50")
    (w,) = (numpy_helper.to_array(t) for t in model.graph.initializer if t.name == "conv_0.w")
    with np.load(BN_STATS / "resnet50.npz") as recorded:
        wanted = recorded["bn_1.var"]
    images = np.concatenate([quantized.image((1, 3, 224, 224), seed) for seed in range(4)])
    windows = np.lib.stride_tricks.sliding_window_view(images, (7, 7), (2, 3))[:, :, ::4, ::4]
    found = np.einsum("nchwij,ocij->onhw", windows, w, optimize=True).var((1, 2, 3))
    assert abs(np.log(found / wanted)).max() < 0.5
    assert abs(np.log(found / wanted).mean()) < 0.1


def test_the_command_writes_what_was_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [NAME, "--variants", "s8s8-channel", "--images", "1", "--out", str(tmp_path)]
    quantized.main(words)
    assert [path.name for path in tmp_path.iterdir()] == [f"{NAME}-s8s8-channel.onnx"]
    onnx.checker.check_model(tmp_path / f"{NAME}-s8s8-channel.onnx")
    with pytest.raises(SystemExit):
        quantized.main(["--variants", "u4"])
    assert "no u4; there are u8s8-tensor, u8s8-channel," in capsys.readouterr().err
