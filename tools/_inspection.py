"""What Intel's compiler makes of a model's kernels: what it builds, spills and spends cycles on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.utils.exceptions import DiagnosticException

from lamina import steps
from lamina.backends.opencl.isa import Assembly
from lamina.backends.opencl.ocloc import Chip, assemblies
from lamina.backends.opencl.printer import (
    HEADER,
    Kernel,
    functions_of,
    print_function,
)
from lamina.compiler import machine_of
from lamina.errors import LaminaError
from lamina.options import Options


@dataclass(frozen=True)
class Inspected:
    """A kernel on a device; its numbers are 0 if it does not build."""

    device: str
    kernel: str
    layer: str
    """the node of the user's model that it comes from first"""
    error: str
    """why it does not build"""
    spill: int = 0
    """bytes"""
    lanes: int = 0
    instructions: int = 0
    hot: int = 0
    """instructions of the block where it spends its time"""
    multiply_adds: int = 0
    """of these"""
    share: float = 0.0
    """of the cycles of that block, those of the multiply-adds"""
    cycles: int = 0
    """of that block"""
    block_reads: int = 0
    other_reads: int = 0
    stateless: int = 0
    """messages with addresses of 64 bits, which take longer"""


def inspect(
    model: steps.Model, chip: Chip, shapes: steps.Shapes, storage: str = "f32"
) -> Iterator[Inspected]:
    """Every kernel of a model, compiled for one device, floats stored as `storage`."""
    _, module = steps.lowered(model, chip.target, "vector", Options(1, storage=storage), shapes)
    kernels, layers = kernels_of(module, chip.target)
    found = compiled(kernels, chip.name)
    for name, result in zip((k.name for k in kernels), found, strict=True):
        layer = layers.get(name, "")
        if isinstance(result, str):
            yield Inspected(chip.name, name, layer, result)
        else:
            yield _inspected(chip, result, layer)


def kernels_of(module: ModuleOp, target: str) -> tuple[list[Kernel], dict[str, str]]:
    """The kernels of a network, and the layer that each of them is first called for."""
    kernels: list[Kernel] = []
    layers: dict[str, str] = {}
    first = _sources(module)
    try:
        machine = machine_of(target)
        for f in functions_of(module):
            if "lamina.entry" not in f.attributes:
                made = print_function(f, machine)
                kernels += made
                layers |= {k.name: first.get(f.sym_name.data, "") for k in made}
    except DiagnosticException as e:
        raise LaminaError(str(e)) from e
    return kernels, layers


def _sources(module: ModuleOp) -> dict[str, str]:
    found: dict[str, str] = {}
    for call in module.walk():
        source = call.attributes.get("lamina.source")
        if isinstance(call, func.CallOp) and isinstance(source, StringAttr):
            found.setdefault(call.callee.string_value(), source.data)
    return found


def compiled(kernels: Sequence[Kernel], device: str) -> list[Assembly | str]:
    """Each of the kernels, or why it does not build; at once if all of them do."""
    try:
        found = assemblies(program(kernels), device)
        return [found[k.name] for k in kernels]
    except LaminaError as e:
        if len(kernels) == 1:
            return [str(e)]
    return [result for k in kernels for result in compiled([k], device)]


def program(kernels: Sequence[Kernel]) -> str:
    """One source with all of them."""
    return "\n".join([HEADER, *(k.source for k in kernels)])


def _inspected(chip: Chip, a: Assembly, layer: str) -> Inspected:
    hot, messages = a.hot, a.messages
    return Inspected(
        chip.name,
        a.name,
        layer,
        "",
        a.spill,
        a.lanes,
        a.instructions,
        len(hot.instructions),
        hot.multiply_adds,
        hot.share(chip.pipe),
        hot.cycles(chip.pipe),
        messages["block read"],
        messages["read"],
        messages["a64"],
    )
