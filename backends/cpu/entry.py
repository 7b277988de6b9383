"""Reading off the entry what a model takes and gives, and which kernels it calls on what."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

import numpy as np
from xdsl.dialects import arith, func, memref
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DictionaryAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    ModuleOp,
    StringAttr,
)
from xdsl.ir import Attribute, BlockArgument, Operation, SSAValue
from xdsl.utils.exceptions import DiagnosticException

from lamina.backends.cpu.artifact import in_one_block
from lamina.backends.cpu.compiler import triple
from lamina.backends.cpu.features import required_features
from lamina.backends.cpu.llvm_ir import ENTRY
from lamina.backends.cpu.manifest import ROLES, Argument, Call, Manifest, Place
from lamina.backends.cpu.types import byte_size
from lamina.backends.cpu.work import flops_of
from lamina.backends.machine import Machine
from lamina.dialects.elements import is_unsigned

_SAME_BUFFER = (
    memref.CastOp,
    memref.CollapseShapeOp,
    memref.ExpandShapeOp,
    memref.ReinterpretCastOp,
)
_VIEWS = (memref.ViewOp, memref.SubviewOp, *_SAME_BUFFER)
_IN_AN_ENTRY = (arith.ConstantOp, func.CallOp, func.ReturnOp, *_VIEWS)


def describe_entry(module: ModuleOp, machine: Machine, threads: int = 1) -> Manifest:
    """The manifest of the module's one entry, the function with the attribute `lamina.entry`."""
    functions = {f.sym_name.data: f for f in module.ops if isinstance(f, func.FuncOp)}
    entries = [f for f in functions.values() if ENTRY in f.attributes]
    if len(entries) != 1:
        raise DiagnosticException(
            f"a model needs one function with the attribute {ENTRY}, found {len(entries)}"
        )
    (entry,) = entries
    for op in entry.body.block.ops:
        if not isinstance(op, _IN_AN_ENTRY):
            raise DiagnosticException(f"an entry calls kernels with buffers, got {op.name}")
    kernels = {name: f for name, f in functions.items() if f.body.blocks and f is not entry}
    work = {name: flops_of(f, kernels) for name, f in kernels.items()}
    calls = [op for op in entry.body.block.ops if isinstance(op, func.CallOp)]
    return Manifest(
        entry=entry.sym_name.data,
        target=machine.name,
        cpu=machine.llvm_cpu,
        triple=triple() if machine.kind == "cpu" else "",
        features=tuple(required_features(machine)) if machine.kind == "cpu" else (),
        arguments=tuple(arguments_of(entry)),
        calls=tuple(_call(op, work, functions) for op in calls),
        lamina=version("lamina"),
        threads=threads,
    )


def places_of_weights(module: ModuleOp) -> dict[str, np.ndarray]:
    """For the key of each weight that the entry is given, an array like it; all in one block."""
    found = dict[str, tuple[tuple[int, ...], np.dtype]]()
    for function in module.ops:
        if isinstance(function, func.FuncOp):
            for attributes, arg in zip(function.arg_attrs or (), function.args, strict=False):
                if isinstance(key := attributes.data.get("lamina.weight"), StringAttr):
                    type = memref_of(arg)
                    found[key.data] = type.get_shape(), np.dtype(dtype_of(type.element_type))
    return in_one_block(found)


def arguments_of(entry: func.FuncOp) -> list[Argument]:
    """What the arguments of an entry are for, as their attributes say."""
    attributes = entry.arg_attrs.data if entry.arg_attrs else ()
    if len(attributes) != len(entry.args):
        raise DiagnosticException(f"@{entry.sym_name.data}: an argument says not what it is for")
    found = list[Argument]()
    for k, (a, attrs) in enumerate(zip(entry.args, attributes, strict=True)):
        role = next((r for r in ROLES if f"lamina.{r}" in attrs.data), None)
        if role is None:
            roles = ", ".join(f"lamina.{r}" for r in ROLES)
            raise DiagnosticException(
                f"@{entry.sym_name.data}: argument {k} needs one of {roles}, got {attrs}"
            )
        t = memref_of(a)
        found.append(Argument(role, _name(attrs, role), t.get_shape(), dtype_of(t.element_type)))
    return found


def _name(attributes: DictionaryAttr, role: str) -> str:
    name = attributes.data[f"lamina.{role}"]
    return name.data if isinstance(name, StringAttr) else ""


def memref_of(v: SSAValue) -> MemRefType:
    """The type of a buffer."""
    if not isinstance(v.type, MemRefType):
        raise DiagnosticException(f"an entry passes memrefs, got {v.type}")
    return v.type


def dtype_of(t: Attribute) -> str:
    """NumPy's name of an element type."""
    if isinstance(t, IntegerType) and t.width.data == 1:
        return "bool"
    kind = "int" if isinstance(t, IntegerType | IndexType) else "float"
    kind = f"u{kind}" if is_unsigned(t) else kind
    return f"{kind}{8 * byte_size(t)}"


def _call(op: func.CallOp, work: Mapping[str, int], functions: Mapping[str, func.FuncOp]) -> Call:
    symbol = op.callee.string_value()
    if not op.arguments:
        raise DiagnosticException(f"@{symbol} is called without a buffer for its result")
    t = memref_of(op.arguments[-1])
    strides = t.get_strides()
    if strides is None or None in strides:
        raise DiagnosticException(f"the result of @{symbol} needs strides that are known, got {t}")
    width = byte_size(t.element_type)
    flops, kernel = op.attributes.get("lamina.flops"), functions.get(symbol)
    return Call(
        symbol=symbol,
        places=tuple(place_of(v) for v in op.arguments),
        shape=t.get_shape(),
        strides=tuple(width * s for s in strides if s is not None),
        dtype=dtype_of(t.element_type),
        source=_text(op, "lamina.source"),
        layout=_text(op, "lamina.layout"),
        flops=flops.value.data if isinstance(flops, IntegerAttr) else work.get(symbol, 0),
        predicted=_number(kernel, "lamina.seconds"),
        tuned=kernel is not None and "lamina.tuned" in kernel.attributes,
    )


def _number(op: Operation | None, attribute: str) -> float:
    value = op.attributes.get(attribute) if op is not None else None
    return value.value.data if isinstance(value, FloatAttr) else 0.0


def _text(op: Operation, attribute: str) -> str:
    value = op.attributes.get(attribute)
    return value.data if isinstance(value, StringAttr) else ""


def place_of(v: SSAValue) -> Place:
    """Follow views back to the argument of the entry."""
    offset = 0
    while not isinstance(v, BlockArgument):
        match v.owner:
            case memref.ViewOp() as op:
                offset += _known(op.byte_shift)
                v = op.source
            case memref.SubviewOp() as op:
                offset += _subview_offset(op)
                v = op.source
            case Operation() as op:
                assert isinstance(op, _SAME_BUFFER), op.name
                v = op.operands[0]
            case block:
                raise AssertionError(block)
    return Place(v.index, offset)


def _subview_offset(op: memref.SubviewOp) -> int:
    t, given = memref_of(op.source), iter(op.offsets)
    offsets = [
        _known(next(given)) if n == DYNAMIC_INDEX else int(n)
        for n in op.static_offsets.get_values()
    ]
    steps = zip(offsets, t.get_strides() or (), strict=True)
    return byte_size(t.element_type) * sum(n * (s or 0) for n, s in steps)


def _known(v: SSAValue) -> int:
    if isinstance(v.owner, arith.ConstantOp) and isinstance(v.owner.value, IntegerAttr | FloatAttr):
        return int(v.owner.value.value.data)
    raise DiagnosticException("an entry needs offsets that are constants")
