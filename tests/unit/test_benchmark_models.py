"""The networks we measure: the same on every machine, and valid ONNX."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from benchmarks.models import BN_STATS, MODELS, build, has_bn_stats, light
from benchmarks.models.__main__ import main

SMALL = ["mobilenet_v1", "mobilenet_v2", "squeezenet1_1", "densenet121", "resnet18"]


def digest(model: onnx.ModelProto) -> str:
    """A hash of names, shapes and bytes of all weights, and of the nodes."""
    content = hashlib.sha256()
    for weight in model.graph.initializer:
        content.update(f"{weight.name} {list(weight.dims)}".encode())
        content.update(weight.raw_data)
    for node in model.graph.node:
        content.update(f"{node.op_type} {list(node.input)} {list(node.output)}".encode())
    return content.hexdigest()[:16]


@pytest.mark.parametrize(
    ("name", "seed", "expected"),
    [
        ("squeezenet1_1", 0, "17c7a6e0ac508495"),
        ("squeezenet1_1", 1, "63c1ee9f6e801fe5"),
        ("mobilenet_v2", 0, "5cb34fb5a2111846"),
    ],
)
def test_weights_are_those_that_figures_were_measured_with(
    name: str, seed: int, expected: str
) -> None:
    assert digest(build(name, seed=seed)) == expected


@pytest.mark.parametrize("name", SMALL)
def test_model_is_valid_and_its_output_depends_on_the_input(name: str) -> None:
    model = build(name, bn_stats=True)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    random = np.random.default_rng(0)
    one, other = (
        np.asarray(
            session.run(None, {"data": random.standard_normal((1, 3, 224, 224), np.float32)})
        )
        for _ in range(2)
    )
    assert one.shape == (1, 1, 1000)
    assert np.abs(one - other).max() > 1e-3 * np.abs(one).max()


def test_recorded_statistics_replace_those_of_the_generator() -> None:
    plain, recorded = (build("mobilenet_v1", bn_stats=use) for use in (False, True))
    changed = [
        a.name
        for a, b in zip(plain.graph.initializer, recorded.graph.initializer, strict=True)
        if a.raw_data != b.raw_data
    ]
    layers = {name.partition("_")[0] + "." + name.rpartition(".")[2] for name in changed}
    assert layers == {"bn.mean", "bn.var", "fc.b"}


def test_light_model_gives_different_answers_to_different_images() -> None:
    model = light.build("light_squeezenet")
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (image,) = session.get_inputs()
    one, other = (
        np.asarray(session.run(None, {image.name: np.full(image.shape, v, np.float32)})[0])
        for v in (-1, 1)
    )
    assert np.abs(one - other).max() > 1e-3 * np.abs(one).max()


def test_every_recorded_file_belongs_to_a_model() -> None:
    names = [path.stem for path in BN_STATS.glob("*.npz")]
    assert names
    assert all(name in MODELS and has_bn_stats(name) for name in names)


def test_batch_is_the_first_dimension() -> None:
    model = build("squeezenet1_1", batch=3)
    dims = model.graph.output[0].type.tensor_type.shape.dim
    assert [dim.dim_value for dim in dims] == [3, 1000]


def test_command_writes_a_file(tmp_path: Path) -> None:
    main(["squeezenet1_1", "--out", str(tmp_path)])
    assert digest(onnx.load(tmp_path / "squeezenet1_1.onnx")) == digest(build("squeezenet1_1"))


def test_command_names_unknown_models(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["resnet49"])
    assert "no model resnet49; there are resnet18," in capsys.readouterr().err
