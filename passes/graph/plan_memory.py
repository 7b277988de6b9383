"""Place every buffer of a network in one arena."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar, cast

from xdsl.context import Context
from xdsl.dialects import arith, func, memref
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    FunctionType,
    IndexType,
    IntegerAttr,
    MemRefType,
    ModuleOp,
    UnitAttr,
    i8,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.utils.exceptions import PassFailedException
from xdsl.utils.symbol_table import SymbolTable

from lamina.passes._aliasing import VIEWS, root_of
from lamina.passes.graph._in_place import may_share
from lamina.passes.graph._scratch import STACK, element_size, place_scratch

ALIGNMENT = 64
"""bytes: a cache line, and the widest vector"""


def bytes_of(type: Attribute) -> int:
    """Size of a buffer."""
    assert isinstance(type, MemRefType), type
    buffer = cast(MemRefType[Attribute], type)
    return prod(buffer.get_shape()) * element_size(buffer)


def rounded(size: int, alignment: int) -> int:
    """This many bytes rounded up to a multiple of `alignment`."""
    return -(-size // alignment) * alignment


@dataclass(eq=False)
class Block:
    """A piece of the arena, and the steps during which it is in use."""

    size: int
    first: int
    last: int
    offset: int = 0

    def meets(self, other: Block) -> bool:
        """Whether both are in use at some step."""
        return self.first <= other.last and other.first <= self.last


def place(blocks: Sequence[Block]) -> int:
    """
    Give each block the lowest offset that is free while it is in use, the largest blocks first;
    return the arena's size. (Pisarchyk and Lee, Efficient Memory Management for Deep Neural Net
    Inference, 2020, greedy by size.)
    """
    placed: list[Block] = []
    for block in sorted(blocks, key=lambda b: (-b.size, b.first)):
        block.offset = 0
        for other in sorted((b for b in placed if b.meets(block)), key=lambda b: b.offset):
            if block.offset + block.size <= other.offset:
                break
            block.offset = max(block.offset, other.offset + other.size)
        placed.append(block)
    return max((b.offset + b.size for b in placed), default=0)


class Plan:
    """The buffers of one network: when they are in use, and which of them share storage."""

    def __init__(self, f: func.FuncOp, kernels: SymbolTable, alignment: int) -> None:
        self.kernels = kernels
        self.alignment = alignment
        self.allocs = [op for op in f.body.block.ops if isinstance(op, memref.AllocOp)]
        self.blocks: dict[SSAValue, Block] = {}
        steps = [op for op in f.body.block.ops if not isinstance(op, VIEWS)]
        for step, op in enumerate(steps):
            for value in {v for inner in op.walk() for v in inner.operands}:
                self.use(root_of(value), step)
        for step, op in enumerate(steps):
            if isinstance(op, func.CallOp):
                self.share(op, step)

    def use(self, buffer: SSAValue, step: int) -> None:
        """Note that `buffer` is in use at `step`."""
        if isinstance(buffer.owner, memref.AllocOp):
            size = rounded(bytes_of(buffer.type), self.alignment)
            block = self.blocks.setdefault(buffer, Block(size, step, step))
            block.last = step

    def share(self, call: func.CallOp, step: int) -> None:
        """Let the call write over an operand that nobody reads afterwards, where its kernel may."""
        operands = list(call.arguments)
        out = len(operands) - 1
        target = self.blocks.get(root_of(operands[out]))
        kernel = self.kernels.lookup(call.callee.string_value())
        if target is None or target.first != step or not isinstance(kernel, func.FuncOp):
            return
        if not is_whole(operands[out]):  # others write and read the rest of the buffer
            return
        for i, operand in enumerate(operands[:-1]):
            source = self.blocks.get(root_of(operand))
            free = source is not None and source is not target and source.last == step
            once = sum(root_of(v) is root_of(operand) for v in operands) == 1
            alike = operand.type == operands[out].type and is_whole(operand)
            if free and once and alike and may_share(kernel, i, out):
                assert source is not None
                source.last = target.last
                self.blocks[root_of(operands[out])] = source
                mark_alias(kernel, (i, out))
                return


def is_whole(ref: SSAValue) -> bool:
    """Whether `ref` is all of the buffer that it is a view of."""
    return bytes_of(ref.type) == bytes_of(root_of(ref).type)


def mark_alias(kernel: func.FuncOp, arguments: Sequence[int]) -> None:
    """Note on these arguments of `kernel` that some call gives them the same buffer."""
    attrs = list(kernel.arg_attrs.data if kernel.arg_attrs else ())
    attrs += [DictionaryAttr({})] * (len(kernel.body.block.args) - len(attrs))
    for i in arguments:
        attrs[i] = DictionaryAttr({**attrs[i].data, "lamina.may_alias": UnitAttr()})
    kernel.arg_attrs = ArrayAttr(attrs)


def require_plannable(f: func.FuncOp) -> None:
    """Fail where the life of a buffer in `f` is not known from the order of its steps."""
    name = f.sym_name.data
    for op in f.walk():
        if isinstance(op, memref.AllocOp) and op.parent is not f.body.block:
            raise PassFailedException(
                f"plan-memory: @{name} allocates {op.memref.type} inside {parent_name(op)};"
                " allocate it before"
            )
    if any("lamina.arena" in attrs.data for attrs in f.arg_attrs or ()):
        raise PassFailedException(f"plan-memory: @{name} has an arena already; run it once")
    last = f.body.block.last_op
    for value in last.operands if last is not None else ():
        if isinstance(root_of(value).owner, memref.AllocOp):
            raise PassFailedException(
                f"plan-memory: @{name} returns {value.type}, which it allocates; write the result"
                " to an argument"
            )


def parent_name(op: Operation) -> str:
    """What the op around `op` is called."""
    parent = op.parent_op()
    return parent.name if parent is not None else "nothing"


def use_arena(f: func.FuncOp, plan: Plan) -> None:
    """memref.alloc -> memref.view of a new last argument, the arena"""
    size = max(place(list(dict.fromkeys(plan.blocks.values()))), plan.alignment)
    block = f.body.block
    arena = block.insert_arg(MemRefType(i8, [size]), len(block.args))
    arena.name_hint = "arena"
    given = list(f.arg_attrs.data if f.arg_attrs else [DictionaryAttr({})] * (len(block.args) - 1))
    f.arg_attrs = ArrayAttr([*given, DictionaryAttr({"lamina.arena": UnitAttr()})])
    f.function_type = FunctionType.from_lists([a.type for a in block.args], [])
    offsets: dict[int, SSAValue] = {}
    for alloc in plan.allocs:
        buffer = alloc.memref
        if buffer not in plan.blocks:  # nobody uses it
            Rewriter.erase_op(alloc)
            continue
        at = plan.blocks[buffer].offset
        if at not in offsets:
            constant = arith.ConstantOp(IntegerAttr(at, IndexType()))
            Rewriter.insert_op(constant, InsertPoint.at_start(block))
            offsets[at] = constant.result
        view = memref.ViewOp(arena, offsets[at], [], buffer.type)
        Rewriter.replace_op(alloc, view)


@dataclass(frozen=True)
class PlanMemoryPass(ModulePass):
    """
    Replace the allocations of a network by views of one arena, its new last argument.

    Buffers share storage when their lives do not meet. A kernel that reads each element of an
    operand only to write the same element of its result works in place when it is that operand's
    last reader. Buffers of a kernel's own go on its stack where small, else into the arena too.
    """

    name = "plan-memory"
    numerics: ClassVar[str] = "exact"

    alignment: int = ALIGNMENT
    """bytes of which every buffer begins at a multiple"""
    stack: int = STACK
    """bytes of a kernel's own buffers that may live on the stack of the calling thread"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.alignment < 1:
            raise PassFailedException(f"{self.name}: needs an alignment, got {self.alignment}")
        place_scratch(op, self.stack)
        kernels = SymbolTable(op)
        for f in op.ops:
            if isinstance(f, func.FuncOp) and any(isinstance(o, func.CallOp) for o in f.walk()):
                require_plannable(f)
                use_arena(f, Plan(f, kernels, self.alignment))
