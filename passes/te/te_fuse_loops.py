"""Run tensor expressions that feed each other in one loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import ClassVar

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects import memref
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint
from xdsl.traits import is_side_effect_free

from lamina.dialects import loop
from lamina.dialects.expr import Expr, constant
from lamina.dialects.te import Axis, ComputeOp
from lamina.passes._aliasing import may_alias
from lamina.passes.te._directives import computes


def leading_axis(op: ComputeOp) -> Axis | None:
    """The outermost axis, if all of its steps can be a loop around the rest."""
    a = op.axes.data[0] if op.axes.data else None
    if a is None or a.reduce or a.mark not in ("", "parallel") or a.extent == 1:
        return None
    if any(a.name in words for words in (op.schedule.data if op.schedule else ())):
        return None
    return None if any(a.name in e.names() for e, _ in op.bounds.data) else a


def may_join(group: Sequence[ComputeOp], op: ComputeOp) -> bool:
    """
    Whether step i of `op` may follow at once on step i of the ops in `group`, which come before it.

    It reads something that they write, of that only what their step i has written, and it writes
    nothing that they use.
    """
    axis, first = leading_axis(op), leading_axis(group[0])
    if axis is None or first is None or axis.extent != first.extent:
        return False
    feeds = False
    for member in group:
        if any(may_alias(op.out, v) for v in member.operands_in_order):
            return False
        for k, v in enumerate(op.operands_in_order[:-1]):
            if may_alias(v, member.out):
                if v is not member.out or not _reads_own_step(member, op, k):
                    return False
                feeds = True
    return feeds


def _reads_own_step(writer: ComputeOp, reader: ComputeOp, k: int) -> bool:
    """
    Whether step i of `reader` reads by access `k` only elements that step i of `writer` writes.

    Step i writes one element a point; if these are as many as the box around them has, it writes
    the whole box, and the reader has to stay inside it.
    """
    read, written = reader.accesses.data[k], writer.accesses.data[-1].index
    if read.pad is not None:
        return False
    wide = [0] * (len(written) - 1) + [reader.group_size(k) - 1]
    inner = {a.name: a.extent for a in writer.axes.data[1:] if not a.reduce}
    volume = 1
    for w, r, more in zip(written, read.index, wide, strict=True):
        rest = _same_outside(writer, reader, w, r)
        if rest is None:
            return False
        box, reach = rest[0].bounds(inner), rest[1].bounds(reader.ranges)
        if box is None or reach is None or reach[0] < box[0] or reach[1] + more > box[1]:
            return False
        volume *= box[1] - box[0] + 1
    return not writer.bounds.data and prod(inner.values()) == volume


def _same_outside(
    writer: ComputeOp, reader: ComputeOp, w: Expr, r: Expr
) -> tuple[Expr, Expr] | None:
    """`w` and `r` without the leading axes and loop indices, if both depend on them alike."""
    steps = [(writer.axes.data[0].name, reader.axes.data[0].name)]
    names = {v: n.data for n, v in zip(writer.outer.data, writer.indices, strict=True)}
    for n, v in zip(reader.outer.data, reader.indices, strict=True):
        steps.append((names.pop(v, ""), n.data))
    steps += [(n, "") for n in names.values()]
    for a, b in steps:
        c = w.coefficient(a)
        if c is None or c != r.coefficient(b):
            return None
        w, r = w.substitute({a: constant(0)}), r.substitute({b: constant(0)})
    return w, r


def groups(ops: Sequence[ComputeOp]) -> Iterator[list[ComputeOp]]:
    """Runs of ops of one block, nothing but allocations between them, that may share a loop."""
    group: list[ComputeOp] = []
    for op in ops:
        if group and _adjacent(group[-1], op) and may_join(group, op):
            group.append(op)
            continue
        yield group
        group = [op]
    yield group


def _adjacent(op: ComputeOp, after: ComputeOp) -> bool:
    between = op.next_op
    while between is not None and between is not after and _is_silent(between):
        between = between.next_op
    return between is after


def _is_silent(op: Operation) -> bool:
    return isinstance(op, memref.AllocOp | memref.AllocaOp) or is_side_effect_free(op)


def fuse(group: Sequence[ComputeOp]) -> list[ComputeOp]:
    """te(i: n, ..); te(j: n, ..)  ->  loop.for %i < n { te at(i = %i)(..); te at(j = %i)(..) }"""
    axes = [op.axes.data[0] for op in group]
    mapping = "parallel" if all(a.mark == "parallel" for a in axes) else ""
    nest = loop.ForOp([axes[0].extent], mapping=mapping, hints=[axes[0].name])
    Builder(InsertPoint.before(group[-1])).insert(nest)
    inside = Builder(InsertPoint.at_end(nest.body.block))
    parts = [
        inside.insert(
            op.replaced(
                axes=op.axes.data[1:],
                outer=[*(n.data for n in op.outer), axis.name],
                indices=[*op.indices, nest.indices[0]],
            )
        )
        for op, axis in zip(group, axes, strict=True)
    ]
    inside.insert(loop.YieldOp())
    for op in group:
        op.detach()
        op.erase()
    return parts


class TeFuseLoopsPass(ModulePass):
    """
    Run neighbours in one loop where each reads what the other's same step has just written.

    te.compute axes(i: 8, c: 4) .. out(%t[i, c]) ..; te.compute axes(j: 8) ins(%t[j, 0]) ..  ->
    loop.for %i < 8 { te.compute at(i = %i) axes(c: 4) ..; te.compute at(j = %i) .. }

    The leading axes must have one extent; the pass goes on inside the loop. What cannot be shown to
    be safe stays as it is.
    """

    name = "te-fuse-loops"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        todo: dict[object, list[ComputeOp]] = {}
        for te in computes(op):
            todo.setdefault(te.parent, []).append(te)
        work = list(todo.values())
        while work:
            work += [fuse(group) for group in groups(work.pop()) if len(group) > 1]
