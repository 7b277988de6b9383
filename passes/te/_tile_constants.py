"""Types and constants for all lanes of a register tile."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import cast

from xdsl.builder import Builder
from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    AnyFloat,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    VectorType,
    i32,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.rewriter import InsertPoint

from lamina.dialects import vector as vec
from lamina.dialects.te import ComputeOp


class Constants:
    """
    The constants of one tile, each made once, at the start of the block that the op is in.

    There they come before every use, also those in loops that the tile has yet to emit.
    """

    def __init__(self, op: ComputeOp, vector: bool) -> None:
        block = op.parent
        assert block is not None, "a te op outside a function"
        self.vector = vector
        self.block = block
        self.last: Operation | None = None
        self.types: dict[tuple[Attribute, int], Attribute] = {}
        self.values: dict[tuple[str, Attribute, int, bool], SSAValue] = {}
        self.tables: dict[SSAValue, float] = {}
        self.zeros: set[SSAValue] = set()

    def lanes(self, type: Attribute, width: int) -> Attribute:
        """f32 -> vector<16xf32>, vector<4xi8> -> vector<16x4xi8>: lanes first"""
        if not self.vector:
            return type
        if (found := self.types.get((type, width))) is None:
            element, shape = type, [width]
            if isinstance(type, VectorType):
                group = cast(VectorType[Attribute], type)
                element, shape = group.element_type, [width, *group.get_shape()]
            found = self.types[type, width] = VectorType(element, shape)
        return found

    def splat(self, number: float, type: Attribute, width: int) -> SSAValue:
        """A number in every lane."""
        result = self._make(number, type, width, False)
        if number == 0:
            self.zeros.add(result)
        return result

    def table_entry(self, number: float, type: Attribute, width: int) -> SSAValue:
        """A number in every lane, known to come from a table: 0 there means no term at all."""
        result = self._make(number, type, width, True)
        self.tables[result] = number
        return result

    def is_zero(self, value: SSAValue) -> bool:
        """Whether `value` is 0.0, and of no table, in every lane."""
        return value in self.zeros

    def steps(self, stride: int, width: int) -> SSAValue:
        """0, stride, 2 * stride, ... in the lanes, as i32."""
        key = f"steps {stride}", i32, width, False
        if (found := self.values.get(key)) is None:
            numbers = [stride * k for k in range(width)]
            value = DenseIntOrFPElementsAttr.from_list(VectorType(i32, [width]), numbers)
            found = self.values[key] = self._insert(arith.ConstantOp(value))
        return found

    def _make(self, number: float, type: Attribute, width: int, from_table: bool) -> SSAValue:
        key = repr(number), type, width, from_table  # repr: 0 and -0 differ
        if (found := self.values.get(key)) is None:
            vector = self.lanes(type, width)
            shape = [width]
            if not self.vector:
                found = self._insert(arith.ConstantOp(_scalar(number, type)))
            elif isfinite(number):
                found = self._insert(_filled(number, type, shape))
            else:
                # the text of a vector constant of inf or nan reads back as another number in xDSL
                assert isinstance(type, AnyFloat)
                bits = int.from_bytes(type.pack([number]), "little", signed=True)
                raw = self._insert(_filled(bits, IntegerType(type.bitwidth), shape))
                found = self._insert(vec.BitcastOp(raw, vector))
            self.values[key] = found
        return found

    def _insert(self, op: Operation) -> SSAValue:
        """Before all loops, which may have been emitted by now: after the last constant."""
        place = InsertPoint.after(self.last) if self.last else InsertPoint.at_start(self.block)
        self.last = Builder(place).insert(op)
        return op.results[0]


def _scalar(number: float, type: Attribute) -> FloatAttr | IntegerAttr:
    if isinstance(type, IntegerType):
        return IntegerAttr(int(number), cast(IntegerType, type))
    assert isinstance(type, AnyFloat), f"a scalar body holds integers and floats, got {type}"
    return FloatAttr(number, type)


def _filled(number: float, type: Attribute, shape: Sequence[int]) -> arith.ConstantOp:
    if isinstance(type, IntegerType):
        integers = VectorType(cast(IntegerType, type), shape)
        return arith.ConstantOp(DenseIntOrFPElementsAttr.from_list(integers, [int(number)]))
    assert isinstance(type, AnyFloat), f"a scalar body holds integers and floats, got {type}"
    return arith.ConstantOp(DenseIntOrFPElementsAttr.from_list(VectorType(type, shape), [number]))
