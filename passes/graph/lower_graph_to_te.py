"""Lower kernels to tensor expressions on buffers, and the network to calls of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import FunctionType, ModuleOp, f32
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.elements import FLOAT, kind_of
from lamina.dialects.graph import (
    SOURCE,
    ConstantOp,
    FusedOp,
    Graph,
    PointwiseOp,
    RelayoutOp,
    tensor_type,
)
from lamina.dialects.int8 import ABS_B, MOST_B, PAIR_B
from lamina.dialects.te import ComputeOp
from lamina.passes._legality import require_lowered
from lamina.passes.graph import (
    _lower_linear,
    _lower_movement,
    _lower_normalization,
    _lower_pointwise,
    _lower_reductions,
    _lower_resampling,
    _lower_slicing,
    _lower_taking,
    _lower_windows,
    _lower_winograd,
)
from lamina.passes.graph._formula import Kernel, storage_type
from lamina.passes.graph._lower_network import lower_network
from lamina.passes.graph._lower_pointwise import pointwise_together
from lamina.passes.graph._lower_together import pointwise_tail
from lamina.passes.graph._numbers import number_in
from lamina.passes.graph._padding import pads_with_zero
from lamina.passes.graph.outline_kernels import is_network

LOWERINGS: dict[type[Operation], Callable[..., None]] = {
    **_lower_windows.LOWERINGS,
    **_lower_winograd.LOWERINGS,
    **_lower_pointwise.LOWERINGS,
    **_lower_movement.LOWERINGS,
    **_lower_reductions.LOWERINGS,
    **_lower_resampling.LOWERINGS,
    **_lower_slicing.LOWERINGS,
    **_lower_taking.LOWERINGS,
    **_lower_linear.LOWERINGS,
    **_lower_normalization.LOWERINGS,
}
"""op -> what writes its formula"""


def check_op(op: Operation, name: str) -> None:
    """Refuse what has no formula; `op` is in the kernel called `name`."""
    if type(op) not in LOWERINGS:
        remedy = "; run outline-kernels first" if isinstance(op, ConstantOp | FusedOp) else ""
        raise PassFailedException(f"lower-graph-to-te: no formula for {op.name} in @{name}{remedy}")
    for value in (*op.operands, *op.results):
        element = tensor_type(value).element_type
        if kind_of(element) == FLOAT and element != f32:
            raise PassFailedException(
                f"lower-graph-to-te: {op.name} in @{name} has elements of type {element}; of floats"
                " only f32 is lowered"
            )


def fill_padding(k: Kernel, op: Operation) -> None:
    """Write zeros where `op` did not, if a block of what it stored is padded and that is read."""
    for y in op.results:
        computed = (isinstance(use.operation, PointwiseOp | RelayoutOp) for use in y.uses)
        if not all(computed) and not pads_with_zero(y):
            k.fill_padding(k.tensor(y))


def say_bounds(op: Operation, made: Operation | None) -> None:
    """What is known of the weights of `op` is known of the sums that it became, `made` and on."""
    known = {n: op.attributes[n] for n in (ABS_B, PAIR_B, MOST_B) if n in op.attributes}
    while known and made is not None:
        if isinstance(made, ComputeOp) and any(a.reduce for a in made.axes.data):
            made.attributes.update(known)
        made = made.next_op


def is_number(op: Operation) -> bool:
    """Whether `op` is a number that pointwise formulas contain."""
    if not isinstance(op, ConstantOp) or number_in(op.result) is None:
        return False
    return all(isinstance(use.operation, PointwiseOp) for use in op.result.uses)


def own_results(last: func.ReturnOp) -> None:
    """Return a copy of what is an argument, or returned already: each result is written apart."""
    written: set[SSAValue] = set()
    for i, value in enumerate(last.operands):
        if isinstance(value.owner, Block) or value in written:
            copy = RelayoutOp(value, value.type)
            Rewriter.insert_op(copy, InsertPoint.before(last))
            last.operands[i] = value = copy.y
        written.add(value)


def lower_kernel(f: func.FuncOp) -> func.FuncOp:
    """
    func(%x: tensor) -> tensor  ->  func(%x: memref, %y: memref), its ops as te ops

    Results become arguments after the others; what lies between the ops is memref.alloc.
    """
    old = f.body.block
    last = old.last_op
    if not isinstance(last, func.ReturnOp):
        raise PassFailedException(f"lower-graph-to-te: @{f.sym_name.data} does not end in a return")
    own_results(last)
    values = [*old.args, *last.operands]
    types = [storage_type(v.type) for v in values]
    block = Block(arg_types=types)
    kernel = Kernel(Builder(InsertPoint.at_end(block)))
    for value, arg in zip(values, block.args, strict=True):
        arg.name_hint = value.name_hint or "x"
        kernel.bind(value, arg)
    for arg in block.args[len(old.args) :]:
        arg.name_hint = "y"
    ops = [op for op in old.ops if op is not last and not is_number(op)]
    for op in ops:
        check_op(op, f.sym_name.data)
    tail = pointwise_tail(ops)
    for op in ops[: len(ops) - len(tail)]:
        last = block.last_op
        LOWERINGS[type(op)](kernel, op)
        say_bounds(op, last.next_op if last else block.first_op)
        fill_padding(kernel, op)
    if tail:
        pointwise_together(kernel, tail)
        fill_padding(kernel, tail[-1])
    block.add_op(func.ReturnOp())
    name, visibility = f.sym_name.data, f.sym_visibility
    new = func.FuncOp(name, FunctionType.from_lists(types, []), Region(block), visibility)
    new.attributes = {k: v for k, v in f.attributes.items() if k != SOURCE}
    return new


class LowerGraphToTePass(ModulePass):
    """
    Lower every kernel to te ops on buffers, and every network to allocations and calls.

    A kernel's results become its last arguments. A network's arguments are then its inputs, its
    outputs and its weights, marked `lamina.input`, `lamina.output` and `lamina.weight`; what
    kernels hand on lives in memref.alloc. A network is a public function with calls.
    """

    name = "lower-graph-to-te"
    numerics: ClassVar[str] = "tolerance 1e-5"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for f in [f for f in op.ops if isinstance(f, func.FuncOp) and not f.is_declaration]:
            calls = any(isinstance(o, func.CallOp) for o in f.body.block.ops)
            new = lower_network(f) if is_network(f) and calls else lower_kernel(f)
            op.body.block.insert_op_before(new, f)
            f.detach()
            f.erase(safe_erase=False)
        require_lowered(op, Graph, by=self.name)
