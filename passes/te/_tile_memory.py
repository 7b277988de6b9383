"""Loads and stores of a register tile: which element, which kind of access, and each load once."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from xdsl.builder import Builder
from xdsl.dialects import arith
from xdsl.ir import Attribute, Operation, SSAValue

from lamina.dialects import expr
from lamina.dialects import vector as vec
from lamina.dialects.expr import Expr
from lamina.dialects.index import IndexAttr
from lamina.dialects.te import Axis, ComputeOp, ConstantOp, memref_type
from lamina.passes.te._tile_constants import Constants
from lamina.passes.te._tile_integers import Integers
from lamina.passes.te._tile_legality import group_size, lane_stride, memory_strides

At = Mapping[str, int]
"""The numbers of the unrolled axes."""
Read = Mapping[str, SSAValue | int]
"""The integers that were read, by name: an index, a vector with one a lane, or a known number."""


ONE_SCALAR = 0
"""the width of an integer that all lanes have in common"""


@dataclass(frozen=True)
class _Place:
    """An access of the tile: the index where all unrolled axes are 0, and the integer steps."""

    base: tuple[Expr, ...]
    steps: tuple[tuple[tuple[str, int], ...], ...]
    indices: Sequence[SSAValue]
    read: Sequence[str]
    """names of integers that have to be read first, all others are operands of the index"""

    def shift(self, at: At) -> tuple[int, ...]:
        """How far the point `at` is from the base, in every dimension."""
        return tuple([sum([at[name] * c for name, c in dim]) for dim in self.steps])

    def index(self, shift: tuple[int, ...]) -> IndexAttr:
        pairs = zip(self.base, shift, strict=True)
        return IndexAttr(tuple([e + i if i else e for e, i in pairs]))

    def given(self, read: Read) -> _Place:
        """The place where the integers that it depends on have these values."""
        env: dict[str, Expr] = {}
        indices = list(self.indices)
        for name in self.read:
            value = read[name]
            if isinstance(value, int):
                env[name] = expr.constant(value)
            else:
                env[name] = expr.var(str(len(indices)))
                indices.append(value)
        return _Place(tuple(e.substitute(env) for e in self.base), self.steps, indices, ())


class Memory:
    """The buffers of one te op, as its tile sees them."""

    def __init__(self, op: ComputeOp, vector: Axis | None, constants: Constants) -> None:
        self.refs = op.operands_in_order
        self.constants = constants
        self.copied = [a.name for a in op.axes.data if a.mark]
        self.unrolled = [a.name for a in op.axes.data if a.mark == "unroll"]
        self.integers = Integers(op, vector, constants)
        indices = [a.index for a in op.accesses.data]
        self.accesses = [self.integers.without_lanes(index) for index in indices]
        self.offsets = [
            self.integers.offset(index, ref) for index, ref in zip(indices, self.refs, strict=True)
        ]
        """what lanes add to that by integers of their own, in elements"""
        self.outer = {n.data: v for n, v in zip(op.outer.data, op.indices, strict=True)}
        self.numbers: dict[str, int] = {}
        self.places: dict[int, _Place] = {}
        self.loaded: dict[tuple[object, ...], SSAValue] = {}
        self.held: dict[tuple[object, ...], SSAValue] = {}
        """what all of the tile may use"""
        self.tables: dict[SSAValue, Sequence[float]] = {}
        self.vector = vector is not None
        name = vector.name if vector else ""
        self.strides = [
            lane_stride(index, memory_strides(ref) or (), name)
            for index, ref in zip(self.accesses, self.refs, strict=True)
        ]

    @contextmanager
    def loops(self, names: Sequence[str], indices: Sequence[SSAValue]) -> Generator[None]:
        """Inside rolled loops over the axes `names`."""
        self.outer |= dict(zip(names, indices, strict=True))
        self.places.clear()
        yield
        self.places.clear()

    @contextmanager
    def bound(self, name: str, number: int) -> Generator[None]:
        """Where axis `name` is a number, as it is in a copy for one step."""
        self.numbers[name] = number
        self.places.clear()
        yield
        del self.numbers[name]
        self.places.clear()

    def forget(self) -> None:
        """Make no use of what was loaded before: it may be in another loop."""
        self.loaded.clear()

    def load(self, builder: Builder, k: int, type: Attribute, at: At, width: int) -> SSAValue:
        """Read the buffer of access `k` at a point, as a value of the body for every lane."""
        place = self.places.get(k) or self._place(k)
        shift = place.shift(at)
        if isinstance(table := self.refs[k].owner, ConstantOp):
            return self._entry(table, place.index(shift), type, width)
        offset = self._offset(builder, k, at, width) if self.offsets[k].terms else None
        read: Read = {}
        if place.read:
            read = self._read(builder, place.read, at, width)
            place = place.given(read)
        key = k, shift, width, offset, *read.values()
        if (found := self._known(key)) is None:
            op = self._load_op(k, place.index(shift), place.indices, type, width, offset)
            found = self.loaded[key] = builder.insert(op).results[0]
        return found

    def store(self, builder: Builder, value: SSAValue, at: At, width: int) -> None:
        """Write the output of a point."""
        k = len(self.refs) - 1
        place = self.places.get(k) or self._place(k)
        index, stride = place.index(place.shift(at)), self.strides[k]
        if self.vector and width > 1 and stride != 1:
            assert stride is not None
            op = vec.StoreStridedOp(value, self.refs[k], index, place.indices, stride)
        else:
            op = vec.StoreOp(value, self.refs[k], index, place.indices)
        builder.insert(op)

    def prepare(self, builder: Builder, inputs: int, at: At, width: int) -> None:
        """Read the integers that do not change during the reduction, for all of the tile."""
        self._read(builder, self.integers.steady, at, width)
        for k in range(inputs):
            if self.offsets[k].terms and self.offsets[k].names() <= {*self.integers.steady}:
                self._offset(builder, k, at, width)
        self.held |= self.loaded

    def _known(self, key: tuple[object, ...]) -> SSAValue | None:
        return self.loaded.get(key) or self.held.get(key)

    def _read(self, builder: Builder, names: Iterable[str], at: At, width: int) -> Read:
        """The values of these names at a point."""
        return {name: self._integer(builder, name, at, width) for name in names}

    def _integer(self, builder: Builder, name: str, at: At, width: int) -> SSAValue | int:
        k = self.integers.binders[name]
        element = memref_type(self.refs[k]).element_type
        if isinstance(table := self.refs[k].owner, ConstantOp):
            place = self.places.get(k) or self._place(k)
            return int(self._number(table, place.index(place.shift(at))))
        lanes = name in self.integers.in_lanes
        value = self.load(builder, k, element, at, width if lanes else ONE_SCALAR)
        key = name, value
        if (found := self._known(key)) is None:
            if lanes:
                found = self.integers.as_lanes(builder, value, width)
            else:
                found = self.integers.as_index(builder, value, name)
            self.loaded[key] = found
        return found

    def _offset(self, builder: Builder, k: int, at: At, width: int) -> SSAValue:
        """How many elements each lane is behind the index that they have in common."""
        e, stride = self.offsets[k], self.strides[k] or 0
        read = self._read(builder, sorted(e.names()), at, width)
        lanes = {n: v for n, v in read.items() if isinstance(v, SSAValue)}
        key = e, stride, tuple(lanes.values())
        if (found := self._known(key)) is None:
            found = self.integers.evaluate(builder, e, lanes, width)
            if stride:
                steps = self.constants.steps(stride, width)
                found = builder.insert(arith.AddiOp(found, steps)).result
            self.loaded[key] = found
        return found

    def _load_op(
        self,
        k: int,
        index: IndexAttr,
        indices: Sequence[SSAValue],
        type: Attribute,
        width: int,
        offset: SSAValue | None,
    ) -> Operation:
        ref, stride = self.refs[k], self.strides[k]
        if width == ONE_SCALAR:
            return vec.LoadOp(ref, index, indices, type)
        lanes = self.constants.lanes(type, width)
        if offset is not None:
            return vec.GatherOp(ref, index, indices, offset, lanes)
        if not self.vector or stride == group_size(type) or (stride and width == 1):
            return vec.LoadOp(ref, index, indices, lanes)
        if not stride:
            return vec.LoadSplatOp(ref, index, indices, lanes)
        return vec.LoadStridedOp(ref, index, indices, lanes, stride)

    def _place(self, k: int) -> _Place:
        """Bind unrolled axes to 0 and loop indices to values; the steps are what is left."""
        at = dict.fromkeys(self.copied, 0) | self.numbers
        zero = {name: expr.constant(i) for name, i in at.items()}
        free = [name for name in self.unrolled if name not in self.numbers]
        index = self.accesses[k]
        base = [e.substitute(zero) for e in index]
        used = {n for e in base for n in e.names()}
        read = used & self.integers.binders.keys()
        names = sorted(used - read)
        order = {n: expr.var(str(i)) for i, n in enumerate(names)}
        steps = [[(n, c) for n in free if (c := e.coefficient(n))] for e in index]
        place = _Place(
            tuple(e.substitute(order) for e in base),
            tuple(map(tuple, steps)),
            [self.outer[n] for n in names],
            sorted(read),
        )
        self.places[k] = place
        return place

    def _entry(self, table: ConstantOp, index: IndexAttr, type: Attribute, width: int) -> SSAValue:
        """The number at a place of a table: unrolled code has it as a constant."""
        return self.constants.table_entry(self._number(table, index), type, width)

    def _number(self, table: ConstantOp, index: IndexAttr) -> float:
        if (entries := self.tables.get(table.res)) is None:
            numbers = cast(Sequence[float], table.value.get_values())
            entries = self.tables[table.res] = numbers
        strides = memory_strides(table.res) or ()
        at = sum(e.const * s for e, s in zip(index.data, strides, strict=True))
        return entries[at]
