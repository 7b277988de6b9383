"""Programs of an OpenCL driver: kept on disk, and what is said of those that it cannot build."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper

import lamina
from lamina.backends.cpu.objects import ObjectCache
from lamina.backends.opencl.model import OpenCLModel
from lamina.backends.opencl.programs import CAME_FROM, Programs
from lamina.errors import LaminaError
from tests.unit.onnx_models import model as onnx_model

pytest.importorskip("pyopencl")
TARGET = "opencl:intel-gen9"
X = np.random.default_rng(7).standard_normal((3, 50), np.float32)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAMINA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def dense() -> onnx.ModelProto:
    w = np.random.default_rng(1).standard_normal((29, 50), np.float32)
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["z"], "dense", transB=1),
        helper.make_node("Softmax", ["z"], ["y"], "softmax"),
    ]
    return onnx_model(nodes, {"x": (3, 50)}, {"w": w})


@pytest.fixture(scope="module")
def original() -> OpenCLModel:
    found = lamina.compile(dense(), target=TARGET)
    assert isinstance(found, OpenCLModel)
    return found


def another(model: OpenCLModel, **fields: str) -> OpenCLModel:
    """The same model, as another process has it, on a device that differs in these."""
    return OpenCLModel(
        dict(model.objects), model.manifest, model.weights, replace(model.device, **fields)
    )


def kept(cache: Path) -> list[Path]:
    return sorted((cache / "opencl" / "programs").iterdir())


def without_building(patch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise AssertionError("built again")

    patch.setattr(Programs, "_built", fail)


@pytest.fixture
def y(original: OpenCLModel) -> NDArray[np.float32]:
    """The right result; what computes it leaves its programs on disk."""
    return another(original)(X)


def test_programs_are_kept_on_disk(
    original: OpenCLModel, y: np.ndarray, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(kept(cache)) == len(original.objects)
    without_building(monkeypatch)
    np.testing.assert_array_equal(another(original)(X), y)


@pytest.mark.parametrize("field", ["platform", "name", "driver", "version"])
def test_programs_of_another_driver_are_not_used(
    field: str, original: OpenCLModel, y: np.ndarray, cache: Path
) -> None:
    before = kept(cache)
    np.testing.assert_array_equal(another(original, **{field: "another"})(X), y)
    assert len(kept(cache)) == 2 * len(before)


@pytest.mark.parametrize("change", ["source", "options"])
def test_programs_of_another_source_or_options_are_not_used(
    change: str,
    original: OpenCLModel,
    y: np.ndarray,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, model = kept(cache), another(original)
    if change == "source":
        model.objects.update({s: b"// new\n" + text for s, text in model.objects.items()})
    else:
        monkeypatch.setattr("lamina.backends.opencl.model.OPTIONS", "-cl-std=CL2.0 -DX")
    np.testing.assert_array_equal(model(X), y)
    assert len(kept(cache)) == 2 * len(before)


def test_same_code_of_other_ir_has_the_same_program(
    original: OpenCLModel, y: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = another(original)
    model.objects.update({s: text + b"// %0 is %1 here\n" for s, text in model.objects.items()})
    without_building(monkeypatch)
    np.testing.assert_array_equal(model(X), y)


def test_damaged_entry_is_built_anew(original: OpenCLModel, y: np.ndarray, cache: Path) -> None:
    before = kept(cache)
    for path in before:
        path.write_bytes(path.read_bytes()[:-100])
    np.testing.assert_array_equal(another(original)(X), y)
    assert kept(cache) == before
    assert all(digest_is_right(path) for path in before)


def digest_is_right(path: Path) -> bool:
    entry = path.read_bytes()
    return entry[:32] == hashlib.sha256(entry[32:]).digest()


def test_what_the_driver_refuses_is_built_anew(
    original: OpenCLModel, y: np.ndarray, cache: Path
) -> None:
    for path in kept(cache):
        path.unlink()
        ObjectCache(path.parent).get(path.name, lambda: b"no binary")
    np.testing.assert_array_equal(another(original)(X), y)


def test_folder_that_cannot_be_written_costs_time_alone(
    original: OpenCLModel, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache.touch()
    assert another(original)(X).shape == (3, 29)
    said = capsys.readouterr().err
    assert said.startswith("lamina: cannot cache objects in ")
    assert said.count("\n") == 1


def test_processes_share_the_folder(
    original: OpenCLModel, y: np.ndarray, cache: Path, tmp_path: Path
) -> None:
    for path in kept(cache):
        path.unlink()
    original.save(tmp_path / "m.lam")
    np.savez(tmp_path / "x.npz", x=X)
    command = [sys.executable, "-m", "lamina.tools.lamina", "run", "m.lam", "--input", "x.npz"]
    at_once = [subprocess.Popen([*command, "--output", f"{k}.npz"], cwd=tmp_path) for k in range(2)]
    assert [p.wait() for p in at_once] == [0, 0]
    for k in range(2):
        np.testing.assert_array_equal(np.load(tmp_path / f"{k}.npz")["y"], y)
    assert len(kept(cache)) == len(original.objects)  # nor does anything half-written lie there
    assert all(digest_is_right(path) for path in kept(cache))


@pytest.fixture
def broken(original: OpenCLModel) -> tuple[OpenCLModel, str]:
    """A model whose last kernel is not C, and that kernel's name."""
    model = another(original)
    symbol = next(c.symbol for c in model.manifest.calls if c.source == "y")
    model.objects[symbol] = b"what is this;\n" + model.objects[symbol]
    return model, symbol


def test_kernel_that_cannot_be_built_is_named(broken: tuple[OpenCLModel, str], cache: Path) -> None:
    model, symbol = broken
    with pytest.raises(LaminaError) as caught:
        model(X)
    message = str(caught.value)
    assert f"cannot build @{symbol}, which computes y: " in message
    assert "error: unknown type name 'what'" in message
    assert "\n" not in message
    (path,) = (cache / "opencl" / "failed").iterdir()
    assert message.endswith(
        f"; the OpenCL C, the IR it came from and the driver's log are in {path}"
    )
    code, _, rest = path.read_text().partition(CAME_FROM)
    ir, _, log = rest.partition(f"{model.device.identity}, options -cl-std=CL2.0 said:\n")
    assert code.startswith("what is this;\n")
    assert "kernel void" in code
    assert ir.startswith(f"// func.func private @{symbol}(")
    assert "// " in log
    assert "unknown type name 'what'" in log


def test_kernel_that_cannot_be_built_is_named_without_a_folder(
    broken: tuple[OpenCLModel, str], cache: Path
) -> None:
    cache.touch()
    model, symbol = broken
    with pytest.raises(LaminaError, match=f"cannot build @{symbol}, which computes y: .* error:"):
        model(X)


def test_command_says_in_one_line_what_cannot_be_built(
    broken: tuple[OpenCLModel, str], tmp_path: Path
) -> None:
    model, symbol = broken
    model.save(tmp_path / "m.lam")
    command = [sys.executable, "-m", "lamina.tools.lamina", "run", "m.lam", "--output", "y.npz"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("lamina: opencl: ")
    assert f"cannot build @{symbol}, " in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.glob("*y.npz*"))
