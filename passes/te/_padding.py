"""Getting rid of reads of padding, once an op is small enough to know which they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat, FloatAttr, IntegerAttr, IntegerType
from xdsl.ir import Attribute, Block, Operation, Region
from xdsl.utils.exceptions import PassFailedException
from xdsl.utils.hints import isa

from lamina.dialects.expr import Expr, constant, var
from lamina.dialects.te import AxesAttr, Axis, ComputeOp, YieldOp
from lamina.passes.te._limits import limits
from lamina.passes.te._neutral import ignores


def padded_indices(op: ComputeOp) -> Iterator[tuple[int, Expr, int]]:
    """Every index that may leave its buffer: the access, the expression, the extent."""
    for k, access in enumerate(op.accesses.data):
        if access.pad is None:
            continue
        for e, n in zip(access.index, op.shape(k), strict=True):
            found = limits(e, op.ranges, op.bounds.data)
            if found is None or found[0] < 0 or found[1] >= n:
                yield k, e, n


def without_padding(op: ComputeOp) -> ComputeOp:
    """
    The op without the reads that find nothing but padding: `op` itself, or one in its place.

    An input that lies outside altogether becomes a number, or takes the reduction with it. Steps of
    reduce axes that find only padding are left out, if the reduction ignores them.
    """
    outside = {k for k, e, n in padded_indices(op) if _is_outside(op, e, n)}
    if any(k < len(op.inputs) and _may_leave_out(op, k) for k in outside):
        op = _only_init(op)
    elif outside:
        op = _numbers(op, outside)
    return _trim(op)


def _is_outside(op: ComputeOp, e: Expr, n: int) -> bool:
    found = limits(e, op.ranges, op.bounds.data)
    return found is not None and (found[1] < 0 or found[0] >= n)


def _may_leave_out(op: ComputeOp, k: int) -> bool:
    pad = op.accesses.data[k].pad
    assert pad is not None
    return any(a.reduce for a in op.axes.data) and ignores(op, k, pad)


def _only_init(op: ComputeOp) -> ComputeOp:
    """acc = init; acc = f(acc, padding) = acc; ..; out = g(acc)  ->  out = g(init)"""
    block = Block(arg_types=[op.init.type])
    block.args[0].name_hint = "acc"
    block.add_op(YieldOp(block.args[0]))
    new = op.replaced(
        axes=[replace(a, extent=1) if a.reduce else a for a in op.axes.data],
        accesses=op.accesses.data[len(op.inputs) :],
        inputs=(),
        body=Region(block),
    )
    reduce = {a.name: constant(0) for a in op.axes.data if a.reduce}
    new.substitute(reduce)
    return _put(new, op)


def _numbers(op: ComputeOp, outside: set[int]) -> ComputeOp:
    """f(%x[8] pad 0.0, b)  ->  f(0.0, b) where %x has 8 elements"""
    n = len(op.inputs)
    body, epilogue = op.body.clone(), op.epilogue.clone()
    for k in sorted(outside, reverse=True):
        block, i = (body.block, k) if k < n else (epilogue.block, k - n + 1)
        pad, arg = op.accesses.data[k].pad, block.args[i]
        assert pad is not None
        number = arith.ConstantOp(_attribute(pad, arg.type))
        block.insert_op_before(number, _first(block))
        arg.replace_all_uses_with(number.result)
        block.erase_arg(arg)
    inside = [k for k in range(len(op.accesses.data)) if k not in outside]
    refs = op.operands_in_order
    return _put(
        op.replaced(
            accesses=[op.accesses.data[k] for k in inside],
            inputs=[refs[k] for k in inside if k < n],
            extras=[refs[k] for k in inside if n <= k < len(refs) - 1],
            body=body,
            epilogue=epilogue,
        ),
        op,
    )


def _first(block: Block) -> Operation:
    assert block.first_op is not None
    return block.first_op


def _attribute(pad: float, type: Attribute) -> FloatAttr | IntegerAttr:
    if isa(type, AnyFloat):
        return FloatAttr(pad, type)
    assert isa(type, IntegerType), type
    return IntegerAttr(int(pad), type)


def _put(new: ComputeOp, op: ComputeOp) -> ComputeOp:
    assert op.parent is not None
    op.parent.insert_op_before(new, op)
    op.detach()
    op.erase()
    return new


def _trim(op: ComputeOp) -> ComputeOp:
    """reduce k: 3 in %x[k - 1] pad 0.0  ->  reduce k: 2 in %x[k]"""
    for k, e, n in list(padded_indices(op)):
        for a in op.axes.data:
            c = e.coefficient(a.name) if a.reduce else None
            rest = e.substitute({a.name: constant(0)}).bounds(op.ranges)
            if not c or rest is None or k >= len(op.inputs):
                continue
            inside = [i for i in range(a.extent) if c * i + rest[1] >= 0 and c * i + rest[0] < n]
            if len(inside) == a.extent:
                continue
            _check_ignored(op, k)
            if not inside:
                return _only_init(op)
            e = _use_steps(op, a, inside[0], len(inside), e)
    return op


def _use_steps(op: ComputeOp, a: Axis, first: int, extent: int, e: Expr) -> Expr:
    """Run `a` over first, first + 1, .. only; return what `e` has become."""
    axes = (replace(x, extent=extent) if x is a else x for x in op.axes.data)
    op.axes = AxesAttr(tuple(axes))
    moved = {a.name: var(a.name) + first}
    op.substitute(moved)
    return e.substitute(moved)


def _check_ignored(op: ComputeOp, k: int) -> None:
    access = op.accesses.data[k]
    assert access.pad is not None
    if not ignores(op, k, access.pad):
        raise PassFailedException(
            f"cannot leave out the padding that {access} reads, because the reduction does not"
            f" ignore it (need 0 in a sum of products, at most init {op.init.value.data} in a"
            " maximum, at least init in a minimum); give the buffer a halo instead"
        )
