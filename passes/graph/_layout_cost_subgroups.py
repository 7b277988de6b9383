"""
What layouts cost on a device whose vectors are subgroups: the formula that ranks tiles says it.

A convolution, a window or a transform between two layouts is written down as the nest of loops that
it will be; `quick_seconds` chooses lanes and a tile for it and counts messages, products and bytes.
So a layout costs what the schedules will cost that are chosen for it later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isqrt, prod

from lamina.dialects.expr import Expr, var
from lamina.dialects.layout import Layout
from lamina.dialects.te import Axis
from lamina.passes.graph._layout_blocks import BLOCK, BLOCKED, FOURS, LAST, PLAIN, Packing
from lamina.passes.graph._layout_candidates import weights_layout
from lamina.passes.graph._layout_cost import LayoutCosts
from lamina.passes.graph._layout_workload import FOUR, Workload, up
from lamina.passes.te._cost import quick_seconds
from lamina.passes.te._nest_of import Operand, nest_from

DOUBT = 1.1
"""the formula counts what Intel's compiler makes; nothing of it was timed on a device"""
WIDENED, SCALED = 2, 7
"""
of bytes: instructions for a product that is in no group of four, and to make a byte of a sum, which
is scaled, cut off, rounded and packed
"""
NAMES: tuple[str, ...] = ("n", "c", "h", "w")


@dataclass(frozen=True)
class SubgroupCosts(LayoutCosts):
    """What things cost on a device of OpenCL."""

    @property
    def layouts(self) -> tuple[Layout, ...]:
        return BLOCKED, PLAIN, LAST

    @property
    def of_bytes(self) -> tuple[Layout, ...]:
        return (BLOCKED, PLAIN, FOURS) if self.packing.fours else self.layouts

    @property
    def packing(self) -> Packing:
        return Packing(BLOCK, fours=self.machine.dot4)

    @property
    def doubt(self) -> float:
        return DOUBT

    @property
    def call(self) -> float:
        return self.machine.seconds(self.machine.rates.call_cycles)

    def convolution(self, w: Workload, x: Layout, y: Layout) -> float:
        """Of the nest that lower-graph-to-te makes; groups of four bytes are elements there."""
        return self.once(self._convolution, w, x, y) + self.call

    def _convolution(self, w: Workload, x: Layout, y: Layout) -> float:
        weights = weights_layout(w, x, y, self.packing)
        small, fours = w.width == 1, self.packing.fours
        ends = SCALED if small else 1
        if not (fours and w.in_fours(x)):
            # without an instruction for groups, bytes are multiplied as numbers
            return self._contraction(w, (x, weights, y), WIDENED if small and fours else 1, ends)
        fewer = replace(w, channels=-(-w.channels // FOUR), width=FOUR)
        return self._contraction(fewer, (_of_groups(x), _of_groups(weights), y), 1, ends)

    def _contraction(
        self, w: Workload, layouts: tuple[Layout, Layout, Layout], body_ops: int, epilogue_ops: int
    ) -> float:
        """Of a nest between layouts of x, w and y, with so many instructions for a product."""
        x, weights, y = layouts
        inputs, outputs = w.channels // w.groups, w.outputs // w.groups
        reduce = {"kh": w.window[0], "kw": w.window[1]}
        n, g, o, i, h, v = (var(name) for name in ("n", "g", "o", "i", "h", "v"))
        if w.groups == 1 or w.apart:
            axes = {"n": w.batch, "o": up(w.outputs, y.block("C"))}
            reduce |= {} if w.apart else {"i": up(inputs, x.block("C"))}
            channel, output = (o if w.apart else i), o
        else:
            axes = {"n": w.batch, "g": w.groups, "o": outputs}
            reduce |= {"i": inputs}
            channel, output = g * inputs + i, g * outputs + o
        axes |= {"h": w.extent[0], "v": w.extent[1]}
        down = max(1, w.size[0] // w.extent[0])
        places = [h * down + var("kh"), v * w.stride + var("kw")]
        size = [
            max(n, (e - 1) * s + k)
            for n, e, s, k in zip(w.size, w.extent, (down, w.stride), w.window, strict=True)
        ]
        first = Expr() if w.apart else i
        read = [
            _operand(x, (w.batch, w.channels, *size), [n, channel, *places], w.width),
            _operand(
                weights,
                (w.outputs, inputs, *w.window),
                [output, first, var("kh"), var("kw")],
                w.width,
            ),
        ]
        written = _operand(y, (w.batch, w.outputs, *w.extent), [n, output, h, v], w.width)
        return self._nest(axes, reduce, read, written, body_ops, epilogue_ops)

    def _rearranged(self, shape: tuple[int, ...], x: Layout, y: Layout, width: int) -> float:
        names = [f"d{i}" for i in range(len(shape))]
        index = [var(name) for name in names]
        axes = dict(zip(names, y.padded(shape), strict=True))
        read, written = (_operand(layout, shape, index, width) for layout in (x, y))
        return self._nest(axes, {}, [read], written, body_ops=0)

    def _copied(self, shape: tuple[int, ...], layouts: tuple[Layout, ...], width: float) -> float:
        bytes = width * sum(prod(layout.apply_shape(shape)) for layout in layouts)
        return self.machine.seconds(bytes / (self.machine.rates.dram * self.machine.units))

    def _window(
        self, shape: tuple[int, ...], taps: int, stride: int, y: Layout, width: int
    ) -> float:
        n, c, h, v = (var(name) for name in NAMES)
        rows = isqrt(taps)
        reduce = {"kh": rows, "kw": -(-taps // rows)}
        size = [(e - 1) * stride + k for e, k in zip(shape[2:], reduce.values(), strict=True)]
        index = [n, c, h * stride + var("kh"), v * stride + var("kw")]
        read = _operand(y, (*shape[:2], *size), index, width)
        axes = dict(zip(NAMES, y.padded(shape), strict=True))
        return self._nest(axes, reduce, [read], _operand(y, shape, (n, c, h, v), width))

    def _nest(
        self,
        axes: Mapping[str, int],
        reduce: Mapping[str, int],
        read: Sequence[Operand],
        written: Operand,
        body_ops: int = 1,
        epilogue_ops: int = 0,
    ) -> float:
        """Of the loops over these axes that read some operands and write one."""
        all_axes = [*(Axis(a, n) for a, n in axes.items())]
        all_axes += [Axis(a, n, reduce=True) for a, n in reduce.items()]
        operands = [*read, replace(written, role="output")]
        nest = nest_from(all_axes, operands, body_ops, epilogue_ops)
        return quick_seconds(nest, self.machine)


def _operand(layout: Layout, shape: Sequence[int], index: Sequence[Expr], width: int) -> Operand:
    return Operand("input", layout.apply_shape(shape), layout.apply(index), width)


def _of_groups(layout: Layout) -> Layout:
    """`NCHW16c` or `OIHW4i16o4i` of bytes -> the layout of groups of four: `NCHW4c`, `OIHW4i16o`"""
    text = layout.text.removesuffix("4i")
    if layout.text == text and (size := layout.block("C")) > 1:
        return Layout.parse(f"NCHW{size // FOUR}c") if size > FOUR else PLAIN
    return Layout.parse(text)
