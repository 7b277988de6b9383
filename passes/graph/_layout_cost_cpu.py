"""
What a convolution, a transform or a pass over memory costs on a CPU in each layout, in closed form.

The constants come from kernels that the whole pipeline made, timed on a Zen 5 core in all pairs of
layouts. Where the vectors lie decides: over channels, then the block, the padding of the last one
and what is stored count; or along the width, which needs consecutive elements of plain tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, gcd, prod

from lamina.backends.dot4 import per_cycle
from lamina.dialects.layout import Layout
from lamina.passes.graph._layout_blocks import BLOCKED, FOURS, LAST, PLAIN, Packing, in_blocks
from lamina.passes.graph._layout_cost import LayoutCosts
from lamina.passes.graph._layout_workload import FOUR, Workload, channels_last, up

LATENCY, ISSUE, OVERLAP = 4.4, 7.5, 8
"""cycles until a sum can go on; instructions a cycle; how sharply waiting gives way to work"""
STRIDED = 2.0
"""instructions for each lane of a vector whose elements do not lie side by side"""
STORE, EXIT = 0.6, 2.0
"""cycles for storing a vector beside a reduction, and for leaving its loop"""
EXPOSED = 0.4
"""the part of the time for moving bytes that arithmetic does not hide"""
MOST_VECTORS = 5
"""of a register tile along channels"""
TAP_BLOCKED, TAP_LAST, TAP_PLAIN = 0.69, 1.31, 0.9
"""cycles for each vector and tap of a window over each channel alone: blocks, NHWC, NCHW"""
COPIED = 0.48
"""of the rate at which a cache can be read: copies of vectors, bytes read or written"""
GATHERED, SCATTERED = 0.6, 0.75
"""cycles for each element that leaves plain storage, and that goes there"""
LAST_GATHERED, LAST_SCATTERED = 0.7, 0.87
"""the same for NHWC"""
SCATTERED_BYTES = 0.6
"""of that for bytes, of which a line of a cache holds more"""
ALIASED, FAR = 3.0, 1024
"""how much slower gathers are that lie a multiple of so many bytes apart"""
FIRST = 120.0
"""cycles of finding a kernel's first data"""
WIDENED, SCALED = 2.5, 4.0
"""
of bytes: instructions for a product that is in no group of four; how many times longer than that of
a float it takes to store a sum, which is scaled, rounded and narrowed
"""


DOUBT, FEW_REGISTERS, LARGE_DOUBT = 1.03, 16, 1.12
"""
what a choice other than the usual one has to gain: the formula is no more exact than this, and with
few registers, where inputs that are not in blocks may be slower than it says, less so
"""


@dataclass(frozen=True)
class CpuCosts(LayoutCosts):
    """What things cost on a CPU; behind underscores in cycles."""

    @property
    def layouts(self) -> tuple[Layout, ...]:
        return (BLOCKED, PLAIN, LAST, *in_blocks(32, 64, 8))

    @property
    def of_bytes(self) -> tuple[Layout, ...]:
        return (BLOCKED, PLAIN, *in_blocks(64, 32), FOURS)

    @property
    def packing(self) -> Packing:
        return Packing()

    @property
    def doubt(self) -> float:
        return LARGE_DOUBT if self.machine.registers <= FEW_REGISTERS else DOUBT

    @property
    def call(self) -> float:
        return self.machine.seconds(self.machine.rates.call_cycles + FIRST)

    @property
    def lanes(self) -> int:
        """Numbers in a vector."""
        return self.machine.lanes(4)

    # -- convolutions

    def convolution(self, w: Workload, x: Layout, y: Layout) -> float:
        """The faster of vectors over channels and along the width, and the bytes that move."""
        if w.apart:
            arithmetic = self._each_channel(w, y)
        else:
            arithmetic = min(self._over_channels(w, x, y), self._along_width(w, x, y))
        weights = w.width * w.outputs * w.channels // w.groups * w.taps
        stored = _stored(w.channels, w.size, x) + _stored(w.outputs, w.extent, y)
        outside = w.width * w.batch * stored
        return (
            self.machine.seconds(arithmetic + EXPOSED * (weights / 24 + outside / 40)) + self.call
        )

    def _each_channel(self, w: Workload, y: Layout) -> float:
        lanes, block = self.lanes, y.block("C")
        pixels = w.batch * prod(w.extent)
        slow = WIDENED if w.width == 1 else 1.0
        if block > 1:
            return pixels * slow * TAP_BLOCKED * w.taps * up(w.channels, block) / min(lanes, block)
        if channels_last(y):
            return pixels * slow * TAP_LAST * w.taps * ceil(w.channels / lanes)
        rows = w.batch * w.channels * w.extent[0] * ceil(w.extent[1] / lanes)
        gathered = STRIDED * lanes / 2 if w.stride > 1 else 0
        return rows * w.taps * max(slow * TAP_PLAIN, gathered)

    def _over_channels(self, w: Workload, x: Layout, y: Layout) -> float:
        """Vectors of outputs: an element of x meets vectors of weights."""
        block, outputs = y.block("C"), w.outputs // w.groups
        if block > 1:
            vectors = up(outputs, block) // min(self.lanes, block)
        else:
            vectors = ceil(outputs / self.lanes)
        stored = 1.0 if block > 1 or channels_last(y) else STRIDED * min(self.lanes, outputs)
        rows = min(w.extent[0], 2 if w.extent[1] <= 8 else 1)
        steps, each = self._steps(w, x)
        stored *= SCALED if w.width == 1 else 1
        tile = self._tile(vectors, w.extent[1] * rows, steps, (1, stored, each))
        return tile * w.batch * w.groups * w.extent[0] / rows

    def _along_width(self, w: Workload, x: Layout, y: Layout) -> float:
        """Vectors of neighbours: vectors of x meet single weights."""
        plain = x.is_plain and w.stride == 1
        read = 1.0 if plain else STRIDED * self.lanes
        stored = 1.0 if y.is_plain else STRIDED * self.lanes
        rows, vectors = w.extent[0], ceil(w.extent[1] / self.lanes)
        outputs = up(w.outputs // w.groups, y.block("C"))
        steps = w.taps * up(w.channels // w.groups, x.block("C"))
        each = WIDENED if w.width == 1 else self.product
        stored *= SCALED if w.width == 1 else 1
        tile = self._tile(outputs, vectors, steps, (read, stored, each))
        return tile * w.batch * w.groups * rows

    @property
    def product(self) -> float:
        """Instructions of multiplying vectors of floats and adding that up."""
        return 1 if self.machine.fma else 2

    def _steps(self, w: Workload, x: Layout) -> tuple[int, float]:
        """Products of each sum, or groups of four; the instructions of one of them in vectors."""
        steps = w.taps * up(w.channels // w.groups, x.block("C"))
        if w.in_fours(x):
            products = self.machine.rates.flops_per_cycle / 2
            return steps // FOUR, products / per_cycle(self.machine)
        return steps, WIDENED if w.width == 1 else self.product

    def _tile(self, many: int, few: int, steps: int, costs: tuple[float, float, float]) -> float:
        """
        The least cycles for `many` times `few` sums of `steps` products, in tiles of a x t; in each
        step a tile loads a numbers or vectors of one side and t of the other. `costs` are those of
        loading one of the other side, of storing, and the instructions of a product.
        """
        best = float("inf")
        for a in range(1, min(many, MOST_VECTORS) + 1):
            most = max(1, (self.machine.registers - a - 1) // a)
            t = ceil(few / ceil(few / most))
            whole, rest = divmod(many, a)
            cycles = whole * self._one(a, t, steps, *costs)
            cycles += self._one(rest, t, steps, *costs) if rest else 0
            best = min(best, cycles * few / t)
        return best

    def _one(self, a: int, t: int, steps: int, read: float, stored: float, product: float) -> float:
        loads = a + t * read
        products = a * t * product
        busy = ((products / 2) ** OVERLAP + LATENCY**OVERLAP) ** (1 / OVERLAP)
        step = max(busy, loads / 2, (products + loads) / ISSUE)
        return steps * step + STORE * stored * a * t + EXIT

    # -- what only moves or passes

    def _rearranged(self, shape: tuple[int, ...], x: Layout, y: Layout, width: int) -> float:
        elements = max(prod(x.padded(shape)), prod(y.padded(shape)))
        copied = self.copied(shape, x, y, width=width)
        if x.is_plain == y.is_plain:
            return copied
        if x.is_plain:
            far = width * prod(shape[2:])
            each = LAST_GATHERED if channels_last(y) else GATHERED
        else:
            far = width * (shape[1] if channels_last(x) else x.block("C"))
            each = LAST_SCATTERED if channels_last(x) else SCATTERED
        slow = ALIASED if gcd(far, FAR) == FAR else 1.0
        each *= SCATTERED_BYTES if width == 1 else 1
        return max(copied, self.machine.seconds(elements * each * slow))

    def _copied(self, shape: tuple[int, ...], layouts: Sequence[Layout], width: float) -> float:
        bytes = width * sum(prod(layout.apply_shape(shape)) for layout in layouts)
        machine, rates = self.machine, self.machine.rates
        fits = ((machine.l2 + machine.l3 // 4, rates.l2), (machine.l3, rates.l3))
        rate = next((rate for size, rate in fits if bytes < size), rates.dram)
        return machine.seconds(bytes / (COPIED * rate))

    def _window(
        self, shape: tuple[int, ...], taps: int, stride: int, y: Layout, width: int
    ) -> float:
        elements, lanes = prod(y.padded(shape)), self.machine.lanes(width)
        if not y.is_plain:
            each = 0.5 * taps / min(lanes, y.block("C") if y.block("C") > 1 else lanes)
        elif stride > 1 or shape[3] == 1:
            each = STRIDED * taps / 2
        else:
            each = 0.5 * taps * ceil(shape[3] / lanes) / shape[3]
        return self.machine.seconds(elements * each) + self.copied(shape, y, width=width)


def _stored(channels: int, size: tuple[int, int], layout: Layout) -> int:
    return up(channels, layout.block("C")) * prod(size)
