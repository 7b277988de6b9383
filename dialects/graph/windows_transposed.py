"""What lays the parts of a transposed window together."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import DenseArrayBase, IntegerAttr, TensorType, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from lamina.dialects.elements import ANY
from lamina.dialects.graph.attributes import shape, verify_tensors
from lamina.dialects.graph.windows import ints


@irdl_op_definition
class InterleaveOp(IRDLOperation):
    """
    Lay images that channels hold side by side into one, from a corner on: y[n, o, h, w] =
    x[n, c, i floordiv sh, j floordiv sw], where i = h + top, j = w + left and
    c = ((o floordiv m) * sh * sw + (i mod sh) * sw + j mod sw) * m + o mod m. There are `groups`
    groups of m channels in y.

    %y = graph.interleave %x steps [2, 2] offsets [1, 1] groups 1 : tensor<1x8x4x4xf32> -> tensor<1x2x7x7xf32>
    """  # noqa: E501

    name = "graph.interleave"

    x = operand_def(TensorType)
    steps = prop_def(DenseArrayBase.constr(i64))
    offsets = prop_def(DenseArrayBase.constr(i64))
    groups = prop_def(IntegerAttr.constr(i64))
    y = result_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = (
        "$x `steps` $steps `offsets` $offsets `groups` $groups attr-dict `:` type($x) `->` type($y)"
    )

    def __init__(
        self,
        x: SSAValue,
        y: Attribute,
        *,
        steps: Sequence[int],
        offsets: Sequence[int] = (0, 0),
        groups: int = 1,
    ) -> None:
        super().__init__(
            operands=[x],
            properties={
                "steps": ints(steps),
                "offsets": ints(offsets),
                "groups": IntegerAttr(groups, i64),
            },
            result_types=[y],
        )

    def verify_(self) -> None:
        verify_tensors(self, *ANY)
        x, y, groups = shape(self.x), shape(self.y), self.groups.value.data
        steps, offsets = list(self.steps.get_values()), list(self.offsets.get_values())
        if len(x) != 4 or len(y) != 4:
            raise VerifyException(f"needs NCHW -> NCHW, got {self.x.type} -> {self.y.type}")
        if len(steps) != 2 or min(steps) < 1:
            raise VerifyException(f"steps must be 2 positive numbers, got {steps}")
        if len(offsets) != 2 or min(offsets) < 0:
            raise VerifyException(f"offsets must be 2 numbers, none negative, got {offsets}")
        if groups < 1 or y[1] % groups:
            raise VerifyException(f"{groups} groups cannot share the channels of {self.y.type}")
        if x[:2] != (y[0], y[1] * steps[0] * steps[1]):
            raise VerifyException(
                f"steps {steps} need {steps[0] * steps[1]} channels for each of {self.y.type},"
                f" got {self.x.type}"
            )
        whole = [n * step for n, step in zip(x[2:], steps, strict=True)]
        if any(o + n > m for o, n, m in zip(offsets, y[2:], whole, strict=True)):
            raise VerifyException(f"{self.y.type} from {offsets} on does not fit images of {whole}")
