"""Keep in 16 bits what kernels hand on, and the weights that they sum up products of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np
from xdsl.context import Context
from xdsl.dialects import func, memref
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    MemRefType,
    ModuleOp,
    StringAttr,
    f16,
    f32,
)
from xdsl.ir import Attribute, BlockArgument, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter
from xdsl.utils.exceptions import PassFailedException
from xdsl.utils.symbol_table import SymbolTable

from lamina.context import weights_of
from lamina.dialects.te import ComputeOp, memref_type
from lamina.passes._machine import machine_of
from lamina.weights import WeightStore

VIEWS = (memref.SubviewOp, memref.CastOp, memref.ReinterpretCastOp)
"""ops whose result is memory of their operand, with the same elements"""
WEIGHT = "lamina.weight"

Access = tuple[ComputeOp, int]
"""a te op, and which of its accesses"""


def accesses(ref: SSAValue, kernels: SymbolTable) -> list[Access] | None:
    """All accesses to a buffer, in kernels that are given it too; None: there are other uses."""
    found: list[Access] = []
    for use in ref.uses:
        op = use.operation
        if isinstance(op, ComputeOp):
            found.append((op, use.index - len(op.outer.data)))
            continue
        inner = None
        if isinstance(op, VIEWS):
            inner = accesses(op.results[0], kernels)
        elif isinstance(op, func.CallOp):
            kernel = kernels.lookup(op.callee.string_value())
            if isinstance(kernel, func.FuncOp) and not kernel.is_declaration:
                inner = accesses(kernel.body.block.args[use.index], kernels)
        if inner is None:
            return None
        found += inner
    return found


def is_factor(op: ComputeOp, k: int) -> bool:
    """Whether access `k` brings another element in each step of a reduction."""
    reduced = {a.name for a in op.axes.data if a.reduce and a.extent > 1}
    names = {n for e in op.accesses.data[k].index for n in e.names()}
    return k < len(op.inputs) and bool(names & reduced)


def in_f16(type: MemRefType[Attribute]) -> MemRefType[Attribute]:
    """The type of a buffer that has f16 where this one has f32."""
    return MemRefType(f16, type.get_shape(), type.layout, type.memory_space)


def retype(ref: SSAValue, type: MemRefType[Attribute]) -> SSAValue:
    """Let a buffer, and its views, have the elements of `type`."""
    new = Rewriter.replace_value_with_new_type(ref, type)
    for use in list(new.uses):
        if isinstance(use.operation, VIEWS):
            view = use.operation.results[0]
            retype(view, in_f16(memref_type(view)))
    return new


def rounded(key: str, store: WeightStore) -> str:
    """The key of a weight in f16, made when it is first needed; what is too large is infinite."""

    def make() -> np.ndarray:
        with np.errstate(over="ignore"):
            return store.get(key).astype(np.float16)

    return store.derive("f32 -> f16", [key], make)


def store_buffers(f: func.FuncOp, kernels: SymbolTable) -> None:
    """memref.alloc() : memref<4xf32>  ->  memref.alloc() : memref<4xf16>"""
    for op in f.body.block.ops:
        if isinstance(op, memref.AllocOp) and memref_type(op.memref).element_type == f32:
            if accesses(op.memref, kernels) is not None:
                retype(op.memref, in_f16(memref_type(op.memref)))


def store_weights(f: func.FuncOp, kernels: SymbolTable, store: WeightStore) -> None:
    """%w: memref<4xf32> {lamina.weight = "k"}  ->  %w: memref<4xf16> of the weights rounded"""
    attributes = list(f.arg_attrs.data if f.arg_attrs else ())
    for k, given in enumerate(attributes):
        arg, key = f.body.block.args[k], given.data.get(WEIGHT)
        if not isinstance(key, StringAttr) or memref_type(arg).element_type != f32:
            continue
        found = accesses(arg, kernels)
        if found and all(is_factor(op, access) for op, access in found):
            retype(arg, in_f16(memref_type(arg)))
            short = StringAttr(rounded(key.data, store))
            attributes[k] = DictionaryAttr({**given.data, WEIGHT: short})
    f.arg_attrs = ArrayAttr(attributes)
    f.update_function_type()


def take(kernel: func.FuncOp, types: Sequence[Attribute]) -> None:
    """Let the arguments of `kernel` have these types."""
    for arg, type in zip(list(kernel.body.block.args), types, strict=True):
        if arg.type != type:
            assert isinstance(arg, BlockArgument)
            retype(arg, cast(MemRefType[Attribute], type))
    kernel.update_function_type()


def fit_kernels(module: ModuleOp, kernels: SymbolTable) -> None:
    """Let each kernel take what its calls give it; one for each combination of types."""
    calls: dict[str, dict[tuple[Attribute, ...], list[func.CallOp]]] = {}
    for op in module.walk():
        if isinstance(op, func.CallOp):
            types = tuple(v.type for v in op.arguments)
            calls.setdefault(op.callee.string_value(), {}).setdefault(types, []).append(op)
    for name, versions in calls.items():
        kernel = kernels.lookup(name)
        if not isinstance(kernel, func.FuncOp) or kernel.is_declaration:
            continue
        first, *others = versions
        for types in others:
            copy = kernel.clone()
            copy.sym_name = StringAttr(_fresh(name, kernels))
            module.body.block.insert_op_after(copy, kernel)
            kernels = SymbolTable(module)
            take(copy, types)
            call_instead(versions[types], copy.sym_name.data)
        take(kernel, first)


def call_instead(calls: Iterable[func.CallOp], name: str) -> None:
    """Let these be calls of function `name`."""
    for call in calls:
        new = func.CallOp(name, call.arguments, call.result_types)
        new.attributes = dict(call.attributes)
        Rewriter.replace_op(call, new)


def _fresh(name: str, kernels: SymbolTable) -> str:
    names = (f"{name}_{k}" for k in range(1, 1 << 20))
    return next(n for n in names if kernels.lookup(n) is None)


@dataclass(frozen=True)
class StoreF16Pass(ModulePass):
    """
    Keep in f16 what kernels hand on to each other, and weights that are factors of a sum.

    %t = memref.alloc() : memref<64xf32> .. func.call @f(%x, %w, %t)
    ->
    %t = memref.alloc() : memref<64xf16> .. func.call @f(%x, %w, %t), %w: memref<9x64xf16>

    Arithmetic stays in f32: kernels read halves exactly and round once, when they store a result.
    Inputs and outputs of the network stay as they are, and so do biases, scales and tables, and
    what a kernel keeps for itself. A number beyond 65504 becomes infinite.
    """

    name = "store-f16"
    numerics: ClassVar[str] = "lossy"

    target: str = "cpu"
    """which is refused if it is a CPU that has no instructions to convert halves"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        machine = machine_of(self.target, self.name)
        if machine.kind == "cpu" and not machine.fma:  # F16C came with FMA, or before it
            raise PassFailedException(
                f"{self.name}: floats are stored in 16 bits on CPUs with AVX2 (F16C), found "
                f"{machine.name}; store them in 32"
            )
        kernels = SymbolTable(op)
        for f in [f for f in op.ops if isinstance(f, func.FuncOp) and not f.is_declaration]:
            if any(isinstance(o, func.CallOp) for o in f.body.block.ops):
                store_buffers(f, kernels)
                store_weights(f, kernels, weights_of(ctx))
        fit_kernels(op, kernels)
