"""Give every tensor expression without a schedule one, from a cost model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from lamina.backends.machine import Machine
from lamina.dialects.te import ComputeOp, ScheduleAttr
from lamina.passes._machine import machine_of
from lamina.passes.te._candidates_nest import Nest, nest_of
from lamina.passes.te._candidates_orders import best_order, plain_order
from lamina.passes.te._candidates_text import schedule_text
from lamina.passes.te._candidates_tiles import best_tiles
from lamina.passes.te._candidates_vector import choose_vector
from lamina.passes.te._directives import computes
from lamina.passes.te._tile_legality import scalar_only

TILES = 12
"""how many register tiles are looked at with the loops around them"""
ORDERED_TILES = 3
"""and how many of these with every order of the loops"""


def choose(op: ComputeOp, machine: Machine) -> ScheduleAttr | None:
    """The schedule that should be fastest; None if the op is best left as it is."""
    if (nest := nest_of(op)) is None:
        return None
    lanes = 1 if scalar_only(op) else machine.vector_bytes // _widest(op, nest)
    nest, vector = choose_vector(nest, lanes)
    plain = [plain_order(nest, t, machine) for t in best_tiles(nest, vector, machine, TILES)]
    plain.sort(key=lambda p: p.score)
    best = min((best_order(nest, p) for p in plain[:ORDERED_TILES]), key=lambda p: p.score)
    taken = [*op.ranges, *(n.data for n in op.outer.data)]
    return schedule_text(nest, best.ranked.tile, best.loops, taken)


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
    """

    name = "te-choose-schedules"
    numerics: ClassVar[str] = "exact"

    target: str = "cpu"
    """the machine to choose for: `cpu`, `cpu:haswell`, `opencl:portable`, ..."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        machine = machine_of(self.target, by=self.name)
        for te in computes(op):
            if te.schedule is None and not any(a.mark for a in te.axes.data):
                te.schedule = choose(te, machine)
