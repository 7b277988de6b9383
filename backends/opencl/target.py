"""What `lamina-opt -t lamina-opencl` prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import DiagnosticException
from xdsl.utils.target import Target

from lamina.backends.machine import UnknownTarget, describe
from lamina.backends.opencl.printer import HEADER, print_module


@dataclass(frozen=True)
class OpenCLTarget(Target):
    """OpenCL C: the kernels of each function."""

    name: ClassVar[str] = "lamina-opencl"

    target: str = "opencl:intel-gen9"
    """the device to print for"""

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        try:
            machine = describe(self.target)
        except UnknownTarget as e:
            raise DiagnosticException(str(e)) from e
        functions = print_module(module, machine).values()
        output.write("\n".join([HEADER, *(k.source for kernels in functions for k in kernels)]))
