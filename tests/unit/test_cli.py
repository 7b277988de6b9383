"""Every error of the `lamina` command is one line, exit status 1, and no half-written file."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.unit.cli import Command
from tests.unit.tiny import tiny_model


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMINA_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "tiny.onnx"
    onnx.save(tiny_model(), path)
    return str(path)


@pytest.fixture
def lamina(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


def test_help_needs_no_libraries() -> None:
    """Nothing heavy is imported to print the help."""
    code = (
        "import sys; from lamina.tools.lamina import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'onnx', 'xdsl', 'llvmlite', 'tqdm'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "compile" in done.stdout


@pytest.mark.alone
def test_help_takes_under_a_third_of_a_second() -> None:
    """The best of three: the others measure what else the computer does."""
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        command = [sys.executable, "-m", "lamina.tools.lamina", "--help"]
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.33


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["shrink"], "argument COMMAND: invalid choice: 'shrink'"),
        (["run"], "the following arguments are required: MODEL"),
        (["run", "m.onnx", "--shape", "224"], "needs NAME=1x3x224x224, found '224'"),
        (["run", "m.onnx", "--shape", "x=1x0"], "needs NAME=1x3x224x224, found 'x=1x0'"),
        (["run", "m.onnx", "--threads", "0"], "needs a number above 0, found '0'"),
        (["run", "m.onnx", "--threads", "two"], "needs a whole number, found 'two'"),
        (["run", "m.onnx", "--seed", "-1"], "needs a whole number, found '-1'"),
        (["compile", "m.onnx", "--emit", "ptx"], "argument --emit: invalid choice: 'ptx'"),
        (
            ["bench", "m.onnx", "--against", "tvm"],
            "openvino, pytorch, pytorch-compiled, found 'tvm'",
        ),
    ],
)
def test_arguments_are_checked(lamina: Command, args: list[str], message: str) -> None:
    assert message in lamina.error(*args)


@pytest.mark.parametrize("command", ["compile", "run", "bench"])
def test_missing_model_is_named(lamina: Command, command: str, tmp_path: Path) -> None:
    options = ["-o", tmp_path / "m.lam"] if command == "compile" else []
    message = lamina.error(command, tmp_path / "nö such.onnx", *options)
    assert message == f"cannot read '{tmp_path}/nö such.onnx': No such file or directory"
    assert not (tmp_path / "m.lam").exists()


def test_folder_is_not_a_model(lamina: Command, tmp_path: Path) -> None:
    assert lamina.error("run", tmp_path) == f"cannot read '{tmp_path}': Is a directory"


def test_output_is_checked_before_the_work(lamina: Command, model: str, tmp_path: Path) -> None:
    """The model here could not even be read."""
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    for args in (
        ["compile", broken, "-o"],
        ["compile", broken, "--emit", "te", "-o"],
        ["run", broken, "--output"],
        ["bench", broken, "--json"],
    ):
        message = lamina.error(*args, tmp_path / "no" / "such" / "folder")
        assert message == (f"cannot write '{tmp_path}/no/such/folder': No such file or directory")
        assert lamina.error(*args, tmp_path) == f"cannot write '{tmp_path}': it is a folder"


def test_compile_needs_somewhere_to_write(lamina: Command, model: str) -> None:
    assert "needs -o FILE" in lamina.error("compile", model)


def test_missing_peer_names_the_extra(
    lamina: Command, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lamina.tools.commands.bench.find_spec", lambda name: None)
    message = lamina.error("bench", model, "--against", "openvino")
    assert message == "openvino is not installed; run: pip install 'lamina[bench]'"


def test_peers_need_onnx(lamina: Command, tmp_path: Path) -> None:
    (tmp_path / "m.lam").touch()
    assert "needs .onnx files" in lamina.error("bench", tmp_path / "m.lam", "--against", "openvino")


@pytest.mark.parametrize("content", [b"", b"PK", b"no archive at all"])
def test_input_must_be_an_npz_file(
    lamina: Command, model: str, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "in.npz").write_bytes(content)
    message = lamina.error("run", model, "--input", tmp_path / "in.npz")
    assert "in.npz' is not a complete .npz file" in message


def test_single_array_is_not_an_npz_file(lamina: Command, model: str, tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", np.zeros(3))
    assert "is not a complete .npz file" in lamina.error(
        "run", model, "--input", tmp_path / "in.npy"
    )


def test_interrupt_is_one_line(
    lamina: Command, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lamina.compile", interrupted, raising=False)
    before = sorted(tmp_path.iterdir())
    assert lamina.error("compile", model, "-o", tmp_path / "m.lam") == "interrupted"
    assert sorted(tmp_path.iterdir()) == before


def test_interrupt_that_became_another_error_is_still_one(
    lamina: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NumPy, interrupted while it is imported, raises an ImportError of twenty lines."""

    def swallow(name: str) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("a bad install\nor environment") from None

    monkeypatch.setattr("lamina.tools.lamina.import_module", swallow)
    before = signal.getsignal(signal.SIGINT)
    assert lamina.error("run", "m.onnx") == "interrupted"
    assert signal.getsignal(signal.SIGINT) is before
