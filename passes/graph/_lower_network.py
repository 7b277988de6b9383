"""From a network of tensors to calls of kernels on buffers."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from xdsl.builder import Builder
from xdsl.dialects import func, memref
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    FunctionType,
    MemRefType,
    StringAttr,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.rewriter import InsertPoint
from xdsl.utils.exceptions import PassFailedException
from xdsl.utils.hints import isa

from lamina.dialects.graph import ConcatOp, ConstantOp, SliceOp, layout_of, shape
from lamina.passes.graph._formula import storage_type
from lamina.passes.graph._views import is_view, origin


def output_names(f: func.FuncOp) -> list[str]:
    """The names of the results, if the function has any for them."""
    names = f.attributes.get("lamina.outputs")
    if not isa(names, ArrayAttr[StringAttr]):
        return []
    return [name.data for name in names.data]


class Network:
    """Builds the function of one network on buffers."""

    def __init__(self, f: func.FuncOp) -> None:
        self.old = f
        self.block = Block()
        self.builder = Builder(InsertPoint.at_end(self.block))
        self.buffers: dict[SSAValue, SSAValue] = {}
        self.marks: list[DictionaryAttr] = []
        self.weights: dict[tuple[str, Attribute], SSAValue] = {}

    def argument(self, type: Attribute, mark: str, name: str, hint: str | None) -> SSAValue:
        """One more argument, which stands for the input, output or weight `name`."""
        arg = self.block.insert_arg(type, len(self.block.args))
        arg.name_hint = hint
        self.marks.append(DictionaryAttr({mark: StringAttr(name)}))
        return arg

    def view(self, buffer: SSAValue, type: MemRefType[Attribute]) -> SSAValue:
        """The bytes of `buffer` as another type."""
        if buffer.type == type:
            return buffer
        size = type.get_shape()
        strides = [prod(size[d + 1 :]) for d in range(len(size))]
        cast = memref.ReinterpretCastOp.from_dynamic(buffer, [0], size, strides, type)
        return self.builder.insert(cast).result

    def part(self, whole: SSAValue, part: SSAValue, starts: Sequence[int]) -> SSAValue:
        """
        The buffer of tensor `part`, which lies in that of `whole` from `starts` on. A memref is the
        address of its first element, so that where it begins is no part of its type.
        """
        type = storage_type(part.type)
        at = layout_of(whole.type).part(shape(whole), shape(part), starts)
        assert at is not None, part
        size = type.get_shape()
        view = memref.SubviewOp(self.buffers[whole], [], [], [], at, size, [1] * len(size), type)
        return self.builder.insert(view).result

    def lower(self) -> func.FuncOp:
        """The function on buffers."""
        last = self.old.body.block.last_op
        assert isinstance(last, func.ReturnOp), last
        self.inputs()
        self.outputs(last)
        constants = [op for op in self.old.body.block.ops if isinstance(op, ConstantOp)]
        for op in constants:
            self.weight(op)
        for op in reversed(self.old.body.block.ops):  # what holds a concat is known before it
            if isinstance(op, ConcatOp) and op.in_place is not None:
                self.place(op)
        for op in self.old.body.block.ops:
            if op is not last and not isinstance(op, ConstantOp):
                self.step(op)
        return self.finish()

    def finish(self) -> func.FuncOp:
        """The function of all that was built."""
        self.block.add_op(func.ReturnOp())
        type = FunctionType.from_lists([a.type for a in self.block.args], [])
        name, visibility = self.old.sym_name.data, self.old.sym_visibility
        new = func.FuncOp(
            name, type, Region(self.block), visibility, arg_attrs=ArrayAttr(self.marks)
        )
        new.attributes = {k: v for k, v in self.old.attributes.items() if k != "lamina.outputs"}
        return new

    def inputs(self) -> None:
        """Arguments for the inputs."""
        f = self.old
        given = f.arg_attrs.data if f.arg_attrs else ()
        for i, arg in enumerate(f.body.block.args):
            mark = given[i].data.get("lamina.input") if i < len(given) else None
            name = mark.data if isinstance(mark, StringAttr) else arg.name_hint or f"input{i}"
            self.buffers[arg] = self.argument(
                storage_type(arg.type), "lamina.input", name, arg.name_hint
            )

    def outputs(self, last: func.ReturnOp) -> None:
        """Arguments for the results, which kernels write directly."""
        names = output_names(self.old)
        for i, value in enumerate(last.operands):
            name = names[i] if names else f"output{i}"
            type, source = storage_type(value.type), origin(value)
            out = self.argument(type, "lamina.output", name, value.name_hint)
            self.buffers[source] = self.view(out, storage_type(source.type))

    def weight(self, op: ConstantOp) -> None:
        """An argument for a constant; equal constants share it."""
        if not isinstance(op.value, StringAttr):
            raise PassFailedException(
                f"lower-graph-to-te: a constant {op.result.type} is written out;"
                " run pack-weights first, which stores it"
            )
        type = storage_type(op.result.type)
        key = op.value.data
        if (key, type) not in self.weights:
            self.weights[key, type] = self.argument(type, "lamina.weight", key, op.result.name_hint)
        self.buffers[op.result] = self.weights[key, type]

    def place(self, op: ConcatOp) -> None:
        """Let the operands of a concat in place be written where they lie in its result."""
        if op.y not in self.buffers:
            self.buffers[op.y] = self.allocate(op.y)
        for x, starts in zip(op.xs, op.starts(), strict=True):
            first = origin(x)
            if first in self.buffers or not isinstance(first.owner, func.CallOp | ConcatOp):
                raise PassFailedException(
                    f"lower-graph-to-te: an operand {x.type} of a graph.concat in place is stored"
                    " elsewhere already; place-concats copies such an operand"
                )
            self.buffers[first] = self.view(self.part(op.y, x, starts), storage_type(first.type))

    def step(self, op: Operation) -> None:
        """A view of a buffer, or a call that writes buffers."""
        if isinstance(op, ConcatOp) and is_view(op):
            return
        if isinstance(op, SliceOp) and is_view(op):
            self.buffers[op.y] = self.part(op.x, op.y, op.starts.get_values())
            return
        if is_view(op):
            type = storage_type(op.results[0].type)
            self.buffers.setdefault(op.results[0], self.view(self.buffers[op.operands[0]], type))
            return
        if not isinstance(op, func.CallOp):
            raise PassFailedException(
                f"lower-graph-to-te: {op.name} is in no kernel; run outline-kernels first"
            )
        for r in op.results:
            if r not in self.buffers:
                self.buffers[r] = self.allocate(r)
        operands = [self.buffers[v] for v in (*op.operands, *op.results)]
        call = self.builder.insert(func.CallOp(op.callee.string_value(), operands, []))
        call.attributes = dict(op.attributes)

    def allocate(self, value: SSAValue) -> SSAValue:
        """A buffer for what one kernel hands to others."""
        type = storage_type(value.type)
        op = memref.AllocOp.get(type.element_type, None, [*type.get_shape()])
        op.memref.name_hint = value.name_hint
        return self.builder.insert(op).memref


def lower_network(f: func.FuncOp) -> func.FuncOp:
    """
    func(%data: tensor) -> tensor  ->  func(%data: memref, %prob: memref, %weight: memref...)

    Constants become arguments marked with their key; a value between calls is a memref.alloc, or a
    memref.subview of that which a concat in place holds together.
    """
    return Network(f).lower()
