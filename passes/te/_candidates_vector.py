"""Which axis becomes the lanes of a vector."""

from __future__ import annotations

from math import prod

from lamina.backends.machine import Machine
from lamina.passes.te._candidates_nest import Buffer, Nest, Part

LEAST_ROW, MOST_ROW = 4, 16
"""elements side by side for which rows are loaded, not lanes one by one"""


def choose_vector(nest: Nest, lanes: int) -> tuple[Nest, Part | None]:
    """
    The nest with its vector part cut to at most `lanes` steps, and that part; None: scalar code.

    Cheapest per element wins: a contiguous or uniform access is one instruction for all lanes, a
    strided one is two for each lane, and so is one at an integer that each lane reads for itself.
    """
    best: Part | None = None
    cheapest = _cost(nest, None, 1) * (1 - 1e-9)  # a vector that gains nothing is none
    for part in sorted(nest.parts, key=lambda p: nest.output.stride(p.name)):
        if not _possible(nest, part):
            continue
        width = vector_width(nest, part, lanes)
        vectors = -(-part.extent // width)
        cost = _cost(nest, part, width) * vectors / part.extent
        if width > 1 and cost < cheapest:
            best, cheapest = part, cost
    if best is None:
        return nest, None
    width = vector_width(nest, best, lanes)
    if width == best.extent:
        return nest, best
    nest, _, inner = nest.split(best, width)
    return nest, inner


def choose_rows(nest: Nest, vector: Part | None, machine: Machine) -> tuple[Nest, Part | None]:
    """
    The nest with the part cut off along which an input is contiguous whose lanes lie apart; None if
    there is none. All its steps unrolled, `vec-transpose-loads` makes the loads loads of rows.
    """
    tables = any(b.table for b in nest.buffers)
    if machine.kind != "cpu" or vector is None or nest.reduction or nest.groups or tables:
        return nest, None
    most = min(MOST_ROW, 1 << (vector.extent - 1).bit_length())
    for b in nest.inputs:
        if vector.name in b.jumps or b.stride(vector.name) < 2:
            continue
        for part in nest.parts:
            along = part.name in nest.free and part != vector and part.name in nest.output.uses
            if not along or part.reduce or b.stride(part.name) != 1:
                continue
            width = vector_width(nest, part, most)
            if width < LEAST_ROW:
                continue
            if width == part.extent:
                return nest, part
            nest, _, inner = nest.split(part, width)
            return nest, inner
    return nest, None


def _possible(nest: Nest, part: Part) -> bool:
    if part.reduce or part.name not in nest.free or nest.output.stride(part.name) < 1:
        return False
    if any(b.table and part.name in b.uses for b in nest.buffers):
        return False
    return all(b.stride(part.name) >= 0 for b in nest.buffers)


def vector_width(nest: Nest, part: Part, lanes: int) -> int:
    """The widest vector along `part`; inside another part of its axis it has to divide."""
    if part.extent <= lanes:
        return part.extent
    if nest.outermost(part):
        return lanes
    return max(w for w in range(1, lanes + 1) if part.extent % w == 0)


def _cost(nest: Nest, part: Part | None, width: int) -> float:
    """Cycles per point of the body for `width` lanes; the epilogue happens once per reduction."""
    steps = prod(p.extent for p in nest.parts if p.reduce)
    body = sum(access_cost(b, part, width) for b in nest.inputs) / 2
    end = sum(access_cost(b, part, width) for b in nest.extras) / 2
    end += access_cost(nest.output, part, width)
    arithmetic = pieces(width) / 2
    return body + nest.body_ops * arithmetic + (end + nest.epilogue_ops * arithmetic) / steps


def access_cost(b: Buffer, part: Part | None, width: int, rows: Part | None = None) -> float:
    """
    Instructions to load or store `width` lanes along `part`; where all of `rows` is in the tile, to
    load rows along it and shuffle them.
    """
    if part is None or part.name not in b.uses:
        return 1
    if part.name in b.jumps:
        return 2 * width
    if rows is not None and b.role == "input" and b.stride(rows.name) == 1 != b.stride(part.name):
        return 1 + (width - 1).bit_length()
    return pieces(width) if b.stride(part.name) == 1 else 2 * width


def pieces(width: int) -> int:
    """Into how many registers LLVM cuts a vector whose width is no power of two: 7 = 4 + 2 + 1."""
    return width.bit_count()
