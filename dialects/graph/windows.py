"""Ops that slide a window over an image: convolutions and pooling."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence

from xdsl.dialects.builtin import (
    I64,
    BoolAttr,
    DenseArrayBase,
    IntegerAttr,
    TensorType,
    i64,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from lamina.dialects.elements import FLOAT, INTEGER, integer_range
from lamina.dialects.graph.attributes import (
    shape,
    sum_element,
    tensor_type,
    verify_sum_of_products,
    verify_tensors,
)

_Ints = DenseArrayBase.constr(i64)


def ints(values: Sequence[int]) -> DenseArrayBase[I64]:
    """An array attribute of 64-bit integers."""
    return DenseArrayBase.from_list(i64, values)


def window_extent(
    size: int, kernel: int, stride: int, pads: tuple[int, int], dilation: int = 1
) -> int:
    """How many windows fit: floor((size + pads - dilation * (kernel - 1) - 1) / stride) + 1."""
    return (size + sum(pads) - dilation * (kernel - 1) - 1) // stride + 1


class WindowOp(IRDLOperation, ABC):
    """
    An op that slides a window over height and width of an NCHW tensor.

    `pads` are [top, left, bottom, right], as in ONNX.
    """

    x = operand_def(TensorType)
    strides = prop_def(_Ints)
    pads = prop_def(_Ints)
    y = result_def(TensorType)

    def window(self) -> tuple[int, int]:
        """Height and width of the window, in taps."""
        raise AssertionError(f"{self.name} must say what its window is")

    def dilation(self) -> tuple[int, ...]:
        """Distance between taps along height and width."""
        raise AssertionError(f"{self.name} must say how far its taps are apart")

    def sides(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Padding (before, after) height and width."""
        top, left, bottom, right = self.pads.get_values()
        return (top, bottom), (left, right)

    def verify_kinds(self) -> None:
        """Refuse element types that the op is not defined on."""
        verify_tensors(self)

    def verify_window(self, channels: int) -> None:
        """Check elements, ranks, attribute lengths and the result's shape."""
        self.verify_kinds()
        size, strides, pads = shape(self.x), self.strides.get_values(), self.pads.get_values()
        if len(size) != 4:
            raise VerifyException(f"needs a tensor of 4 dimensions (NCHW), got {self.x.type}")
        for what, numbers in (("strides", strides), ("dilations", self.dilation())):
            if len(numbers) != 2 or min(numbers) < 1:
                raise VerifyException(f"{what} must be 2 positive numbers, got {list(numbers)}")
        if len(pads) != 4 or min(pads) < 0:
            raise VerifyException(f"pads must be 4 numbers, none negative, got {list(pads)}")
        needed = [size[0], channels] + [
            window_extent(*a)
            for a in zip(
                size[2:], self.window(), strides, self.sides(), self.dilation(), strict=True
            )
        ]
        if min(needed[2:]) < 1:
            window = list(self.window())
            raise VerifyException(
                f"a window of {window} does not fit {self.x.type} with pads {list(pads)}"
            )
        if list(shape(self.y)) != needed:
            raise VerifyException(f"result must have shape {needed}, got {self.y.type}")


@irdl_op_definition
class Conv2dOp(WindowOp):
    """
    y[n, o, h, w] = bias[o] + sum over i, kh, kw of x[n, i + first(o), h * sh + kh * dh - top,
    w * sw + kw * dw - left] * w[o, i, kh, kw]; x is zero outside, and the channels of x and y fall
    into `groups` equal groups, o reading the i of its own group, which starts at first(o).
    Integers of 8 bits or i32 are summed up in i32, modulo 2**32, with a bias of i32; x is `fill`
    outside, its zero point, and 0 if that is not given.

    %y = graph.conv2d %x, %w bias %b strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x64x56x56xf32>, tensor<64x64x3x3xf32>, tensor<64xf32>) -> tensor<1x64x56x56xf32>
    """  # noqa: E501

    name = "graph.conv2d"

    x = operand_def(TensorType)  # again, because inherited operands come last
    w = operand_def(TensorType)
    bias = opt_operand_def(TensorType)
    dilations = prop_def(_Ints)
    groups = prop_def(IntegerAttr.constr(i64))
    fill = opt_prop_def(IntegerAttr.constr(i64))

    traits = traits_def(Pure())
    assembly_format = (
        "$x `,` $w (`bias` $bias^)? `strides` $strides `pads` $pads `dilations` $dilations"
        " `groups` $groups (`fill` $fill^)? attr-dict `:` functional-type(operands, results)"
    )

    def __init__(
        self,
        x: SSAValue,
        w: SSAValue,
        bias: SSAValue | None = None,
        *,
        strides: Sequence[int] = (1, 1),
        pads: Sequence[int] = (0, 0, 0, 0),
        dilations: Sequence[int] = (1, 1),
        groups: int = 1,
        fill: int = 0,
        y: Attribute | None = None,
    ) -> None:
        if y is None:
            sides = ((pads[0], pads[2]), (pads[1], pads[3]))
            spatial = map(window_extent, shape(x)[2:], shape(w)[2:], strides, sides, dilations)
            y = TensorType(sum_element(x), [shape(x)[0], shape(w)[0], *spatial])
        super().__init__(
            operands=[x, w, bias],
            properties={
                "strides": ints(strides),
                "pads": ints(pads),
                "dilations": ints(dilations),
                "groups": IntegerAttr(groups, i64),
                "fill": IntegerAttr(fill, i64) if fill else None,
            },
            result_types=[y],
        )

    def window(self) -> tuple[int, int]:
        return shape(self.w)[2], shape(self.w)[3]

    def dilation(self) -> tuple[int, ...]:
        return self.dilations.get_values()

    def outside(self) -> int:
        """What x is outside of its image."""
        return 0 if self.fill is None else self.fill.value.data

    def verify_kinds(self) -> None:
        verify_sum_of_products(self, [self.x, self.w], self.y, self.bias)
        low, high = integer_range(tensor_type(self.x).element_type)
        if not low <= self.outside() <= high:
            raise VerifyException(
                f"fill must be in {low}..{high} for {self.x.type}, got {self.outside()}"
            )

    def verify_(self) -> None:
        w, groups = shape(self.w), self.groups.value.data
        if len(w) != 4:
            raise VerifyException(f"weights must have 4 dimensions (OIHW), got {self.w.type}")
        self.verify_window(w[0])
        if groups < 1 or w[0] % groups or shape(self.x)[1] != w[1] * groups:
            raise VerifyException(
                f"{groups} groups of weights {self.w.type} need {w[1] * groups} input channels and"
                f" a multiple of {groups} output channels, got {self.x.type}"
            )
        if self.bias is not None and shape(self.bias) != (w[0],):
            raise VerifyException(f"bias must have shape [{w[0]}], got {self.bias.type}")


class PoolOp(WindowOp, ABC):
    """
    A window op that reduces each channel of each window to one number.

    The taps of a window are neighbours unless `dilations` says how far apart they are.
    """

    kernel = prop_def(_Ints)
    dilations = opt_prop_def(_Ints)
    traits = traits_def(Pure())

    def window(self) -> tuple[int, int]:
        return self.kernel.get_values()[0], self.kernel.get_values()[1]

    def dilation(self) -> tuple[int, ...]:
        return (1, 1) if self.dilations is None else self.dilations.get_values()

    def verify_(self) -> None:
        kernel = self.kernel.get_values()
        if len(kernel) != 2 or min(kernel) < 1:
            raise VerifyException(f"kernel must be 2 positive numbers, got {list(kernel)}")
        self.verify_window(next(iter(shape(self.x)[1:]), 0))


def _pooled(
    x: SSAValue,
    kernel: Sequence[int],
    strides: Sequence[int],
    pads: Sequence[int],
    dilations: Sequence[int],
) -> Attribute:
    sides = ((pads[0], pads[2]), (pads[1], pads[3]))
    spatial = map(window_extent, shape(x)[2:], kernel, strides, sides, dilations)
    return TensorType(tensor_type(x).element_type, [*shape(x)[:2], *spatial])


def _gaps(dilations: Sequence[int]) -> DenseArrayBase[I64] | None:
    """The property that says `dilations`: none where the taps are neighbours."""
    return ints(dilations) if any(d != 1 for d in dilations) else None


@irdl_op_definition
class MaxPool2dOp(PoolOp):
    """
    The largest element of each window; padding does not count, NaN wins. Also of integers.

    %y = graph.max_pool2d %x kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] : tensor<1x64x112x112xf32> -> tensor<1x64x56x56xf32>
    """  # noqa: E501

    name = "graph.max_pool2d"

    assembly_format = (
        "$x `kernel` $kernel `strides` $strides `pads` $pads (`dilations` $dilations^)?"
        " attr-dict `:` type($x) `->` type($y)"
    )

    def __init__(
        self,
        x: SSAValue,
        kernel: Sequence[int],
        strides: Sequence[int] = (1, 1),
        pads: Sequence[int] = (0, 0, 0, 0),
        y: Attribute | None = None,
        *,
        dilations: Sequence[int] = (1, 1),
    ) -> None:
        super().__init__(
            operands=[x],
            properties={
                "kernel": ints(kernel),
                "strides": ints(strides),
                "pads": ints(pads),
                "dilations": _gaps(dilations),
            },
            result_types=[y or _pooled(x, kernel, strides, pads, dilations)],
        )

    def verify_kinds(self) -> None:
        verify_tensors(self, FLOAT, INTEGER)


@irdl_op_definition
class AvgPool2dOp(PoolOp):
    """
    The sum of each window divided by its number of taps: all of them with `count_pads`, else those
    inside x.

    %y = graph.avg_pool2d %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] count_pads true : tensor<1x64x56x56xf32> -> tensor<1x64x28x28xf32>
    """  # noqa: E501

    name = "graph.avg_pool2d"

    count_pads = prop_def(BoolAttr)

    assembly_format = (
        "$x `kernel` $kernel `strides` $strides `pads` $pads (`dilations` $dilations^)?"
        " `count_pads` $count_pads attr-dict `:` type($x) `->` type($y)"
    )

    def __init__(
        self,
        x: SSAValue,
        kernel: Sequence[int],
        strides: Sequence[int] = (1, 1),
        pads: Sequence[int] = (0, 0, 0, 0),
        count_pads: bool = False,
        y: Attribute | None = None,
        *,
        dilations: Sequence[int] = (1, 1),
    ) -> None:
        super().__init__(
            operands=[x],
            properties={
                "kernel": ints(kernel),
                "strides": ints(strides),
                "pads": ints(pads),
                "dilations": _gaps(dilations),
                "count_pads": BoolAttr.from_bool(count_pads),
            },
            result_types=[y or _pooled(x, kernel, strides, pads, dilations)],
        )


@irdl_op_definition
class GlobalAvgPoolOp(IRDLOperation):
    """
    The mean over height and width.

    %y = graph.global_avg_pool %x : tensor<1x512x7x7xf32> -> tensor<1x512x1x1xf32>
    """

    name = "graph.global_avg_pool"

    x = operand_def(TensorType)
    y = result_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = "$x attr-dict `:` type($x) `->` type($y)"

    def __init__(self, x: SSAValue, y: Attribute | None = None) -> None:
        y = y or TensorType(tensor_type(x).element_type, [*shape(x)[:2], 1, 1])
        super().__init__(operands=[x], result_types=[y])

    def verify_(self) -> None:
        verify_tensors(self)
        if len(shape(self.x)) != 4 or shape(self.y) != (*shape(self.x)[:2], 1, 1):
            raise VerifyException(f"needs NCHW -> NC11, got {self.x.type} -> {self.y.type}")
