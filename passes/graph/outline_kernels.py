"""Make each kernel a function, and equal kernels one function."""

from __future__ import annotations

from io import StringIO
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.irdl import IRDLOperation
from xdsl.passes import ModulePass
from xdsl.printer import Printer
from xdsl.rewriter import InsertPoint, Rewriter

from lamina.context import weights_of
from lamina.dialects.graph import (
    SOURCE,
    ConcatOp,
    ConstantOp,
    FusedOp,
    RelayoutOp,
    SliceOp,
    YieldOp,
    layout_of,
)
from lamina.passes.graph._numbers import inline_numbers
from lamina.passes.graph._views import is_view, origin

LAYOUT = "lamina.layout"
"""Discardable attribute of a kernel's call: how its result is stored."""


def is_network(f: func.FuncOp) -> bool:
    """Whether `f` is a network; private functions are kernels already."""
    return not f.is_declaration and not (f.sym_visibility and f.sym_visibility.data == "private")


def copy_shared_results(f: func.FuncOp) -> None:
    """
    Let every result of `f` be written by a kernel of its own: copy inputs, constants, twins, and
    what is a part of another buffer.
    """
    last = f.body.block.last_op
    assert isinstance(last, func.ReturnOp), last
    concats = [op for op in f.body.block.ops if isinstance(op, ConcatOp) and is_view(op)]
    written = {origin(x) for op in concats for x in op.xs}
    for i, value in enumerate(last.operands):
        source = origin(value)
        part = isinstance(source.owner, SliceOp) and is_view(source.owner)
        if isinstance(source.owner, Block | ConstantOp) or part or source in written:
            block = Block(arg_types=[value.type])
            block.add_ops([copy := RelayoutOp(block.args[0], value.type), YieldOp(copy.y)])
            fused = FusedOp([value], Region(block), [value.type])
            Rewriter.insert_op(fused, InsertPoint.before(last))
            last.operands[i] = source = fused.results[0]
        written.add(source)


def as_fused(op: Operation) -> FusedOp:
    """`op` alone in a `graph.fused`."""
    if isinstance(op, FusedOp):
        return op
    inputs = list(dict.fromkeys(op.operands))
    block = Block(arg_types=[x.type for x in inputs])
    inside: dict[SSAValue, SSAValue] = dict(zip(inputs, block.args, strict=True))
    copy = op.clone(inside)
    copy.attributes.pop(SOURCE, None)
    block.add_ops([copy, YieldOp(*copy.results)])
    fused = FusedOp(inputs, Region(block), [r.type for r in op.results])
    if SOURCE in op.attributes:
        fused.attributes[SOURCE] = op.attributes[SOURCE]
    Rewriter.replace_op(op, fused)
    return fused


def drop_unused(f: func.FuncOp) -> None:
    """Remove constants that nobody reads any more."""
    for op in [op for op in f.body.block.ops if isinstance(op, ConstantOp)]:
        if not op.result.uses:
            Rewriter.erase_op(op)


def name_values(block: Block) -> None:
    """Name values by their part in the kernel, so that equal kernels have equal text."""
    for arg in block.args:
        use = next(iter(arg.uses), None)
        arg.name_hint = "x" if use is None else _role(use.operation, use.index)
    for op in block.ops:
        for r in op.results:
            r.name_hint = "c" if isinstance(op, ConstantOp) else "t"


def _role(op: Operation, index: int) -> str:
    """What operand `index` of `op` is called in the op's definition."""
    if index and not isinstance(op.operands[0].owner, Block | ConstantOp):
        return "r"  # read by the epilogue
    operands = op.get_irdl_definition().operands if isinstance(op, IRDLOperation) else []
    for name, _ in operands:
        meant = getattr(op, name)
        if op.operands[index] in (meant if isinstance(meant, tuple) else [meant]):
            return name
    return "x"


def printed(body: Region) -> str:
    """The text of a region."""
    out = StringIO()
    Printer(out).print_region(body)
    return out.getvalue()


class OutlineKernelsPass(ModulePass):
    """
    Turn each op that computes into a call of a function of its own; equal functions are shared.

    Constants of one element become part of the functions that compute with them. What is left in
    the network's function are constants, views and calls; each of its results is written by a
    kernel of its own. A concat or slice in place is a view.
    """

    name = "outline-kernels"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        store = weights_of(ctx)
        kernels: dict[str, func.FuncOp] = {}
        taken = {f.sym_name.data for f in op.ops if isinstance(f, func.FuncOp)}
        for f in [f for f in op.ops if isinstance(f, func.FuncOp) and is_network(f)]:
            copy_shared_results(f)
            for inner in list(f.body.block.ops):
                if not isinstance(inner, ConstantOp | func.ReturnOp | func.CallOp) and not is_view(
                    inner
                ):
                    fused = as_fused(inner)
                    alone = inline_numbers(fused, store)
                    if alone is not fused:
                        Rewriter.replace_op(fused, alone)
                    self.outline(alone, kernels, taken)
            drop_unused(f)
        for kernel in kernels.values():
            op.body.block.add_op(kernel)

    def outline(self, fused: FusedOp, kernels: dict[str, func.FuncOp], taken: set[str]) -> None:
        """
        Replace `fused` by a call of its region as a function, made if it is not in `kernels`, under
        a name that is not in `taken`.
        """
        block = fused.body.block
        name_values(block)
        text = printed(fused.body)
        if text not in kernels:
            kernels[text] = self.function(fused, len(kernels), taken)
        kernel = kernels[text]
        call = func.CallOp(kernel.sym_name.data, fused.inputs, [r.type for r in fused.results])
        call.attributes = dict(fused.attributes)
        call.attributes[LAYOUT] = StringAttr(str(layout_of(fused.results[0].type)))
        Rewriter.replace_op(fused, call)

    def function(self, fused: FusedOp, number: int, taken: set[str]) -> func.FuncOp:
        """The region of `fused` as a private function, named after what it computes."""
        body = fused.body.clone()
        last = body.block.last_op
        assert isinstance(last, YieldOp), last
        named = [op for op in body.block.ops if op is not last and not isinstance(op, ConstantOp)]
        names = [op.name.rpartition(".")[2] for op in named]
        values = list(last.values)
        Rewriter.replace_op(last, func.ReturnOp(*values))
        type = ([a.type for a in body.block.args], [v.type for v in values])
        while (name := "_".join([*names, str(number)])) in taken:
            number += 1
        taken.add(name)
        return func.FuncOp(name, type, body, "private")
