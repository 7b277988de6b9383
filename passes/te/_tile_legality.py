"""What a register tile may be: `te-to-vec` refuses the rest, `te-choose-schedules` asks first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from math import prod
from typing import cast

from xdsl.dialects.builtin import VectorType
from xdsl.ir import Attribute, Operation, SSAValue

from lamina.dialects.expr import Expr
from lamina.dialects.te import AccessAttr, Axis, ComputeOp, ConstantOp, memref_type
from lamina.passes.te._integers import mixed, sources

I32_RANGE = 1 << 31
"""lanes count elements of a buffer in i32; an index is read as one, if its extent allows"""


def memory_strides(buffer: SSAValue) -> Sequence[int] | None:
    """The strides of a buffer in elements, if they are all known."""
    strides = memref_type(buffer).get_strides()
    if strides is None or None in strides:
        return None
    return [s for s in strides if s is not None]


def lane_stride(index: Sequence[Expr], strides: Sequence[int], name: str) -> int | None:
    """By how many elements of memory an access moves per step of axis `name`; None: it varies."""
    total = 0
    for e, s in zip(index, strides, strict=True):
        if (c := e.coefficient(name)) is None:
            return None
        total += c * s
    return total


def group_size(type: Attribute) -> int:
    """How many elements of memory one value of a scalar body has: 4 for vector<4xi8>."""
    return prod(cast(VectorType, type).get_shape()) if isinstance(type, VectorType) else 1


def scalar_only(op: ComputeOp) -> Operation | None:
    """The first op of the scalar regions that cannot be carried out on vectors."""
    for region in (op.body, op.epilogue):
        for o in region.block.ops:
            if o.regions:
                return o
    return None


def refusal(op: ComputeOp) -> str | None:
    """Why `op` is no register tile, or None if it is one."""
    return next(_faults(op), None)


def _faults(op: ComputeOp) -> Iterator[str]:
    vectors = [a for a in op.axes.data if a.mark == "vector"]
    yield from _loop_faults(op.axes.data)
    yield from _access_faults(op)
    yield from _table_faults(op)
    yield from _bound_faults(op)
    for vector in vectors:
        yield from _vector_faults(op, vector)


def _loop_faults(axes: Sequence[Axis]) -> Iterator[str]:
    outside: Axis | None = None
    for a in axes:
        if a.reduce and not a.mark:
            outside = outside or a
        elif a.mark in ("", "parallel"):
            if outside is None:
                yield f"'{a}' is still a loop of its own; run te-to-loops first"
            else:
                yield (
                    f"loop '{a.name}' is inside reduction '{outside.name}', so that its "
                    f"accumulators would live in memory; unroll '{a.name}' or order it before "
                    f"'{outside.name}'"
                )


def _access_faults(op: ComputeOp) -> Iterator[str]:
    copied = [a.name for a in op.axes.data if a.mark]
    reduced = {a.name for a in op.axes.data if a.reduce}
    for access, value in zip(op.accesses.data, op.operands_in_order, strict=True):
        if access.pad is not None:
            yield (
                f"{access} may read outside its buffer; run te-peel-padding before the schedule "
                "is chosen, or give the buffer a halo"
            )
        for e in access.index:
            if bad := [x for x in copied if e.coefficient(x) is None]:
                yield (
                    f"'{e.show()}' is not linear in '{bad[0]}', which is unrolled or a vector; "
                    f"split '{bad[0]}' where its blocks are"
                )
        if memory_strides(value) is None:
            yield f"{value.type} has no known strides; give every buffer a static layout"

    for access in op.accesses.data[len(op.inputs) :]:
        if used := reduced & {n for e in access.index for n in e.names()}:
            yield f"{access} is used after the reduction, so it cannot depend on '{min(used)}'"


def _table_faults(op: ComputeOp) -> Iterator[str]:
    numbers = {a.name for a in op.axes.data if a.mark == "unroll"}
    for access, value in zip(op.accesses.data[:-1], op.operands_in_order, strict=False):
        if isinstance(value.owner, ConstantOp):
            if read := op.binders.keys() & {n for e in access.index for n in e.names()}:
                yield f"{access} is a table of constants, but '{min(read)}' is an integer read"
            if left := {n for e in access.index for n in e.names()} - numbers:
                yield f"{access} is a table of constants; unroll '{min(left)}' to use it"


def _bound_faults(op: ComputeOp) -> Iterator[str]:
    axes = {a.name: a for a in op.axes.data}
    for e, n in op.bounds.data:
        shown = f"bound '{e.show()} < {n}'"
        if outside := e.names() - axes.keys():
            yield f"{shown} depends on '{min(outside)}', which comes from outside the op"
            continue
        inside = [axes[x] for x in sorted(e.names())]
        if bad := [a for a in inside if e.coefficient(a.name) is None]:
            yield f"{shown} is not linear in '{bad[0].name}'; split '{bad[0].name}' where it is cut"
        lanes = [a for a in inside if a.mark == "vector"]
        if lanes and any(a.reduce for a in inside):
            yield f"{shown} makes the lanes of '{lanes[0].name}' differ from step to step"
        if any((e.coefficient(a.name) or 0) < 0 for a in lanes):
            yield f"{shown} cuts the first lanes of '{lanes[0].name}', not the last ones"


def _vector_faults(op: ComputeOp, vector: Axis) -> Iterator[str]:
    if vector.reduce:
        yield (
            f"'{vector.name}' is a reduction, but each lane holds an output; split "
            f"'{vector.name}' and unroll it, or make another axis the vector"
        )
    if bad := scalar_only(op):
        yield f"{bad.name} takes no vectors; make '{vector.name}' a loop"
    in_lanes = {n for n, by in sources(op).items() if vector.name in by}
    for access, value in zip(op.accesses.data, op.operands_in_order, strict=True):
        strides = memory_strides(value)
        stride = lane_stride(access.index, strides, vector.name) if strides is not None else None
        if stride is not None and stride < 0:
            yield f"{access} walks backwards along '{vector.name}'; make it a loop"
        yield from _gather_faults(access, value, in_lanes, vector)
        if stride == 0 and value is op.out:
            yield f"the output {access} does not depend on '{vector.name}'"


def _gather_faults(
    access: AccessAttr, buffer: SSAValue, in_lanes: AbstractSet[str], vector: Axis
) -> Iterator[str]:
    """Where each lane reads on at an integer of its own."""
    if not in_lanes & {n for e in access.index for n in e.names()}:
        return
    if together := mixed(access.index, in_lanes):
        yield (
            f"'{together}' takes an integer of each lane together with what all lanes share; make"
            f" '{vector.name}' a loop"
        )
    sizes = zip(memref_type(buffer).get_shape(), memory_strides(buffer) or (), strict=False)
    if (elements := 1 + sum((n - 1) * s for n, s in sizes)) > I32_RANGE:
        yield f"{buffer.type} is too large for lanes that count in i32: {elements} elements"
