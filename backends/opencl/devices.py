"""
The OpenCL devices of this computer, and which of them runs models.

The extra `opencl` brings a driver that runs on any x86-64 CPU, but no file that tells the OpenCL
loader where it lies: that is written here, beside those of the system, unless the user says with
OCL_ICD_VENDORS where to look.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from lamina.backends.cpu.objects import default_folder, key_of, write_whole
from lamina.backends.machine import describe
from lamina.errors import LaminaError

SYSTEM_VENDORS = Path("/etc/OpenCL/vendors")
SUBGROUP_SIZES = 0x4108
"""CL_DEVICE_SUB_GROUP_SIZES_INTEL, which pyopencl does not know"""
NEEDED = ("cl_intel_subgroups", "cl_intel_required_subgroup_size")
"""extensions without which there are no kernels for subgroups"""
NOTED = (*NEEDED, "cl_intel_subgroups_short", "cl_intel_subgroups_char", "cl_khr_fp16")
NOTED += ("cl_khr_integer_dot_product",)
"""extensions that decide what kernels may do"""
SUBGROUP = 16
SIMULATOR = "Oclgrind"
"""platform of the device that checks each access of a kernel, a thousand times as slow"""


@dataclass(frozen=True)
class Device:
    """A device, and what kernels need to know of it."""

    handle: Any
    """pyopencl's"""
    name: str
    platform: str
    driver: str
    version: str
    """what the platform and the device say they implement"""
    kind: str
    """GPU, CPU, or other"""
    units: int
    memory: int
    """bytes, all of it"""
    largest: int
    """bytes of the largest buffer"""
    alignment: int
    """bytes of which a part of a buffer must begin at a multiple"""
    shares_memory: bool
    """whether the host reads and writes the same memory"""
    subgroups: tuple[int, ...]
    extensions: tuple[str, ...]
    """those of NOTED that it has"""

    @property
    def flavour(self) -> str:
        """Which kernels it can run: `intel_subgroups`, else `portable`."""
        able = SUBGROUP in self.subgroups and all(e in self.extensions for e in NEEDED)
        return "intel_subgroups" if able else "portable"

    @property
    def identity(self) -> str:
        """What decides, beside source and options, what a program is compiled to."""
        return f"{self.platform}, {self.name}, {self.driver}, {self.version}"


@cache
def opencl() -> Any:
    """The module pyopencl, with drivers set up; LaminaError if it is not installed."""
    if "OCL_ICD_VENDORS" not in os.environ and (driver := cpu_driver()):
        os.environ["OCL_ICD_VENDORS"] = str(vendors(without_spaces(driver)))
    try:
        return import_module("pyopencl")
    except ImportError as e:
        raise LaminaError(f"OpenCL needs pyopencl ({e}); run: pip install 'lamina[opencl]'") from e


def cpu_driver() -> Path | None:
    """Where the driver of the package intel-opencl-rt lies, if that is installed."""
    try:
        files = distribution("intel-opencl-rt").files or []
    except PackageNotFoundError:
        return None
    found = (Path(str(f.locate())).resolve() for f in files if f.name == "libintelocl.so")
    return next((path for path in found if path.exists()), None)


def without_spaces(driver: Path) -> Path:
    """
    The driver, or where its path has spaces, from which it would find no device, the same file in
    another folder, linked or copied there with all of its package and of those it needs.
    """
    if " " not in str(driver):
        return driver
    key = key_of(str(driver), str(driver.stat().st_mtime_ns))
    folder = default_folder() / "opencl" / f"driver-{key[:8]}"
    if " " in str(folder):
        folder = Path(tempfile.mkdtemp(prefix="lamina-opencl-")) / "driver"
        atexit.register(shutil.rmtree, folder.parent, ignore_errors=True)
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
        for path in driver.parent.iterdir():
            if path.is_file():
                _link_or_copy(path, new / path.name)
        with suppress(OSError):  # another process was first
            new.rename(folder)
        shutil.rmtree(new, ignore_errors=True)
    return folder / driver.name


def _link_or_copy(path: Path, to: Path) -> None:
    try:
        to.hardlink_to(path)
    except OSError:  # another file system
        shutil.copy2(path, to)


def vendors(driver: Path, system: Path = SYSTEM_VENDORS) -> Path:
    """A folder that names this driver and those of the system, one file each."""
    folder = default_folder() / "opencl" / f"vendors-{key_of(str(driver))[:8]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _name_drivers(folder, driver, system)
    except OSError:  # no place to write to
        folder = Path(tempfile.mkdtemp(prefix="lamina-opencl-"))
        _name_drivers(folder, driver, system)
    return folder


def _name_drivers(folder: Path, driver: Path, system: Path) -> None:
    texts = {"lamina-cpu.icd": f"{driver}\n"}
    with suppress(OSError):
        texts |= {path.name: path.read_text() for path in system.glob("*.icd")}
    for old in {path.name for path in folder.glob("*.icd")} - set(texts):
        (folder / old).unlink(missing_ok=True)
    for name, text in texts.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            write_whole(path, text.encode())


def devices() -> list[Device]:
    """Every device, in the order of the drivers; LaminaError if there is none."""
    found, failures = survey()
    if not found:
        raise LaminaError(
            "no OpenCL device was found; install the driver of your graphics processor, or "
            "pip install 'lamina[opencl]' for one that runs on the CPU (unset OCL_ICD_VENDORS)"
            + "".join(f"; {text}" for text in failures)
        )
    return found


def survey() -> tuple[list[Device], list[str]]:
    """Every device, and what the drivers say that fail when they are asked for theirs."""
    cl = opencl()
    found, failures = list[Device](), list[str]()
    try:
        platforms = cl.get_platforms()
    except cl.Error:  # which is how it says that there is none
        return [], []
    for number, platform in enumerate(platforms):
        name = f"OpenCL platform {number}"
        try:
            name += f", {platform.name.strip()}"
            handles = platform.get_devices()
        except (cl.Error, ValueError) as e:  # ValueError: a name that is no text
            failures.append(_failure(f"{name}, does not say what devices it has", e))
            continue
        for k, handle in enumerate(handles):
            try:
                found.append(_device(cl, handle))
            except (cl.Error, ValueError) as e:
                failures.append(_failure(f"{name}, does not describe its device {k}", e))
    return found, failures


def _failure(what: str, error: Exception) -> str:
    return f"{what}: {str(error).partition(chr(10))[0]}"


def needs_subgroups(target: str) -> bool:
    """Whether kernels for a target are for subgroups."""
    return describe(target).flavour == "intel_subgroups"


def choose(wanted: str | None = None, *, target: str | None = None) -> Device:
    """
    The device that runs models: the first graphics processor with subgroups, else the first device
    with them; where `target` needs none, or nobody says which it is, else one without, and a
    simulator only if there is no other. `wanted`, by default $LAMINA_OPENCL_DEVICE, is a part of a
    name, or a number.
    """
    found = devices()
    wanted = os.environ.get("LAMINA_OPENCL_DEVICE", "") if wanted is None else wanted
    if wanted:
        numbered = enumerate(found)
        found = [d for k, d in numbered if wanted == str(k) or wanted.lower() in d.name.lower()]
        if not found:
            raise LaminaError(
                f"LAMINA_OPENCL_DEVICE: no device is called '{wanted}'; see 'lamina devices'"
            )
    able = [d for d in found if d.flavour == "intel_subgroups"]
    if not able and target and needs_subgroups(target):
        names = ", ".join(d.name for d in found)
        raise LaminaError(
            f"target {target} needs a device with subgroups of {SUBGROUP} ({', '.join(NEEDED)}), "
            f"found {names}; compile for opencl:portable, or pip install 'lamina[opencl]', which "
            "brings a driver that has them on the CPU"
        )
    real = able or [d for d in found if d.platform != SIMULATOR] or found
    return next((d for d in real if d.kind == "GPU"), real[0])


@cache
def context_of(device: Device) -> Any:
    """The context of a device, in which all models on it can use the same memory."""
    return opencl().Context([device.handle])


def _device(cl: Any, handle: Any) -> Device:
    kinds = {"GPU": cl.device_type.GPU, "CPU": cl.device_type.CPU}
    extensions = handle.extensions.split()
    return Device(
        handle,
        handle.name.strip(),
        handle.platform.name.strip(),
        handle.driver_version.strip(),
        f"{handle.platform.version.strip()}, {handle.version.strip()}",
        next((name for name, bit in kinds.items() if handle.type & bit), "other"),
        handle.max_compute_units,
        handle.global_mem_size,
        handle.max_mem_alloc_size,
        handle.mem_base_addr_align // 8,
        bool(handle.host_unified_memory),
        _subgroups(cl, handle) if NEEDED[1] in extensions else (),
        tuple(e for e in NOTED if e in extensions),
    )


def _subgroups(cl: Any, handle: Any) -> tuple[int, ...]:
    """The sizes of subgroups, asked of the library that pyopencl loaded."""
    info = ctypes.CDLL(cl._cl.__file__).clGetDeviceInfo
    device, size = ctypes.c_void_p(handle.int_ptr), ctypes.c_size_t()
    if info(device, SUBGROUP_SIZES, ctypes.c_size_t(), None, ctypes.byref(size)):
        return ()
    sizes = (ctypes.c_size_t * (size.value // ctypes.sizeof(ctypes.c_size_t)))()
    if info(device, SUBGROUP_SIZES, size, sizes, None):
        return ()
    return tuple(sizes)
