"""The results of the bench as a part of a page, and as a plot."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from lamina.tools import _bench_page, _bench_plot, _bench_summary
from tests.unit.cli import Command

PEERS = ("onnxruntime", "openvino", "pytorch", "pytorch-compiled")


def entry(name: str, threads: int, ms: float, ratio: float | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "threads": threads, "version": f"{name}-9"}
    found["latency"] = {"median_ms": ms, "p10_ms": ms}
    if ratio:
        found["ratio"] = {"to": "lamina@1", "median": ratio, "low": ratio, "high": ratio}
        found["difference"] = 1e-7 * threads
    return found


def model(name: str, ratio: float) -> dict[str, Any]:
    contenders = {"lamina@1": entry("lamina", 1, 8.0)}
    for threads in (1, 2):
        for peer in PEERS:
            contenders[f"{peer}@{threads}"] = entry(peer, threads, 8 / ratio, ratio)
    return {"name": name, "rounds": 10, "runs": 5, "contenders": contenders}


@pytest.fixture
def results() -> dict[str, Any]:
    machine = {"cpu": "A Processor", "cpus": 2, "memory_gb": 23.6, "system": "Linux 6"}
    machine |= {"python": "3.11.7", "xdsl": "0.74.0", "llvmlite": "0.50.0", "name": "my-host"}
    refused = {"name": "pytorch", "threads": 2, "cannot": "cannot convert: operator ai.onnx Loop"}
    models = [model("small", 0.5), model("large", 2.0)]
    models[1]["contenders"]["pytorch@2"] = refused
    models[1]["rounds"] = 3
    command, date = "lamina bench --all", "2026-11-23"
    return {
        "command": command,
        "date": date,
        "machine": machine,
        "settings": {},
        "models": models,
    }


@pytest.fixture
def file(results: dict[str, Any], tmp_path: Path) -> Path:
    (tmp_path / "results.json").write_text(json.dumps(results))
    return tmp_path / "results.json"


@pytest.fixture
def lamina(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


def cells(text: str, heading: str) -> dict[str, list[str]]:
    """The table below a heading: first cell of a row -> the others."""
    lines = text.split(heading)[1].split("\n###")[0].splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("|")]
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1
    return {row[0]: row[1:] for row in rows}


def test_page_says_what_was_measured_on_what(results: dict[str, Any]) -> None:
    text = _bench_page.text(results)
    for part in ("lamina bench --all\n", "A Processor, 2 CPUs, 24 GB, Linux 6", "xDSL 0.74.0"):
        assert part in text
    assert "ONNX Runtime onnxruntime-9" in text
    assert "2026-11-23, 3 to 10 rounds" in text
    assert "my-host" not in text


def test_each_number_of_threads_has_a_table(results: dict[str, Any]) -> None:
    table = cells(_bench_page.text(results), "### Libraries with 2 threads, Lamina with 1 thread")
    spread = "0.500 (0.500 .. 0.500)"
    assert table["small"] == ["8.000", *["16.000", spread] * 4, "2.0e-07"]
    assert table["geometric mean"][2::2] == ["1.000", "1.000", "0.500 of 1", "1.000"]


def test_summary_is_of_the_better_rival_with_as_many_threads(results: dict[str, Any]) -> None:
    found = results["models"][0]["contenders"]
    found["openvino@1"] = entry("openvino", 1, 10.0, 0.8)
    found["openvino@1"]["ratio"] |= {"low": 0.5, "high": 1.0}
    rows = _bench_summary.rows(results["models"])
    assert rows[0] == ["network", "1 thread"]
    assert rows[1] == ["small", "1.25 (1.00 .. 2.00)"]
    assert rows[2] == ["large", "0.50 (0.50 .. 0.50)"]
    assert rows[3] == ["geometric mean", "0.79"]
    assert "### Speed over the better of" in _bench_page.text(results)


def test_summary_has_a_mean_for_each_family_of_several() -> None:
    models = [model(name, ratio) for name, ratio in (("vgg11", 0.5), ("vgg13", 0.5), ("x", 2.0))]
    assert _bench_summary.rows(models)[-2:] == [
        ["mean of vgg*", "2.00"],
        ["geometric mean", "1.26"],
    ]


def test_without_rivals_there_is_no_summary(results: dict[str, Any]) -> None:
    for each in results["models"]:
        del each["contenders"]["openvino@1"]
    assert _bench_summary.rows(results["models"]) == []


def test_refused_model_is_a_row_that_says_why(results: dict[str, Any]) -> None:
    table = cells(_bench_page.text(results), "### Libraries with 2 threads")
    assert table["large"][5] == "cannot convert: operator ai.onnx Loop"
    assert table["large"][6] == ""
    table = cells(_bench_page.text(results), "### Libraries with 1 thread")
    assert table["large"][5] == "4.000"


def test_lamina_alone_has_a_table_without_ratios(results: dict[str, Any]) -> None:
    for each in results["models"]:
        each["contenders"] = {"lamina@1": each["contenders"]["lamina@1"]}
    assert "| small | 8.000 |\n| large | 8.000 |\n" in _bench_page.text(results)


def test_plot_is_the_same_small_svg_each_time(results: dict[str, Any]) -> None:
    text = _bench_plot.svg(results)
    assert _bench_plot.svg(results) == text
    assert len(text) < 200_000
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    words = {"".join(each.itertext()).strip() for each in root.iter() if each.tag.endswith("text")}
    assert {"small", "large", "OpenVINO, 2 threads", "PyTorch compiled, 1 thread"} <= words


def test_plot_has_a_dot_for_each_time(results: dict[str, Any]) -> None:
    def dots(text: str) -> int:
        return text.count("<use ")

    before = dots(_bench_plot.svg(results))
    del results["models"][0]["contenders"]["openvino@1"]["ratio"]
    assert dots(_bench_plot.svg(results)) == before - 1


def test_results_take_the_place_of_older_ones(lamina: Command, file: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{_bench_page.BEGIN}\nold\n{_bench_page.END}\nafter\n")
    assert lamina("bench", "--report", file, "--write", page).startswith(f"wrote {page}")
    first = page.read_text()
    assert first.startswith(f"before\n{_bench_page.BEGIN}\n```text\nlamina bench --all\n")
    assert first.endswith(f"\n{_bench_page.END}\nafter\n")
    assert "old" not in first
    assert "(page.svg)" in first
    assert (tmp_path / "page.svg").is_file()
    lamina("bench", "--report", file, "--write", page)
    assert page.read_text() == first


@pytest.mark.parametrize("content", ["", _bench_page.BEGIN, _bench_page.BEGIN * 2])
def test_page_without_marks_is_left_alone(
    lamina: Command, file: Path, tmp_path: Path, content: str
) -> None:
    page = tmp_path / "page.md"
    page.write_text(content)
    assert "each once" in lamina.error("bench", "--report", file, "--write", page)
    page.write_text(f"{_bench_page.END}\n{_bench_page.BEGIN}\n")
    assert "before" in lamina.error("bench", "--report", file, "--write", page)
    assert not (tmp_path / "page.svg").exists()


def test_missing_matplotlib_names_the_extra(
    lamina: Command, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{_bench_page.BEGIN}\n{_bench_page.END}\n")
    monkeypatch.setattr(_bench_page, "find_spec", lambda name: None)
    message = lamina.error("bench", "--report", file, "--write", page)
    assert message == "--write needs matplotlib; run: pip install 'lamina[bench]'"


@pytest.mark.parametrize("content", ["", "[]", "{}", "no json"])
def test_other_files_are_no_results(lamina: Command, tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    assert "is not what `lamina bench --json` writes" in lamina.error(
        "bench", "--report", tmp_path / "x.json"
    )


def test_results_of_no_model_are_refused(lamina: Command, file: Path) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), "models": []}))
    assert "has no models yet" in lamina.error("bench", "--report", file)
