"""
A tensor expression by itself: a function of its own, and the text by which it is known.

Two ops are the same workload if they compute the same on buffers of the same layout, whatever
kernel of whatever network they are in.
"""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.dialects import func
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, ModuleOp, UnitAttr
from xdsl.ir import Attribute, Block, BlockArgument, Region, SSAValue

from lamina.dialects.te import ComputeOp, ConstantOp
from lamina.passes._aliasing import MAY_ALIAS

NAME = "kernel"


def standalone(op: ComputeOp) -> ModuleOp | None:
    """
    func.func @kernel(%0: memref, ...) around the op without its schedule; None for an op inside
    loops, which is a part of something.
    """
    if op.indices:
        return None
    values = list(dict.fromkeys(op.operands_in_order))
    given = [v for v in values if not isinstance(v.owner, ConstantOp)]
    block = Block(arg_types=[v.type for v in given])
    mapping: dict[SSAValue, SSAValue] = dict(zip(given, block.args, strict=True))
    for v in values:
        if isinstance(table := v.owner, ConstantOp):
            copy = table.clone()
            block.add_op(copy)
            mapping[v] = copy.results[0]
    compute = op.clone(mapping)
    compute.schedule = None
    block.add_ops([compute, func.ReturnOp()])
    for value in (*block.args, *(r for o in block.walk() for r in o.results)):
        value.name_hint = None
    for region in compute.regions:
        for argument in region.block.args:
            argument.name_hint = None
    types = [a.type for a in block.args]
    kernel = func.FuncOp(NAME, (types, []), Region(block))
    if any(shared := [_shared(v) for v in given]):
        kernel.arg_attrs = ArrayAttr([DictionaryAttr(_marks(s)) for s in shared])
    return ModuleOp([kernel])


def _marks(shared: bool) -> Mapping[str, Attribute]:
    return {MAY_ALIAS: UnitAttr()} if shared else {}


def _shared(v: SSAValue) -> bool:
    """Whether the buffer is one that may be the same as another argument of its kernel."""
    f = v.owner.parent_op() if isinstance(v, BlockArgument) else None
    if not isinstance(v, BlockArgument) or not isinstance(f, func.FuncOp) or f.arg_attrs is None:
        return False
    return MAY_ALIAS in f.arg_attrs.data[v.index].data


def workload(op: ComputeOp) -> str | None:
    """The text of the op by itself, without a schedule; None for a part of something."""
    module = standalone(op)
    return None if module is None else str(module)
