"""The digits network in 8 bits reads the held-out digits as well as in float."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import lamina
from lamina.options import REQUANTIZE

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
WAYS = [
    {"method": "minmax"},
    {"method": "percentile"},
    {"method": "entropy"},
    {"whole": True},
    {"whole": True, "activations": "s8"},
    {"whole": True, "seven_bit": True},
]


@pytest.fixture(scope="module")
def held_out() -> tuple[np.ndarray, np.ndarray]:
    with np.load(DIGITS / "held_out.npz") as file:
        return file["images"][:, None, None] / np.float32(16), file["labels"]


Run = Callable[[np.ndarray], np.ndarray]


def by_onnxruntime(model: onnx.ModelProto) -> Run:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return lambda x: np.asarray(session.run(None, {"image": x})[0])


def accuracy(run: Run, held_out: tuple[np.ndarray, np.ndarray]) -> float:
    """The share of the held-out digits that are read right."""
    images, labels = held_out
    return float(
        np.mean([run(x).argmax() == label for x, label in zip(images, labels, strict=True)])
    )


def quantized(way: dict[str, object]) -> onnx.ModelProto:
    data = DIGITS / "calibration.npz"
    return lamina.quantize(DIGITS / "digits.onnx", data, **way)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: "-".join(map(str, way.values())))
def test_accuracy_is_within_a_point_of_float(
    held_out: tuple[np.ndarray, np.ndarray], way: dict[str, object]
) -> None:
    exact = accuracy(by_onnxruntime(onnx.load(DIGITS / "digits.onnx")), held_out)
    model = quantized(way)
    assert accuracy(by_onnxruntime(model), held_out) >= exact - 0.01
    for requantize in REQUANTIZE:
        compiled = lamina.compile(model, requantize=requantize)
        assert accuracy(compiled, held_out) >= exact - 0.01


def test_calibration_images_are_of_those_that_training_saw() -> None:
    images, labels = load_digits(return_X_y=True)
    fitted, *_ = train_test_split(images, labels, test_size=0.2, random_state=0, stratify=labels)
    with np.load(DIGITS / "calibration.npz") as file:
        assert file.files == ["image"]
        assert np.array_equal(file["image"].reshape(-1, 64) * 16, fitted[:100])
        assert file["image"].dtype == np.float32
