"""The ops of vec that compare lanes and choose between them (`arith`'s take no vectors in xDSL)."""

from __future__ import annotations

from typing import ClassVar

from xdsl.dialects.builtin import AnyFloat, IntegerType, StringAttr, VectorType, i1
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    AnyAttr,
    IRDLOperation,
    VarConstraint,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

from lamina.dialects.vector.types import element_of, shape_of

FLOAT_PREDICATES = (
    *("false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord"),
    *("ueq", "ugt", "uge", "ult", "ule", "une", "uno", "true"),
)
"""in the order of `arith.cmpf`: o.. is false where either side is NaN, u.. is true there"""

INTEGER_PREDICATES = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")
"""in the order of `arith.cmpi`: s.. takes the bits as signed numbers, u.. as unsigned ones"""


def bools_of(type: Attribute) -> Attribute:
    """The type that has an i1 where this one has a number: vector<16xi1> for vector<16xf32>."""
    return VectorType(i1, shape_of(type)) if shape_of(type) else i1


@irdl_op_definition
class CompareOp(IRDLOperation):
    """
    Compare every element. The predicates are those of `arith.cmpf` and `arith.cmpi`.

    %m = vec.compare "olt" %a, %b : vector<16xf32> -> vector<16xi1>
    """

    name = "vec.compare"

    T: ClassVar = VarConstraint("T", AnyAttr())
    predicate = prop_def(StringAttr)
    a = operand_def(T)
    b = operand_def(T)
    res = result_def()

    traits = traits_def(Pure())
    assembly_format = "$predicate $a `,` $b attr-dict `:` type($a) `->` type($res)"

    def __init__(self, predicate: str, a: SSAValue, b: SSAValue) -> None:
        super().__init__(
            operands=[a, b],
            properties={"predicate": StringAttr(predicate)},
            result_types=[bools_of(a.type)],
        )

    def verify_(self) -> None:
        element = element_of(self.a.type)
        if isa(element, AnyFloat):
            known = FLOAT_PREDICATES
        elif isinstance(element, IntegerType):
            known = INTEGER_PREDICATES
        else:
            raise VerifyException(f"vec.compare: needs integers or floats, got {self.a.type}")
        if self.predicate.data not in known:
            raise VerifyException(
                f"vec.compare: predicate of {element} must be one of {', '.join(known)}, got"
                f' "{self.predicate.data}"'
            )
        if self.res.type != (needed := bools_of(self.a.type)):
            raise VerifyException(f"vec.compare: result must be {needed}, got {self.res.type}")


@irdl_op_definition
class AnyOp(IRDLOperation):
    """
    Whether at least one of the truth values is true.

    %b = vec.any %m : vector<16xi1>
    """

    name = "vec.any"

    x = operand_def(VectorType.constr(i1))
    res = result_def(i1)

    traits = traits_def(Pure())
    assembly_format = "$x attr-dict `:` type($x)"

    def __init__(self, x: SSAValue) -> None:
        super().__init__(operands=[x], result_types=[i1])


@irdl_op_definition
class SelectOp(IRDLOperation):
    """
    In every element the one of `a` where `cond` is true, of `b` elsewhere.

    %r = vec.select %m, %a, %b : vector<16xi1>, vector<16xf32>
    """

    name = "vec.select"

    T: ClassVar = VarConstraint("T", AnyAttr())
    cond = operand_def()
    a = operand_def(T)
    b = operand_def(T)
    res = result_def(T)

    traits = traits_def(Pure())
    assembly_format = "$cond `,` $a `,` $b attr-dict `:` type($cond) `,` type($res)"

    def __init__(self, cond: SSAValue, a: SSAValue, b: SSAValue) -> None:
        super().__init__(operands=[cond, a, b], result_types=[a.type])

    def verify_(self) -> None:
        if self.cond.type != (needed := bools_of(self.res.type)):
            raise VerifyException(
                f"vec.select: {self.res.type} is chosen by {needed}, got {self.cond.type}"
            )
