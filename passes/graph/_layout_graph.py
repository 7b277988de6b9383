"""The problem of a network's layouts: a variable for each op that has a choice."""

from __future__ import annotations

from math import prod

from xdsl.dialects import func
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Operation
from xdsl.utils.hints import isa

from lamina.dialects.graph import (
    ConstantOp,
    Conv2dOp,
    DeviceCopyOp,
    GlobalAvgPoolOp,
    PointwiseOp,
    PoolOp,
    layout_of,
    shape,
)
from lamina.dialects.layout import Layout
from lamina.passes.graph._any_layout import MOVERS
from lamina.passes.graph._layout_blocks import FOURS, PLAIN
from lamina.passes.graph._layout_candidates import Candidate, candidates, few_channels
from lamina.passes.graph._layout_cost import LayoutCosts
from lamina.passes.graph._layout_devices import Devices
from lamina.passes.graph._layout_edges import LayoutProblem, connect_readers, joins
from lamina.passes.graph._layout_rules import may_follow
from lamina.passes.graph._layout_workload import width_of, workload
from lamina.passes.graph._padding import CHANNELS
from lamina.passes.graph._winograd import applicable


def build(f: func.FuncOp, devices: Devices) -> LayoutProblem:
    """The problem of one function."""
    found = LayoutProblem(devices)
    ops = [op for op in f.body.block.ops if _all_plain(op)]
    known: dict[object, list[Candidate]] = {}
    for op in ops:
        if isinstance(op, Conv2dOp):
            costs = devices.of(op)
            key = workload(op), applicable(op), costs.machine.name
            if key not in known:
                known[key] = candidates(op, costs)
            found.choices[op] = known[key]
    if not found.choices:
        return found  # nobody gains from another layout
    for op in ops:
        if op not in found.choices and (choices := _followed(op, devices)):
            found.choices[op] = choices
    for op, choices in found.choices.items():
        found.variable[op] = found.add([c.cost for c in choices])
    for value in [*f.body.block.args, *(y for op in f.body.block.ops for y in op.results)]:
        if not isinstance(value.owner, ConstantOp):  # constants are packed when compiling
            connect_readers(found, value)
    return found


def _all_plain(op: Operation) -> bool:
    tensors = [x for x in (*op.operands, *op.results) if isa(x.type, TensorType)]
    return all(layout_of(x.type).is_plain for x in tensors)


def _followed(op: Operation, devices: Devices) -> list[Candidate]:
    """The candidates of an op that has no preference, and computes in the layout it writes."""
    if len(op.results) != 1 or not op.operands or op.regions:
        return []
    if len(shape(op.results[0])) != PLAIN.rank:
        return []
    if not any(len(shape(x)) == PLAIN.rank for x in op.operands):
        return []
    mover = isinstance(op, MOVERS)
    of_bytes = width_of(op.results[0]) == 1
    layouts = devices.layouts(op, of_bytes=of_bytes)
    if of_bytes and not few_channels(shape(op.results[0])[CHANNELS]):
        layouts = tuple(y for y in layouts if y != FOURS)
    allowed = [y for y in layouts if y == PLAIN or mover or _follows(op, y)]
    return (
        [Candidate(y, y, own_cost(op, y, devices.of(op))) for y in allowed] if allowed[1:] else []
    )


def _follows(op: Operation, layout: Layout) -> bool:
    first = shape(op.operands[0])
    if not isinstance(op, PointwiseOp) and len(first) != layout.rank:
        return False
    return may_follow(op, layout)


def own_cost(op: Operation, y: Layout, costs: LayoutCosts) -> float:
    """What an op costs that has no preference, but for what its operands' layouts decide."""
    size, width = shape(op.results[0]), width_of(op.results[0])
    if isinstance(op, PoolOp):
        return costs.window(size, prod(op.window()), op.strides.get_values()[1], y, width)
    if isinstance(op, GlobalAvgPoolOp):
        return costs.window(size, prod(shape(op.x)[2:]), 1, y, width)
    if isinstance(op, PointwiseOp):
        if joins(op) is not None:
            return 0.0
        widths = [width, *(width_of(x) for x in op.operands if shape(x) == size)]
        mean = sum(widths) / len(widths)
        return costs.call + costs.copied(size, *(y for _ in widths), width=mean)
    if isinstance(op, DeviceCopyOp):
        return 0.0  # it is handed on as it lies
    if isinstance(op, MOVERS) and len(shape(op.operands[0])) == y.rank:
        return 0.0  # reading is writing
    return costs.call + costs.copied(size, y, width=width)
