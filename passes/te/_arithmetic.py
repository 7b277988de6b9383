"""Writing arithmetic on f32, scalars or vectors, op by op."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.builder import Builder
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import (
    AnyFloat,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    VectorType,
    f32,
    i32,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.utils.hints import isa

from lamina.dialects.vector import CompareOp, SelectOp


def _splat(value: float, type: Attribute) -> DenseIntOrFPElementsAttr:
    if isa(type, VectorType[IntegerType]):
        return DenseIntOrFPElementsAttr.from_list(type, [int(value)])
    assert isa(type, VectorType[AnyFloat]), type
    return DenseIntOrFPElementsAttr.from_list(type, [value])


def _compare(predicate: str, a: SSAValue, b: SSAValue) -> Operation:
    return arith.CmpfOp(a, b, predicate)


class Arithmetic:
    """Inserts ops on one type, f32 or a vector of it, and on its bits as i32."""

    def __init__(self, builder: Builder, type: Attribute) -> None:
        self.builder, self.type = builder, type
        self.bits_type: Attribute = i32
        if isinstance(type, VectorType):
            self.bits_type = VectorType(i32, cast(VectorType[Attribute], type).get_shape())
        self.constants: dict[tuple[str, Attribute], SSAValue] = {}

    def insert(self, op: Operation) -> SSAValue:
        """The result of a new op."""
        return self.builder.insert(op).results[0]

    def number(self, value: float) -> SSAValue:
        """A finite float constant."""
        return self._constant(value, self.type)

    def integer(self, value: int) -> SSAValue:
        """An i32 constant."""
        return self._constant(value, self.bits_type)

    def _constant(self, value: float, type: Attribute) -> SSAValue:
        key = repr(value), type
        if key not in self.constants:
            if type == f32:
                attribute = FloatAttr(value, f32)
            else:
                attribute = IntegerAttr(int(value), i32) if type == i32 else _splat(value, type)
            self.constants[key] = self.insert(arith.ConstantOp(attribute))
        return self.constants[key]

    def fma(self, a: SSAValue, b: SSAValue, c: SSAValue) -> SSAValue:
        """a * b + c, rounded once"""
        return self.insert(math.FmaOp(a, b, c))

    def polynomial(self, x: SSAValue, coefficients: Sequence[float]) -> SSAValue:
        """c[0] + c[1] * x + c[2] * x**2 + .. by Horner's rule"""
        *lower, value = map(self.number, coefficients)
        for c in reversed(lower):
            value = self.fma(value, x, c)
        return value

    def bits(self, x: SSAValue) -> SSAValue:
        """The bits of a float as an integer."""
        return self.insert(arith.BitcastOp(x, self.bits_type))

    def float_of(self, bits: SSAValue) -> SSAValue:
        """The float that has these bits."""
        return self.insert(arith.BitcastOp(bits, self.type))

    def sign_mask(self, n: SSAValue) -> SSAValue:
        """All bits set where the integer is negative, none elsewhere."""
        return self.insert(arith.ShRSIOp(n, self.integer(31)))

    def power_of_two(self, n: SSAValue) -> SSAValue:
        """2.0 ** n for an integer -127 < n < 128"""
        biased = self.insert(arith.AddiOp(n, self.integer(127)))
        return self.float_of(self.shift_left(biased, 23))

    def shift_left(self, n: SSAValue, by: int) -> SSAValue:
        """n * 2 ** by"""
        return self.insert(arith.ShLIOp(n, self.integer(by)))

    def compare(self, predicate: str, a: SSAValue, b: SSAValue) -> SSAValue:
        """One of `arith.cmpf`'s predicates."""
        vectors = isinstance(self.type, VectorType)
        return self.insert((CompareOp if vectors else _compare)(predicate, a, b))

    def select(self, condition: SSAValue, then: SSAValue, otherwise: SSAValue) -> SSAValue:
        """`then` where the condition holds, `otherwise` elsewhere."""
        choose = SelectOp if isinstance(self.type, VectorType) else arith.SelectOp
        return self.insert(choose(condition, then, otherwise))

    def below(self, a: SSAValue, b: SSAValue, then: SSAValue, otherwise: SSAValue) -> SSAValue:
        """`then` where a < b, `otherwise` elsewhere and where one of them is NaN."""
        return self.select(self.compare("olt", a, b), then, otherwise)
