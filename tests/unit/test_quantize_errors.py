"""`lamina quantize`: data and models at the edges, and every error as one line."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

import lamina as api
from tests.unit.cli import Command
from tests.unit.onnx_models import model, node, run_onnxruntime
from tests.unit.small_network import samples, small_network


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for all tests, because they compile the same network."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def folder(tmp_path: Path, kernels: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model and data, in the working directory."""
    shutil.rmtree(kernels / "calibration", ignore_errors=True)
    monkeypatch.setenv("LAMINA_CACHE", str(kernels))
    onnx.save(small_network(), tmp_path / "net.onnx")
    np.savez(tmp_path / "data.npz", x=samples(6))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def lamina(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


NEEDS = "needs samples of 1x3x9x7, one after the other, found"

DATA: list[tuple[str, dict[str, Any], str]] = [
    ("misshapen", {"x": samples(2)[:, :, :8]}, f"input 'x' {NEEDS} 2x3x8x7"),
    ("rank", {"x": samples(2)[:, 0]}, f"input 'x' {NEEDS} 2x9x7"),
    ("type", {"x": samples(2).astype(np.float64)}, "input 'x' needs float32, found float64"),
    ("integers", {"x": np.ones((1, 3, 9, 7), np.uint8)}, "input 'x' needs float32, found uint8"),
    ("name", {"image": samples(1)}, "the model has no input 'image'; its inputs are 'x'"),
    ("another", {"x": samples(1), "y": samples(1)}, "the model has no input 'y'; its inputs are"),
    ("missing", {}, "input 'x' is missing"),
    ("empty", {"x": samples(0)}, "input 'x' is empty, found 0x3x9x7"),
    ("nan", {"x": np.full((2, 3, 9, 7), np.nan, np.float32)}, "input 'x' needs finite numbers"),
    ("inf", {"x": np.full((2, 3, 9, 7), -np.inf, np.float32)}, "found -inf at [0, 0, 0, 0]"),
]


@pytest.mark.parametrize(("arrays", "message"), [d[1:] for d in DATA], ids=[d[0] for d in DATA])
def test_data_that_does_not_fit_is_refused(
    lamina: Command, folder: Path, arrays: dict[str, Any], message: str
) -> None:
    np.savez("odd.npz", **arrays)
    said = lamina.error("quantize", "net.onnx", "--data", "odd.npz", "-o", "a.onnx")
    assert said.startswith("'odd.npz': ")
    assert message in said
    assert not Path("a.onnx").exists()


def test_folders_and_files_without_data_are_refused(lamina: Command, folder: Path) -> None:
    (folder / "empty").mkdir()
    Path("torn.npz").write_bytes(b"PK\x03\x04")
    Path("empty/notes.txt").touch()
    for data, message in (
        ("empty", "'empty' has no .npz or .npy files in it"),
        ("nowhere.npz", "cannot read 'nowhere.npz': No such file or directory"),
        ("torn.npz", "'torn.npz' is not a complete .npz file of arrays"),
    ):
        said = lamina.error("quantize", "net.onnx", "--data", data, "-o", "a.onnx")
        assert said.startswith(message)
    Path("empty/0.npy").write_bytes(b"\x93NUMPY")
    said = lamina.error("quantize", "net.onnx", "--data", "empty", "-o", "a.onnx")
    assert said == "'empty/0.npy' is not a complete .npy file of numbers"


def test_files_of_a_folder_are_of_one_shape(lamina: Command, folder: Path) -> None:
    proto = small_network()
    dims = proto.graph.input[0].type.tensor_type.shape.dim
    dims[2].dim_param, dims[3].dim_param = "H", "W"
    onnx.save(proto, "net.onnx")
    (folder / "images").mkdir()
    np.save("images/0.npy", samples(1))
    np.save("images/1.npy", samples(1)[..., :5])
    said = lamina.error("quantize", "net.onnx", "--data", "images", "-o", "a.onnx")
    assert said == f"'images/1.npy': input 'x' {NEEDS} 1x3x9x5"


def test_shape_that_is_nowhere_is_given(lamina: Command, folder: Path) -> None:
    proto = small_network()
    proto.graph.input[0].type.tensor_type.ClearField("shape")
    onnx.save(proto, "open.onnx")
    words = ("quantize", "open.onnx", "--data", "data.npz", "-o", "a.onnx")
    assert lamina.error(*words) == (
        "open.onnx: input 'x' has no shape; set it, as in --shape x=1x3x224x224"
    )
    assert "4 of 6 layers in 8 bits" in lamina(*words, "--shape", "x=1x3x9x7")
    lamina("quantize", "net.onnx", "--data", "data.npz", "-o", "b.onnx")
    x = samples(1)
    a, b = (api.compile(f, shapes={"x": x.shape}, cache=False)(x) for f in ("a.onnx", "b.onnx"))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("batch", [None, 2])
def test_data_may_hold_more_than_a_batch(lamina: Command, folder: Path, batch: int | None) -> None:
    proto = small_network()
    size = proto.graph.input[0].type.tensor_type.shape.dim[0]
    if batch:
        size.dim_value = batch
    else:
        size.dim_param = "N"
    onnx.save(proto, "batch.onnx")
    said = lamina("quantize", "batch.onnx", "--data", "data.npz", "--save-ranges", "a.json")
    assert f"on {6 // (batch or 1)} samples" in said
    lamina("quantize", "net.onnx", "--data", "data.npz", "--save-ranges", "b.json")
    ranges = [json.loads(Path(f).read_text()) for f in ("a.json", "b.json")]
    assert ranges[0] == {name: pytest.approx(r, rel=1e-5) for name, r in ranges[1].items()}


def test_one_sample_is_one_sample(lamina: Command, folder: Path) -> None:
    (folder / "my data").mkdir()
    np.save("my data/the first.npy", samples(1))
    said = lamina("quantize", "net.onnx", "--data", "my data", "-o", "my data/a b.onnx")
    assert said.endswith("calibration: minmax on 1 sample\n")
    onnx.checker.check_model("my data/a b.onnx", full_check=True)


@pytest.mark.parametrize("method", ["minmax", "percentile", "entropy"])
@pytest.mark.parametrize("value", [0.0, 2.5, 1e-42, 1e37])
def test_constant_data_has_a_defined_result(
    lamina: Command, folder: Path, value: float, method: str
) -> None:
    x = np.full((2, 3, 9, 7), value, np.float32)
    np.savez("same.npz", x=x)
    lamina("quantize", "net.onnx", "--data", "same.npz", "--method", method, "-o", "a.onnx")
    weights = [onnx.numpy_helper.to_array(t) for t in onnx.load("a.onnx").graph.initializer]
    assert all(np.isfinite(w).all() for w in weights if w.dtype.kind == "f")
    (wanted,) = run_onnxruntime(onnx.load("a.onnx"), [x[:1]])
    found = api.compile("a.onnx", cache=False)(x[:1])
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, wanted, atol=0.02 * np.abs(wanted).max())


def test_whole_batches_are_needed(lamina: Command, folder: Path) -> None:
    proto = small_network()
    proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 4
    onnx.save(proto, "net.onnx")
    said = lamina.error("quantize", "net.onnx", "--data", "data.npz", "-o", "a.onnx")
    assert said.endswith("needs samples of 4x3x9x7, one after the other, found 6x3x9x7")


def test_inputs_need_as_many_samples(lamina: Command, folder: Path) -> None:
    proto = model([helper.make_node("MatMul", ["a", "b"], ["y"])], {"a": [1, 2, 2], "b": [1, 2, 2]})
    onnx.save(proto, "two.onnx")
    np.savez("odd.npz", a=np.zeros((3, 2, 2), np.float32), b=np.zeros((2, 2, 2), np.float32))
    said = lamina.error("quantize", "two.onnx", "--data", "odd.npz", "--whole", "-o", "a.onnx")
    assert said == "'odd.npz': needs as many samples of each input, found 3 of 'a' and 2 of 'b'"


def test_activations_that_are_not_finite_are_refused(lamina: Command, folder: Path) -> None:
    nodes = [
        helper.make_node("Exp", ["x"], ["e"]),
        helper.make_node("Conv", ["e", "w"], ["y"]),
    ]
    proto = model(nodes, {"x": [1, 1, 1, 1]}, {"w": np.ones((1, 1, 1, 1), np.float32)})
    onnx.save(proto, "exp.onnx")
    np.savez("big.npz", x=np.array([1, 2, 1000, 3], np.float32).reshape(4, 1, 1, 1))
    said = lamina.error("quantize", "exp.onnx", "--data", "big.npz", "--whole", "-o", "a.onnx")
    assert said == (
        "tensor 'e' needs finite numbers to be calibrated, found an infinite number or NaN in "
        "sample 2; leave that sample out, or look for what overflows"
    )
    assert not Path("a.onnx").exists()


def test_weights_that_are_not_finite_are_refused(lamina: Command, folder: Path) -> None:
    onnx.save(node("Conv", (1, 1, 2, 2), np.full((1, 1, 1, 1), np.nan, np.float32)), "nan.onnx")
    np.savez("d.npz", x0=np.ones((1, 1, 2, 2), np.float32))
    said = lamina.error("quantize", "nan.onnx", "--data", "d.npz", "--whole", "-o", "a.onnx")
    assert said.startswith("nan.onnx: weight 'w1' needs finite numbers to be quantized, found nan")


def test_models_that_cannot_be_quantized_are_refused(lamina: Command, folder: Path) -> None:
    lamina("quantize", "net.onnx", "--data", "data.npz", "-o", "int8.onnx")
    onnx.save(node("Relu", (1, 3, 9, 7)), "relu.onnx")
    onnx.save(node("Conv", (1, 3, 9, 7), np.ones((1, 3, 1, 1), np.float32)), "conv.onnx")
    onnx.save(_with_a_branch(), "if.onnx")
    Path("text.onnx").write_text("no model")
    for file, message in (
        ("int8.onnx", "int8.onnx: is quantized already: node '.*' is QuantizeLinear; quantize the"),
        ("relu.onnx", r"relu.onnx: nothing to quantize: no layer \(conv, dense, matmul\) in it"),
        ("conv.onnx", r"conv.onnx: nothing .* 'n' \(first convolution\); --whole quantizes first"),
        ("if.onnx", "if.onnx: cannot be quantized: node 'choice', If, has graphs in it"),
        ("text.onnx", "text.onnx: not an ONNX file, or one that was cut off"),
        ("nowhere.onnx", "cannot read 'nowhere.onnx': No such file or directory"),
    ):
        said = lamina.error("quantize", file, "--data", "data.npz", "-o", "a.onnx")
        assert re.match(message, said), said
    assert not Path("a.onnx").exists()


def _with_a_branch() -> onnx.ModelProto:
    y = helper.make_tensor_value_info("r", onnx.TensorProto.FLOAT, [2])
    branch = helper.make_graph([helper.make_node("Relu", ["x"], ["r"])], "branch", [], [y])
    nodes = [helper.make_node("If", ["c"], ["y"], "choice", then_branch=branch, else_branch=branch)]
    return model(nodes, {"x": [2]}, {"c": np.array(True)})


def test_outputs_that_cannot_be_written_are_refused_first(lamina: Command, folder: Path) -> None:
    for output, message in (
        ("nowhere/a.onnx", f"cannot write '{folder}/nowhere/a.onnx': No such file or directory"),
        (".", f"cannot write '{folder}': it is a folder"),
        ("net.onnx", "cannot write 'net.onnx': it is the input"),
        ("data.npz", "cannot write 'data.npz': it is the input"),
    ):
        said = lamina.error("quantize", "net.onnx", "--data", "data.npz", "-o", output)
        assert said == message


def test_half_a_file_is_never_left(
    lamina: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("a.onnx").write_text("old")

    def full(self: Path, data: bytes) -> int:
        self.open("wb").write(data[:10])
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    said = lamina.error("quantize", "net.onnx", "--data", "data.npz", "-o", "a.onnx")
    assert "No space left on device" in said
    assert Path("a.onnx").read_text() == "old"
    assert {p.name for p in folder.iterdir()} == {"net.onnx", "data.npz", "a.onnx"}


ARGUMENTS = [
    ([], "quantize needs either --data or --ranges; see 'lamina quantize --help'"),
    (["--data", "data.npz"], "quantize needs -o FILE for the model, --report or --save-ranges"),
    (["--data", "data.npz", "--ranges", "r.json"], "quantize needs either --data or --ranges"),
    (["--ranges", "r.json", "--report"], "--report needs --data, on which networks are compared"),
    (["--ranges", "r.json", "-o", "a.onnx"], "cannot read 'r.json': No such file or directory"),
    (["--data", "data.npz", "-o", "a", "--kinds", "conv,gru"], "kinds are conv, dense, matmul"),
    (["--data", "data.npz", "-o", "a", "--float", "c9"], "net.onnx: no node is named like 'c9'"),
    (["--data", "data.npz", "-o", "a", "--percentile", "0"], "a percentile is above 50 and up"),
    (["--data", "data.npz", "-o", "a", "--shape", "z=1x3"], "net.onnx: no input 'z'; inputs are"),
    (["--data", "data.npz", "-o", "a", "--save-ranges", "./a"], "cannot write './a' twice: -o is"),
]


@pytest.mark.parametrize(("arguments", "message"), ARGUMENTS)
def test_arguments_that_cannot_work_are_refused(
    lamina: Command, folder: Path, arguments: list[str], message: str
) -> None:
    assert lamina.error("quantize", "net.onnx", *arguments).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "'r.json' is not a file of ranges: "),
        ("[1, 2]", "'r.json' is not a file of ranges: needs "),
        ("{}", "'r.json': no range of tensor 'r1'"),
        ('{"r1": [2, 1]}', "'r.json': the range of tensor 'r1' needs two finite numbers"),
        ('{"r1": [0, Infinity]}', "'r.json': the range of tensor 'r1' needs two finite numbers"),
        ('{"r1": [-1e300, 1]}', "'r.json': the range of tensor 'r1' needs two finite numbers of"),
        ('{"r1": 3}', "'r.json': the range of tensor 'r1' needs two finite numbers of float32,"),
    ],
)
def test_ranges_that_are_none_are_refused(
    lamina: Command, folder: Path, text: str, message: str
) -> None:
    Path("r.json").write_text(text)
    said = lamina.error("quantize", "net.onnx", "--ranges", "r.json", "-o", "a.onnx")
    assert said.startswith(message)
