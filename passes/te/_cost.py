"""What a tensor expression costs, and which schedules cost least; no IR is built to find out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest

from lamina.backends.machine import Machine
from lamina.dialects.te import ComputeOp, ScheduleAttr
from lamina.passes.te._candidates_groups import in_groups, in_rows
from lamina.passes.te._candidates_nest import Nest
from lamina.passes.te._candidates_orders import Ordered, best_order, plain_order
from lamina.passes.te._candidates_text import schedule_text
from lamina.passes.te._candidates_tiles import best_tiles
from lamina.passes.te._candidates_vector import choose_rows, choose_vector
from lamina.passes.te._cost_memory import Loop
from lamina.passes.te._homes import Home
from lamina.passes.te._nest_of import nest_of
from lamina.passes.te._shares import Shares, best_shares
from lamina.passes.te._subgroup_cost import SubgroupCost
from lamina.passes.te._subgroup_tiles import best_tiles as subgroup_tiles
from lamina.passes.te._subgroup_tiles import choose_lanes, cut_rows, grid_of
from lamina.passes.te._tile_legality import scalar_only

TILES = 12
"""how many register tiles are looked at with the loops around them"""
ORDERED_TILES = 3
"""and how many of these with every order of the loops"""
OTHERS = 1.03
"""For several threads, a tile that is not the best one for one thread has to be better by this."""


@dataclass(frozen=True)
class Candidate:
    """A schedule, and how long it should take; None leaves the op as it is."""

    schedule: ScheduleAttr | None
    seconds: float
    alone: ScheduleAttr | None
    """the same tile and loops for one thread"""


def candidates(
    op: ComputeOp, machine: Machine, most: int = 1, homes: Sequence[Home] = (), threads: int = 1
) -> list[Candidate]:
    """
    The `most` schedules that should be fastest, the best first; none if the op has no nest.

    `homes` says for each operand where it lies before.
    """
    if (nest := nest_of(op, homes)) is None:
        return []
    nest = in_groups(op, nest, machine)
    if machine.kind == "opencl":
        return _for_subgroups(op, nest, machine, most)
    lanes = 1 if scalar_only(op) else machine.vector_bytes // _widest(op, nest)
    lanes = min(lanes, nest.groups.lanes) if nest.groups else lanes
    nest, vector = choose_vector(nest, lanes)
    nest = in_rows(op, nest, vector, machine)
    nest, rows = choose_rows(nest, vector, machine)

    def shares(p: Ordered, loops: Sequence[Loop]) -> Shares | None:
        return best_shares(nest, p.ranked.tile, p.memory, loops, threads)

    def cycles(p: Ordered, loops: Sequence[Loop]) -> float:
        return p.memory.cycles(loops) if (found := shares(p, loops)) is None else found.cycles

    def score(p: Ordered) -> float:
        return cycles(p, p.loops) * p.ranked.penalty

    tiles = max(TILES, 2 * most)
    ranked = best_tiles(nest, vector, machine, tiles, rows=rows)
    plain = [plain_order(nest, t, machine) for t in ranked]
    looked_at = max(ORDERED_TILES, most)
    best_alone = sorted(plain, key=lambda p: p.score)[: looked_at if threads == 1 else 1]
    shared = [] if threads == 1 else sorted(plain, key=score)[:looked_at]
    chosen = [*best_alone, *(p for p in shared if p not in best_alone)]
    ordered = [best_order(nest, p, partial(cycles, p), threads) for p in chosen]

    def rank(p: Ordered) -> float:
        return score(p) * (1 if p is ordered[0] else OTHERS)

    names = [*op.ranges, *(n.data for n in op.outer.data)]

    def text(p: Ordered, threads: int) -> ScheduleAttr | None:
        divided = shares(p, p.loops) if threads > 1 else None
        return schedule_text(nest, p.ranked.tile, p.loops, names, threads, divided)

    found: dict[ScheduleAttr | None, Candidate] = {}
    for p in sorted(ordered, key=score if threads == 1 else rank):
        alone = text(p, 1)
        schedule = alone if threads == 1 else text(p, threads)
        found.setdefault(schedule, Candidate(schedule, machine.seconds(cycles(p, p.loops)), alone))
        if len(found) == most:
            break
    return list(found.values())


def _for_subgroups(op: ComputeOp, nest: Nest, machine: Machine, most: int) -> list[Candidate]:
    """The same for a device whose vectors are subgroups: all loops around a tile are its grid."""
    lanes = machine.lanes(4)
    nest, vector = (nest, None) if scalar_only(op) else choose_lanes(nest, lanes)
    nest = cut_rows(nest, vector, lanes)
    cost = SubgroupCost(nest, vector, machine)
    names = [*op.ranges, *(n.data for n in op.outer.data)]
    found: dict[ScheduleAttr | None, Candidate] = {}
    for tile in subgroup_tiles(nest, vector, machine, most):
        schedule = schedule_text(nest, tile, grid_of(nest, tile), names, grid=True)
        found.setdefault(schedule, Candidate(schedule, cost.seconds(tile), schedule))
    return list(found.values())


def varied(found: Sequence[Candidate], most: int) -> list[Candidate]:
    """
    The best candidate, and `most` in all of different kinds, the best of each kind in turn.

    A kind is what is unrolled: tiles of one kind err alike, so another kind is worth more than
    another size. `found` is in order, the best first.
    """
    kinds: dict[str, list[Candidate]] = {}
    for c in found:
        unrolled = [d for d in (c.schedule.data if c.schedule else ()) if d[0] == "unroll"]
        kinds.setdefault(str(unrolled), []).append(c)
    rows = zip_longest(*kinds.values())
    return [c for row in rows for c in row if c is not None][:most]


def seconds(op: ComputeOp, machine: Machine, homes: Sequence[Home] = ()) -> float:
    """How long the best schedule of an op should take; 0 if nothing is known of it."""
    return next((c.seconds for c in candidates(op, machine, homes=homes)), 0.0)


def quick_seconds(nest: Nest, machine: Machine, lane_bytes: int = 4) -> float:
    """
    How long a nest should take, looking at few tiles and one order of loops: a quarter of the work.

    `nest_from` makes the nest of an op that nobody has built; `lane_bytes` is its widest number.
    """
    if machine.kind == "opencl":
        nest, vector = choose_lanes(nest, machine.lanes(4))
        nest = cut_rows(nest, vector, machine.lanes(4))
        (tile,) = subgroup_tiles(nest, vector, machine, 1, few_sizes=True)
        return SubgroupCost(nest, vector, machine).seconds(tile)
    nest, vector = choose_vector(nest, machine.lanes(lane_bytes))
    nest, rows = choose_rows(nest, vector, machine)
    tiles = best_tiles(nest, vector, machine, 3, few_sizes=True, rows=rows)
    best = min((plain_order(nest, t, machine) for t in tiles), key=lambda p: p.score)
    return machine.seconds(best.cycles)


def _widest(op: ComputeOp, nest: Nest) -> int:
    """Bytes of the widest number in a lane: it decides how many lanes there are."""
    made = (r.type for region in op.regions for o in region.block.ops for r in o.results)
    bits = max(getattr(t, "bitwidth", 64) for t in (op.init.type, *made))
    return max(bits // 8, *(b.element_bytes for b in nest.buffers if not b.binds))
