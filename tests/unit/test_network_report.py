"""`lamina compile --report`: what it says of a network, as text and as a page."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import onnx
import pytest

from lamina.backends.machine import describe
from lamina.tools._network_drawing import drawing
from lamina.tools._network_report import Kernel
from lamina.tools._roofline import roofline
from tests.unit.blocked_networks import NETWORKS
from tests.unit.cli import Command
from tests.unit.tiny import tiny_model

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMINA_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "unet.onnx"
    onnx.save(NETWORKS["unet"], path)
    return path


def kernel(n: int, after: tuple[int, ...], **fields: object) -> Kernel:
    known = {
        "symbol": f"relu_{n}",
        "ops": ("relu",),
        "source": f"node <{n}>",
        "reads": "NCHW",
        "writes": "NCHW16c",
        "bytes": 8_000,
        "flops": 1_000,
        "predicted": 1e-6,
        "measured": 2e-6,
        "after": after,
    }
    return Kernel(**{**known, **fields})


def test_table_has_every_kernel_with_layouts_and_times(command: Command, model: Path) -> None:
    lines = command("compile", model, "--report").splitlines()
    head = lines[0].split("  ")
    assert [h.strip() for h in head if h.strip()][:4] == ["kernel", "computes", "reads", "writes"]
    total = next(n for n, line in enumerate(lines) if line.split()[:1] == ["total"])
    rows = [line.split() for line in lines[1:total]]
    assert [int(row[0]) for row in rows] == list(range(len(rows)))
    convolutions = [row for row in rows if "conv2d" in row[1]]
    assert len(convolutions) >= 4
    assert all(row[-7].startswith("N") and row[-6].startswith("N") for row in convolutions)
    assert all(float(x) > 0 for row in convolutions for x in row[-4:])  # two times, rate, bytes
    moved = [row for row in rows if "transform" in row]
    left = next(line for line in lines if line.startswith("transforms left:"))
    assert left.startswith(f"transforms left: {len(moved)}, and 1 copied for a border; ")
    assert re.search(r"layouts: exact, no choice is better .* \d+ variables, tables", lines[-1])


def test_page_stands_alone_and_has_every_kernel(
    command: Command, model: Path, tmp_path: Path
) -> None:
    text, out = command("compile", model, "--report"), tmp_path / "out.html"
    assert command("compile", model, "--report", out, "-o", tmp_path / "unet.lam") == ""
    page = out.read_text()
    root = ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
    addresses = set(re.findall(r'https?://[^"]*', page))
    assert addresses == {SVG[1:-1]}  # a name, not a place
    assert not re.search(r"<(script|link|img|iframe)\b", page)
    table = text.partition("transforms left")[0]
    rows = [line.split()[1] for line in table.splitlines() if re.match(r"\d+ ", line)]
    cells = [td.text for td in root.iter("td")]
    boxes = [title.text or "" for title in root.iter(f"{SVG}title")]
    for symbol in rows:
        assert symbol in cells
        assert any(box.startswith(f"{symbol}:") for box in boxes)
    assert len(list(root.iter(f"{SVG}rect"))) == len(rows) > 5
    assert command("run", tmp_path / "unet.lam")


def test_other_ways_are_reported_too(command: Command, tmp_path: Path) -> None:
    onnx.save(tiny_model(), tmp_path / "tiny.onnx")
    told = command("compile", tmp_path / "tiny.onnx", "--report", "--layouts", "local")
    assert told.splitlines()[-1] == "layouts: local, nothing was searched"
    told = command("compile", tmp_path / "tiny.onnx", "--report", "--layouts", "greedy")
    assert "layouts: greedy, not proven best" in told
    assert command("compile", tmp_path / "tiny.onnx", "--report", "--target", "cpu:x86-64")


def test_what_cannot_run_here_is_not_measured(
    command: Command, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lamina.backends.cpu.model.missing_features", lambda _: ["amx-fp16"])
    told = command("compile", model, "--report").splitlines()
    assert told[-1].startswith("not measured: the model was compiled for cpu and needs amx-fp16,")
    row = next(line for line in told if "conv2d" in line)
    assert len(re.findall(r" \d+\.\d+(?= |$)", row)) == 3  # predicted, rate, bytes


def test_errors_are_one_line(command: Command, model: Path, tmp_path: Path) -> None:
    def error(*options: object) -> str:
        return command.error("compile", model, "--report", *options)

    assert error(tmp_path / "r.html", "--emit", "te") == (
        "--report compiles to the end, so it goes without --emit"
    )
    assert "No such file or directory" in error(tmp_path / "no" / "r.html")
    assert error(model).endswith("it is the input")
    assert error(tmp_path / "r.html", "--target", "opencl:intel-xe") == (
        "--report needs a model that is compiled for a CPU, found opencl:intel-xe"
    )
    assert error(tmp_path / "r.html", "--layouts", "best") == (
        "layouts are one of exact, heuristic, greedy, local, blocked, nhwc, nchw, found 'best'"
    )
    assert not (tmp_path / "r.html").exists()


def test_boxes_lie_below_what_they_read() -> None:
    kernels = [
        kernel(0, (-1,)),
        kernel(1, (0,)),
        kernel(2, (0,)),
        kernel(3, (1, 2), ops=("relayout",)),
    ]
    svg = ElementTree.fromstring(drawing(kernels))
    boxes = [(float(r.get("x") or 0), float(r.get("y") or 0)) for r in svg.iter(f"{SVG}rect")]
    assert len(set(boxes)) == 4
    assert boxes[0][1] < boxes[1][1] == boxes[2][1] < boxes[3][1]
    assert len(list(svg.iter(f"{SVG}path"))) == 4
    assert sum("stroke-dasharray" in r.attrib for r in svg.iter(f"{SVG}rect")) == 1


def test_a_network_without_kernels_is_drawn() -> None:
    assert ElementTree.fromstring(drawing([])).tag == f"{SVG}svg"
    assert ElementTree.fromstring(roofline([], describe("cpu:haswell"))).tag == f"{SVG}svg"


def test_roofline_puts_faster_kernels_higher_and_hollow_if_not_measured() -> None:
    slow, fast = kernel(0, (-1,)), kernel(1, (0,), measured=1e-7)
    guess = kernel(2, (1,), measured=None, bytes=100)
    svg = ElementTree.fromstring(roofline([slow, fast, guess], describe("cpu:haswell")))
    dots = list(svg.iter(f"{SVG}circle"))
    assert float(dots[1].attrib["cy"]) < float(dots[0].attrib["cy"])
    assert float(dots[2].attrib["cx"]) > float(dots[0].attrib["cx"])
    assert [d.attrib["fill"] == "none" for d in dots] == [False, False, True]
