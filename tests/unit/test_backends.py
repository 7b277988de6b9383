"""Back ends: how they are found, and what is said if one cannot be used."""

from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pytest

import lamina
from lamina.backends import registry
from lamina.backends.cpu.backend import CPU
from lamina.backends.machine import UnknownTarget, describe
from lamina.backends.opencl.backend import OPENCL
from lamina.compiler import machine_of, machines_of
from lamina.errors import LaminaError
from lamina.passes import pipelines


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    registry.installed.cache_clear()
    yield
    registry.installed.cache_clear()


def installed(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    """Let these entry points be installed, beside those of lamina."""
    found = [EntryPoint(name, value, registry.GROUP) for name, value in values.items()]
    own = {
        "cpu": "lamina.backends.cpu.backend:CPU",
        "opencl": "lamina.backends.opencl.backend:OPENCL",
    }
    found += [EntryPoint(name, value, registry.GROUP) for name, value in own.items()]
    monkeypatch.setattr(registry, "entry_points", lambda group: found)


def test_own_back_ends_are_found_by_the_first_part_of_a_target() -> None:
    assert registry.backend_of("cpu:haswell") is CPU
    assert registry.backend_of("opencl:intel-gen9") is OPENCL


def test_checkout_that_is_newer_than_its_installation_needs_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda group: [])
    assert registry.backend_of("cpu") is CPU
    assert {e.value for e in registry.installed().values()} >= {
        e.value for e in entry_points(group=registry.GROUP) if e.name in ("cpu", "opencl")
    }


def test_unknown_target_names_what_there_is() -> None:
    with pytest.raises(UnknownTarget, match="unknown target 'opencl:gen'; did you mean opencl:"):
        describe("opencl:gen")
    with pytest.raises(LaminaError, match="unknown target 'tpu:v4'; did you mean cpu"):
        lamina.compile("m.onnx", target="tpu:v4")
    with pytest.raises(LaminaError, match="needs a back end 'tpu', found cpu, opencl; install the"):
        registry.backend_of("tpu:v4")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_module:X", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("lamina.backends.machine:nothing", "AttributeError: .*nothing"),
        ("lamina.backends.machine:KiB", "it is 1024, which is no .*interface.Backend of this name"),
        (
            "lamina.backends.cpu.backend:CPU",
            "it is <.*>, which is no .*interface.Backend of this name",
        ),
    ],
)
def test_back_end_that_cannot_be_loaded_is_named(
    value: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, broken=value)
    with pytest.raises(LaminaError, match=f"back end 'broken' .* from {value}: {reason}.*; update"):
        lamina.compile("m.onnx", target="broken:x")
    assert registry.backend_of("cpu") is CPU


def test_pipeline_of_a_target_ends_in_the_passes_of_its_back_end() -> None:
    for target in ("cpu:haswell", "opencl:intel-gen9"):
        names = [p.name for p in pipelines.default(target)]
        machine = describe(target)
        last = [p.name for p in registry.backend_of(target).passes(machine, pipelines.DEFAULT)]
        assert names[-len(last) :] == last
        assert last[0] == "pack-weights"


def test_entry_points_are_those_in_the_project_file() -> None:
    found: dict[str, Any] = {name: e.load() for name, e in registry._of_checkout().items()}
    assert found == {"cpu": CPU, "opencl": OPENCL}


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ("opencl:gen,cpu", "unknown target 'opencl:gen'; did you mean"),
        ("cpu,tpu:v4", "unknown target 'tpu:v4'"),
        ("cpu,", "unknown target ''"),
        ("cpu,opencl:intel-xe,cpu", "names each once, found 'cpu,opencl:intel-xe,cpu'"),
        ("cpu,cpu:haswell", "has one CPU, found cpu and cpu:haswell"),
    ],
)
def test_list_of_targets_is_checked(targets: str, message: str) -> None:
    with pytest.raises(LaminaError, match=message):
        lamina.compile("m.onnx", target=targets)


def test_device_that_is_not_there_is_left_out_where_a_cpu_may_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(type(OPENCL), "absent", lambda self, machine: "OpenCL needs pyopencl")
    found = machines_of("opencl:intel-gen9,cpu")
    assert [machine.name for machine in found] == ["cpu"]
    remark = "lamina: remark: opencl:intel-gen9 is left out: OpenCL needs pyopencl\n"
    assert capsys.readouterr().err == remark
    for only in ("opencl:intel-gen9", "opencl:intel-gen9,opencl:intel-xe"):
        assert [machine.name for machine in machines_of(only)] == only.split(",")


def test_why_a_device_is_absent_is_what_its_driver_says(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyopencl")
    assert OPENCL.absent(describe("opencl:intel-gen9")) is None
    monkeypatch.setenv("LAMINA_OPENCL_DEVICE", "no such device")
    assert "no device is called" in (OPENCL.absent(describe("opencl:intel-gen9")) or "")


def test_one_target_is_needed_where_one_is_meant() -> None:
    with pytest.raises(LaminaError, match="one target is needed here, found the list 'cpu,opencl:"):
        machine_of("cpu,opencl:intel-gen9")
