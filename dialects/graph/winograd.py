"""Convolutions with windows of 3 x 3 from fewer products, by Winograd's minimal filtering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from xdsl.dialects.builtin import DenseArrayBase, IntegerAttr, TensorType, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from lamina.dialects.graph.attributes import shape, tensor_type, verify_tensors
from lamina.dialects.graph.windows import ints

TAPS = 3
"""height and width of the windows"""

POINTS = {
    2: (Fraction(0), Fraction(1), Fraction(-1)),
    4: (Fraction(0), Fraction(3, 4), Fraction(-3, 4), Fraction(3, 2), Fraction(-3, 2)),
}
"""
Results that a tile has along a side -> where polynomials are evaluated, besides at infinity.

With 3/4 and 3/2 rounding errors are a third of what they are with 1 and 2, and float32 holds what
the matrices have but for the filters'.
"""

Matrix = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Transforms:
    """
    The matrices of F(m x m, 3 x 3): y = A^T ((G g G^T) * (B^T d B)) A, with * element by element.

    A tile d of T x T inputs, T = m + 2, and the window g give m x m results. (Lavin and Gray, Fast
    Algorithms for Convolutional Neural Networks, 2016, section 4.)
    """

    bt: Matrix
    """T x T"""
    g: Matrix
    """T x 3"""
    at: Matrix
    """m x T"""


@cache
def transforms(tile: int) -> Transforms:
    """
    Toom and Cook's: polynomials with coefficients g times others, from their values at points.

    Row i of G evaluates g at point i, over the product of the differences to the other points; row
    i of B^T has the coefficients of the polynomial that is zero at these. A^T has powers of points.
    Signs are such that no row of B^T begins with -1, which would be an operation of its own.
    """
    points = POINTS[tile]
    bt = [[*_product([q for q in points if q != p]), Fraction(0)] for p in points]
    g: list[list[Fraction]] = []
    for p in points:
        scale = Fraction(1)
        for q in points:
            scale *= p - q if q != p else 1
        g.append([p**k / scale for k in range(TAPS)])
    at = [[*(p**k for p in points), Fraction(k == tile - 1)] for k in range(tile)]
    bt.append(_product(points))
    g.append([Fraction(k == TAPS - 1) for k in range(TAPS)])
    signs = [1 if next(filter(None, row)) > 0 else -1 for row in bt]
    return Transforms(_rounded(bt, signs), _rounded(g, signs), _rounded(at, [1] * tile))


def _rounded(matrix: Sequence[Sequence[Fraction]], signs: Sequence[int]) -> Matrix:
    return [[float(sign * v) for v in row] for sign, row in zip(signs, matrix, strict=True)]


def _product(roots: Sequence[Fraction]) -> list[Fraction]:
    """The coefficients of the polynomial with these roots, the constant first."""
    found = [Fraction(1)]
    for r in roots:
        shifted = [Fraction(0), *found]
        found = [a - r * b for a, b in zip(shifted, [*found, Fraction(0)], strict=True)]
    return found


def _tiles(size: Sequence[int], tile: int) -> list[int]:
    """How many tiles cover height and width."""
    return [-(-n // tile) for n in size]


def _verify_tile(tile: int) -> None:
    if tile not in POINTS:
        raise VerifyException(f"tile must be {' or '.join(map(str, POINTS))}, got {tile}")


def _verify_maps(x: SSAValue, y: SSAValue) -> None:
    if len(shape(x)) != 4 or len(shape(y)) != 4 or shape(x)[0] != shape(y)[0]:
        raise VerifyException(f"needs NCHW -> NCHW of one N, got {x.type} -> {y.type}")


def _verify_channels(many: SSAValue, each: SSAValue, tile: int) -> None:
    """Refuse unless `many` has at least the channels of `each` for every element of a tile."""
    there, parts = shape(many)[1], (tile + TAPS - 1) ** 2
    if there % parts or there < parts * shape(each)[1]:
        raise VerifyException(
            f"tiles of {tile} need {parts} times the {shape(each)[1]} channels of {each.type},"
            f" or {parts} times more of them, got {many.type}"
        )


@irdl_op_definition
class WinogradInputOp(IRDLOperation):
    """
    The inputs of tiles, transformed: y[n, (a * T + b) * K + c, h, w] = sum over i, j of B[a, i] *
    B[b, j] * x[n, c, h * tile + i - top, w * tile + j - left], where T = tile + 2 and B is the
    matrix of `tile`; x is zero outside, and in the channels that K is more than those of x.

    `pads` are [top, left, bottom, right] of the convolution whose results the tiles cover.

    %y = graph.winograd_input %x tile 4 pads [1, 1, 1, 1] : tensor<1x64x56x56xf32> -> tensor<1x2304x14x14xf32>
    """  # noqa: E501

    name = "graph.winograd_input"

    x = operand_def(TensorType)
    tile = prop_def(IntegerAttr.constr(i64))
    pads = prop_def(DenseArrayBase.constr(i64))
    y = result_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = "$x `tile` $tile `pads` $pads attr-dict `:` type($x) `->` type($y)"

    def __init__(
        self, x: SSAValue, tile: int, pads: Sequence[int], y: Attribute | None = None
    ) -> None:
        properties = {"tile": IntegerAttr(tile, i64), "pads": ints(pads)}
        if y is None:
            n, c, h, w = shape(x)
            size = (h + pads[0] + pads[2] - TAPS + 1, w + pads[1] + pads[3] - TAPS + 1)
            channels = (tile + TAPS - 1) ** 2 * c
            y = TensorType(tensor_type(x).element_type, [n, channels, *_tiles(size, tile)])
        super().__init__(operands=[x], properties=properties, result_types=[y])

    def sides(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Padding (before, after) height and width."""
        top, left, bottom, right = self.pads.get_values()
        return (top, bottom), (left, right)

    def window(self) -> tuple[int, int]:
        """Height and width of what one tile reads."""
        size = self.tile.value.data + TAPS - 1
        return size, size

    def verify_(self) -> None:
        verify_tensors(self)
        tile, pads = self.tile.value.data, self.pads.get_values()
        _verify_tile(tile)
        _verify_maps(self.x, self.y)
        _verify_channels(self.y, self.x, tile)
        if len(pads) != 4 or min(pads) < 0:
            raise VerifyException(f"pads must be 4 numbers, none negative, got {list(pads)}")
        size = [
            n + sum(sides) - TAPS + 1
            for n, sides in zip(shape(self.x)[2:], self.sides(), strict=True)
        ]
        needed = _tiles(size, tile)
        if min(size) < 1 or list(shape(self.y)[2:]) != needed:
            raise VerifyException(
                f"tiles of {tile} over results of {size} make maps of {needed}, got {self.y.type}"
            )


@irdl_op_definition
class WinogradOutputOp(IRDLOperation):
    """
    The results of tiles from their products: y[n, o, h * tile + p, w * tile + q] = bias[o] + sum
    over a, b of A[p, a] * A[q, b] * x[n, (a * T + b) * K + o, h, w], where T = tile + 2, A is the
    matrix of `tile`, and x has T * T * K channels; what tiles have beyond the edge of y is cut.

    %y = graph.winograd_output %x bias %b tile 4 : (tensor<1x2304x14x14xf32>, tensor<64xf32>) -> tensor<1x64x56x56xf32>
    """  # noqa: E501

    name = "graph.winograd_output"

    x = operand_def(TensorType)
    bias = opt_operand_def(TensorType)
    tile = prop_def(IntegerAttr.constr(i64))
    y = result_def(TensorType)

    traits = traits_def(Pure())
    assembly_format = (
        "$x (`bias` $bias^)? `tile` $tile attr-dict `:` functional-type(operands, results)"
    )

    def __init__(self, x: SSAValue, bias: SSAValue | None, tile: int, y: Attribute) -> None:
        super().__init__(
            operands=[x, bias], properties={"tile": IntegerAttr(tile, i64)}, result_types=[y]
        )

    def verify_(self) -> None:
        verify_tensors(self)
        tile = self.tile.value.data
        _verify_tile(tile)
        _verify_maps(self.x, self.y)
        _verify_channels(self.x, self.y, tile)
        needed = _tiles(shape(self.y)[2:], tile)
        if list(shape(self.x)[2:]) != needed:
            raise VerifyException(
                f"{self.y.type} has {needed} tiles of {tile} a side, got {self.x.type}"
            )
        if self.bias is not None and shape(self.bias) != (shape(self.y)[1],):
            raise VerifyException(
                f"bias must have shape [{shape(self.y)[1]}], got {self.bias.type}"
            )
