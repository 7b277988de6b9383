"""Compute pointwise consumers where their input is made."""

from __future__ import annotations

from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.traits import MemoryEffectKind, get_effects

from lamina.dialects.elements import is_rounded
from lamina.dialects.te import AccessAttr, ComputeOp, YieldOp, memref_type
from lamina.passes._aliasing import may_alias
from lamina.passes.te._directives import computes
from lamina.passes.te._match import Env, axes_of_reader, bind_outer


def only_consumer(op: ComputeOp) -> ComputeOp | None:
    """
    The one op that reads what `op` writes, as it was computed, if the buffer is local and nothing
    else sees it.
    """
    if not isinstance(op.out.owner, memref.AllocOp | memref.AllocaOp):
        return None
    if is_rounded(_result(op).type, memref_type(op.out).element_type):
        return None
    users = {use.operation for use in op.out.uses} - {op}
    reader = next(iter(users)) if len(users) == 1 else None
    if not isinstance(reader, ComputeOp) or reader.out is op.out or reader.parent is not op.parent:
        return None
    return None if op.out in (*op.inputs, *op.extras) else reader


def may_move_down(op: ComputeOp, to: ComputeOp) -> bool:
    """Whether `to` follows `op`, and nothing between them changes what `op` reads."""
    read = (*op.inputs, *op.extras)
    between = op.next_op
    while between is not None and between is not to:
        if any(_may_write(between, v) for v in read):
            return False
        between = between.next_op
    return between is to


def _may_write(op: Operation, ref: SSAValue) -> bool:
    if isinstance(op, ComputeOp):
        return may_alias(op.out, ref)
    effects = get_effects(op)
    return effects is None or any(
        e.kind == MemoryEffectKind.WRITE
        and (not isinstance(e.value, SSAValue) or may_alias(e.value, ref))
        for e in effects
    )


def fuse_epilogue(op: ComputeOp) -> ComputeOp | None:
    """
    t[i] = sum(i); y[j] = f(t[j], r[j])  ->  y[i] = f(sum(i), r[i]), with f in the epilogue

    Returns the op that has taken the place of both, or None if they must stay apart.
    """
    reader = only_consumer(op)
    if reader is None or reader.schedule or any(a.reduce for a in reader.axes.data):
        return None
    if reader.binders:
        return None  # what its inputs read decides where; an epilogue reads no such names
    reads = [k for k, v in enumerate(reader.operands_in_order) if v is op.out]
    if any(reader.accesses.data[k].pad is not None or reader.group_size(k) > 1 for k in reads):
        return None
    outer, new_outer = bind_outer(op, reader)
    env = axes_of_reader(op, reader, reads, outer)
    if env is None or not may_move_down(op, reader) or not _may_write_over(op, reader, env):
        return None
    fused = _fused(op, reader, env, new_outer)
    _replace_both(op, reader, fused)
    return fused


def _fused(op: ComputeOp, reader: ComputeOp, env: Env, new_outer: dict[str, int]) -> ComputeOp:
    """The op that computes what both do; `env` says what the names of `reader` are."""
    refs = reader.operands_in_order
    others = [k for k, v in enumerate(refs[:-1]) if v is not op.out]
    kept = [reader.accesses.data[k].map(lambda e: e.substitute(env)) for k in (*others, -1)]
    fused = op.replaced(
        accesses=[*op.accesses.data[:-1], *kept],
        extras=[*op.extras, *(refs[k] for k in others)],
        out=reader.out,
        epilogue=_compose(op, reader, others),
        outer=[*(n.data for n in op.outer), *new_outer],
        indices=[*op.indices, *(reader.indices[k] for k in new_outer.values())],
    )
    fused.attributes = {**reader.attributes, **op.attributes}
    return fused


def _may_write_over(op: ComputeOp, reader: ComputeOp, env: Env) -> bool:
    """Whether `op` may write where `reader` does: it overwrites nothing that it still reads."""
    written = reader.accesses.data[-1].map(lambda e: e.substitute(env))
    n = len(op.inputs)
    for k, (access, v) in enumerate(zip(op.accesses.data, op.operands_in_order, strict=True)):
        if k == len(op.accesses.data) - 1 or not may_alias(v, reader.out):
            continue
        if k < n or v is not reader.out or not _same(access, written, op):
            return False
    return True


def _same(a: AccessAttr, b: AccessAttr, op: ComputeOp) -> bool:
    ranges = op.ranges
    return [e.simplify(ranges) for e in a.index] == [e.simplify(ranges) for e in b.index]


def _compose(op: ComputeOp, reader: ComputeOp, others: list[int]) -> Region:
    """The epilogue of `op`, then the body of `reader`, then its epilogue."""
    region = op.epilogue.clone()
    block = region.block
    value = _take_yield(block)
    args = [*reader.body.block.args[:-1], *reader.epilogue.block.args[1:]]
    env: dict[SSAValue, SSAValue] = dict.fromkeys(args, value)
    for k in others:
        new = block.insert_arg(args[k].type, len(block.args))
        new.name_hint = args[k].name_hint
        env[args[k]] = new
    acc = reader.body.block.args[-1]
    if acc.first_use is not None:
        init = arith.ConstantOp(reader.init)
        block.add_op(init)
        env[acc] = init.result
    for part in (reader.body.block, reader.epilogue.block):
        if part is reader.epilogue.block:
            env[part.args[0]] = _take_yield(block)
        for o in part.ops:
            block.add_op(o.clone(env))
    return region


def _result(op: ComputeOp) -> SSAValue:
    """What `op` stores."""
    end = op.epilogue.block.last_op
    assert isinstance(end, YieldOp)
    return end.value


def _take_yield(block: Block) -> SSAValue:
    """Remove the te.yield at the end of `block`; return what it yielded."""
    end = block.last_op
    assert isinstance(end, YieldOp)
    value = end.value
    block.erase_op(end)
    return value


def _replace_both(op: ComputeOp, reader: ComputeOp, fused: ComputeOp) -> None:
    block, buffer = reader.parent, op.out.owner
    assert block is not None
    assert isinstance(buffer, Operation)
    block.insert_op_before(fused, reader)
    for dead in (reader, op, buffer):
        dead.detach()
        dead.erase()


class TeFuseEpiloguePass(ModulePass):
    """
    Compute pointwise consumers in the epilogue of the op that makes their input.

    te.compute axes(i: 8, reduce k: 3) ins(%x[i + k]) out(%t[i]) ...; te.compute axes(j: 8)
    ins(%t[j], %r[j]) out(%y[j]) ...  ->  te.compute axes(i: 8, reduce k: 3) ins(%x[i + k])
    extras(%r[i]) out(%y[i]) ... epilogue ...

    The buffer between them must be an allocation that no other op uses: it disappears. A buffer
    that the caller passes in can be observed, so it is written as before.
    """

    name = "te-fuse-epilogue"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for te in computes(op):
            fused = te if te.parent is not None else None
            while fused is not None:
                fused = fuse_epilogue(fused)
