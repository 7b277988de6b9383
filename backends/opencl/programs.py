"""Kernels built for a device: from their source, or from what the driver made of it before."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lamina.backends.cpu.objects import ObjectCache, default_folder, key_of, trim, write_whole
from lamina.backends.opencl.devices import SIMULATOR, Device, opencl
from lamina.errors import LaminaError

OPTIONS = "-cl-std=CL2.0"
PORTABLE = "-cl-std=CL1.2"
"""without subgroups, any device will do"""
CAME_FROM = "\n// This is what it came from:\n"
"""between a source and its IR in comments, for whoever looks into a failure"""
FAILED = 16 << 20
"""bytes that sources which failed to build may take"""


class Programs:
    """Builds programs for one device; with `cache`, their binaries are kept in a folder."""

    def __init__(
        self, device: Device, context: Any, options: str = OPTIONS, *, cache: bool = True
    ) -> None:
        self.device, self.options = device, options
        self._context = context
        folder = default_folder() / "opencl" / "programs"
        self._cache = ObjectCache(folder) if cache else None

    def build(self, sources: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Any]:
        """
        The program of each source, several at once where the driver can do that; `names` says of
        each what it computes. The error for one that cannot be built says which it is, and where to
        read on.
        """

        def one(symbol: str) -> Any:
            return self._program(symbol, sources[symbol], names.get(symbol, ""))

        at_once = 1 if self.device.platform == SIMULATOR else len(os.sched_getaffinity(0))
        with ThreadPoolExecutor(at_once) as workers:  # the simulator's compiler crashes in threads
            return dict(zip(sources, workers.map(one, sources), strict=True))

    def _program(self, symbol: str, source: str, name: str) -> Any:
        if self._cache is None:
            return self._built(symbol, source, name)
        cl = opencl()
        built = list[Any]()

        def compile() -> bytes:
            built.append(self._built(symbol, source, name))
            return built[0].get_info(cl.program_info.BINARIES)[0]

        code = source.partition(CAME_FROM)[0]  # the same code has the same binary
        key = key_of(code, self.options, self.device.identity, version("lamina"))
        binary = self._cache.get(key, compile)
        if built:
            return built[0]
        try:
            found = cl._cl._Program(self._context, [self.device.handle], [binary])
            found._build(self.options.encode(), None)
        except cl.Error:  # the driver refuses what it made, perhaps before it was updated
            return self._built(symbol, source, name)
        return cl.Program(found)

    def _built(self, symbol: str, source: str, name: str) -> Any:
        cl = opencl()
        # plain programs: pyopencl's have a cache of their own, and warn of what drivers remark
        program = cl._cl._Program(self._context, source.partition(CAME_FROM)[0])
        try:
            program._build(self.options.encode(), None)
        except cl.Error as e:
            log = program.get_build_info(self.device.handle, cl.program_build_info.LOG)
            raise LaminaError(self._failure(symbol, source, name, log or str(e))) from e
        return cl.Program(program)

    def _failure(self, symbol: str, source: str, name: str, log: str) -> str:
        """What to say of a build that failed; all that one needs to look into it is in a file."""
        meant = f"@{symbol}, which computes {name}" if name else f"@{symbol}"
        lines = [line.strip() for line in log.splitlines() if line.strip()]
        reason = next((line for line in lines if "error" in line.lower()), " ".join(lines[:1]))
        said = f"opencl: {self.device.name} cannot build {meant}: {reason}"
        try:
            path = self._write_failed(symbol, source, log)
        except OSError:
            return (
                f"{said}; its IR is @{symbol} of 'lamina compile MODEL --emit vector' for the "
                "same target"
            )
        return f"{said}; the OpenCL C, the IR it came from and the driver's log are in {path}"

    def _write_failed(self, symbol: str, source: str, log: str) -> Path:
        folder = default_folder() / "opencl" / "failed"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{symbol}-{key_of(source)[:8]}.cl"
        device = f"{self.device.identity}, options {self.options}"
        text = f"{source.rstrip()}\n\n// This is what {device} said:\n{commented(log)}"
        write_whole(path, text.encode())
        trim(folder, FAILED, keep=path)
        return path


def commented(text: str) -> str:
    """The lines of a text, each as a comment."""
    return "".join(f"// {line}\n" for line in text.splitlines())
