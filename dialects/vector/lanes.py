"""The ops of vec that move and convert lanes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import ClassVar

from xdsl.dialects.builtin import (
    AnyFloat,
    DenseArrayBase,
    IntAttr,
    IntegerType,
    UnitAttr,
    VectorType,
    i64,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    VarConstraint,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect, Pure
from xdsl.utils.exceptions import VerifyException

from lamina.dialects.vector.types import Number, element_of, shape_of


@irdl_op_definition
class SplatLaneOp(IRDLOperation):
    """
    Copy one lane to all lanes: a permute on a CPU, free in a subgroup.

    %r = vec.splat_lane %row[3] : vector<16xf32>
    """

    name = "vec.splat_lane"

    T: ClassVar = VarConstraint("T", VectorType.constr())
    vec = operand_def(T)
    lane = prop_def(IntAttr)
    res = result_def(T)

    traits = traits_def(Pure())
    custom_directives = (Number,)
    assembly_format = "$vec `[` custom<Number>($lane) `]` attr-dict `:` type($vec)"

    def __init__(self, vec: SSAValue, lane: int) -> None:
        super().__init__(
            operands=[vec], properties={"lane": IntAttr(lane)}, result_types=[vec.type]
        )

    def verify_(self) -> None:
        lanes = shape_of(self.vec.type)[0]
        if not 0 <= self.lane.data < lanes:
            raise VerifyException(
                f"vec.splat_lane: {self.vec.type} has lanes 0 to {lanes - 1}, got {self.lane.data}"
            )


@irdl_op_definition
class BarrierOp(IRDLOperation):
    """
    Go on when all lanes are here, and see what they wrote to local memory: nothing where lanes are
    those of a register, or of a subgroup; a barrier among the work-items of a work-group.

    vec.barrier
    """

    name = "vec.barrier"

    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())  # keeps its place among accesses
    assembly_format = "attr-dict"

    def __init__(self) -> None:
        super().__init__()


@irdl_op_definition
class ShuffleOp(IRDLOperation):
    """
    Pick lanes of two vectors: lane k is lane `lanes[k]` of `a` followed by `b`.

    %r = vec.shuffle %a, %b [0, 4, 1, 5] : vector<4xf32> -> vector<4xf32>
    """

    name = "vec.shuffle"

    T: ClassVar = VarConstraint("T", VectorType.constr())
    a = operand_def(T)
    b = operand_def(T)
    lanes = prop_def(DenseArrayBase.constr(i64))
    res = result_def(VectorType)

    traits = traits_def(Pure())
    assembly_format = "$a `,` $b $lanes attr-dict `:` type($a) `->` type($res)"

    def __init__(self, a: SSAValue, b: SSAValue, lanes: Sequence[int]) -> None:
        type = VectorType(element_of(a.type), [len(lanes), *shape_of(a.type)[1:]])
        super().__init__(
            operands=[a, b],
            properties={"lanes": DenseArrayBase.from_list(i64, lanes)},
            result_types=[type],
        )

    def verify_(self) -> None:
        lanes, (there, *group) = self.lanes.get_values(), shape_of(self.a.type)
        wanted = VectorType(element_of(self.a.type), [len(lanes), *group])
        if self.res.type != wanted:
            raise VerifyException(f"vec.shuffle: makes {wanted}, got {self.res.type}")
        if bad := [k for k in lanes if not 0 <= k < 2 * there]:
            raise VerifyException(
                f"vec.shuffle: two {self.a.type} have lanes 0 to {2 * there - 1}, got {bad[0]}"
            )


@irdl_op_definition
class ConvertOp(IRDLOperation):
    """
    Convert every element; integers are signed, or with `unsigned` unsigned (`arith`'s casts take no
    vectors in xDSL).

    - integer to float: the nearest, ties to even
    - float to integer: towards zero; what the integer type cannot hold becomes its nearest value,
      NaN becomes 0 (LLVM's `fptosi.sat`, `fptoui.sat`)
    - integer to wider integer: the same number
    - integer to narrower integer: its low bits, whether `unsigned` or not
    - float to float: the nearest, ties to even

    %r = vec.convert %x : vector<16xi32> to vector<16xf32>
    %u = vec.convert unsigned %b : vector<16xi8> to vector<16xi32>
    """

    name = "vec.convert"

    x = operand_def()
    unsigned = opt_prop_def(UnitAttr)
    res = result_def()

    traits = traits_def(Pure())
    assembly_format = "(`unsigned` $unsigned^)? $x attr-dict `:` type($x) `to` type($res)"

    def __init__(self, x: SSAValue, type: Attribute, *, unsigned: bool = False) -> None:
        super().__init__(
            operands=[x],
            properties={"unsigned": UnitAttr() if unsigned else None},
            result_types=[type],
        )

    def verify_(self) -> None:
        of, to = self.x.type, self.res.type
        if shape_of(of) != shape_of(to):
            raise VerifyException(f"vec.convert: {of} and {to} differ in shape")
        for type in (of, to):
            if not isinstance(element_of(type), IntegerType | AnyFloat):
                raise VerifyException(f"vec.convert: needs integers or floats, got {type}")
        if of == to:
            raise VerifyException(f"vec.convert: {of} is what it is converted to")
        if self.unsigned and not isinstance(element_of(of), IntegerType):
            if not isinstance(element_of(to), IntegerType):
                raise VerifyException(f"vec.convert: no integer is unsigned in {of} to {to}")


@irdl_op_definition
class BitcastOp(IRDLOperation):
    """
    Read the bits of each lane as another type. In a group, the first element is the lowest bits; a
    vector that is one group by itself may become a scalar, and lanes beside each other groups.

    %r = vec.bitcast %x : vector<16x4xi8> to vector<16xi32>
    """

    name = "vec.bitcast"

    x = operand_def()
    res = result_def()

    traits = traits_def(Pure())
    assembly_format = "$x attr-dict `:` type($x) `to` type($res)"

    def __init__(self, x: SSAValue, type: Attribute) -> None:
        super().__init__(operands=[x], result_types=[type])

    def verify_(self) -> None:
        of, to = self.x.type, self.res.type
        if self._makes_groups():
            return
        lanes = 1 if shape_of(to) else 0  # as a scalar, a vector is one group
        same = shape_of(of)[:lanes] == shape_of(to)[:lanes]
        if not same or _lane_bits(of, lanes) != _lane_bits(to, lanes):
            raise VerifyException(f"vec.bitcast: {of} and {to} differ in lanes or bits of a lane")

    def _makes_groups(self) -> bool:
        """Whether the same elements, which were a lane each, are several a lane."""
        of, to = self.x.type, self.res.type
        plain, grouped = shape_of(of), shape_of(to)
        many = len(plain) == 1 and len(grouped) == 2 and plain[0] == prod(grouped)
        return many and element_of(of) == element_of(to)


def _lane_bits(type: Attribute, lanes: int) -> int:
    element = element_of(type)
    if not isinstance(element, IntegerType | AnyFloat):
        raise VerifyException(f"vec.bitcast: needs integers or floats, got {type}")
    return element.bitwidth * prod(shape_of(type)[lanes:])
