"""Where a kernel keeps buffers of its own."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from xdsl.builder import Builder
from xdsl.dialects import func, memref
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    FixedBitwidthType,
    FunctionType,
    MemRefType,
    ModuleOp,
    UnitAttr,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from lamina.dialects.te import memref_type

STACK = 64 * 1024
"""bytes of a kernel's own buffers that may live on the stack of the calling thread"""


def is_kernel(f: func.FuncOp) -> bool:
    """Whether `f` computes by itself."""
    return not f.is_declaration and not any(isinstance(op, func.CallOp) for op in f.walk())


def place_scratch(module: ModuleOp, stack: int = STACK) -> None:
    """memref.alloc in a kernel -> memref.alloca, or an argument that its callers allocate"""
    functions = [f for f in module.ops if isinstance(f, func.FuncOp)]
    calls: dict[str, list[func.CallOp]] = {}
    for call in (op for f in functions for op in f.walk() if isinstance(op, func.CallOp)):
        calls.setdefault(call.callee.string_value(), []).append(call)
    for kernel in filter(is_kernel, functions):
        room = stack
        for alloc in [op for op in kernel.walk() if isinstance(op, memref.AllocOp)]:
            type = memref_type(alloc.memref)
            room -= prod(type.get_shape()) * element_size(type)
            if room >= 0:
                alloca = memref.AllocaOp.get(type.element_type, None, [*type.get_shape()])
                Rewriter.replace_op(alloc, alloca)
            else:
                become_argument(kernel, alloc, calls.get(kernel.sym_name.data, ()))


def element_size(type: MemRefType[Attribute]) -> int:
    """Bytes of one element."""
    assert isinstance(type.element_type, FixedBitwidthType), type
    return type.element_type.size


def become_argument(
    kernel: func.FuncOp, alloc: memref.AllocOp, calls: Iterable[func.CallOp]
) -> None:
    """Hand the buffer in as an argument before the result, marked `lamina.scratch`."""
    block, type = kernel.body.block, memref_type(alloc.memref)
    position = len(block.args) - 1
    attrs = list(
        kernel.arg_attrs.data if kernel.arg_attrs else [DictionaryAttr({})] * (position + 1)
    )
    arg = block.insert_arg(type, position)
    arg.name_hint = alloc.memref.name_hint
    attrs.insert(position, DictionaryAttr({"lamina.scratch": UnitAttr()}))
    kernel.arg_attrs = ArrayAttr(attrs)
    kernel.function_type = FunctionType.from_lists([a.type for a in block.args], [])
    Rewriter.replace_op(alloc, [], [arg])
    for call in calls:
        call.operands = insert_buffer(call, position, type)


def insert_buffer(call: func.CallOp, position: int, type: MemRefType[Attribute]) -> list[SSAValue]:
    """The operands of `call` with a new buffer at `position`."""
    alloc = memref.AllocOp.get(type.element_type, None, [*type.get_shape()])
    Builder(InsertPoint.before(call)).insert(alloc)
    operands = list(call.arguments)
    return [*operands[:position], alloc.memref, *operands[position:]]
