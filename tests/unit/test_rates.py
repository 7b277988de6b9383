"""Rates of a machine: tables, what is measured once and kept, and files that are no good."""

import dataclasses
import re
from pathlib import Path

import pytest

from lamina.backends.cpu import measure
from lamina.backends.cpu.measure import call_ns, clock_ghz, measured
from lamina.backends.machine import Machine, describe, targets
from lamina.backends.rates import Rates, rates_file, read_rates, write_rates
from tests.unit.cli import Command

RATES = Rates(4, 64, 128, 56, 28, 10, 20)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMINA_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Machine]:
    """Measuring gives RATES at once; the list says how often that happened."""
    asked: list[Machine] = []

    def tell(machine: Machine) -> Rates:
        asked.append(machine)
        return RATES

    monkeypatch.setattr(measure, "measure", tell)
    return asked


@pytest.mark.parametrize("target", targets()[1:])
def test_tables_have_caches_that_get_slower_outwards(target: str) -> None:
    r = describe(target).rates
    assert r.l1 >= r.l2 >= r.l3 > r.dram > 0
    assert r.flops_per_cycle >= 4
    assert not describe(target).measured


def test_cycles_become_seconds() -> None:
    assert RATES.seconds(8e9) == 2


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(Rates)])
@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf")])
def test_rates_are_numbers_above_zero(field: str, wrong: float) -> None:
    with pytest.raises(ValueError, match=f"{field} needs a number above 0"):
        dataclasses.replace(RATES, **{field: wrong})


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "rates.json"
    write_rates(path, RATES)
    assert read_rates(path) == RATES
    assert [p.name for p in path.parent.iterdir()] == ["rates.json"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"l2": 56', '"l2": 57'),
        lambda text: "[]",
        lambda text: "{}",
        lambda text: "",
        lambda text: '{"rates": 3, "sha256": ""}',
    ],
)
def test_damaged_file_counts_as_none(tmp_path: Path, damage) -> None:
    path = tmp_path / "rates.json"
    write_rates(path, RATES)
    path.write_text(damage(path.read_text()))
    assert read_rates(path) is None


def test_other_features_are_another_machine() -> None:
    assert rates_file("znver5", "+avx2") != rates_file("znver5", "+avx512f")
    assert rates_file("znver5", "+avx2") != rates_file("znver4", "+avx2")


def test_this_machine_is_measured_once(told: list[Machine]) -> None:
    assert not describe("cpu").measured
    first = measured(describe("cpu"))
    assert (first.rates, first.measured, len(told)) == (RATES, True, 1)
    assert describe("cpu") == first
    assert measured(describe("cpu")) == first
    assert len(told) == 1
    measured(describe("cpu"), again=True)
    assert len(told) == 2


def test_damaged_file_is_measured_anew(told: list[Machine]) -> None:
    cpu = describe("cpu")
    measured(cpu)
    rates_file(cpu.llvm_cpu, cpu.features).write_text("{")
    assert not describe("cpu").measured
    assert measured(describe("cpu")).rates == RATES
    assert describe("cpu").measured


def test_named_target_is_not_measured(told: list[Machine]) -> None:
    assert measured(describe("cpu:haswell"), again=True) == describe("cpu:haswell")
    assert not told


def test_table_is_used_where_nothing_can_be_kept(
    told: list[Machine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LAMINA_CACHE", str(tmp_path / "file" / "cache"))
    assert measured(describe("cpu")) == describe("cpu")
    assert not told


def test_interrupted_measurement_is_begun_again(
    monkeypatch: pytest.MonkeyPatch, told: list[Machine]
) -> None:
    def interrupted(machine: Machine) -> Rates:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(measure, "measure", interrupted)
        with pytest.raises(KeyboardInterrupt):
            measured(describe("cpu"))
    assert not describe("cpu").measured
    assert measured(describe("cpu")).rates == RATES


def test_units_are_whole_ones_and_explain_the_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock read a tenth too high does not add a tenth of a unit."""
    cpu = dataclasses.replace(describe("cpu:skylake-avx512"), name="cpu")
    monkeypatch.setattr(measure, "clock_ghz", lambda m: 3.3)
    monkeypatch.setattr(measure, "fma_peak", lambda m: 192.0)
    monkeypatch.setattr(measure, "read_bandwidth", lambda m, size, total=0: 1e9 / size)
    monkeypatch.setattr(measure, "call_ns", lambda m: 5.0)
    r = measure.measure(cpu)
    assert (r.flops_per_cycle, r.ghz, r.call_cycles) == (64, 3, 15)
    assert r.l1 > r.l2 > r.l3 > r.dram


def test_clock_and_calls_are_plausible() -> None:
    cpu = describe("cpu")
    assert 0.3 < clock_ghz(cpu) < 10
    assert 0.1 < call_ns(cpu) < 1000


def test_machine_command_measures_and_shows(
    capsys: pytest.CaptureFixture[str], told: list[Machine]
) -> None:
    lamina = Command(capsys)
    text = lamina("machine")
    assert "measured here" in text
    assert "4.00 GHz" in text
    assert "64 flops  256 GFLOP/s" in text
    slow = lamina("machine", "--target", "cpu:skylake-avx512")
    assert re.search(r"int8 +madd16 +85 ops +239 GOP/s", slow)
    assert re.search(r"int8 of 7 bits +maddubs +128 ops +358 GOP/s", slow)
    assert lamina("machine") == text
    assert len(told) == 1
    lamina("machine", "--again")
    assert len(told) == 2
    assert "from the tables of the vendor" in lamina("machine", "--target", "cpu:haswell")
    assert "cpu:haswell is a table" in lamina.error("machine", "--target", "cpu:haswell", "--again")
