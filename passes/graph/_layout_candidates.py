"""The layouts that a convolution may read and write, the weights' with them, and their costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

from lamina.dialects.graph import Conv2dOp
from lamina.dialects.layout import Layout
from lamina.passes.graph._layout_blocks import BLOCK, BLOCKED, FOURS, PLAIN, Packing, output_block
from lamina.passes.graph._layout_cost import LayoutCosts
from lamina.passes.graph._layout_workload import FOUR, Workload, channels_last, workload
from lamina.passes.graph._winograd import applicable
from lamina.passes.graph._winograd_cost import cycles, fastest_tile

FEWEST_CHANNELS = 8
"""below this, filling a block up with zeros would cost more than vectors over channels gain"""


@dataclass(frozen=True)
class Candidate:
    """How one op may store what it reads and writes, and what that costs."""

    x: Layout
    y: Layout
    cost: float
    """seconds"""
    w: Layout | None = None
    """of a convolution's weights"""


def usual_layouts(op: Conv2dOp, packing: Packing) -> tuple[Layout, Layout, Layout] | None:
    """Layouts of x, w, y by a rule for each convolution alone; None where plain ones are best."""
    w = workload(op)
    outputs, inputs = w.outputs // w.groups, w.channels // w.groups
    if w.apart and w.channels >= FEWEST_CHANNELS:
        return BLOCKED, weights_layout(w, BLOCKED, BLOCKED, packing), BLOCKED
    if w.groups > 1 and (inputs % BLOCK or outputs % BLOCK):
        # half a register of each group at a time is slower than to unpack and to go along the width
        return None
    pixel = prod(w.size) == 1  # few numbers: a block costs less than to leave the layout
    if outputs < FEWEST_CHANNELS and not pixel:
        return None
    x = PLAIN if inputs < FEWEST_CHANNELS and not pixel else BLOCKED
    if w.width == 1 and packing.fours and few_channels(inputs):
        x = FOURS
    return x, weights_layout(w, x, BLOCKED, packing), BLOCKED


def weights_layout(w: Workload, x: Layout, y: Layout, packing: Packing) -> Layout:
    """The order in which a kernel between these layouts reads its weights."""
    block, inner = y.block("C"), x.block("C")
    outputs = w.outputs // w.groups
    if w.apart and block > 1:
        return Layout.parse(f"OIHW{block}o")
    if w.apart or (w.groups > 1 and outputs % BLOCK):  # no block is of one group only
        return Layout.parse("HWIO") if channels_last(y) else PLAIN
    width = packing.side_by_side or output_block(outputs)
    if width % block:
        width = block
    if packing.fours and w.in_fours(x):
        return Layout.parse("OIHW" + (f"{inner // FOUR}i" if inner > FOUR else "") + f"{width}o4i")
    order = "OHWI" if channels_last(x) else "OIHW"
    return Layout.parse(order + (f"{inner}i" if inner > 1 else "") + f"{width}o")


def candidates(op: Conv2dOp, costs: LayoutCosts) -> list[Candidate]:
    """All that make sense, the usual one first."""
    w = workload(op)
    usual = usual_layouts(op, costs.packing)
    first = (usual[0], usual[2]) if usual else (PLAIN, PLAIN)
    found = [Candidate(*first, _cost(op, *first, costs), usual[1] if usual else None)]
    for x, y in _pairs(w, costs.of_bytes if w.width == 1 else costs.layouts):
        if (x, y) != first:
            weights = weights_layout(w, x, y, costs.packing)
            found.append(Candidate(x, y, costs.doubt * _cost(op, x, y, costs), weights))
    return found


def _cost(op: Conv2dOp, x: Layout, y: Layout, costs: LayoutCosts) -> float:
    """Seconds of `op`, directly or by tiles."""
    direct = costs.convolution(workload(op), x, y)
    block = x.block("C")
    if not costs.tiles or x != y or not applicable(op):
        return direct
    if tile := fastest_tile(op, costs.machine, block):
        whole = cycles(op, None, costs.machine, block)
        return direct * cycles(op, tile, costs.machine, block) / whole
    return direct


def _pairs(w: Workload, layouts: tuple[Layout, ...]) -> Iterator[tuple[Layout, Layout]]:
    inputs, outputs = w.channels // w.groups, w.outputs // w.groups
    if w.apart:
        inputs = outputs = w.channels
    elif w.groups > 1:
        for x, y in product(layouts, layouts):
            if FOURS not in (x, y) and inputs % x.block("C") == outputs % y.block("C") == 0:
                yield x, y
        return
    for x, y in product(layouts, layouts):
        if (x == y or not w.apart) and _fits(inputs, x) and _fits(outputs, y):
            yield x, y


def _fits(channels: int, layout: Layout) -> bool:
    """Whether blocks are not mostly padding; groups of four by themselves are for few channels."""
    if layout == FOURS:
        return few_channels(channels)
    return layout.block("C") < 2 * channels or layout.block("C") == 1


def few_channels(channels: int) -> bool:
    """Whether a group of four holds all channels, and is not mostly padding."""
    return FOUR // 2 < channels <= FOUR
