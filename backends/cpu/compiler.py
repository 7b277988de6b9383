"""LLVM IR text to objects and assembly, through llvmlite.

LLVM generates code only. Its optimisation passes are never run: the IR is final, and they would
multiply the time to compile for nothing. A named CPU is a cross compilation, which this computer
may not be able to run: `lamina.backends.cpu.features` knows.
"""

from __future__ import annotations

import llvmlite.binding as llvm

from lamina.backends.machine import Machine


def compile_object(text: str, machine: Machine) -> bytes:
    """The relocatable object file of one LLVM module."""
    generator = code_generator(machine)
    return generator.emit_object(_parsed(text, generator))


def assembly(text: str, machine: Machine) -> str:
    """The same code as assembly text."""
    generator = code_generator(machine)
    return generator.emit_assembly(_parsed(text, generator))


def code_generator(machine: Machine) -> llvm.TargetMachine:
    """LLVM's code generator for `machine`; objects are position independent, for `.so` and JIT."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_triple(triple())
    return target.create_target_machine(
        cpu=machine.llvm_cpu,
        features=machine.features,
        opt=3,
        reloc="pic",
        codemodel="small",
    )


def triple() -> str:
    """The kind of computer this is, as LLVM says it: objects of another kind cannot run here."""
    return llvm.get_process_triple()


def identity(machine: Machine) -> str:
    """Everything beside the text that decides what an object holds; two equal ones are the same."""
    version = ".".join(map(str, llvm.llvm_version_info))
    return f"{triple()} {machine.llvm_cpu} {machine.features} llvm {version}"


def _parsed(text: str, generator: llvm.TargetMachine) -> llvm.ModuleRef:
    module = llvm.parse_assembly(text)
    module.triple = generator.triple
    module.data_layout = str(generator.target_data)
    module.verify()
    return module
