"""Functions of numbers: magnitude and sign, rounding to integers, logarithms and powers."""

from __future__ import annotations

from typing import ClassVar

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, operand_def, traits_def
from xdsl.traits import Pure

from lamina.dialects.elements import FLOAT, INTEGER
from lamina.dialects.graph.pointwise import BinaryOp, PointwiseOp, UnaryOp


@irdl_op_definition
class AbsOp(UnaryOp):
    """
    The magnitude: x without its sign.

    %y = graph.abs %x : tensor<4xf32> -> tensor<4xf32>
    """

    name = "graph.abs"
    KINDS: ClassVar[tuple[str, ...]] = (FLOAT, INTEGER)


@irdl_op_definition
class NegOp(UnaryOp):
    """
    -x.

    %y = graph.neg %x : tensor<4xf32> -> tensor<4xf32>
    """

    name = "graph.neg"
    KINDS: ClassVar[tuple[str, ...]] = (FLOAT, INTEGER)


@irdl_op_definition
class SignOp(UnaryOp):
    """
    1 above zero, -1 below; zero and NaN as they are.

    %y = graph.sign %x : tensor<4xf32> -> tensor<4xf32>
    """

    name = "graph.sign"
    KINDS: ClassVar[tuple[str, ...]] = (FLOAT, INTEGER)


@irdl_op_definition
class RemOp(BinaryOp):
    """
    What is left of a after b went into it a whole number of times: with the sign of a, as C's
    `fmod` and `%`. Of integers 0 where b is 0.

    %y = graph.rem %a, %b : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
    """

    name = "graph.rem"
    KEEPS_ZERO: ClassVar[bool] = False
    KINDS: ClassVar[tuple[str, ...]] = (FLOAT, INTEGER)


@irdl_op_definition
class ModOp(BinaryOp):
    """
    a modulo b, with the sign of b, as Python's `%`; 0 where b is 0.

    %y = graph.mod %a, %b : (tensor<4xi32>, tensor<1xi32>) -> tensor<4xi32>
    """

    name = "graph.mod"
    KEEPS_ZERO: ClassVar[bool] = False
    KINDS: ClassVar[tuple[str, ...]] = (INTEGER,)


@irdl_op_definition
class FloorOp(UnaryOp):
    """
    The largest integer that is not above x.

    %y = graph.floor %x : tensor<4xf32> -> tensor<4xf32>
    """

    name = "graph.floor"


@irdl_op_definition
class CeilOp(UnaryOp):
    """
    The smallest integer that is not below x.

    %y = graph.ceil %x : tensor<4xf32> -> tensor<4xf32>
    """

    name = "graph.ceil"


@irdl_op_definition
class RoundOp(UnaryOp):
    """
    The integer nearest to x; of two equally near, the even one.

    %y = graph.round %x : tensor<4xf32> -> tensor<4xf32>
    """

    name = "graph.round"


@irdl_op_definition
class LogOp(UnaryOp):
    """
    The natural logarithm; -inf at zero, NaN below.

    %y = graph.log %x : tensor<4xf32> -> tensor<4xf32>
    """

    name = "graph.log"
    KEEPS_ZERO: ClassVar[bool] = False


@irdl_op_definition
class Log1pOp(UnaryOp):
    """
    log(1 + x), exact to the last digits also where x is small.

    %y = graph.log1p %x : tensor<4xf32> -> tensor<4xf32>
    """

    name = "graph.log1p"


@irdl_op_definition
class Expm1Op(UnaryOp):
    """
    exp(x) - 1, exact to the last digits also where x is small.

    %y = graph.expm1 %x : tensor<4xf32> -> tensor<4xf32>
    """

    name = "graph.expm1"


@irdl_op_definition
class PowOp(BinaryOp):
    """
    a ** b; 1 where b = 0 or a = 1, NaN where a < 0 and b is no integer.

    %y = graph.pow %a, %b : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
    """

    name = "graph.pow"
    KEEPS_ZERO: ClassVar[bool] = False


@irdl_op_definition
class FmaOp(PointwiseOp):
    """
    a * b + c, rounded once, on every machine: what of a product and a sum is said to be one.

    %y = graph.fma %a, %b, %c : (tensor<4xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<4xf32>
    """

    name = "graph.fma"

    a = operand_def(TensorType)
    b = operand_def(TensorType)
    c = operand_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = "$a `,` $b `,` $c attr-dict `:` functional-type(operands, results)"

    def __init__(self, a: SSAValue, b: SSAValue, c: SSAValue, y: Attribute) -> None:
        super().__init__(operands=[a, b, c], result_types=[y])
