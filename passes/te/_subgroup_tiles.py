"""
Register tiles for graphics processors: a subgroup computes one, and every loop around it is a step
of the grid.

Splats of neighbours are lanes of one row that a message brings (`vec-splat-lanes`), so the part of
a reduction along which an input is contiguous is unrolled; and so are those parts whose steps read
rows again, as long as the code stays small.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod

from lamina.backends.machine import Machine
from lamina.passes.te._candidates_nest import Buffer, Nest, Part
from lamina.passes.te._candidates_vector import vector_width
from lamina.passes.te._cost_arithmetic import Tile
from lamina.passes.te._cost_memory import Loop
from lamina.passes.te._subgroup_cost import SubgroupCost

MOST_COPIES = 750
"""of a vector instruction, each two of the machine: more do not stay in the instruction cache"""
MOST_REGISTERS = 39
"""vectors that a tile may need; no tile with as many spills in the networks we compile"""
MOST_PARTS, MOST_SIZE = 2, 32
"""spatial parts that are unrolled, and steps of each"""
FEWER = 1.4
"""each step between sizes of which few are looked at"""
RAGGED, PARTS, UNROLLED = 1.03, 1.002, 1.00001
"""for the code of a smaller tile at the end of a part; for each part; for each copy of the body"""
STRIDED = 8
"""messages as dear as one with an address for each lane"""


def choose_lanes(nest: Nest, lanes: int) -> tuple[Nest, Part | None]:
    """
    The nest with the part cut that becomes the lanes of a subgroup, and that part; None: there is
    no such part, and all lanes compute the same.

    Of all parts the one with the fewest messages for each element: one where lanes are neighbours
    or read the same, many where they lie apart. A few lanes take as long as all of a subgroup.
    """
    best, cheapest = None, float("inf")
    for part in sorted(nest.parts, key=lambda p: nest.output.stride(p.name)):
        if not _may_be_lanes(nest, part):
            continue
        width = vector_width(nest, part, lanes)
        cost = sum(_dear(b, part) for b in nest.buffers) / width
        if width > 1 and cost < cheapest * (1 - 1e-9):
            best, cheapest = part, cost
    if best is None or (width := vector_width(nest, best, lanes)) == best.extent:
        return nest, best
    nest, _, inner = nest.split(best, width)
    return nest, inner


def _may_be_lanes(nest: Nest, part: Part) -> bool:
    if part.reduce or part.name not in nest.free or nest.output.stride(part.name) < 1:
        return False
    tables = any(b.table and part.name in b.uses for b in nest.buffers)
    return not tables and all(b.stride(part.name) >= 0 for b in nest.buffers)


def _dear(b: Buffer, part: Part) -> float:
    near = part.name not in b.uses or (b.stride(part.name) == 1 and part.name not in b.jumps)
    return 1 if near else STRIDED


def cut_rows(nest: Nest, vector: Part | None, lanes: int) -> Nest:
    """The nest with each long reduction cut along which an input has rows to be splat."""
    for part in nest.reduction:
        splat = (b for b in nest.inputs if vector is None or vector.name not in b.uses)
        along = any(b.stride(part.name) == 1 for b in splat) and part.name in nest.free
        if along and part.extent > lanes and not _ragged(nest, part):
            by = max(n for n in range(1, lanes + 1) if part.extent % n == 0)
            nest = nest.split(part, by)[0] if by > 1 else nest
    return nest


def best_tiles(
    nest: Nest, vector: Part | None, machine: Machine, most: int, *, few_sizes: bool = False
) -> list[Tile]:
    """
    The `most` tiles that should be fastest, the best first; with `few_sizes` of those that unroll
    one part, in few sizes, which is a fifth of the work.
    """
    cost = SubgroupCost(nest, vector, machine)
    forced = {p for p in nest.parts if any(b.table and p.name in b.uses for b in nest.buffers)}
    all_tiles = list(_tiles(nest, vector, forced, few_sizes))
    fitting = [t for t in all_tiles if cost.registers(t) <= MOST_REGISTERS]
    if not fitting:
        fitting = [min(all_tiles, key=lambda t: (cost.registers(t), t.copies))]

    def score(tile: Tile) -> float:
        ragged = sum(p.extent % t > 0 for p, t in tile.spatial)
        return cost.device_cycles(tile) * (
            RAGGED**ragged * PARTS ** len(tile.spatial) * UNROLLED**tile.copies
        )

    return sorted(fitting, key=score)[:most]


def _tiles(nest: Nest, vector: Part | None, forced: set[Part], few_sizes: bool) -> Iterator[Tile]:
    for reduce in _unrolled(nest, forced):
        room = MOST_COPIES // max(1, nest.body_ops * prod([p.extent for p in reduce]))
        for spatial in _spatial(nest, vector, forced, max(1, room), few_sizes):
            yield Tile(vector, spatial, reduce)


def _unrolled(nest: Nest, forced: set[Part]) -> Iterator[Sequence[Part]]:
    """Parts of the reduction from the last in their order: none, and as many as stay small."""
    order = nest.reduction
    for k in range(len(order) + 1):
        parts = order[len(order) - k :]
        if any(p.name not in nest.free or _ragged(nest, p) for p in parts):
            break
        if k and prod([p.extent for p in parts]) * nest.body_ops > MOST_COPIES:
            break
        yield [p for p in order if p in parts or p in forced]


def _spatial(
    nest: Nest, vector: Part | None, forced: set[Part], room: int, few_sizes: bool
) -> Iterator[list[tuple[Part, int]]]:
    """Steps of the parts next to each other in the result, as many as there is room for."""
    fixed = [(p, p.extent) for p in nest.parts if p in forced and not p.reduce]
    room //= prod([t for _, t in fixed])
    parts = [
        p
        for p in sorted(nest.parts, key=lambda p: nest.output.stride(p.name))
        if not p.reduce and p != vector and p.name in nest.free and p not in forced and p.extent > 1
    ]
    choices = [_sizes(nest, p, room) for p in parts]
    choices = [_few(c) for c in choices] if few_sizes else choices
    for sizes in product(*choices):
        tiled = [(p, t) for p, t in zip(parts, sizes, strict=True) if t > 1]
        if len(tiled) <= (1 if few_sizes else MOST_PARTS) and prod(sizes) <= max(1, room):
            yield [*fixed, *tiled]


def _few(sizes: Sequence[int]) -> list[int]:
    """Of sizes in order one and the largest, and between them some that lie apart."""
    found = [sizes[-1]]
    for t in reversed(sizes[:-1]):
        if t == 1 or t * FEWER <= found[-1]:
            found.append(t)
    return found[::-1]


def _sizes(nest: Nest, part: Part, most: int) -> list[int]:
    """Steps that leave no rest, or, where the axis may end inside a tile, few tiles."""
    n = part.extent
    least = [t for t in range(1, min(n, most, MOST_SIZE) + 1) if t == -(-n // -(-n // t))]
    return least if nest.outermost(part) else [t for t in least if n % t == 0]


def _ragged(nest: Nest, part: Part) -> bool:
    """Whether the last step of a part is only partly inside its axis."""
    return nest.outermost(part) and part.step * part.extent != nest.extents[part.axis]


def grid_of(nest: Nest, tile: Tile) -> list[Loop]:
    """
    The loops around a tile, each step a subgroup. The outermost one moves the larger input, which
    is then read once.
    """
    sizes = dict((p.name, t) for p, t in tile.spatial)
    loops = [
        Loop(p, -(-p.extent // sizes.get(p.name, 1)), p.extent)
        for p in nest.parts
        if not p.reduce and p != tile.vector
    ]
    loops = [loop for loop in loops if loop.count > 1 or loop.part.name not in sizes]
    loops.sort(key=lambda loop: -abs(nest.output.stride(loop.part.name)))
    everything = {p.name: p.extent for p in nest.parts}
    larger = max(nest.inputs, key=lambda b: b.elements(everything), default=nest.output)
    return sorted(loops, key=lambda loop: loop.part.name not in larger.uses)
