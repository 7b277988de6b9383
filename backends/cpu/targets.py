"""What `lamina-opt -t` prints for CPUs, such as `-t 'lamina-asm{target="cpu:haswell"}'`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import DiagnosticException
from xdsl.utils.target import Target

from lamina.backends.cpu.llvm_ir import print_module
from lamina.backends.machine import Machine, UnknownTarget, describe


@dataclass(frozen=True)
class LlvmTarget(Target):
    """LLVM IR text: an LLVM module for each function, one after the other."""

    name: ClassVar[str] = "lamina-llvm"

    target: str = "cpu"
    """the machine to print for"""

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        for symbol, text in print_module(module, _machine(self.target)).items():
            output.write(f"; @{symbol}\n{text}\n")


@dataclass(frozen=True)
class AsmTarget(Target):
    """Assembly, in the syntax of the GNU assembler."""

    name: ClassVar[str] = "lamina-asm"

    target: str = "cpu"
    """the machine to compile for; it need not be this one"""

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        # imported here: loading LLVM takes 0.1 s, and printing its IR does without
        from lamina.backends.cpu.compiler import assembly

        machine = _machine(self.target)
        for text in print_module(module, machine).values():
            output.write(assembly(text, machine))


def _machine(target: str) -> Machine:
    try:
        return describe(target)
    except UnknownTarget as e:
        raise DiagnosticException(str(e)) from e
