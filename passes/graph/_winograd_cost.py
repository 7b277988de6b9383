"""
How long a 3 x 3 convolution takes, directly and tile by tile.

Three things count: products, at the rate of the arithmetic units; weights, which stream from
memory while products are formed, since those of a whole network seldom stay in a cache; and the
transforms of tiles, which are arithmetic and stores. The constants were fitted to chains of
convolutions as ResNet and VGG have them, on a Zen 5 core.
"""

from __future__ import annotations

from lamina.backends.machine import Machine
from lamina.dialects.graph import Conv2dOp, layout_of, shape
from lamina.dialects.graph.winograd import POINTS, TAPS, Matrix, transforms

USED = 0.93
"""of the arithmetic units while products are formed"""
EXPOSED = 0.15
"""of what is streamed or computed, whichever is shorter, is not hidden behind the other"""
GAIN = 1.05
"""how many times faster tiles must be to be worth larger rounding errors"""


def cycles(op: Conv2dOp, tile: int | None, machine: Machine, block: int) -> float:
    """Of `op` by tiles of this size, with channels in such blocks; None: directly."""
    lanes = machine.lanes(4)
    outputs, inputs = (-(-n // block) * block for n in shape(op.w)[:2])
    batch, _, height, width = shape(op.y)
    if tile is None:
        each, points = TAPS**2, batch * height * width
        around = 0.0
    else:
        each, points = (tile + TAPS - 1) ** 2, batch * -(-height // tile) * -(-width // tile)
        around = points * _transforms(tile, inputs / lanes, outputs / lanes)
    products = each * points * outputs * inputs / (machine.rates.flops_per_cycle / 2 * USED)
    streamed = 4 * each * outputs * inputs / machine.rates.dram
    return max(products, streamed) + EXPOSED * min(products, streamed) + around


def _transforms(tile: int, inputs: float, outputs: float) -> float:
    """Cycles to transform the vectors of one tile: two instructions in each, or one store."""
    matrices, size = transforms(tile), tile + TAPS - 1
    before = (tile + size) * _terms(matrices.bt) / 2 + (tile + size) * size
    after = (tile + size) * _terms(matrices.at) / 2 + (tile + size) * tile
    return inputs * before + outputs * after


def _terms(matrix: Matrix) -> int:
    return sum(v != 0 for row in matrix for v in row)


def fastest_tile(op: Conv2dOp, machine: Machine, block: int | None = None) -> int | None:
    """
    The tile by which `op` is fastest with channels in blocks of `block`, by default those it has;
    None if it is fastest directly, or nearly so, or has no blocks.
    """
    if block is None:
        block = layout_of(op.x.type).block("C")
    if block == 1:
        return None
    took = {tile: cycles(op, tile, machine, block) for tile in (None, *POINTS)}
    best = min(POINTS, key=took.__getitem__)
    return best if took[best] * GAIN < took[None] else None
