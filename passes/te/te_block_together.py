"""Cut tensor expressions that feed each other into blocks whose scratch stays in cache."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from lamina.backends.machine import Machine
from lamina.dialects.te import AxesAttr, ComputeOp
from lamina.passes._machine import machine_of
from lamina.passes.te._directives import computes
from lamina.passes.te._shares import steps_of, worth_dividing
from lamina.passes.te._together import Shared, Stage, edges_of, shared_axes
from lamina.passes.te._together_cost import Chain, Stages
from lamina.passes.te.te_mark import mark
from lamina.passes.te.te_order import order
from lamina.passes.te.te_simplify import simplify
from lamina.passes.te.te_split import split

PREFIX = "block"
"""with what the names of the axes begin that ops share"""
WORTH = 0.998
"""of the cycles counted without blocks, at most, for blocks to be made"""
MOST_SIZES = 8
"""of blocks along one axis that are tried"""
MOST_STAGES = 8
"""of a chain that is looked at as a whole"""


@dataclass(frozen=True)
class Blocks:
    """Loops that some stages share: axes and how many of their steps make a block."""

    stages: Sequence[Stage]
    cut: Sequence[tuple[Shared, int]]
    share: int = 0
    """steps of the first axis that one thread takes, whole blocks; 0: one thread takes all"""

    def inside(self) -> Sequence[Stage]:
        """What is left of the stages in one step of all loops."""
        stages = self.stages
        for shared, size in self.cut:
            stages = [s.inside(c, size) for s, c in zip(stages, shared.cuts, strict=True)]
        return stages


def chains(ops: Sequence[ComputeOp]) -> Iterator[list[ComputeOp]]:
    """Runs of ops of one block without a schedule, each of which reads what one before it wrote."""
    run: list[ComputeOp] = []
    for op in ops:
        fresh = op.schedule is None and not any(a.mark for a in op.axes.data)
        feeds = any(v is o.out for o in run for v in op.operands_in_order[:-1])
        if not (run and fresh and feeds and run[-1].parent is op.parent):
            yield run
            run = []
        run = [*run, op] if fresh else []
    yield run


def best_blocks(stages: Sequence[Stage], machine: Machine) -> Sequence[tuple[Shared, int]]:
    """The axes to cut for all stages, and into blocks of what size; empty if that gains nothing."""
    shared = shared_axes(stages)
    if not shared:
        return []
    best: Sequence[tuple[Shared, int]] = []
    all = Stages(stages, machine)
    least = Chain(all, shared).cycles([s.steps for s in shared]) * WORTH
    for k in range(len(shared)):
        axes = [*shared[k:], *shared[:k]]
        chain = Chain(all, axes)
        for sizes in _sizes(axes, inner=any(s.cut for s in stages)):
            if (cycles := chain.cycles(sizes)) < least:
                least = cycles
                cuts = zip(axes, sizes, strict=True)
                best = [(s, size) for s, size in cuts if size < s.steps]
    return best


def _sizes(axes: Sequence[Shared], inner: bool) -> Iterator[list[int]]:
    """Blocks of the first axis, then of the next inside single steps of it, and so on."""
    done: list[int] = []
    for k, shared in enumerate(axes):
        rest = [s.steps for s in axes[k + 1 :]]
        for size in block_sizes(shared.steps, even_only=inner or k > 0):
            yield [*done, size, *rest]
        done.append(1)


def block_sizes(steps: int, even_only: bool = False) -> list[int]:
    """
    Even blocks of some steps, larger ones first: divisors, if there are enough. Only these inside
    other blocks, where a bound would hide what a step of the loop around it writes.
    """
    even = [n for n in range(steps - 1, 0, -1) if steps % n == 0]
    if even_only:
        return even[:MOST_SIZES]
    some = sorted({-(-steps // n) for n in range(2, MOST_SIZES + 1)} | {1}, reverse=True)
    return even[:MOST_SIZES] if len(even) > 2 else [n for n in some if n < steps]


def plan(stages: Sequence[Stage], machine: Machine, longest: int = MOST_STAGES) -> Iterator[Blocks]:
    """Blocks of the longest chains that gain by them, then of chains inside those blocks."""
    for length in range(min(len(stages), longest), 1, -1):
        for at in range(len(stages) - length + 1):
            part = stages[at : at + length]
            if not _connected(part) or not (cut := best_blocks(part, machine)):
                continue
            yield (blocks := Blocks(part, cut))
            yield from plan(stages[:at], machine)
            yield from plan(blocks.inside(), machine, length - 1)
            yield from plan(stages[at + length :], machine)
            return


def _connected(stages: Sequence[Stage]) -> bool:
    """Whether each stage but the first reads what an earlier one writes."""
    return {e.reader for e in edges_of(stages)} == set(range(1, len(stages)))


def share_out(planned: Sequence[Blocks], threads: int, machine: Machine) -> Iterator[Blocks]:
    """The outermost loops of what takes long enough, in runs of blocks for each thread."""
    done: set[ComputeOp] = set()
    todo = list(planned)
    while todo:
        blocks = todo.pop(0)
        ops = {s.op for s in blocks.stages}
        if ops & done or (shared_out := _shared_out(blocks, threads, machine)) is None:
            yield blocks
        else:
            yield shared_out
            if shared_out.cut != blocks.cut:  # then what was planned inside is of another size
                todo = [b for b in todo if not {s.op for s in b.stages} <= ops]
                yield from plan(shared_out.inside(), machine, len(ops) - 1)
        done |= ops


def _shared_out(blocks: Blocks, threads: int, machine: Machine) -> Blocks | None:
    """The blocks with a share of the first axis for each thread; None if that does not pay."""
    (shared, size), *others = blocks.cut
    sizes = [n for _, n in others]
    chain = Chain(Stages(blocks.stages, machine), [s for s, _ in blocks.cut])
    if not worth_dividing(chain.cycles([size, *sizes])):
        return None
    share = steps_of(shared.steps, threads)
    even = {n for n in range(1, share + 1) if share % n == 0}
    whole = {n: -(-share // n) * n for n in sorted(even | {size}) if n <= share}
    best = min(whole, key=lambda n: chain.cycles([n, *sizes]) * whole[n])
    return Blocks(blocks.stages, [(shared, best), *others], whole[best])


def make(planned: Sequence[Blocks]) -> None:
    """te(oh: 56, ..); te(h: 28, ..)  ->  te(block: 7, oh: 8, ..); te(block: 7, h: 4, ..)"""
    ops = dict.fromkeys(s.op for blocks in planned for s in blocks.stages)
    taken = {n for op in ops for n in (*op.ranges, *(o.data for o in op.outer.data))}
    leading: dict[ComputeOp, list[str]] = {op: [] for op in ops}
    names = (n for n in (f"{PREFIX}{k or ''}" for k in count()) if n not in taken)
    for blocks in planned:
        if blocks.share:
            shared, _ = blocks.cut[0]
            name = next(names)
            cut(blocks, shared, blocks.share, name, leading)
            for stage in blocks.stages:
                mark(stage.op, "parallel", name)
        for shared, size in blocks.cut:
            cut(blocks, shared, size, next(names), leading)
    for op, first in leading.items():
        order(op, *first, *(a.name for a in op.axes.data if a.name not in first))
        simplify(op)


def cut(
    blocks: Blocks, shared: Shared, size: int, name: str, leading: Mapping[ComputeOp, list[str]]
) -> None:
    """Split the shared axis of each stage, unless no more of it is there than one block."""
    ops = [s.op for s in blocks.stages]
    for op, (axis, unit) in zip(ops, shared.cuts, strict=True):
        _drop_unread(op, axis, shared.steps * unit)
    cuts = list(zip(ops, shared.cuts, strict=True))
    if all(op.extents[axis] <= unit * size for op, (axis, unit) in cuts):
        return
    for op, (axis, unit) in cuts:
        split(op, axis, unit * size, name, axis)
        leading[op].append(name)


def _drop_unread(op: ComputeOp, axis: str, most: int) -> None:
    """te(i: 7)  ->  te(i: 6), where nobody reads what the last step writes"""
    axes = op.axes.data
    op.axes = AxesAttr(
        tuple(replace(a, extent=min(a.extent, most)) if a.name == axis else a for a in axes)
    )


@dataclass(frozen=True)
class TeBlockTogetherPass(ModulePass):
    """
    Cut ops that hand scratch buffers on into blocks alike, so that the scratch of a block stays in
    cache, and put the axes over blocks first, under one name for all of them.

    te axes(c: 64, oh: 56, ..) .. out(%t[c, oh]); te axes(c: 64, h: 28, reduce k: 2)
    ins(%t[c, h * 2 + k]) ..  ->  te axes(block: 7, c: 64, oh: 8, ..) ..;
    te axes(block: 7, c: 64, h: 4, reduce k: 2) ..

    For te-fuse-loops to run in one loop. Axes correspond if each step of a reader reads only what
    the same step of the writer writes; sizes are those that cost least by the target's caches. Ops
    that have a schedule or a mark already are left alone.
    """

    name = "te-block-together"
    numerics: ClassVar[str] = "exact"

    target: str = "cpu"
    """the machine to choose for: `cpu`, `cpu:haswell`, `opencl:portable`, ..."""
    threads: int = 1
    """among which the outermost axis is shared out first: a run of blocks for each"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.threads < 1:
            raise PassFailedException(f"{self.name}: needs at least 1 thread, got {self.threads}")
        machine = machine_of(self.target, by=self.name)
        for chain in chains(computes(op)):
            if len(chain) > 1:
                planned = list(plan([Stage(te, te.extents) for te in chain], machine))
                shares = share_out(planned, self.threads, machine) if self.threads > 1 else planned
                make(list(shares))
