"""`lamina quantize`: its results, and what it keeps of a calibration."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest

import lamina as api
from lamina.tools.quantize import collect
from lamina.tools.quantize.histogram import Histogram
from tests.unit.cli import Command
from tests.unit.small_network import operators, samples, small_network


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for all tests, because they compile the same network."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def cache(kernels: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That, without calibrations."""
    shutil.rmtree(kernels / "calibration", ignore_errors=True)
    monkeypatch.setenv("LAMINA_CACHE", str(kernels))
    return kernels


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model and data, in the working directory."""
    onnx.save(small_network(), tmp_path / "net.onnx")
    np.savez(tmp_path / "data.npz", x=samples(6))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def lamina(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


def test_model_is_written_and_said_what_stays_float(lamina: Command, folder: Path) -> None:
    said = lamina("quantize", "net.onnx", "--data", "data.npz", "-o", "net.int8.onnx")
    assert said == (
        "net.onnx: 4 of 6 layers in 8 bits, and 10 tensors\n"
        "  conv1 stays float: first convolution\n"
        "  dense6 stays float: last layer\n"
        "calibration: minmax on 6 samples\n"
    )
    assert onnx.load("net.int8.onnx") == api.quantize(small_network(), samples(6))
    assert {p.name for p in folder.iterdir()} == {"net.onnx", "data.npz", "net.int8.onnx"}


def test_folder_of_samples_is_the_same_as_a_file(lamina: Command, folder: Path) -> None:
    images = samples(6)
    (folder / "images").mkdir()
    np.save("images/0.npy", images[0])
    np.save("images/1.npy", images[1:2])
    np.savez("images/2.npz", x=images[2:])
    (folder / "images" / "notes.txt").touch()
    lamina("quantize", "net.onnx", "--data", "images", "-o", "a.onnx")
    lamina("quantize", "net.onnx", "--data", "data.npz", "-o", "b.onnx")
    assert Path("a.onnx").read_bytes() == Path("b.onnx").read_bytes()


def test_ranges_are_written_and_read(lamina: Command, folder: Path) -> None:
    flags = ["--method", "percentile", "--percentile", "99"]
    lamina("quantize", "net.onnx", "--data", "data.npz", *flags, "--save-ranges", "r.json")
    lamina("quantize", "net.onnx", "--ranges", "r.json", "-o", "a.onnx")
    lamina("quantize", "net.onnx", "--data", "data.npz", *flags, "-o", "b.onnx")
    assert Path("a.onnx").read_bytes() == Path("b.onnx").read_bytes()
    assert '"r2": [' in Path("r.json").read_text()


def test_report_lists_tensors_worst_first(lamina: Command, folder: Path) -> None:
    said = lamina("quantize", "net.onnx", "--data", "data.npz", "--report").splitlines()
    rows = [re.match(r" *(\S+) dB +\S+ dB +[01]\.\d+ +\d.*  (\w+) < (.+)", x) for x in said]
    found = [(float(row[1]), row[2], row[3]) for row in rows if row]
    assert len(found) == 11
    assert found == sorted(found, key=lambda row: row[0])
    assert {("w3", "conv3"), ("r1", "pool1"), ("c2", "relu2, concat3")} <= {r[1:] for r in found}
    assert re.fullmatch(r"output 'y': \S+ dB, cosine 0\.99\d+", said[-1])


def test_simulated_model_has_no_integers(lamina: Command, folder: Path) -> None:
    flags = ["--simulate", "-o", "s.onnx"]
    lamina("quantize", "net.onnx", "--data", "data.npz", *flags)
    assert "Round" in operators(onnx.load("s.onnx"))
    assert "QuantizeLinear" not in operators(onnx.load("s.onnx"))


# -- what is kept


def test_second_run_collects_nothing(lamina: Command, folder: Path) -> None:
    first = ("quantize", "net.onnx", "--data", "data.npz", "-o", "a.onnx")
    lamina(*first)
    again = lamina(*first, "--method", "entropy")
    assert again.endswith("calibration: entropy on 6 samples, 6 of them collected before\n")
    assert "before" not in lamina(*first, "--again")
    np.savez("data.npz", x=samples(6, seed=1))
    assert "before" not in lamina(*first)


def test_interrupted_calibration_goes_on(
    lamina: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added, calls = Histogram.added, []

    def interrupted(self: Histogram, x: np.ndarray) -> Histogram:
        calls.append(x)
        if len(calls) == 25:  # in the midst of the fourth sample of 7 tensors
            raise KeyboardInterrupt
        return added(self, x)

    command = ("quantize", "net.onnx", "--data", "data.npz", "-o", "a.onnx")
    with monkeypatch.context() as patch:
        patch.setattr(Histogram, "added", interrupted)
        assert lamina.error(*command) == "interrupted"
    assert not Path("a.onnx").exists()
    assert "6 samples, 3 of them collected before" in lamina(*command)
    lamina(*command[:-1], "b.onnx", "--again")
    assert Path("a.onnx").read_bytes() == Path("b.onnx").read_bytes()


WITH_A_SIGN = """
import sys
from pathlib import Path
from lamina.tools.lamina import main
from lamina.tools.quantize.histogram import Histogram

added = Histogram.added

def and_a_sign(self, x):
    Path("begun").touch()
    return added(self, x)

Histogram.added = and_a_sign
sys.exit(main())
"""


def test_control_c_keeps_what_was_collected(folder: Path, cache: Path) -> None:
    np.savez("data.npz", x=samples(20_000))
    process = subprocess.Popen(
        [sys.executable, "-c", WITH_A_SIGN, *"quantize net.onnx --data data.npz -o a.onnx".split()],
        env={**os.environ, "LAMINA_CACHE": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not Path("begun").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (1, "lamina: interrupted\n")
    (kept,) = cache.glob("calibration/*.npz")
    with np.load(kept) as state:
        assert 0 < int(state["done"]) < 20_000
    assert {p.name for p in folder.iterdir()} == {"net.onnx", "data.npz", "begun"}


AT_THE_FOURTH = """
import os, signal, sys
from lamina.tools.lamina import main
from lamina.tools.quantize import collect
from lamina.tools.quantize.histogram import Histogram

added, collect.PAUSE = Histogram.added, 0

def until_killed(self, x, calls=[]):
    calls.append(x)
    if len(calls) == 25:  # in the midst of the fourth sample of 7 tensors
        os.kill(os.getpid(), signal.SIGKILL)
    return added(self, x)

Histogram.added = until_killed
sys.exit(main())
"""


def test_killed_calibration_goes_on(lamina: Command, folder: Path, cache: Path) -> None:
    command = "quantize net.onnx --data data.npz -o a.onnx".split()
    killed = subprocess.run(
        [sys.executable, "-c", AT_THE_FOURTH, *command],
        env={**os.environ, "LAMINA_CACHE": str(cache)},
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert {p.name for p in folder.iterdir()} == {"net.onnx", "data.npz"}
    assert "6 samples, 3 of them collected before" in lamina(*command)
    lamina(*command[:-1], "b.onnx", "--again")
    assert Path("a.onnx").read_bytes() == Path("b.onnx").read_bytes()


def test_damaged_state_is_refused(lamina: Command, folder: Path, cache: Path) -> None:
    command = ("quantize", "net.onnx", "--data", "data.npz", "-o", "a.onnx")
    lamina(*command)
    (kept,) = cache.glob("calibration/*.npz")
    kept.write_bytes(b"no archive")
    Path("a.onnx").unlink()
    assert lamina.error(*command) == (
        f"'{kept}', which keeps an earlier calibration, is damaged; delete it, or collect anew "
        "with --again"
    )
    assert not Path("a.onnx").exists()
    lamina(*command, "--again")
    assert collect.load(kept, list(_names(kept)), 6).done == 6


def _names(path: Path) -> np.ndarray:
    with np.load(path) as state:
        return state["names"]
