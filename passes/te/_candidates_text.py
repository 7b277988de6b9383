"""A chosen schedule as the text that a person could have written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from lamina.dialects.te import ScheduleAttr
from lamina.passes.te._candidates_nest import Nest, Part
from lamina.passes.te._candidates_orders import reduction_loops
from lamina.passes.te._cost_arithmetic import Tile
from lamina.passes.te._cost_memory import Loop
from lamina.passes.te._shares import Shares

ENOUGH_PARALLEL = 64
"""steps of parallel loops, to share out evenly among the cores of any machine"""
MIDDLE, REST = "mnpqrstu", "ijkl"


@dataclass
class _Plan:
    """The nest after all splits, and what becomes of each part."""

    nest: Nest
    loops: list[Part]
    reduction: list[Part]
    unrolled: list[Part]
    vector: Part | None
    shared: Part | None = None
    """the loop whose steps are threads"""


def schedule_text(
    nest: Nest,
    tile: Tile,
    loops: Sequence[Loop],
    taken: Sequence[str],
    threads: int = 1,
    shares: Shares | None = None,
    grid: bool = False,
) -> ScheduleAttr | None:
    """
    The directives for these loops around this tile; None if there is nothing to say.

    For one thread, who divides the work is not known, and all outer loops are offered; on a `grid`
    each step of each loop is by itself.
    """
    plan = _plan(nest, tile, loops)
    if shares is not None:
        _share_out(plan, shares)
    first = [plan.shared] if plan.shared else []
    parallel = plan.loops if grid else _parallel(plan.loops) if threads == 1 else first
    names, directives = _splits(plan, set(taken))
    placed = [*plan.loops, *plan.reduction, *plan.unrolled, *([plan.vector] if plan.vector else [])]
    single = [p for p in plan.nest.parts if p not in placed]  # axes of one step
    order = [names[p.name] for p in (*first, *single, *(p for p in placed if p not in first))]
    if directives or order != list(nest.extents):
        directives.append(("order", *order))
    if parallel:
        directives.append(("parallel", *(names[p.name] for p in parallel)))
    if plan.unrolled:
        directives.append(("unroll", *(names[p.name] for p in plan.unrolled)))
    if plan.vector:
        directives.append(("vector", names[plan.vector.name]))
    return ScheduleAttr(tuple(directives)) if directives else None


def _plan(nest: Nest, tile: Tile, loops: Sequence[Loop]) -> _Plan:
    """Cut tiles and blocks off their parts."""
    rolled = [loop.part for loop in reduction_loops(nest, tile)]
    unrolled = list(tile.reduce)
    outside: dict[str, Part] = {}
    for part, t in _held_last(nest, tile):
        outside[part.name] = part
        if t == part.extent > 1:
            unrolled.append(part)
        elif t > 1:
            nest, outside[part.name], inner = nest.split(part, t)
            unrolled.append(inner)
    order: list[Part] = []
    seen = [loop.part.name for loop in loops]
    inner_of: dict[str, Part] = {}
    for k, loop in enumerate(loops):
        name = loop.part.name
        part = outside.get(name, loop.part)
        if name in inner_of:
            order.append(inner_of[name])
        elif name in seen[k + 1 :]:
            steps = next(other.count for other in loops[k + 1 :] if other.part.name == name)
            nest, blocks, inner_of[name] = nest.split(part, steps)
            order.append(blocks)
        else:
            order.append(part)
    return _Plan(nest, order, rolled, unrolled, tile.vector)


def _share_out(plan: _Plan, shares: Shares) -> None:
    """Cut a loop into one run of steps a thread: a parallel loop around all others."""
    part = plan.loops[shares.depth]
    if shares.steps == 1:
        plan.shared = part
        return
    plan.nest, plan.shared, inner = plan.nest.split(part, shares.steps)
    plan.loops[shares.depth : shares.depth + 1] = [plan.shared, inner]


def _held_last(nest: Nest, tile: Tile) -> list[tuple[Part, int]]:
    """
    The tile's parts in the order of its code, first the ones that vary slowest.

    The busiest input passes through one register: what it does not depend on varies fastest.
    """

    def at_once(k: int) -> int:
        return prod(t for p, t in tile.spatial if p.name in nest.inputs[k].uses)

    if not nest.inputs:
        return list(tile.spatial)
    busiest = nest.inputs[max(range(len(nest.inputs)), key=at_once)]
    return sorted(
        tile.spatial,
        key=lambda pt: (pt[0].name not in busiest.uses, -abs(nest.output.stride(pt[0].name))),
    )


def _parallel(loops: Sequence[Part]) -> list[Part]:
    found: list[Part] = []
    for part in loops:
        if prod(p.extent for p in found) >= ENOUGH_PARALLEL:
            break
        found.append(part)
    return found


def _splits(plan: _Plan, taken: set[str]) -> tuple[dict[str, str], list[tuple[str, ...]]]:
    """
    A name for each part, and what makes it: splits, those with the largest steps first, and then
    products of groups.
    """
    names: dict[str, str] = {}
    directives: list[tuple[str, ...]] = []

    def fresh(name: str) -> str:
        while name in taken:
            name += "_"
        taken.add(name)
        return name

    for axis in plan.nest.extents:
        *coarse, last = _parts_of(plan.nest, axis)
        group = plan.nest.groups and plan.nest.groups.part
        ends = {plan.vector: "v", group: "g"}
        rest = axis
        for k, part in enumerate(coarse):
            threads = "t" if part is plan.shared else ""
            names[part.name] = fresh(axis + (threads or ("o" if k == 0 else MIDDLE[k - 1])))
            end = ends.get(last, "") if part is coarse[-1] else ""
            following = fresh(axis + (end or REST[k]))
            directives.append(("split", rest, str(part.step), names[part.name], following))
            rest = following
        names[last.name] = rest
        if last == group:
            directives.append(("dot4", rest))
    return names, directives


def _parts_of(nest: Nest, axis: str) -> list[Part]:
    """The factors of an axis, the group that the body takes at once as the last of them."""
    parts = [*nest.parts, *([nest.groups.part] if nest.groups else [])]
    return [p for p in parts if p.axis == axis]
