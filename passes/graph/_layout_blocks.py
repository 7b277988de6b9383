"""The layouts of activations, and how many channels packed weights hold side by side."""

from dataclasses import dataclass

from lamina.dialects.layout import Layout

BLOCK = 16
"""channels in a block: one AVX-512 register of f32, two AVX2 registers, one subgroup"""

PLAIN, LAST, BLOCKED = Layout.plain(4), Layout.parse("NHWC"), Layout.parse(f"NCHW{BLOCK}c")
FOURS = Layout.parse("NCHW4c")
"""of bytes, which are multiplied in groups of four channels side by side"""


@dataclass(frozen=True)
class Packing:
    """How a machine wants weights."""

    side_by_side: int | None = None
    """output channels; None: as many as the tiles of a CPU take"""
    fours: bool = True
    """whether products of bytes are made in groups of four input channels"""


def in_blocks(*sizes: int) -> tuple[Layout, ...]:
    """Layouts with so many channels in a block."""
    return tuple(Layout.parse(f"NCHW{size}c") for size in sizes)


def output_block(channels: int) -> int:
    """
    How many output channels the packed weights hold side by side: two blocks feed two accumulators
    from each broadcast, the best tile that was measured, else as many as divide the channels.
    """
    blocks = -(-channels // BLOCK)
    return BLOCK * next(n for n in (2, 3, 5, 1) if blocks % n == 0)
