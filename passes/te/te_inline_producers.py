"""Compute pointwise producers in the epilogue that reads what they make."""

from __future__ import annotations

from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, Region, SSAValue
from xdsl.passes import ModulePass

from lamina.dialects.expr import constant
from lamina.dialects.te import ComputeOp, YieldOp, count_points
from lamina.passes._aliasing import may_alias
from lamina.passes.te._directives import computes
from lamina.passes.te._limits import limits
from lamina.passes.te._match import Env, match
from lamina.passes.te.te_fuse_epilogue import may_move_down, only_consumer

FEW = 8
"""operations on a scalar: more of them keep vectors waiting that are ready to be stored"""


def is_cheap(op: ComputeOp) -> bool:
    """Whether `op` is a little arithmetic on single elements of one buffer."""
    if any(a.reduce for a in op.axes.data) or op.bounds.data or op.outer.data or op.schedule:
        return False
    if len(op.inputs) != 1 or op.extras or op.binders or op.group_size(0) > 1:
        return False
    ops = [o for b in (op.body, op.epilogue) for o in b.block.ops]
    work = [o for o in ops if not isinstance(o, YieldOp | arith.ConstantOp)]
    simple = all(isinstance(o, math.FmaOp) or o.name.startswith("arith.") for o in work)
    return simple and len(work) <= FEW


def axes_of_producer(op: ComputeOp, reader: ComputeOp, read: int) -> Env | None:
    """
    The axes of `op` as expressions over the spatial axes of `reader`, such that `op` writes there
    what the access `read` reads; None if it reads more than `op` writes, or an element twice.
    """
    spatial = {a.name: a.extent for a in reader.axes.data if not a.reduce}
    for simple in (True, False):  # as in axes_of_reader
        env: Env = {a.name: constant(0) for a in op.axes.data if a.extent == 1}
        pairs = zip(op.accesses.data[-1].index, reader.accesses.data[read].index, strict=True)
        if simple:
            pairs = [(w.simplify(op.extents), r.simplify(reader.ranges)) for w, r in pairs]
        if all(match(w, r, env) for w, r in pairs) and _reads_inside(op, reader, spatial, env):
            return env
    return None


def _reads_inside(op: ComputeOp, reader: ComputeOp, spatial: dict[str, int], env: Env) -> bool:
    """Whether the reader's points are points of `op`, by `env`, and no more."""
    bounds = [(e, n) for e, n in reader.bounds.data if e.names() <= spatial.keys()]
    for name, extent in op.extents.items():
        found = limits(env[name], spatial, bounds) if name in env else None
        if found is None or found[0] < 0 or found[1] >= extent:
            return False
    return count_points(spatial, bounds) <= op.points()


def inline(op: ComputeOp) -> bool:
    """
    t[i] = f(x[i]); y[j] = g(sum(j), t[j])  ->  y[j] = g(sum(j), f(x[j])), with f in the epilogue

    Says whether it was done.
    """
    reader = only_consumer(op) if is_cheap(op) else None
    if reader is None or reader.outer.data or reader.schedule:
        return False
    reads = [k for k, v in enumerate(reader.operands_in_order) if v is op.out]
    extras = range(len(reader.inputs), len(reader.operands_in_order) - 1)
    if len(reads) != 1 or reads[0] not in extras or reader.accesses.data[reads[0]].pad is not None:
        return False
    if not may_move_down(op, reader) or may_alias(reader.out, op.inputs[0]):
        return False
    env = axes_of_producer(op, reader, reads[0])
    if env is None:
        return False
    _replace_both(op, reader, _inlined(op, reader, reads[0], env))
    return True


def _inlined(op: ComputeOp, reader: ComputeOp, read: int, env: Env) -> ComputeOp:
    """The op that computes what both do."""
    accesses, extras = [*reader.accesses.data], [*reader.extras]
    number = read - len(reader.inputs)
    accesses[read] = op.accesses.data[0].map(lambda e: e.substitute(env))
    extras[number] = op.inputs[0]
    epilogue = _compose(op, reader, number)
    return reader.replaced(accesses=accesses, extras=extras, epilogue=epilogue)


def _compose(op: ComputeOp, reader: ComputeOp, number: int) -> Region:
    """The epilogue of `reader`, with what `op` does to an element in the place of its result."""
    region = reader.epilogue.clone()
    block = region.block
    old, first = block.args[number + 1], block.first_op
    assert first is not None
    x, acc = op.body.block.args
    new = block.insert_arg(x.type, number + 1)
    new.name_hint = x.name_hint
    init = arith.ConstantOp(op.init)
    values: dict[SSAValue, SSAValue] = {x: new, acc: init.result}
    if acc.first_use is not None:
        block.insert_op_before(init, first)
    for part in (op.body.block, op.epilogue.block):
        for o in part.ops:
            if not isinstance(o, YieldOp):
                block.insert_op_before(o.clone(values), first)
                continue
            made = values.get(o.value, o.value)
            if part is op.body.block:
                values[op.epilogue.block.args[0]] = made
            else:
                old.replace_all_uses_with(made)
    block.erase_arg(old)
    return region


def _replace_both(op: ComputeOp, reader: ComputeOp, fused: ComputeOp) -> None:
    block, buffer = reader.parent, op.out.owner
    assert block is not None
    assert isinstance(buffer, Operation)
    block.insert_op_before(fused, reader)
    for dead in (reader, op, buffer):
        dead.detach()
        dead.erase()


class TeInlineProducersPass(ModulePass):
    """
    Compute cheap pointwise producers in the epilogue that is alone in reading what they make.

    te.compute axes(i: 8) ins(%x[i]) out(%t[i]) ...; te.compute axes(j: 8, reduce k: 3) ins(..)
    extras(%t[j]) out(%y[j]) ...  ->  te.compute axes(j: 8, reduce k: 3) ins(..) extras(%x[j])
    out(%y[j]) ... epilogue ...

    Bytes that are added to a sum then become real numbers in registers, and no buffer holds those.
    """

    name = "te-inline-producers"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for te in computes(op):
            if te.parent is not None:
                inline(te)
