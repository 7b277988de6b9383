"""
The layout algebra: a layout is a bijection between a tensor's logical indices and its storage.

`NCHW16c` stores the logical tensor `NCHW` with channels split into blocks of 16, the block's 16
channels innermost; `OIHW16i64o` does so with two dimensions. Upper-case letters are dimensions in
storage order, a number and a lower-case letter a block of that dimension, outer blocks first. The
logical order of the dimensions follows from their letters: batch, output, input or other channels,
depth, height, width.

A halo is a border around the last logical dimensions, of zeros or, for integers, of another number,
its fill: the kernel that writes the tensor writes it, so that a kernel that reads beyond the edge
needs no copy. Storage that stands for no logical element always holds these numbers: the halo its
fill, beside all channels of whole blocks, and the rest of the last block zeros.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

from lamina.dialects.expr import Expr, div

if TYPE_CHECKING:
    import numpy as np

_LOGICAL_ORDER = "NOCIDHW"
_PLAIN = ("", "C", "NC", "NCW", "NCHW", "NCDHW")
_OTHER = "ABEFGJKLMPQRSTUVXYZ"
"""letters without a place of their own; they come in the order in which a layout names them"""


def _logical(letters: str) -> str:
    return "".join(sorted(letters, key=lambda c: (_LOGICAL_ORDER + c).index(c)))


@dataclass(frozen=True)
class Dim:
    """One dimension of the storage: the part of logical dimension `of` in units of `unit`."""

    of: int
    """which logical dimension"""
    unit: int
    """how many logical elements one step covers"""
    size: int | None
    """number of steps; None for the outermost part, which has as many as the shape needs"""


@dataclass(frozen=True)
class Layout:
    """A bijection from logical indices to storage."""

    text: str
    """the storage order, such as `NCHW16c`"""
    halo: tuple[tuple[int, int], ...] = ()
    """(before, after) for each of the last `len(halo)` logical dimensions; empty for none"""
    fill: int = 0
    """the number in the halo; 0 if there is none"""

    @staticmethod
    def parse(text: str, halo: Sequence[tuple[int, int]] = (), fill: int = 0) -> Layout:
        """Read `NCHW16c`; raises ValueError if a block names no dimension or a letter repeats."""
        outer, blocks = _split(text)
        if len(set(outer)) != len(outer) or not outer:
            raise ValueError(f"layout '{text}' must name each dimension once in upper case")
        for size, letter in blocks:
            if letter.upper() not in outer:
                raise ValueError(
                    f"layout '{text}' blocks '{letter}', which is not a dimension of it"
                )
            if size < 2:
                raise ValueError(f"layout '{text}' has a block of {size}; a block needs 2 or more")
        if len(halo) > len(outer):
            raise ValueError(f"layout '{text}' has {len(outer)} dimensions, its halo {len(halo)}")
        layout = Layout(text, tuple(halo), fill) if any(map(any, halo)) else Layout(text)
        for i, letter in enumerate(layout.logical):
            if any(layout.sides(i)) and layout.block(letter) > 1:
                raise ValueError(f"layout '{text}' cannot have a halo around blocked '{letter}'")
        return layout

    @staticmethod
    def plain(rank: int) -> Layout:
        """Row-major storage of a tensor of this rank."""
        return Layout(_PLAIN[rank] if rank < len(_PLAIN) else _OTHER[:rank])

    @cached_property
    def _parsed(self) -> tuple[str, list[tuple[int, str]]]:
        return _split(self.text)

    @cached_property
    def logical(self) -> str:
        """The dimensions in logical order, such as `NCHW`."""
        return _logical(self._parsed[0])

    @cached_property
    def rank(self) -> int:
        """Number of logical dimensions."""
        return len(self._parsed[0])

    @cached_property
    def is_plain(self) -> bool:
        """Whether storage is the logical tensor, row-major and without a halo."""
        return not self.halo and self.text == self.logical

    @cached_property
    def dims(self) -> tuple[Dim, ...]:
        """The dimensions of the storage, outermost first."""
        return tuple(self._dims())

    def _dims(self) -> Iterator[Dim]:
        outer, blocks = self._parsed
        logical = self.logical
        units = [prod(n for n, b in blocks if b == c.lower()) for c in logical]
        for letter in outer:
            i = logical.index(letter)
            yield Dim(i, units[i], None)
        for size, letter in blocks:
            i = logical.index(letter.upper())
            units[i] //= size
            yield Dim(i, units[i], size)

    def block(self, letter: str) -> int:
        """How many elements of logical dimension `letter` its blocks hold together; 1 if none."""
        return self._blocks.get(letter.lower(), 1)

    @cached_property
    def _blocks(self) -> dict[str, int]:
        blocks = self._parsed[1]
        return {letter: prod(n for n, b in blocks if b == letter) for _, letter in blocks}

    def sides(self, dim: int) -> tuple[int, int]:
        """The halo before and after logical dimension `dim`."""
        k = dim - (self.rank - len(self.halo))
        return self.halo[k] if k >= 0 else (0, 0)

    def with_halo(self, halo: Sequence[tuple[int, int]], fill: int = 0) -> Layout:
        """The same storage order with this halo."""
        same = tuple(halo) == self.halo and fill == self.fill
        return self if same else Layout.parse(self.text, halo, fill)

    def __str__(self) -> str:
        sides = ", ".join(f"{before}:{after}" for before, after in self.halo)
        fill = f" of {self.fill}" if self.fill else ""
        return f"{self.text}, halo [{sides}]{fill}" if sides else self.text

    # -- shapes and indices

    def padded(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The logical extents that storage covers: whole blocks, without the halo."""
        return tuple(
            -(-n // b) * b for n, b in zip(shape, map(self.block, self.logical), strict=True)
        )

    def apply_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The storage shape of a logical shape."""
        return tuple(
            -(-(shape[d.of] + sum(self.sides(d.of))) // d.unit) if d.size is None else d.size
            for d in self.dims
        )

    def apply(self, index: Sequence[Expr]) -> tuple[Expr, ...]:
        """Where the logical element at `index` is stored."""
        result: list[Expr] = []
        for d in self.dims:
            e = index[d.of] + self.sides(d.of)[0]
            if d.size is not None:
                e = div("mod", e, d.unit * d.size)
            result.append(e if d.unit == 1 else div("floordiv", e, d.unit))
        return tuple(result)

    def invert(self, index: Sequence[Expr]) -> tuple[Expr, ...]:
        """The logical element that is stored at `index`."""
        result = [Expr((), -self.sides(i)[0]) for i in range(self.rank)]
        for d, e in zip(self.dims, index, strict=True):
            result[d.of] = result[d.of] + e * d.unit
        return tuple(result)

    def compose(self, to: Layout, index: Sequence[Expr]) -> tuple[Expr, ...]:
        """Where layout `to` stores the element that this layout stores at `index`."""
        if self.rank != to.rank:
            raise ValueError(f"layout {self} is of {self.rank} dimensions, {to} of {to.rank}")
        return to.apply(self.invert(index))

    def stores_like(self, other: Layout, shape: Sequence[int]) -> bool:
        """Whether both put each element of a tensor of this shape at the same offset."""
        return self == other or (
            self._parts(shape) == other._parts(shape)
            and prod(self.apply_shape(shape)) == prod(shape) == prod(other.apply_shape(shape))
        )

    def part(
        self, whole: Sequence[int], part: Sequence[int], starts: Sequence[int]
    ) -> tuple[int, ...] | None:
        """
        Where in the storage of a tensor of shape `whole` its part of shape `part` begins that lies
        from `starts` on, if those bytes are one run, which stores the part as it would be alone.
        """
        for d, (n, m, start) in enumerate(zip(whole, part, starts, strict=True)):
            block = self.block(self.logical[d])
            ragged = m % block and start + m != n
            if n != m and (any(self.sides(d)) or start % block or ragged):
                return None
        outer, inner = self.apply_shape(whole), self.apply_shape(part)
        cut = next((k for k, n in enumerate(inner) if n > 1), len(inner))
        if outer[cut + 1 :] != inner[cut + 1 :]:
            return None  # other parts lie in between
        return tuple(starts[d.of] // d.unit if d.size is None else 0 for d in self.dims)

    def _parts(self, shape: Sequence[int]) -> list[tuple[int, int, int]]:
        """(dimension, unit, size) of the storage's dimensions, those that follow on merged."""
        parts: list[tuple[int, int, int]] = []
        for d, size in zip(self.dims, self.apply_shape(shape), strict=True):
            if size == 1:
                continue
            of, unit, outer = parts[-1] if parts else (-1, 0, 0)
            if (of, unit) == (d.of, d.unit * size):
                parts[-1] = (of, d.unit, outer * size)
            else:
                parts.append((d.of, d.unit, size))
        return parts

    # -- arrays

    def apply_array(self, x: np.ndarray) -> np.ndarray:
        """The storage of a logical array; the halo is its fill, other padding zero."""
        import numpy as np  # here, so that dialects start without NumPy

        storage = self.view_array(x)
        return np.ascontiguousarray(storage).reshape(storage.shape)  # 0-d stays 0-d

    def view_array(self, x: np.ndarray) -> np.ndarray:
        """The storage of a logical array as a view of it, unless there is padding to add."""
        import numpy as np

        pads = self._pads(x.shape)
        sides = [self.sides(d) for d in range(self.rank)]
        padded = x
        if any(map(any, pads)):
            rests = [(0, after - halo) for (_, after), (_, halo) in zip(pads, sides, strict=True)]
            padded = np.pad(np.pad(x, rests), sides, constant_values=self.fill)
        return padded.reshape(self._split_shape(padded.shape)).transpose(self._order())

    def invert_array(self, x: Any, shape: Sequence[int]) -> np.ndarray:
        """The logical array of this shape that is stored as `x`."""
        import numpy as np

        order = self._order()
        back = [order.index(i) for i in range(len(order))]
        whole = [
            n + before + after for n, (before, after) in zip(shape, self._pads(shape), strict=True)
        ]
        logical = x.transpose(back).reshape(whole)
        inside = tuple(
            slice(before, before + n)
            for n, (before, _) in zip(shape, self._pads(shape), strict=True)
        )
        found = logical[inside]
        return np.ascontiguousarray(found).reshape(found.shape)

    def _pads(self, shape: Sequence[int]) -> list[tuple[int, int]]:
        """What storage adds before and after each logical dimension: halo and rest of a block."""
        pads: list[tuple[int, int]] = []
        for i, (n, letter) in enumerate(zip(shape, self.logical, strict=True)):
            before, after = self.sides(i)
            rest = -(before + n + after) % self.block(letter)
            pads.append((before, after + rest))
        return pads

    def _split_shape(self, padded: Sequence[int]) -> list[int]:
        """Every logical dimension as its outer part followed by its blocks."""
        sizes: list[int] = []
        for i, n in enumerate(padded):
            parts = [d.size for d in self.dims if d.of == i]
            sizes += [n // prod(p for p in parts if p is not None)] + [
                p for p in parts if p is not None
            ]
        return sizes

    def _order(self) -> list[int]:
        """For each storage dimension, its position in `_split_shape`."""
        positions: dict[tuple[int, int], int] = {}
        for i in range(self.rank):
            for d in self.dims:
                if d.of == i:
                    positions[i, d.unit] = len(positions)
        return [positions[d.of, d.unit] for d in self.dims]


def _split(text: str) -> tuple[str, list[tuple[int, str]]]:
    """`OIHW16i64o` -> (`OIHW`, [(16, `i`), (64, `o`)])"""
    match = re.fullmatch(r"([A-Z]*)((?:\d+[a-z])*)", text)
    if match is None:
        raise ValueError(
            f"bad layout '{text}': needs upper-case dimensions, then blocks such as 16c"
        )
    return match[1], [(int(n), c) for n, c in re.findall(r"(\d+)([a-z])", match[2])]
