"""Finding OpenCL devices, and saying what is missing where there are none."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from lamina.backends.opencl import devices
from lamina.errors import LaminaError


def device(**fields: object) -> devices.Device:
    usual = {
        "handle": None,
        "name": "A",
        "platform": "P",
        "driver": "1",
        "version": "OpenCL 3.0",
        "kind": "CPU",
        "units": 1,
        "memory": 1,
        "largest": 1,
        "alignment": 128,
        "shares_memory": True,
        "subgroups": (8, 16),
        "extensions": devices.NEEDED,
    }
    return devices.Device(**{**usual, **fields})  # pyright: ignore[reportArgumentType]


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[devices.Device]:
    found = list[devices.Device]()
    monkeypatch.setattr(devices, "devices", lambda: found)
    monkeypatch.delenv("LAMINA_OPENCL_DEVICE", raising=False)
    return found


def test_graphics_processors_come_first(known: list[devices.Device]) -> None:
    known += [device(), device(name="Old", kind="GPU", subgroups=()), device(name="G", kind="GPU")]
    assert devices.choose().name == "G"


def test_device_is_chosen_by_number_or_name(
    known: list[devices.Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    known += [device(name="Intel HD"), device(name="Intel Xe")]
    assert devices.choose("1").name == "Intel Xe"
    monkeypatch.setenv("LAMINA_OPENCL_DEVICE", "xe")
    assert devices.choose().name == "Intel Xe"
    with pytest.raises(LaminaError, match="no device is called '2'"):
        devices.choose("2")


@pytest.mark.parametrize("lacks", [{"subgroups": (8, 32)}, {"extensions": devices.NEEDED[:1]}])
def test_device_without_subgroups_is_refused(
    known: list[devices.Device], lacks: dict[str, object]
) -> None:
    known += [device(name="Other", **lacks)]
    assert known[0].flavour == "portable"
    with pytest.raises(
        LaminaError,
        match=r"target opencl:intel-xe needs a device with subgroups of 16 .*, found Other; "
        r"compile for opencl:portable, ",
    ):
        devices.choose(target="opencl:intel-xe")
    assert devices.choose(target="opencl:portable").name == "Other"
    assert devices.choose().name == "Other"


def test_simulator_comes_last(known: list[devices.Device]) -> None:
    known += [device(name="S", kind="GPU", platform=devices.SIMULATOR, subgroups=())]
    assert devices.choose(target="opencl:portable").name == "S"
    known += [device(name="Slow", subgroups=()), device(name="G", kind="GPU", subgroups=())]
    assert devices.choose(target="opencl:portable").name == "G"
    known += [device(name="C")]
    assert devices.choose(target="opencl:portable").name == "C"


def test_drivers_are_named_beside_those_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAMINA_CACHE", str(tmp_path / "cache"))
    (system := tmp_path / "system").mkdir()
    (system / "gpu.icd").write_text("libgpu.so\n")
    folder = devices.vendors(tmp_path / "libcpu.so", system)
    assert {p.name: p.read_text() for p in folder.iterdir()} == {
        "gpu.icd": "libgpu.so\n",
        "lamina-cpu.icd": f"{tmp_path / 'libcpu.so'}\n",
    }
    (system / "gpu.icd").unlink()
    assert [p.name for p in devices.vendors(tmp_path / "libcpu.so", system).iterdir()] == [
        "lamina-cpu.icd"
    ]


@pytest.mark.parametrize("cache", ["cache", "a cache"])
def test_driver_is_found_from_a_folder_with_spaces(
    cache: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAMINA_CACHE", str(tmp_path / cache))
    (folder := tmp_path / "an environment").mkdir()
    driver, beside = folder / "libintelocl.so", folder / "cl.cfg"
    driver.write_text("code")
    beside.write_text("text")
    found = devices.without_spaces(driver)
    assert " " not in str(found)
    assert (found.read_text(), (found.parent / "cl.cfg").read_text()) == ("code", "text")
    assert devices.without_spaces(driver) == found or cache == "a cache"
    assert devices.without_spaces(found) == found


def test_folder_that_cannot_be_written_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LAMINA_CACHE", str(tmp_path / "file"))
    folder = devices.vendors(tmp_path / "libcpu.so", tmp_path)
    assert (folder / "lamina-cpu.icd").exists()


class Silent:
    """A platform whose driver fails when it is asked for its devices."""

    name = "Silent "

    def get_devices(self) -> list[object]:
        raise RuntimeError("clGetDeviceIDs failed: OUT_OF_HOST_MEMORY\nand more")


class Half:
    """A platform with a device that does not say what it is, and a good one."""

    name = "Half"

    def __init__(self, good: object) -> None:
        self.good = good

    def get_devices(self) -> list[object]:
        class Broken:
            @property
            def extensions(self) -> str:
                raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

        return [Broken(), self.good]


def usual_handle() -> SimpleNamespace:
    platform = SimpleNamespace(name="Half", version="OpenCL 3.0")
    numbers = dict.fromkeys(("max_compute_units", "global_mem_size", "max_mem_alloc_size"), 1)
    texts = {"name": "Good", "driver_version": "1", "version": "OpenCL 3.0", "extensions": ""}
    more = {"type": 4, "mem_base_addr_align": 1024, "host_unified_memory": True}
    return SimpleNamespace(platform=platform, **numbers, **texts, **more)


def drivers(*platforms: object) -> SimpleNamespace:
    """What pyopencl is to `devices`, with these platforms."""
    return SimpleNamespace(
        Error=RuntimeError,
        device_type=SimpleNamespace(GPU=4, CPU=2),
        get_platforms=lambda: list(platforms),
    )


def test_driver_that_fails_does_not_hide_others(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = drivers(Silent(), Half(usual_handle()))
    monkeypatch.setattr(devices, "opencl", lambda: fake)
    assert [d.name for d in devices.devices()] == ["Good"]
    assert devices.choose("").name == "Good"
    _, failures = devices.survey()
    assert failures == [
        "OpenCL platform 0, Silent, does not say what devices it has: "
        "clGetDeviceIDs failed: OUT_OF_HOST_MEMORY",
        "OpenCL platform 1, Half, does not describe its device 0: "
        "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
    ]


def test_driver_that_fails_is_named_where_there_is_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(devices, "opencl", lambda: drivers(Silent()))
    with pytest.raises(
        LaminaError, match=r"no OpenCL device was found; .*; OpenCL platform 0, Sil"
    ):
        devices.devices()


def lamina(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lamina.tools.lamina", *args]
    return subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True)


def test_missing_package_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "pyopencl.py").write_text("raise ImportError('not here')")
    paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = lamina("devices", PYTHONPATH=paths)
    assert done.returncode == 1
    assert done.stderr == (
        "lamina: OpenCL needs pyopencl (not here); run: pip install 'lamina[opencl]'\n"
    )


def test_missing_driver_is_an_error_of_one_line(tmp_path: Path) -> None:
    lines = ["class Error(Exception): pass", "def get_platforms(): raise Error"]
    (tmp_path / "pyopencl.py").write_text("\n".join(lines))
    done = lamina("devices", PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]))
    assert done.returncode == 1
    assert done.stderr.startswith("lamina: no OpenCL device was found; install the driver")
    assert done.stderr.count("\n") == 1


def test_devices_are_printed() -> None:
    pytest.importorskip("pyopencl")
    done = lamina("devices")
    assert done.returncode == 0, done.stderr
    assert "models run here" in done.stdout
    own = "intel_subgroups, --target opencl:intel-gen9 or opencl:intel-xe"
    assert f"kernels:    {own}\n" in done.stdout


def test_devices_are_written_as_json(tmp_path: Path) -> None:
    pytest.importorskip("pyopencl")
    done = lamina("devices", "--json", str(tmp_path / "devices.json"))
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "devices.json").read_text())
    assert found["failures"] == []
    rows = found["devices"]
    assert [row["number"] for row in rows] == list(range(len(rows)))
    (chosen,) = (row for row in rows if row["chosen"])
    assert f"{chosen['number']}: {chosen['name']} ({chosen['kind']}), models run" in done.stdout
    assert chosen["flavour"] == "intel_subgroups"
    assert chosen["targets"] == ["opencl:intel-gen9", "opencl:intel-xe"]
    assert 16 in chosen["subgroups"]


def test_nothing_is_written_where_there_is_no_device(tmp_path: Path) -> None:
    (tmp_path / "pyopencl.py").write_text("raise ImportError('not here')")
    paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = lamina("devices", "--json", str(tmp_path / "devices.json"), PYTHONPATH=paths)
    assert done.returncode == 1
    assert [p.name for p in tmp_path.iterdir()] == ["pyopencl.py"]
