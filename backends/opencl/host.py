"""The host's part of a network for a device, read off its entry: what is launched, on what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.utils.exceptions import DiagnosticException

from lamina.backends.cpu.entry import describe_entry, memref_of, place_of
from lamina.backends.cpu.llvm_ir import ENTRY
from lamina.backends.cpu.manifest import Launch, Manifest, Slice
from lamina.backends.cpu.types import byte_size
from lamina.backends.machine import Machine
from lamina.backends.opencl.printer import Kernel

ALIGNMENT = 128
"""bytes of which a part of a buffer begins at a multiple, on any device that we know"""


def describe_launches(
    module: ModuleOp, machine: Machine, kernels: Mapping[str, Sequence[Kernel]]
) -> Manifest:
    """
    The manifest of the module's entry, with the launches that its calls are made of: each kernel of
    the function that is called, on the buffers among its arguments that the kernel uses.
    """
    manifest = describe_entry(module, machine)
    entry = next(f for f in module.ops if isinstance(f, func.FuncOp) and ENTRY in f.attributes)
    calls = [op for op in entry.body.block.ops if isinstance(op, func.CallOp)]
    launches = list[Launch]()
    for number, call in enumerate(calls):
        symbol = call.callee.string_value()
        slices = [_slice(symbol, v) for v in call.arguments]
        for kernel in kernels[symbol]:
            buffers = tuple(slices[k] for k in kernel.arguments)
            launches.append(Launch(number, kernel.name, kernel.grid, buffers))
    return replace(manifest, launches=tuple(launches))


def _slice(symbol: str, value: SSAValue) -> Slice:
    """Which bytes of which argument of the entry a kernel is given."""
    type, place = memref_of(value), place_of(value)
    strides = type.get_strides() or ()
    last = sum((n - 1) * (s or 0) for n, s in zip(type.get_shape(), strides, strict=True))
    if place.offset % ALIGNMENT:
        raise DiagnosticException(
            f"opencl: @{symbol} is given a buffer that begins {place.offset} bytes into another, "
            f"which needs to be a multiple of {ALIGNMENT}; place-concats{{alignment={ALIGNMENT}}} "
            f"and plan-memory{{alignment={ALIGNMENT}}} see to that"
        )
    return Slice(place.argument, place.offset, (last + 1) * byte_size(type.element_type))
