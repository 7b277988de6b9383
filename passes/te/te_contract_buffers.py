"""Keep of a scratch buffer only what one step of the loops around its uses needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from math import prod
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func, memref
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import BlockArgument, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from lamina.dialects import loop
from lamina.dialects.expr import Expr, var
from lamina.dialects.te import AccessAttr, ComputeOp, memref_type
from lamina.passes.te._cover import Side, at_once, covers, read, written


@dataclass(frozen=True)
class Use:
    """Access `k` of `op`, in terms of the loops that all uses of a region share."""

    op: ComputeOp
    k: int

    @property
    def writes(self) -> bool:
        """Whether the op writes there."""
        return self.k == len(self.op.accesses.data) - 1

    def shared_names(self, loops: Sequence[SSAValue]) -> dict[str, str]:
        """What the op calls the indices of `loops`, and their names in all uses."""
        bound = zip(self.op.outer.data, self.op.indices, strict=True)
        return {n.data: f"{loops.index(v)}" for n, v in bound if v in loops}

    def side(self, loops: Sequence[SSAValue]) -> Side | None:
        """What it touches in one step of `loops`; None if that is not known."""
        side = written(self.op) if self.writes else read(self.op, self.k)
        if side is None:
            return None
        ranges = dict(side.ranges)
        for n, v in zip(self.op.outer.data, self.op.indices, strict=True):
            if v not in loops and (extent := loop.extent_of(v)) is not None:
                ranges[n.data] = extent
        known = ranges | self.op.ranges
        names = {old: var(new) for old, new in self.shared_names(loops).items()}
        index = self.op.accesses.data[self.k].index
        return Side([e.simplify(known).substitute(names) for e in index], ranges)


@dataclass(frozen=True)
class Region:
    """Uses of a buffer that read nothing but what was written in the same step of their loops."""

    uses: Sequence[Use]
    loops: Sequence[SSAValue]
    low: Sequence[Expr]
    """where the part of the buffer begins that a step uses"""
    sizes: Sequence[int]
    """of that part"""

    @property
    def parallel(self) -> list[SSAValue]:
        """The loops whose steps need parts of their own."""
        return [v for v in self.loops if is_parallel(v)]


def is_parallel(index: SSAValue) -> bool:
    """Whether it is the index of a loop whose steps may run at once."""
    nest = index.block.parent_op() if isinstance(index, BlockArgument) else None
    return isinstance(nest, loop.ForOp) and nest.mapping.data == "parallel"


def uses_of(buffer: SSAValue) -> list[Use] | None:
    """Every access to `buffer`, if only te ops use it."""
    ops = list(dict.fromkeys(use.operation for use in buffer.uses))
    found: list[Use] = []
    for op in ops:
        if not isinstance(op, ComputeOp):
            return None
        found += [Use(op, k) for k, v in enumerate(op.operands_in_order) if v is buffer]
    return found


def ancestors(op: Operation) -> list[Operation]:
    """`op` and the loops around it, up to what is in the function; the innermost first."""
    found: list[Operation] = []
    at: Operation | None = op
    while at is not None and not isinstance(at, func.FuncOp):
        found.append(at)
        at = at.parent_op()
    return found


def runs_of(uses: Sequence[Use], around: Operation) -> list[list[Use]]:
    """The uses in `around` as they follow each other: a run begins with a write, reads follow."""
    place = {op: i for i, op in enumerate(around.walk())}
    runs: list[list[Use]] = []
    for use in sorted(uses, key=lambda u: (place[u.op], u.k)):
        if use.writes:
            runs.append([])
        elif not runs:  # it reads what a step before has written
            return [list(uses)]
        runs[-1].append(use)
    return runs


def region(uses: Sequence[Use]) -> Region | None:
    """The uses with what a step of their loops needs; None if that comes from another step."""
    writers = [use for use in uses if use.writes]
    if len(writers) != 1:
        return None
    writer = writers[0]
    around = [ancestors(use.op)[1:] for use in uses]
    common = [o for o in reversed(around[0]) if all(o in a for a in around)]
    loops = [v for o in common if isinstance(o, loop.ForOp) for v in o.indices]
    sides = [side for use in uses if (side := use.side(loops)) is not None]
    if len(sides) < len(uses):
        return None
    writes = sides[uses.index(writer)]
    same = [(f"{i}", f"{i}") for i in range(len(loops))]
    for use, side in zip(uses, sides, strict=True):
        if use is not writer and not (
            _before(writer.op, use.op) and covers(writes, side, same, at_once(use.op, use.k))
        ):
            return None
    parts = [
        part for d in range(len(writes.index)) if (part := _part(writes, d, len(loops))) is not None
    ]
    if len(parts) < len(writes.index):
        return None
    return Region(uses, loops, [low for low, _ in parts], [size for _, size in parts])


def _before(first: Operation, then: Operation) -> bool:
    """Whether `first` is done when `then` begins, in each step of the loops around both."""
    above = {o.parent: o for o in ancestors(first)}
    for o in ancestors(then):
        if (beside := above.get(o.parent)) is not None:
            return beside is not o and beside.is_before_in_block(o)
    return False


def _part(writes: Side, d: int, loops: int) -> tuple[Expr, int] | None:
    """Where in dimension `d` a step begins to write, and how far it gets, if that is known."""
    e, base = writes.index[d], Expr()
    for i in range(loops):
        base = base + var(f"{i}") * (e.coefficient(f"{i}") or 0)
    limits = (e - base).bounds(writes.ranges)
    return None if limits is None else (base + limits[0], limits[1] - limits[0] + 1)


def contract(alloc: memref.AllocOp | memref.AllocaOp) -> None:
    """
    memref<64x14xf32>, in a loop over r: %t[r * 4 + i, w]  ->  memref<4x14xf32>, %t[i, w]

    Steps of parallel loops get a slice each, in a dimension before the others.
    """
    uses, around = uses_of(alloc.memref), alloc.parent_op()
    if not uses or around is None:
        return
    regions = [region(r) for r in runs_of(uses, around)]
    known = [r for r in regions if r is not None]
    if len(known) < len(regions):
        return
    old = memref_type(alloc.memref)
    slices = _slices(known)
    sizes = [max(size) for size in zip(*(r.sizes for r in known), strict=True)]
    if prod(slices) * prod(sizes) >= prod(old.get_shape()):
        return
    new = type(alloc).get(old.element_type, alloc.alignment, [*slices, *sizes])
    new.memref.name_hint = alloc.memref.name_hint
    Rewriter.insert_op(new, InsertPoint.before(alloc))
    for r in known:
        for op in dict.fromkeys(use.op for use in r.uses):
            _redirect(op, alloc.memref, new.memref, r, len(slices))
    Rewriter.erase_op(alloc)


def _slices(regions: Sequence[Region]) -> list[int]:
    """How many steps run at once, in each dimension of parallel loops."""
    found = [[loop.extent_of(v) or 1 for v in r.parallel] for r in regions]
    rank = max(map(len, found))
    return [max(p) for p in zip(*([*f, *[1] * (rank - len(f))] for f in found), strict=True)]


def _redirect(op: ComputeOp, old: SSAValue, new: SSAValue, r: Region, slices: int) -> None:
    """Let `op` use `new` where it used `old`."""
    names = {v: n.data for n, v in zip(op.outer.data, op.indices, strict=True)}
    for v in r.parallel:
        if v not in names:
            taken = {*op.ranges, *names.values()}
            names[v] = next(x for x in map("p{}".format, count()) if x not in taken)
    own = {f"{i}": var(names[v]) for i, v in enumerate(r.loops) if v in names}
    low = [e.substitute(own) for e in r.low]
    leading = [var(names[v]) for v in r.parallel]
    leading += [Expr()] * (slices - len(leading))
    accesses: list[AccessAttr] = []
    for access, v in zip(op.accesses.data, op.operands_in_order, strict=True):
        if v is old:
            ranges = op.ranges
            index = [e.simplify(ranges) - base for e, base in zip(access.index, low, strict=True)]
            access = AccessAttr.of([*leading, *index], None, access.binds)
        accesses.append(access)
    moved = op.replaced(
        accesses=accesses,
        inputs=[new if v is old else v for v in op.inputs],
        extras=[new if v is old else v for v in op.extras],
        out=new if op.out is old else op.out,
        outer=list(names.values()),
        indices=list(names),
    )
    Rewriter.insert_op(moved, InsertPoint.before(op))
    Rewriter.erase_op(op)


class TeContractBuffersPass(ModulePass):
    """
    Drop of a scratch buffer what only other steps of the loops around its uses would need.

    memref.alloc 56x14; loop.for %b < 14 { te at(b = %b) .. out(%t[b * 4 + i, w]); te at(b = %b)
    ins(%t[b * 4 + j, w]) .. }  ->  memref.alloc 4x14; .. out(%t[i, w]); .. ins(%t[j, w])

    Each step must read only what it has written before. A step of a parallel loop keeps a slice of
    its own, in a new leading dimension.
    """

    name = "te-contract-buffers"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for alloc in [o for o in op.walk() if isinstance(o, memref.AllocOp | memref.AllocaOp)]:
            contract(alloc)
