"""
What a schedule is chosen from: the parts of the axes of a te op, and how they move its buffers.

Everything here is numbers about one op; no IR is built to find out what a schedule would cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Literal

from lamina.passes.te._homes import Home

Role = Literal["input", "extra", "output"]
Extents = Mapping[str, int]
"""How many steps of each part are meant."""
LINE = 64
"""bytes that move between caches at once, on every machine we know"""


@dataclass(frozen=True)
class Part:
    """One factor of an axis: `axis = sum(part * step)` over its parts."""

    axis: str
    step: int
    extent: int
    reduce: bool

    @cached_property
    def name(self) -> str:
        """Unique in the nest, and no name that an axis could have."""
        return f"{self.axis}/{self.step}"


@dataclass(frozen=True)
class Buffer:
    """One operand: in each dimension, how far it moves per step of each part."""

    role: Role
    shape: Sequence[int]
    strides: Sequence[int]
    element_bytes: int
    moves: Sequence[Mapping[str, int]]
    loose: Sequence[frozenset[str]]
    """parts that a dimension depends on, but not in equal steps"""
    gathered: Sequence[frozenset[str]]
    """parts that decide an integer which a dimension depends on: no steps, but any code will do"""
    table: bool
    """whether unrolled code has its elements as constants"""
    binds: bool
    """whether its elements are such integers"""
    home: Home = "l3"
    """where it is before the kernel begins"""

    @cached_property
    def uses(self) -> frozenset[str]:
        """The parts that decide which element is meant."""
        moved = frozenset(p for dim in self.moves for p in dim)
        return moved.union(*self.loose, *self.gathered)

    @cached_property
    def jumps(self) -> frozenset[str]:
        """The parts whose steps move it to wherever an integer says."""
        return frozenset[str]().union(*self.gathered)

    @cached_property
    def uneven(self) -> frozenset[str]:
        """The parts that do not move it in equal steps; they can be nothing but loops."""
        return frozenset[str]().union(*self.loose)

    def stride(self, part: str) -> int:
        """By how many elements of memory one step of `part` moves it."""
        pairs = zip(self.moves, self.strides, strict=True)
        return sum(dim[part] * s for dim, s in pairs if part in dim)

    def elements(self, extents: Extents) -> int:
        """How many different elements these steps reach; parts not named take one step."""
        return self._outer.reached(extents) * self._last.reached(extents)

    def bytes(self, extents: Extents, line: int) -> int:
        """How much of memory that is, in whole lines of this size."""
        last = self._last.reached(extents) * self.element_bytes
        return self._outer.reached(extents) * max(last, min(line, self._row))

    @cached_property
    def _outer(self) -> _Dimensions:
        return _Dimensions(self.moves[:-1], self._uneven_dims[:-1], self.shape[:-1])

    @cached_property
    def _last(self) -> _Dimensions:
        return _Dimensions(self.moves[-1:], self._uneven_dims[-1:], self.shape[-1:])

    @cached_property
    def _uneven_dims(self) -> Sequence[frozenset[str]]:
        pairs = zip(self.loose, self.gathered, self.moves, strict=True)
        return [(loose | gathered) - dim.keys() for loose, gathered, dim in pairs]

    @cached_property
    def _row(self) -> int:
        """Bytes of the last dimension, if it is contiguous: what is behind it may be wanted too."""
        if not self.shape:
            return self.element_bytes
        return self.shape[-1] * self.element_bytes if self.strides[-1] == 1 else LINE


class _Dimensions:
    """Some dimensions of a buffer, sorted by how hard it is to count the elements in them."""

    def __init__(
        self,
        moves: Sequence[Mapping[str, int]],
        loose: Sequence[frozenset[str]],
        shape: Sequence[int],
    ) -> None:
        self.plain: list[tuple[str, int]] = []
        self.mixed: list[tuple[list[tuple[str, int]], int]] = []
        self.loose: list[tuple[list[str], int]] = []
        for dim, uneven, n in zip(moves, loose, shape, strict=True):
            if uneven:
                self.loose.append(([*dim, *uneven], n))
            elif len(dim) == 1:
                self.plain += [(part, n) for part in dim]
            elif dim:
                self.mixed.append(([(p, abs(c)) for p, c in dim.items()], n))

    def reached(self, extents: Extents) -> int:
        total = 1
        for part, n in self.plain:
            if (e := extents.get(part, 1)) > 1:
                total *= e if e < n else n
        for parts, n in self.mixed:
            points = span = 1
            for part, c in parts:
                if (e := extents.get(part, 1)) > 1:
                    points *= e
                    span += c * (e - 1)
            total *= min(points, span, n)
        for names, n in self.loose:
            total *= min(prod([extents.get(part, 1) for part in names]), n)
        return total


@dataclass(frozen=True)
class Groups:
    """A part of the reduction that the body takes at once; what else it needs, for what is read."""

    part: Part
    lanes: int
    registers: int
    kept: int
    apart: int
    looked: int = 0
    """instructions to look at a vector of the signed side in each step"""
    signed: int = 1
    """which input that is"""


@dataclass(frozen=True)
class Row:
    """A part of the reduction, up to four steps of which are one product where it is unrolled."""

    part: Part
    body_ops: int
    """of such a product"""

    @property
    def products(self) -> int:
        """How many there are, for all steps."""
        return -(-self.part.extent // 4)


@dataclass(frozen=True)
class Nest:
    """A te op, its axes cut where the blocks of its buffers are."""

    extents: Mapping[str, int]
    """of the axes"""
    parts: Sequence[Part]
    """of every axis, its largest step first"""
    buffers: Sequence[Buffer]
    """the inputs, the extras, the output"""
    bounded: frozenset[str]
    """parts of axes that a bound mentions: they stay loops"""
    body_ops: int
    epilogue_ops: int
    groups: Groups | None = None
    row: Row | None = None

    @cached_property
    def inputs(self) -> Sequence[Buffer]:
        """What the body reads; a table costs nothing to read."""
        return [b for b in self.buffers if b.role == "input" and not b.table]

    @cached_property
    def extras(self) -> Sequence[Buffer]:
        """What the epilogue reads."""
        return [b for b in self.buffers if b.role == "extra" and not b.table]

    @property
    def output(self) -> Buffer:
        """What the epilogue writes."""
        return self.buffers[-1]

    @cached_property
    def free(self) -> frozenset[str]:
        """The parts that may be unrolled or split: every buffer moves in equal steps."""
        uneven = frozenset[str]().union(*(b.uneven for b in self.buffers))
        return frozenset(p.name for p in self.parts) - uneven - self.bounded

    @cached_property
    def reduction(self) -> Sequence[Part]:
        """The parts of the reduction in the order of memory of the input it streams the most of."""
        parts = [p for p in self.parts if p.reduce]
        if not parts or not self.inputs:
            return parts
        everything = {p.name: p.extent for p in self.parts}

        def streamed(b: Buffer) -> tuple[int, int]:
            return sum(p.name in b.uses for p in parts), b.elements(everything)

        busiest = max(self.inputs, key=streamed)
        # a part that does not move it comes first: the steps inside it repeat the whole stream
        strides = {p: abs(busiest.stride(p.name)) for p in parts}
        return sorted(parts, key=lambda p: (strides[p] > 0, -strides[p]))

    def moved_inputs(self, part: Part) -> frozenset[int]:
        """Which inputs move with this part."""
        return frozenset(k for k, b in enumerate(self.inputs) if part.name in b.uses)

    def outermost(self, part: Part) -> bool:
        """Whether no coarser part of its axis is there: then its last step may be cut."""
        return next(p for p in self.parts if p.axis == part.axis) == part

    def split(self, part: Part, by: int) -> tuple[Nest, Part, Part]:
        """The nest with `part` cut into an outer part and an inner one of `by` steps."""
        outer = Part(part.axis, part.step * by, -(-part.extent // by), part.reduce)
        inner = Part(part.axis, part.step, by, part.reduce)
        parts = [q for p in self.parts for q in ((outer, inner) if p is part else (p,))]
        buffers = [_split_buffer(b, inner.name, outer.name, by) for b in self.buffers]
        return replace(self, parts=parts, buffers=buffers), outer, inner


def _split_buffer(b: Buffer, inner: str, outer: str, by: int) -> Buffer:
    if inner not in b.uses:
        return b
    moves = [{**dim, outer: dim[inner] * by} if inner in dim else dim for dim in b.moves]
    gathered = [dim | {outer} if inner in dim else dim for dim in b.gathered]
    return replace(b, moves=moves, gathered=gathered)
