"""The bench's processes: alone while they are timed, suspended otherwise, gone afterwards."""

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from lamina.errors import LaminaError
from lamina.tools import _report
from lamina.tools._arrays import load_npz, save_npz
from lamina.tools._rounds import Contender, choose_cpus, contenders, take_turns
from tests.unit.tiny import tiny_model


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "tiny.onnx"
    onnx.save(tiny_model(), path)
    return str(path)


def load(contender: Contender, name: str, path: str) -> dict[str, Any]:
    return contender.ask("load", runner=name, path=path, threads=1, options={"shapes": {}})


def test_peers_agree_and_are_suspended_pinned_and_ended(model: str, tmp_path: Path) -> None:
    names, cpus = ["onnxruntime", "openvino"], choose_cpus(1)
    save_npz(tmp_path / "in.npz", {"data": np.ones((1, 3, 12, 12), np.float32)})
    outputs = {}
    with contenders(dict.fromkeys(names, cpus)) as field:
        pids = [c.process.pid for c in field.values()]
        for name, c in field.items():
            assert load(c, name, model)["version"]
            assert state(c.process.pid) == "T"
            assert os.sched_getaffinity(c.process.pid) == set(cpus)
            answer = c.ask("outputs", inputs=f"{tmp_path}/in.npz", outputs=f"{tmp_path}/{name}")
            assert answer["peak_mb"] > 10
            outputs[name] = load_npz(tmp_path / name)
        turns = take_turns(field, rounds=2)
        assert [state(pid) for pid in pids] == ["T", "T"]
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert _report.difference(outputs["onnxruntime"], outputs["openvino"]) < 1e-5
    assert {len(rounds) for rounds in turns.values()} == {2}


def test_what_killed_a_contender_is_said(model: str) -> None:
    with contenders({"onnxruntime": choose_cpus(1)}) as field:
        contender = field["onnxruntime"]
        load(contender, "onnxruntime", model)
        contender.process.send_signal(signal.SIGKILL)
        with pytest.raises(LaminaError, match="onnxruntime: its process died of SIGKILL during"):
            contender.ask("time", warm_up=0, runs=1)


def test_the_last_line_of_a_failed_contender_is_said() -> None:
    with (
        contenders({"onnxruntime": choose_cpus(1)}) as field,
        pytest.raises(LaminaError, match=r"exit status 1 during 'load': .*NoSuchFile.*no\.onnx"),
    ):
        load(field["onnxruntime"], "onnxruntime", "no.onnx")


def test_too_many_threads_are_refused() -> None:
    count = len(os.sched_getaffinity(0))
    with pytest.raises(LaminaError, match=f" threads need as many CPUs, found {count}"):
        choose_cpus(count + 1)


class Scripted:
    """Stands in for a contender whose runs all take the same time."""

    def __init__(self, log: list[str], name: str, ms: float) -> None:
        self.log, self.name, self.ms = log, name, ms

    def ask(self, do: str, warm_up: int, runs: int) -> dict[str, Any]:
        self.log.append(self.name)
        return {"times": [self.ms] * runs}


def test_turns_rotate_and_last_as_long_as_the_slowest_needs() -> None:
    log: list[str] = []
    field: dict[str, Any] = {n: Scripted(log, n, ms) for n, ms in (("a", 1), ("b", 25))}
    turns = take_turns(field, rounds=3)
    assert "".join(log) == "ab" + "ab" + "ba" + "ab"
    assert [len(r) for r in turns["a"]] == [10, 10, 10]


def test_ratio_pairs_rounds() -> None:
    """A disturbance that hits both contenders in one round leaves that round's ratio alone."""
    turns = {"x": [[2.0, 2.0], [20.0, 20.0], [2.0, 2.0]], "y": [[1.0], [10.0], [1.0]]}
    ratio = _report.ratio(turns, "x", "y")
    assert (ratio["median"], ratio["low"], ratio["high"]) == (2, 2, 2)
    assert _report.latency(turns["x"]) == {"median_ms": 2, "p10_ms": 2}


@pytest.mark.parametrize(
    ("count", "first"),
    [(1, 0), (5, 0), (6, 0), (8, 0), (9, 1), (15, 3), (20, 5), (30, 9)],  # tables of the sign test
)
def test_interval_of_the_median_leaves_out_as_many_as_95_percent_allow(
    count: int, first: int
) -> None:
    values = [float(k) for k in range(count)]
    assert _report.median_interval(values[::-1]) == (first, count - 1 - first)


@pytest.mark.parametrize(
    ("mine", "theirs", "far"),
    [
        ([1.0, 4.0], [1.0, 2.0], 1.0),
        ([1.0, np.nan], [1.0, 2.0], np.inf),
        ([1.0], [1.0, 2.0], np.inf),
        ([0.0], [0.0], 0.0),
    ],
)
def test_difference_is_relative_to_the_largest_value(
    mine: list[float], theirs: list[float], far: float
) -> None:
    assert _report.difference({"y": np.array(mine)}, {"y": np.array(theirs)}) == far


def test_table_aligns_columns() -> None:
    assert _report.table([["", "ms"], ["lamina", "1.5"]]) == "         ms\nlamina  1.5"


def test_npz_takes_any_name(tmp_path: Path) -> None:
    arrays = {"file": np.arange(3), "a/b:0": np.ones((2, 2), np.float32)}
    save_npz(tmp_path / "x.npz", arrays)
    loaded = load_npz(tmp_path / "x.npz")
    assert list(loaded) == list(arrays)
    assert all((loaded[name] == arrays[name]).all() for name in arrays)
