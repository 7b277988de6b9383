"""Products of bytes in groups of four, which are one step of a schedule."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from lamina.backends.dot4 import SLOTS, best, lanes, per_cycle
from lamina.backends.machine import Machine
from lamina.dialects.int8 import fit_of
from lamina.dialects.te import ComputeOp
from lamina.passes.te._candidates_nest import Buffer, Groups, Nest, Part, Row
from lamina.passes.te._cost_arithmetic import units
from lamina.passes.te._nest_of import nest_of
from lamina.passes.te.te_dot4 import unsigned_side

NEEDS = MappingProxyType(
    {
        "maddubs": (2, 1, 0),
        "checked": (3, 1, 0),
        "madd16": (1, 2, 2),
        "generic": (2, 4, 7),
    }
)
"""
by form of the product: registers beside operands and sums, those for each operand, whose bytes are
apart, and instructions that take it apart
"""

LOOKED = 4
"""instructions to look at a vector of the signed side, and to go elsewhere now and then"""


def in_groups(op: ComputeOp, nest: Nest, machine: Machine) -> Nest:
    """
    The nest in which the body takes 4 neighbours of a reduction at once, for `dot4` to make it so.

    The nest itself if the body is none of bytes, or they do not lie side by side in both inputs: a
    reduction of 37 steps is no groups of 4, unless its layout pads it.
    """
    if op.binders or unsigned_side(op) is None:
        return nest
    if any(a.pad is not None for a in op.accesses.data[:2]):
        return nest
    part = next((p for p in nest.parts if _is_group(nest, p)), None)
    return nest if part is None else _grouped(op, nest, part, machine)


def takes_groups(op: ComputeOp, machine: Machine) -> bool:
    """Whether a schedule for the op has groups of 4."""
    if unsigned_side(op) is None or (nest := nest_of(op)) is None:
        return False
    return in_groups(op, nest, machine).groups is not None


def in_rows(op: ComputeOp, nest: Nest, vector: Part | None, machine: Machine) -> Nest:
    """
    The nest with the part of the reduction along which vectors of bytes lie one behind the other,
    which `int8-group-products` multiplies four at a time; the nest itself if there is none.
    """
    form = best(machine)
    unsigned = unsigned_side(op)
    if vector is None or nest.groups or unsigned is None or vector.extent > lanes(machine, form):
        return nest
    x, w = nest.buffers[unsigned], nest.buffers[1 - unsigned]
    if {b.stride(vector.name) for b in (x, w)} != {1}:
        return nest
    steps = (p for p in nest.parts if p.reduce and p.extent > 1 and p.name in nest.free)
    part = next((p for p in steps if x.stride(p.name) == vector.extent), None)
    return nest if part is None else replace(nest, row=Row(part, SLOTS[form]))


def _is_group(nest: Nest, part: Part) -> bool:
    """Whether 4 steps of `part` are neighbours in both inputs, none of them without the others."""
    whole = part.extent % 4 == 0 and nest.extents[part.axis] % 4 == 0
    if not part.reduce or part.step != 1 or not whole or part.name not in nest.free:
        return False
    return all(_is_side_by_side(b, part.name) for b in nest.buffers[:2])


def _is_side_by_side(b: Buffer, part: str) -> bool:
    """Whether `part` walks along the last dimension, and all else moves by whole groups."""
    *outer, last = b.moves
    if b.table or b.strides[-1] != 1 or last.get(part) != 1 or any(part in dim for dim in outer):
        return False
    steps = [c for p, c in last.items() if p != part]
    rows = [s for s, n in zip(b.strides[:-1], b.shape[:-1], strict=True) if n > 1]
    return not b.loose[-1] and all(n % 4 == 0 for n in (*steps, *rows))


def _grouped(op: ComputeOp, nest: Nest, part: Part, machine: Machine) -> Nest:
    if part.extent > 4:
        nest, _, part = nest.split(part, 4)
    fit = fit_of(op)
    form = best(machine, fit)
    width = lanes(machine, form) or machine.lanes(4)
    return replace(
        nest,
        parts=[p for p in nest.parts if p != part],
        buffers=[*(_of_groups(b, part.name) for b in nest.buffers[:2]), *nest.buffers[2:]],
        body_ops=round(width * units(machine) / per_cycle(machine, fit)),
        groups=Groups(
            part,
            width,
            *NEEDS.get(form, (0, 1, 0)),
            looked=LOOKED if form == "checked" else 0,
            signed=1 - (unsigned_side(op) or 0),
        ),
    )


def _of_groups(b: Buffer, part: str) -> Buffer:
    """The buffer with a group for an element."""
    *outer, last = b.moves
    return replace(
        b,
        shape=[*b.shape[:-1], -(-b.shape[-1] // 4)],
        strides=[*(s // 4 for s in b.strides[:-1]), 1],
        element_bytes=4 * b.element_bytes,
        moves=[*outer, {p: c // 4 for p, c in last.items() if p != part}],
    )
