"""Ops that take some elements of a tensor, or the same ones several times."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import DenseArrayBase, IntegerAttr, StringAttr, TensorType, UnitAttr, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from lamina.dialects.elements import ANY
from lamina.dialects.graph.attributes import (
    shape,
    tensor_type,
    verify_part,
    verify_tensors,
)


@irdl_op_definition
class SliceOp(IRDLOperation):
    """
    Every so many elements from a start on: `y[i, ...] = x[starts[0] + i * steps[0], ...]`; a step
    below zero goes backwards. With `in_place` after the steps nothing is copied: the result is read
    where it lies in `x`, in which it must be one run of bytes.

    %y = graph.slice %x starts [0, 3] steps [1, -2] : tensor<2x5xf32> -> tensor<2x2xf32>
    """

    name = "graph.slice"

    x = operand_def(TensorType)
    starts = prop_def(DenseArrayBase.constr(i64))
    steps = prop_def(DenseArrayBase.constr(i64))
    in_place = opt_prop_def(UnitAttr)
    y = result_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = (
        "$x `starts` $starts `steps` $steps (`in_place` $in_place^)? attr-dict"
        " `:` type($x) `->` type($y)"
    )

    def __init__(
        self, x: SSAValue, starts: Sequence[int], steps: Sequence[int], y: Attribute
    ) -> None:
        super().__init__(
            operands=[x],
            properties={
                "starts": DenseArrayBase.from_list(i64, starts),
                "steps": DenseArrayBase.from_list(i64, steps),
            },
            result_types=[y],
        )

    def verify_(self) -> None:
        verify_tensors(self, *ANY)
        starts, steps = self.starts.get_values(), self.steps.get_values()
        ranks = [len(starts), len(steps), len(shape(self.x)), len(shape(self.y))]
        if len(set(ranks)) > 1:
            raise VerifyException(
                f"needs a start and a step for each dimension of {self.x.type}, got"
                f" {list(starts)}, {list(steps)} -> {self.y.type}"
            )
        for d, (start, step, old, new) in enumerate(
            zip(starts, steps, shape(self.x), shape(self.y), strict=True)
        ):
            last = start + (new - 1) * step
            if new < 1 or step == 0 or not (0 <= start < old and 0 <= last < old):
                raise VerifyException(
                    f"dimension {d} has elements 0 to {old - 1}, got {new} of them from {start} by"
                    f" {step}"
                )
        if self.in_place is not None:
            if not self.is_consecutive():
                raise VerifyException(f"in_place needs steps of 1, got {list(steps)}")
            verify_part(self.x, self.y, starts)

    def is_consecutive(self) -> bool:
        """Whether no element between others is left out, and all are in order."""
        steps = zip(self.steps.get_values(), shape(self.y), strict=True)
        return all(step == 1 or size == 1 for step, size in steps)


@irdl_op_definition
class GatherOp(IRDLOperation):
    """
    The slices along dimension `axis` at these indices, which may repeat.

    %y = graph.gather axis 1 [2, 1, 0, 1] %x : tensor<2x3xf32> -> tensor<2x4xf32>
    """

    name = "graph.gather"

    x = operand_def(TensorType)
    axis = prop_def(IntegerAttr.constr(i64))
    indices = prop_def(DenseArrayBase.constr(i64))
    y = result_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = "`axis` $axis $indices $x attr-dict `:` type($x) `->` type($y)"

    def __init__(
        self, x: SSAValue, axis: int, indices: Sequence[int], y: Attribute | None = None
    ) -> None:
        if y is None:
            size = list(shape(x))
            size[axis] = len(indices)
            y = TensorType(tensor_type(x).element_type, size)
        super().__init__(
            operands=[x],
            properties={
                "axis": IntegerAttr(axis, i64),
                "indices": DenseArrayBase.from_list(i64, indices),
            },
            result_types=[y],
        )

    def verify_(self) -> None:
        verify_tensors(self, *ANY)
        size, axis, indices = list(shape(self.x)), self.axis.value.data, self.indices.get_values()
        if not 0 <= axis < len(size):
            raise VerifyException(f"axis must be from 0 to {len(size) - 1}, got {axis}")
        if not indices:
            raise VerifyException("needs at least one index, got none")
        if outside := [i for i in indices if not 0 <= i < size[axis]]:
            raise VerifyException(
                f"indices along axis {axis} must be from 0 to {size[axis] - 1}, got {outside[0]}"
            )
        needed = [*size[:axis], len(indices), *size[axis + 1 :]]
        if list(shape(self.y)) != needed:
            raise VerifyException(f"result must have shape {needed}, got {self.y.type}")


class MultipleOp(IRDLOperation):
    """An op whose result has a multiple of the elements of `x` along each dimension."""

    x = operand_def(TensorType)
    y = result_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = "$x attr-dict `:` type($x) `->` type($y)"

    def __init__(self, x: SSAValue, y: Attribute) -> None:
        super().__init__(operands=[x], result_types=[y])

    def verify_(self) -> None:
        verify_tensors(self, *ANY)
        _verify_multiple(self.x, self.y)


@irdl_op_definition
class TileOp(MultipleOp):
    """
    The tensor again and again along each dimension: `y[i, ...] = x[i mod x.shape[0], ...]`.

    %y = graph.tile %x : tensor<1x3xf32> -> tensor<4x6xf32>
    """

    name = "graph.tile"


@irdl_op_definition
class RepeatOp(MultipleOp):
    """
    Each element as often as makes the result: `y[i, ...] = x[i floordiv n, ...]` with n =
    y.shape[0] / x.shape[0], and so along each dimension.

    %y = graph.repeat %x : tensor<1x3xf32> -> tensor<4x6xf32>
    """

    name = "graph.repeat"


@irdl_op_definition
class DepthToSpaceOp(IRDLOperation):
    """
    Channels become blocks of height and width: with b the block and C the channels of y,
    `y[n, c, h, w] = x[n, ch, h floordiv b, w floordiv b]`, where k = (h mod b) * b + w mod b and
    ch = k * C + c for order "dcr", c * b * b + k for "crd".

    %y = graph.depth_to_space %x block 2 order "dcr" : tensor<1x8x2x3xf32> -> tensor<1x2x4x6xf32>
    """

    name = "graph.depth_to_space"

    x = operand_def(TensorType)
    block = prop_def(IntegerAttr.constr(i64))
    order = prop_def(StringAttr)
    y = result_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = "$x `block` $block `order` $order attr-dict `:` type($x) `->` type($y)"

    def __init__(self, x: SSAValue, block: int, order: str, y: Attribute | None = None) -> None:
        if y is None:
            n, c, h, w = shape(x)
            size = [n, c // max(block, 1) ** 2, h * block, w * block]
            y = TensorType(tensor_type(x).element_type, size)
        super().__init__(
            operands=[x],
            properties={"block": IntegerAttr(block, i64), "order": StringAttr(order)},
            result_types=[y],
        )

    def verify_(self) -> None:
        verify_tensors(self, *ANY)
        _verify_order(self.order.data)
        _verify_blocks(self.block.value.data, deep=self.x, wide=self.y)


@irdl_op_definition
class SpaceToDepthOp(IRDLOperation):
    """
    Blocks of height and width become channels: with b the block and C the channels of x,
    `y[n, ch, h, w] = x[n, c, h * b + i, w * b + j]`, where k = i * b + j and ch = k * C + c for
    order "dcr", c * b * b + k for "crd".

    %y = graph.space_to_depth %x block 2 order "dcr" : tensor<1x2x4x6xf32> -> tensor<1x8x2x3xf32>
    """

    name = "graph.space_to_depth"

    x = operand_def(TensorType)
    block = prop_def(IntegerAttr.constr(i64))
    order = prop_def(StringAttr)
    y = result_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = "$x `block` $block `order` $order attr-dict `:` type($x) `->` type($y)"

    def __init__(self, x: SSAValue, block: int, order: str, y: Attribute | None = None) -> None:
        if y is None:
            n, c, h, w = shape(x)
            size = [n, c * block * block, h // max(block, 1), w // max(block, 1)]
            y = TensorType(tensor_type(x).element_type, size)
        super().__init__(
            operands=[x],
            properties={"block": IntegerAttr(block, i64), "order": StringAttr(order)},
            result_types=[y],
        )

    def verify_(self) -> None:
        verify_tensors(self, *ANY)
        _verify_order(self.order.data)
        _verify_blocks(self.block.value.data, deep=self.y, wide=self.x)


def _verify_multiple(x: SSAValue, y: SSAValue) -> None:
    old, new = shape(x), shape(y)
    if len(old) != len(new) or any(n < 1 or n % m for m, n in zip(old, new, strict=True)):
        raise VerifyException(
            f"each dimension must be a multiple of that of {x.type}, got {y.type}"
        )


def _verify_order(order: str) -> None:
    if order not in ("dcr", "crd"):
        raise VerifyException(f'order must be "dcr" or "crd", got "{order}"')


def _verify_blocks(block: int, deep: SSAValue, wide: SSAValue) -> None:
    """Refuse unless the channels of `deep` are those of `wide` times its blocks."""
    old, new = shape(deep), shape(wide)
    if len(old) != 4 or len(new) != 4:
        raise VerifyException(f"needs NCHW, got {deep.type} and {wide.type}")
    n, c, h, w = new
    if block < 1 or old != (n, c * block * block, h // block, w // block) or h % block or w % block:
        raise VerifyException(f"blocks of {block} do not make {wide.type} of {deep.type}")
