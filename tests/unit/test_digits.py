"""The committed digits network is what its README says, by the word of ONNX Runtime."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

DIGITS = Path(__file__).parents[2] / "examples" / "digits"


@pytest.fixture(scope="module")
def held_out() -> tuple[np.ndarray, np.ndarray]:
    with np.load(DIGITS / "held_out.npz") as file:
        return file["images"][:, None, None] / np.float32(16), file["labels"]


def test_trained_network_reads_held_out_digits(
    held_out: tuple[np.ndarray, np.ndarray],
) -> None:
    images, labels = held_out
    session = onnxruntime.InferenceSession(DIGITS / "digits.onnx")
    found = [np.argmax(np.asarray(session.run(["probability"], {"image": x})[0])) for x in images]
    assert (np.array(found) == labels).mean() >= 0.97


def test_held_out_images_are_those_that_training_sets_aside(
    held_out: tuple[np.ndarray, np.ndarray],
) -> None:
    images, labels = load_digits(return_X_y=True)
    _, apart, _, digits = train_test_split(
        images, labels, test_size=0.2, random_state=0, stratify=labels
    )
    assert np.array_equal(held_out[0].reshape(-1, 64) * 16, apart)
    assert np.array_equal(held_out[1], digits)


def test_network_has_every_kind_of_layer_of_a_residual_network() -> None:
    operators = {node.op_type for node in onnx.load(DIGITS / "digits.onnx").graph.node}
    assert operators == {
        *("Add", "BatchNormalization", "Conv", "Flatten", "Gemm"),
        *("GlobalAveragePool", "MaxPool", "Relu", "Softmax"),
    }


def test_file_is_small_enough_to_commit() -> None:
    assert (DIGITS / "digits.onnx").stat().st_size < 300_000
