"""`lamina compile --report` of a network that is divided among devices."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from xdsl.ir import Operation

import lamina
from lamina.backends.machine import Machine
from lamina.backends.opencl.backend import OPENCL
from lamina.backends.split.model import SplitModel
from lamina.dialects.graph import SoftmaxOp
from lamina.tools.lamina import main
from tests.unit.cli import Command

pytest.importorskip("pyopencl")
DIGITS = Path(__file__).parents[2] / "examples" / "digits" / "digits.onnx"
BOTH = ("--target", "opencl:intel-gen9,cpu", "--threads", "1")
DIVIDED = (*BOTH, "--place", "*:opencl", "--place", "graph.max_pool2d:cpu")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMINA_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


def sections(text: str) -> dict[str, list[list[str]]]:
    """The tables of a report by their titles: cells of all rows, the header first."""
    found: dict[str, list[list[str]]] = {}
    for part in text.split("\n\n"):
        title, *lines = part.splitlines()
        found[title] = [re.split(r"  +", line.strip()) for line in lines]
    return found


def test_every_op_has_a_device_a_reason_and_what_each_claims(command: Command) -> None:
    ops = sections(command("compile", DIGITS, "--report", *DIVIDED))["ops:"]
    header, *rows = ops
    assert header == ["op", "computes", "on", "why", "us on opencl:intel-gen9", "us on cpu"]
    assert [int(row[0]) for row in rows] == list(range(19))
    (pool,) = (row for row in rows if row[1] == "max_pool2d")
    assert pool[2:5] == [
        "/0/features/features.3/MaxPool_output_0",
        "cpu",
        "rule 'graph.max_pool2d:cpu'",
    ]
    assert all(row[3:5] == ["opencl:intel-gen9", "rule '*:opencl'"] for row in rows if row != pool)
    assert all(float(row[5]) >= 5 > float(row[6]) >= 0 for row in rows)  # a launch is 5 us


def test_what_changes_hands_is_listed_with_its_bytes(command: Command) -> None:
    text = command("compile", DIGITS, "--report", *DIVIDED)
    _, *edges = sections(text)["tensors that change hands:"]
    shared, given = "handed over: the buffer is shared", "copied: the caller's array is not the"
    assert [e[1:3] for e in edges] == [
        ["cpu", "opencl:intel-gen9"],
        ["opencl:intel-gen9", "cpu"],
        ["cpu", "opencl:intel-gen9"],
        ["opencl:intel-gen9", "cpu"],
    ]
    assert [e[3].startswith(shared) for e in edges] == [False, True, True, False]
    assert [e[3].startswith(given) for e in edges] == [True, False, False, True]
    assert edges[0][0] == "input image"
    assert edges[1][4] == "0.004"  # 16 channels of 8 x 8 floats
    assert all(float(e[5]) == 5 for e in edges)


def test_devices_add_up_to_what_their_ops_and_regions_take(command: Command) -> None:
    found = sections(command("compile", DIGITS, "--report", *DIVIDED))
    _, *ops = found["ops:"]
    _, *parts = found["regions, in the order in which they run:"]
    _, gen9, cpu = found["devices:"]
    assert [p[1] for p in parts] == ["opencl:intel-gen9", "cpu", "opencl:intel-gen9"]
    assert gen9[:2] == ["opencl:intel-gen9", "18"]
    assert cpu[:2] == ["cpu", "1"]
    claimed = sum(float(op[5]) for op in ops if op[3] == "opencl:intel-gen9")
    assert float(gen9[2]) == pytest.approx(claimed, abs=1)  # each is rounded
    assert float(gen9[3]) == pytest.approx(float(parts[0][3]) + float(parts[2][3]), abs=0.2)
    assert float(cpu[3]) == float(parts[1][3]) > 0


def test_network_that_one_device_is_best_for_hands_nothing_on(command: Command) -> None:
    text = command("compile", DIGITS, "--report", *BOTH)
    found = sections(text)
    assert text.startswith("targets: opencl:intel-gen9, cpu; used: cpu; 1 thread on the host\n")
    assert "tensors that change hands:" not in found
    assert {row[4] for row in found["ops:"][1:]} == {"faster than opencl:intel-gen9"}
    assert len(found["regions, in the order in which they run:"]) == 2


def test_what_a_device_cannot_run_is_said_with_its_reason(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def claims(self: object, op: Operation, machine: Machine) -> str | None:
        return "no exponentials there" if isinstance(op, SoftmaxOp) else None

    monkeypatch.setattr(type(OPENCL), "claims", claims)
    text = command("compile", DIGITS, "--report", *BOTH)
    last = sections(text)["ops:"][-1]
    assert last[3:6] == ["cpu", "not on opencl:intel-gen9: no exponentials there", "cannot"]
    assert text.endswith("cannot run on opencl:intel-gen9: no exponentials there: probability\n")


def test_device_that_is_not_there_leaves_the_usual_report(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(OPENCL), "absent", lambda self, machine: "OpenCL needs pyopencl")
    assert main(["compile", str(DIGITS), "--report", *BOTH]) == 0
    out, err = capsys.readouterr()
    assert err == "lamina: remark: opencl:intel-gen9 is left out: OpenCL needs pyopencl\n"
    assert "transforms left:" in out


def test_page_says_the_same_and_the_model_is_kept(command: Command, tmp_path: Path) -> None:
    text = sections(command("compile", DIGITS, "--report", *DIVIDED))
    page, kept = tmp_path / "out.html", tmp_path / "digits.lam"
    assert command("compile", DIGITS, "--report", page, "-o", kept, *DIVIDED) == ""
    root = ElementTree.fromstring(page.read_text().removeprefix("<!DOCTYPE html>\n"))
    tables = list(root.iter("table"))
    assert [h.text for h in root.iter("h2")] == [
        "ops",
        "tensors that change hands",
        "regions, in the order in which they run",
        "devices",
    ]
    for table, title in zip(tables[:2], ("ops:", "tensors that change hands:"), strict=True):
        rows = [[td.text for td in tr.iter("td")] for tr in table.iter("tr")]
        assert rows[1:] == text[title][1:]
    assert isinstance(lamina.load(kept), SplitModel)


def test_network_that_was_lowered_is_refused(command: Command, tmp_path: Path) -> None:
    command("compile", DIGITS, "--emit", "graph", "-o", tmp_path / "m.mlir", *DIVIDED)
    assert command.error("compile", tmp_path / "m.mlir", "--report", *DIVIDED) == (
        f"--report needs a network that nobody divided or lowered, found '{tmp_path / 'm.mlir'}'"
    )
