"""What decides how long a convolution takes, in numbers, and small questions about tensors."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from xdsl.dialects.builtin import FixedBitwidthType
from xdsl.ir import SSAValue

from lamina.dialects.graph import Conv2dOp, shape, tensor_type
from lamina.dialects.layout import Layout

FOUR = 4
"""bytes of neighbouring channels that one instruction multiplies and adds up"""


@dataclass(frozen=True)
class Workload:
    """The numbers of one convolution that decide how long it takes."""

    batch: int
    channels: int
    outputs: int
    groups: int
    size: tuple[int, int]
    """of the input"""
    extent: tuple[int, int]
    """of the result"""
    window: tuple[int, int]
    stride: int
    """along the width"""
    width: int = 4
    """bytes of an element"""

    def in_fours(self, x: Layout) -> bool:
        """Whether groups of four channels lie side by side, to be multiplied at once."""
        return self.width == 1 and not self.apart and x.block("C") % FOUR == 0

    @property
    def apart(self) -> bool:
        """Whether each channel is a group of its own."""
        return self.groups == self.channels == self.outputs

    @property
    def taps(self) -> int:
        """How many elements of each channel a window has."""
        return prod(self.window)


def workload(op: Conv2dOp) -> Workload:
    """The numbers of `op`."""
    batch, channels, height, width = shape(op.x)
    _, outputs, *extent = shape(op.y)
    return Workload(
        batch,
        channels,
        outputs,
        op.groups.value.data,
        (height, width),
        (extent[0], extent[1]),
        op.window(),
        op.strides.get_values()[1],
        max(map(width_of, (op.x, op.w))),
    )


def width_of(value: SSAValue) -> int:
    """Bytes of an element of a tensor."""
    element = tensor_type(value).element_type
    assert isinstance(element, FixedBitwidthType), element
    return element.size


def up(number: int, block: int) -> int:
    """The next multiple of `block`."""
    return -(-number // block) * block


def channels_last(layout: Layout) -> bool:
    """Whether all channels of a place lie side by side."""
    return layout.text == "NHWC"
