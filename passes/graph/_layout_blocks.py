"""Blocks of channels, and how many of them packed weights hold side by side."""

BLOCK = 16
"""channels in a block: one AVX-512 register of f32, two AVX2 registers, one subgroup"""


def output_block(channels: int) -> int:
    """
    How many output channels the packed weights hold side by side: two blocks feed two accumulators
    from each broadcast, the best tile that was measured, else as many as divide the channels.
    """
    blocks = -(-channels // BLOCK)
    return BLOCK * next(n for n in (2, 3, 5, 1) if blocks % n == 0)
