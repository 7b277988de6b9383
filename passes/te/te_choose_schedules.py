"""Give every tensor expression without a schedule one, from a cost model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from lamina.backends.machine import Machine
from lamina.dialects.loop import ForOp
from lamina.dialects.te import ComputeOp, ScheduleAttr
from lamina.passes._machine import machine_of
from lamina.passes.te._candidates_nest import Nest, nest_of
from lamina.passes.te._candidates_orders import Ordered, best_order, plain_order
from lamina.passes.te._candidates_text import schedule_text
from lamina.passes.te._candidates_tiles import best_tiles
from lamina.passes.te._candidates_vector import choose_vector
from lamina.passes.te._directives import computes
from lamina.passes.te._shares import best_shares
from lamina.passes.te._tile_legality import scalar_only

TILES = 12
"""how many register tiles are looked at with the loops around them"""
ORDERED_TILES = 3
"""and how many of these with every order of the loops"""


def choose(op: ComputeOp, machine: Machine, threads: int = 1) -> ScheduleAttr | None:
    """The schedule that should be fastest; None if the op is best left as it is."""
    if (nest := nest_of(op)) is None:
        return None
    lanes = 1 if scalar_only(op) else machine.vector_bytes // _widest(op, nest)
    nest, vector = choose_vector(nest, lanes)

    def score(p: Ordered) -> float:
        shares = best_shares(nest, p.memory, p.loops, p.cycles, threads)
        return p.score if shares is None else shares.cycles * p.ranked.penalty

    plain = [plain_order(nest, t, machine) for t in best_tiles(nest, vector, machine, TILES)]
    plain.sort(key=score)
    best = min((best_order(nest, p) for p in plain[:ORDERED_TILES]), key=score)
    shares = best_shares(nest, best.memory, best.loops, best.cycles, threads)
    taken = [*op.ranges, *(n.data for n in op.outer.data)]
    return schedule_text(nest, best.ranked.tile, best.loops, taken, threads, shares)


def _inside_parallel(op: Operation) -> bool:
    """Whether a loop around `op` is shared out already."""
    parent = op.parent_op()
    while parent is not None:
        if isinstance(parent, ForOp) and parent.mapping.data == "parallel":
            return True
        parent = parent.parent_op()
    return False


def _widest(op: ComputeOp, nest: Nest) -> int:
    """Bytes of the widest number in a lane: it decides how many lanes there are."""
    init = getattr(op.init.type, "bitwidth", 64) // 8
    return max(init, *(b.element_bytes for b in nest.buffers if not b.binds))


@dataclass(frozen=True)
class TeChooseSchedulesPass(ModulePass):
    """
    Give every op without a schedule the one that should be fastest on the target.

    axes(oc: 64, ow: 56, reduce ic: 64) ...
    ->  the same with schedule [split oc 32 oco oci, ..., unroll owi ocm, vector ocv]

    Axes are cut where floordiv and mod in the accesses cut them; the vector axis is the one that
    makes accesses contiguous; register tiles and loop orders are ranked by a formula for their
    cycles. Ops that have a schedule or a mark already are left alone.

    With several threads the tile counts whose longest share is shortest, and the schedule begins
    with `split oh 28 oht ohi, .., order oht .., parallel oht`: a run of steps of one loop for each.
    """

    name = "te-choose-schedules"
    numerics: ClassVar[str] = "exact"

    target: str = "cpu"
    """the machine to choose for: `cpu`, `cpu:haswell`, `opencl:portable`, ..."""
    threads: int = 1
    """among which one loop of each op that takes long is shared out"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.threads < 1:
            raise PassFailedException(f"{self.name}: needs at least 1 thread, got {self.threads}")
        machine = machine_of(self.target, by=self.name)
        for te in computes(op):
            if te.schedule is None and not any(a.mark for a in te.axes.data):
                te.schedule = choose(te, machine, 1 if _inside_parallel(te) else self.threads)
