"""`lamina bench` over many models: which ones, with how many threads, and from where it goes on."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
import pytest

from benchmarks.models import MEASURED, MODELS
from lamina.backends.cpu import thread_pool
from lamina.tools import _checkout, _measure, _report
from lamina.tools.commands import bench
from lamina.tools.lamina import parser
from tests.unit.cli import Command
from tests.unit.tiny import tiny_model


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMINA_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def lamina(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


@pytest.fixture
def generator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands in for `benchmarks/models`: two small networks; returns which were written."""
    asked: list[str] = []

    @contextmanager
    def written(name: str) -> Iterator[Path]:
        asked.append(name)
        path = tmp_path / f"{name}.onnx"
        onnx.save(tiny_model(16 if name == "narrow" else 32), path)
        yield path
        path.unlink()

    monkeypatch.setattr(_checkout, "measured", lambda: ["narrow", "wide"])
    monkeypatch.setattr(_checkout, "written", written)
    return asked


ALL = ("bench", "--all", "--against", "onnxruntime", "--threads", "1", "--rounds", "2")


def test_all_networks_of_the_generator_are_measured(
    lamina: Command, generator: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "all.json"
    text = lamina(*ALL, "--json", file)
    report = json.loads(file.read_text())
    assert generator == ["narrow", "wide"]
    assert [model["path"] for model in report["models"]] == ["narrow", "wide"]
    assert list(report["models"][0]["contenders"]) == ["lamina@1", "onnxruntime@1"]
    assert report["command"].startswith("lamina bench --all --against onnxruntime")
    assert "wide (2 of 2): 2 rounds of" in text
    assert "lamina / onnxruntime@1, mean of 2:" in text
    assert "| wide |" in lamina("bench", "--report", file)


def test_each_model_is_saved_when_it_is_measured_and_resumed_after(
    lamina: Command, generator: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "all.json"
    measure = _measure.measure

    def interrupted(path: str, args: Any) -> dict[str, Any]:
        if "wide" in path:
            raise KeyboardInterrupt
        return measure(path, args)

    monkeypatch.setattr(_measure, "measure", interrupted)
    assert lamina.error(*ALL, "--json", file) == "interrupted"
    (first,) = json.loads(file.read_text())["models"]
    assert first["name"] == "narrow"
    monkeypatch.setattr(_measure, "measure", measure)
    generator.clear()
    lamina(*ALL, "--json", file, "--resume")
    assert generator == ["wide"]
    models = json.loads(file.read_text())["models"]
    assert [model["name"] for model in models] == ["narrow", "wide"]
    assert models[0] == first


def test_other_settings_are_not_mixed(
    lamina: Command, generator: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "all.json"
    lamina(*ALL, "--json", file)
    message = lamina.error(*ALL, "--json", file, "--resume", "--seed", 3)
    assert message == f"cannot resume '{file}': seed was 0, is 3"


def chosen(*words: str) -> Any:
    args = parser().parse_args(["bench", *words])
    bench._complete(args)
    return args


def test_all_means_every_library_with_one_and_two_threads() -> None:
    assert list(_measure.lineup(chosen("--all"))) == [
        "lamina@1",
        "lamina@2",
        *(f"{name}@1" for name in ("onnxruntime", "openvino", "pytorch", "pytorch-compiled")),
        *(f"{name}@2" for name in ("onnxruntime", "openvino", "pytorch", "pytorch-compiled")),
    ]
    assert chosen("--all").seconds == 20
    assert chosen("m.onnx").against == []


def test_a_library_is_compared_with_lamina_with_as_many_threads_or_fewer() -> None:
    words = ("m.onnx", "--threads", "1,2", "--peer-threads", "1,2,4", "--against", "onnxruntime")
    entries = _measure.lineup(chosen(*words))
    assert list(entries)[:2] == ["lamina@1", "lamina@2"]
    ratios = {label: _measure.opponent(entry, entries) for label, entry in entries.items()}
    assert ratios["onnxruntime@1"] == "lamina@1"
    assert ratios["onnxruntime@2"] == ratios["onnxruntime@4"] == "lamina@2"
    assert list(_measure.lineup(chosen(*words[:3], "--against", "openvino"))) == [
        "lamina@1",
        "lamina@2",
        "openvino@1",
        "openvino@2",
    ]


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs 2 CPUs")
def test_threads_of_the_others_may_differ(lamina: Command, tmp_path: Path) -> None:
    onnx.save(tiny_model(), tmp_path / "m.onnx")
    words = ("--against", "onnxruntime", "--peer-threads", "1,2", "--rounds", "3")
    text = lamina("bench", tmp_path / "m.onnx", *words)
    assert "onnxruntime" in text
    assert text.count(", 1 thread ") == 2
    assert text.count(", 2 threads ") == 1


def test_refused_model_is_said_below_the_table() -> None:
    mine = {"name": "lamina", "threads": 1, "version": "9", "load_s": 1, "first_run_s": 0.5}
    mine |= {"peak_mb": 5, "latency": {"median_ms": 2, "p10_ms": 1}}
    peer = {"name": "pytorch", "threads": 1, "cannot": "cannot convert: operator ai.onnx Loop"}
    text = _report.model_table({"contenders": {"lamina@1": mine, "pytorch@1": peer}})
    assert text.splitlines()[-1] == "pytorch: cannot convert: operator ai.onnx Loop"
    assert "1.50 s" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "needs either MODEL or --all, or --report FILE"),
        (("--all", "m.onnx"), "needs either MODEL or --all, or --report FILE"),
        (("m.onnx", "--write", "p.md"), "--write goes with --report FILE"),
        (("m.onnx", "--resume"), "--resume goes with --json FILE"),
        (("m.onnx", "--report", "r.json"), "so it takes neither MODEL nor --all"),
        (("a/m.onnx", "b/m.onnx", "--resume", "--json", "r.json"), "cannot read 'a/m.onnx'"),
        (("m.onnx", "--threads", "1,two"), "needs a whole number, found 'two'"),
        (("m.onnx", "--peer-threads", "0"), "needs a number above 0"),
    ],
)
def test_arguments_are_checked(lamina: Command, words: tuple[str, ...], message: str) -> None:
    assert message in lamina.error("bench", *words)


def test_compiler_is_looked_for(lamina: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "find_spec", lambda name: True)
    monkeypatch.setenv("CXX", "no-such-compiler")
    message = lamina.error("bench", "m.onnx", "--against", "pytorch-compiled")
    assert "needs a C++ compiler, found no 'no-such-compiler'" in message


def test_missing_pytorch_names_its_extra(lamina: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "find_spec", lambda name: None)
    message = lamina.error("bench", "m.onnx", "--against", "pytorch")
    assert message == "pytorch is not installed; run: pip install 'lamina[pytorch]'"


def test_generator_is_that_of_the_checkout() -> None:
    assert _checkout.measured() == list(MEASURED)
    assert set(MEASURED) < set(MODELS)
    with _checkout.written("squeezenet1_1") as path:
        assert onnx.load(path).graph.name == "squeezenet1_1"
    assert not path.exists()


def test_installed_package_says_that_it_has_no_generator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lamina: Command
) -> None:
    elsewhere = tmp_path / "lamina" / "tools" / "_checkout.py"
    elsewhere.parent.mkdir(parents=True)
    shutil.copy(_checkout.__file__, elsewhere)
    monkeypatch.setattr(_checkout, "__file__", str(elsewhere))
    monkeypatch.chdir(tmp_path)
    assert "run it in a checkout, or name .onnx files" in lamina.error(*ALL)
    (tmp_path / "benchmarks" / "models").mkdir(parents=True)
    (tmp_path / "benchmarks" / "models" / "__main__.py").touch()
    assert _checkout.root() == tmp_path


def test_openmp_takes_part_where_there_are_several_threads() -> None:
    words = ("m.onnx", "--threads", "1,2", "--pool", "lamina,openmp", "--against", "openvino")
    assert list(_measure.lineup(chosen(*words))) == [
        "lamina@1",
        "lamina@2",
        "lamina-openmp@2",
        "openvino@1",
        "openvino@2",
    ]


def test_the_same_model_is_timed_on_openmps_threads(lamina: Command, tmp_path: Path) -> None:
    path = tmp_path / "tiny.onnx"
    onnx.save(tiny_model(32), path)
    text = lamina("bench", path, "--threads", "2", "--pool", "lamina,openmp", "--rounds", "2")
    assert len(re.findall(r"^lamina(-openmp)? \d.*ms", text, re.MULTILINE)) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--pool", "openmp"), "--pool openmp needs more than one thread; add --threads 2"),
        (("--pool", "tbb", "--threads", "2"), "--pool knows lamina, openmp, found 'tbb'"),
    ],
)
def test_threads_that_cannot_be_compared_are_refused(
    lamina: Command, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    path = tmp_path / "tiny.onnx"
    onnx.save(tiny_model(32), path)
    assert lamina.error("bench", path, *words) == says


def test_threads_that_were_not_built_are_named(
    lamina: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tiny.onnx"
    onnx.save(tiny_model(32), path)
    monkeypatch.setitem(thread_pool.LIBRARIES, "openmp", "nothing.so")
    message = lamina.error("bench", path, "--pool", "openmp", "--threads", "2")
    assert "nothing.so is not built: run `python setup.py build_ext --inplace`" in message
    assert message.endswith("with a compiler that has OpenMP")
