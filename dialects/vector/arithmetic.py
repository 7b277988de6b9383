"""Arithmetic on lanes that neither `arith` nor `math` has in xDSL."""

from __future__ import annotations

from typing import ClassVar

from xdsl.dialects.builtin import AnyFloat
from xdsl.ir import SSAValue
from xdsl.irdl import (
    AnyAttr,
    IRDLOperation,
    VarConstraint,
    irdl_op_definition,
    operand_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

from lamina.dialects.vector.types import element_of


@irdl_op_definition
class RemOp(IRDLOperation):
    """
    What is left of each `a` after `b` went into it a whole number of times, exactly: C's `fmod`,
    with the sign of `a`; NaN if `a` is infinite or `b` is 0.

    %r = vec.rem %a, %b : vector<16xf32>
    """

    name = "vec.rem"

    T: ClassVar = VarConstraint("T", AnyAttr())
    a = operand_def(T)
    b = operand_def(T)
    res = result_def(T)

    traits = traits_def(Pure())
    assembly_format = "$a `,` $b attr-dict `:` type($res)"

    def __init__(self, a: SSAValue, b: SSAValue) -> None:
        super().__init__(operands=[a, b], result_types=[a.type])

    def verify_(self) -> None:
        if not isa(element_of(self.res.type), AnyFloat):
            raise VerifyException(
                f"vec.rem: needs floats, got {self.res.type}; arith.remsi divides integers"
            )
