"""Run tensor expressions that feed each other in one loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects import memref
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint
from xdsl.traits import is_side_effect_free

from lamina.dialects import loop
from lamina.dialects.expr import constant
from lamina.dialects.te import AxesAttr, Axis, ComputeOp
from lamina.passes._aliasing import may_alias
from lamina.passes.te._cover import at_once, covers, read, same_loops, written
from lamina.passes.te._directives import computes
from lamina.passes.te._tile_bounds import full_steps, remaining_steps
from lamina.passes.te.te_simplify import simplify


def leading_axis(op: ComputeOp) -> Axis | None:
    """The outermost axis, if all of its steps can be a loop around the rest."""
    a = op.axes.data[0] if op.axes.data else None
    if a is None or a.reduce or a.mark not in ("", "parallel") or a.extent == 1:
        return None
    named = any(a.name in words for words in (op.schedule.data if op.schedule else ()))
    return None if named else a


def may_join(group: Sequence[ComputeOp], op: ComputeOp, prefix: str = "") -> bool:
    """
    Whether step i of `op` may follow at once on step i of the ops in `group`, which come before it.

    It reads something that they write, of that only what their step i has written, and it writes
    nothing that they use. With a prefix, the axes of both must have one name that begins so.
    """
    axis, first = leading_axis(op), leading_axis(group[0])
    if axis is None or first is None or axis.extent != first.extent:
        return False
    if prefix and (axis.name != first.name or not axis.name.startswith(prefix)):
        return False
    full = full_part([*group, op])
    feeds = False
    for member in group:
        if any(may_alias(op.out, v) for v in member.operands_in_order):
            return False
        for k, v in enumerate(op.operands_in_order[:-1]):
            if may_alias(v, member.out):
                if v is not member.out or not _reads_own_step(member, op, k, full):
                    return False
                feeds = True
    return feeds


def full_part(group: Sequence[ComputeOp]) -> int:
    """How many of the first steps of the leading axes no bound cuts."""
    return min(full_steps(op.axes.data[0], op.axes.data, op.bounds.data) for op in group)


def _reads_own_step(writer: ComputeOp, reader: ComputeOp, k: int, full: int) -> bool:
    """
    Whether step i of `reader` reads by access `k` only what step i of `writer` writes; bounds hold
    in the first `full` steps.
    """
    a, b = writer.axes.data[0], reader.axes.data[0]
    if full and not _covers(writer, reader, k, [(a.name, b.name)]):
        return False
    return all(
        _covers_at(writer, reader, k, i) for i in range(full, a.extent) if _has_points(reader, i)
    )


def _covers_at(writer: ComputeOp, reader: ComputeOp, k: int, i: int) -> bool:
    steps = step(writer, i), step(reader, i)
    covered = _covers(*steps, k, [])
    for one in steps:
        one.erase()
    return covered


def _covers(
    writer: ComputeOp, reader: ComputeOp, k: int, leading: Sequence[tuple[str, str]]
) -> bool:
    writes, reads = written(writer, leading[0][0] if leading else ""), read(reader, k)
    if writes is None or reads is None:
        return False
    return covers(writes, reads, [*leading, *same_loops(writer, reader)], at_once(reader, k))


def groups(ops: Sequence[ComputeOp], prefix: str = "") -> Iterator[list[ComputeOp]]:
    """Runs of ops of one block, nothing but allocations between them, that may share a loop."""
    group: list[ComputeOp] = []
    for op in ops:
        if group and _adjacent(group[-1], op) and may_join(group, op, prefix):
            group.append(op)
            continue
        if group:
            yield group
        group = [op]
    if group:
        yield group


def _adjacent(op: ComputeOp, after: ComputeOp) -> bool:
    between = op.next_op
    while between is not None and between is not after and _is_silent(between):
        between = between.next_op
    return between is after


def _is_silent(op: Operation) -> bool:
    return isinstance(op, memref.AllocOp | memref.AllocaOp) or is_side_effect_free(op)


def fuse(group: Sequence[ComputeOp]) -> Iterator[list[ComputeOp]]:
    """
    te(i: n, ..); te(j: n, ..)  ->  loop.for %i < n { te at(i = %i)(..); te at(j = %i)(..) }

    Steps that a bound cuts follow the loop, each with a number for `i`; if only the last one is cut
    and steps may run at once, it stays in the loop, in a `loop.if`. Yields the ops of the loop and
    of each such step.
    """
    axes = [op.axes.data[0] for op in group]
    full, extent = full_part(group), axes[0].extent
    parallel = all(a.mark == "parallel" for a in axes)
    before = Builder(InsertPoint.before(group[-1]))
    if parallel and 0 < full == extent - 1:
        nest = before.insert(loop.ForOp([extent], mapping="parallel", hints=[axes[0].name]))
        choice = loop.IfOp(nest.indices[0], full)
        inside = Builder(InsertPoint.at_end(nest.body.block))
        inside.insert(choice)
        inside.insert(loop.YieldOp())
        yield _inside(group, nest.indices[0], _end_of(choice.below))
        yield _step(group, full, _end_of(choice.rest))
    else:
        if full > 1:
            mapping = "parallel" if parallel else ""
            nest = before.insert(loop.ForOp([full], mapping=mapping, hints=[axes[0].name]))
            Builder(InsertPoint.at_end(nest.body.block)).insert(loop.YieldOp())
            yield _inside(group, nest.indices[0], _end_of(nest.body))
        for i in range(0 if full == 1 else full, extent):
            yield _step(group, i, before)
    for op in group:
        op.detach()
        op.erase()


def _end_of(body: Region) -> Builder:
    assert body.block.last_op is not None
    return Builder(InsertPoint.before(body.block.last_op))


def _inside(group: Sequence[ComputeOp], index: SSAValue, to: Builder) -> list[ComputeOp]:
    """The steps of all ops for an index of a loop, in which no bound cuts them."""
    parts: list[ComputeOp] = []
    for op in group:
        axis, *rest = op.axes.data
        part = op.replaced(
            axes=rest,
            bounds=[(e, n) for e, n in op.bounds.data if axis.name not in e.names()],
            outer=[*(n.data for n in op.outer), axis.name],
            indices=[*op.indices, index],
        )
        parts.append(to.insert(part))
    return parts


def _step(group: Sequence[ComputeOp], i: int, to: Builder) -> list[ComputeOp]:
    return [to.insert(step(op, i)) for op in group if _has_points(op, i)]


def _has_points(op: ComputeOp, i: int) -> bool:
    """Whether the bounds leave anything of step `i` of the leading axis."""
    axis = op.axes.data[0]
    return bool(remaining_steps(replace(axis, extent=i + 1), i, op.axes.data, op.bounds.data))


def step(op: ComputeOp, i: int) -> ComputeOp:
    """te(i: n, j: 4) where i * 4 + j < 10  ->  te(j: 2), which is step 2, as an op of its own"""
    axis, *rest = op.axes.data
    one = op.replaced(axes=rest)
    one.substitute({axis.name: constant(i)})
    simplify(one)
    return one


def unmark(op: ComputeOp, prefix: str) -> None:
    """te(block: 4 parallel, ..)  ->  te(block: 4, ..), which shares no loop"""
    axes = op.axes.data
    if any(a.mark and a.name.startswith(prefix) for a in axes):
        op.axes = AxesAttr(
            tuple(replace(a, mark="") if a.name.startswith(prefix) else a for a in axes)
        )


@dataclass(frozen=True)
class TeFuseLoopsPass(ModulePass):
    """
    Run neighbours in one loop where each reads what the other's same step has just written.

    te.compute axes(i: 8, c: 4) .. out(%t[i, c]) ..; te.compute axes(j: 8) ins(%t[j, 0]) ..  ->
    loop.for %i < 8 { te.compute at(i = %i) axes(c: 4) ..; te.compute at(j = %i) .. }

    The leading axes must have one extent; the pass goes on inside the loop. Steps that a bound cuts
    follow the loop. What cannot be shown to be safe stays as it is.
    """

    name = "te-fuse-loops"
    numerics: ClassVar[str] = "exact"

    prefix: str = ""
    """only axes that have one name, which begins with this; where they cannot, none is marked"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        todo: dict[object, list[ComputeOp]] = {}
        for te in computes(op):
            todo.setdefault(te.parent, []).append(te)
        work = list(todo.values())
        while work:
            for group in list(groups(work.pop(), self.prefix)):
                if len(group) > 1:
                    work += fuse(group)
                elif self.prefix:
                    unmark(group[0], self.prefix)
