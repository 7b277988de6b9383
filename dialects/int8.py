"""
The int8 dialect: quantized arithmetic with exact semantics, on scalars, vectors and tensors alike.

Quantized values are plain `i8` wherever they live, so layouts, memory plans and printers need not
know about them. What the 8 bits mean, a `!int8.quant`, stands on the ops that give or take meaning.
"""

from __future__ import annotations

from typing import ClassVar, Literal, cast

from xdsl.dialects.builtin import (
    IntegerAttr,
    IntegerType,
    TensorType,
    VectorType,
    container_of,
    f32,
    i8,
    i16,
    i32,
)
from xdsl.ir import Attribute, Dialect, Operation, SSAValue
from xdsl.irdl import (
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

from lamina.dialects._int8_types import (
    LikeConstraint,
    QuantType,
    groups_of,
    shape_of,
    with_element,
)


@irdl_op_definition
class QuantizeOp(IRDLOperation):
    """
    q = saturate(round_half_even(x / scale) + zero_point), as ONNX's QuantizeLinear: the division is
    in f32, the rest exact; saturate goes to the nearest number of the storage, which NaN has none
    of: it becomes the smallest (as in ONNX Runtime on x86).

    %q = int8.quantize %x to <u8, 5.000000e-01, 128> : vector<16xf32>
    """

    name = "int8.quantize"

    T: ClassVar = VarConstraint("T", container_of(f32))
    x = operand_def(T)
    to = prop_def(QuantType)
    q = result_def(LikeConstraint(T, f32, i8))

    traits = traits_def(Pure())
    assembly_format = "$x `to` $to attr-dict `:` type($x)"

    def __init__(self, x: SSAValue, to: QuantType) -> None:
        super().__init__(
            operands=[x], properties={"to": to}, result_types=[with_element(x.type, i8)]
        )


@irdl_op_definition
class DequantizeOp(IRDLOperation):
    """
    x = f32(q - zero_point) * scale, as ONNX's DequantizeLinear: the difference is exact, the
    product is rounded once, to f32.

    %x = int8.dequantize %q from <u8, 5.000000e-01, 128> : vector<16xi8>
    """

    name = "int8.dequantize"

    T: ClassVar = VarConstraint("T", container_of(i8))
    q = operand_def(T)
    of = prop_def(QuantType)
    x = result_def(LikeConstraint(T, i8, f32))

    traits = traits_def(Pure())
    assembly_format = "$q `from` $of attr-dict `:` type($q)"

    def __init__(self, q: SSAValue, of: QuantType) -> None:
        super().__init__(
            operands=[q], properties={"of": of}, result_types=[with_element(q.type, f32)]
        )


@irdl_op_definition
class RequantizeOp(IRDLOperation):
    """
    q = saturate(round_half_even(f32(acc) * scale) + zero_point): first acc is rounded to f32 (half
    to even), then the product is, then the rest is exact, as in `int8.quantize`. `scale` is what
    one step of acc is worth in steps of q; for tensors, of any shape that broadcasts to acc's.

    %q = int8.requantize %acc by %scale to <u8, 5.000000e-01, 128> : vector<16xi32>, vector<16xf32>
    """

    name = "int8.requantize"

    T: ClassVar = VarConstraint("T", container_of(i32))
    acc = operand_def(T)
    scale = operand_def(container_of(f32))
    to = prop_def(QuantType)
    q = result_def(LikeConstraint(T, i32, i8))

    traits = traits_def(Pure())
    assembly_format = "$acc `by` $scale `to` $to attr-dict `:` type($acc) `,` type($scale)"

    def __init__(self, acc: SSAValue, scale: SSAValue, to: QuantType) -> None:
        super().__init__(
            operands=[acc, scale],
            properties={"to": to},
            result_types=[with_element(acc.type, i8)],
        )

    def verify_(self) -> None:
        acc, scale = self.acc.type, self.scale.type
        if scale != with_element(acc, f32) and not _broadcasts(scale, acc):
            raise VerifyException(f"int8.requantize: a scale of {scale} does not fit {acc}")


def _broadcasts(scale: Attribute, acc: Attribute) -> bool:
    """Whether `scale` is for a tensor `acc` and NumPy would repeat it to that shape."""
    if not isinstance(acc, TensorType) or isinstance(scale, VectorType):
        return False
    small, large = shape_of(scale), shape_of(cast(Attribute, acc))
    dims = zip(reversed(small), reversed(large), strict=False)
    return len(small) <= len(large) and all(s in (1, n) for s, n in dims)


@irdl_op_definition
class RequantizeFixedOp(IRDLOperation):
    """
    q = saturate(((acc * multiplier + 2**(32 + shift)) >> (33 + shift)) + zero_point), in integers
    alone: acc * multiplier / 2**(33 + shift) rounded once, to the nearest integer, of two equally
    near ones to the larger. Product and sum are exact, as 64 bits hold them; >> rounds towards
    minus infinity. shift is from 0 to 29, else q is undefined; multiplier is any number of 32 bits.

    A real scale M below 1/4 is multiplier = round(M * 2**s) in 2**30..2**31 - 1 with s = 33 + shift.
    An M of 24 bits, as any f32, is that exactly. Below 2**-32 s stays 62 and multiplier is less
    than 2**30: q is the zero point, as it is by rounding to the nearest. Larger scales need a larger
    acc: for M in 2**k / 8..2**k / 4, acc * 2**k and M / 2**k give the same number.

    Beside `int8.requantize` by M the result is a step apart at most: where acc * M is a tie, which
    goes to even there, or so close to one, by 2**-23 of its size, that rounding acc and the product
    to f32 takes it to one or across.

    %q = int8.requantize_fixed %acc by %multiplier shift %shift to <u8, 5.000000e-01, 128> : vector<16xi32>
    """  # noqa: E501

    name = "int8.requantize_fixed"

    T: ClassVar = VarConstraint("T", container_of(i32))
    acc = operand_def(T)
    multiplier = operand_def(T)
    shift = operand_def(T)
    to = prop_def(QuantType)
    q = result_def(LikeConstraint(T, i32, i8))

    traits = traits_def(Pure())
    assembly_format = "$acc `by` $multiplier `shift` $shift `to` $to attr-dict `:` type($acc)"

    def __init__(self, acc: SSAValue, multiplier: SSAValue, shift: SSAValue, to: QuantType) -> None:
        super().__init__(
            operands=[acc, multiplier, shift],
            properties={"to": to},
            result_types=[with_element(acc.type, i8)],
        )


@irdl_op_definition
class Dot4Op(IRDLOperation):
    """
    res = acc + sum over k < 4 of zext(a[.., k]) * sext(b[.., k]), modulo 2**32: unsigned bytes
    times signed bytes, never saturating. `a` and `b` have a group of 4 for each element of `acc`.

    %r = int8.dot4 %acc, %a, %b : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
    """

    name = "int8.dot4"

    T: ClassVar = VarConstraint("T", container_of(i32))
    acc = operand_def(T)
    a = operand_def(container_of(i8))
    b = operand_def(container_of(i8))
    res = result_def(T)

    traits = traits_def(Pure())
    assembly_format = "$acc `,` $a `,` $b attr-dict `:` type($acc) `,` type($a) `,` type($b)"

    def __init__(self, acc: SSAValue, a: SSAValue, b: SSAValue) -> None:
        super().__init__(operands=[acc, a, b], result_types=[acc.type])

    def verify_(self) -> None:
        groups = groups_of(self.acc.type)
        for side in (self.a, self.b):
            if side.type != groups:
                raise VerifyException(
                    f"int8.dot4: {self.acc.type} adds up groups of type {groups}, got {side.type}"
                )


ABS_B, PAIR_B, MOST_B = "lamina.abs_b", "lamina.pair_b", "lamina.most_b"
"""
What is known of the signed side, as `N : i64` on an `int8.dot4` or the `te.compute` that becomes
one: |b| <= N for all numbers; |b[0] + b[1]| <= N and |b[2] + b[3]| <= N in each group of four; both
are <= 128 in N of 100 groups or more.
"""

PAIR = 128
"""
The largest |b[0] + b[1]| with which u[0] * b[0] + u[1] * b[1] fits 16 bits for all unsigned bytes
u: 255 * 128 does, 255 * 129 does not. Of two signs, |b[0] + b[1]| <= 128 always holds, and the sum
of products lies between the two products, each of which fits.
"""

MOST = 98
"""
The `lamina.most_b` that is said, one for all, as kernels of equal text are one. From there on it is
worth to look: where groups are independent, 16 of them side by side all fit in 7 of 10 steps
"""

Fit = Literal["all", "most", "some"]
"""which groups of four have two pairs of products that fit 16 bits, as far as is known"""


def sum_of_two(op: Operation) -> int | None:
    """How large two neighbours of the signed side are together at most, if that is known."""
    found = [(op.attributes.get(ABS_B), 2), (op.attributes.get(PAIR_B), 1)]
    sums = [n * bound.value.data for bound, n in found if isinstance(bound, IntegerAttr)]
    return min(sums, default=None)


def fit_of(op: Operation) -> Fit:
    """In which groups two products, of unsigned bytes up to 255, are known to add up in 16 bits."""
    most = sum_of_two(op)
    if most is not None and most <= PAIR:
        return "all"
    return "most" if MOST_B in op.attributes else "some"


@irdl_op_definition
class MaddubsOp(IRDLOperation):
    """
    res[.., j] = saturate(zext(a[.., 2 * j]) * sext(b[.., 2 * j]) + zext(a[.., 2 * j + 1]) *
    sext(b[.., 2 * j + 1])) for j < 2; saturate goes to the nearest of -32768..32767. It is x86's
    `pmaddubsw`: the exact sum for all `a` just where |b[.., 2 * j] + b[.., 2 * j + 1]| <= 128.

    %r = int8.maddubs %a, %b : vector<16x4xi8> -> vector<16x2xi16>
    """

    name = "int8.maddubs"

    T: ClassVar = VarConstraint("T", VectorType.constr(i8))
    a = operand_def(T)
    b = operand_def(T)
    res = result_def(VectorType)

    traits = traits_def(Pure())
    assembly_format = "$a `,` $b attr-dict `:` type($a) `->` type($res)"

    def __init__(self, a: SSAValue, b: SSAValue) -> None:
        super().__init__(operands=[a, b], result_types=[VectorType(i16, [shape_of(a.type)[0], 2])])

    def verify_(self) -> None:
        _verify_groups(self, self.a.type, 4, i16, 2)


@irdl_op_definition
class Madd16Op(IRDLOperation):
    """
    res = sext(x[.., 0]) * sext(y[.., 0]) + sext(x[.., 1]) * sext(y[.., 1]), modulo 2**32, which
    matters only if all four are -32768. It is x86's `pmaddwd`.

    %r = int8.madd16 %x, %y : vector<16x2xi16> -> vector<16xi32>
    """

    name = "int8.madd16"

    T: ClassVar = VarConstraint("T", VectorType.constr(i16))
    x = operand_def(T)
    y = operand_def(T)
    res = result_def(VectorType)

    traits = traits_def(Pure())
    assembly_format = "$x `,` $y attr-dict `:` type($x) `->` type($res)"

    def __init__(self, x: SSAValue, y: SSAValue) -> None:
        super().__init__(operands=[x, y], result_types=[VectorType(i32, shape_of(x.type)[:1])])

    def verify_(self) -> None:
        _verify_groups(self, self.x.type, 2, i32)


def _verify_groups(
    op: IRDLOperation, of: Attribute, size: int, element: IntegerType, *rest: int
) -> None:
    """Check that lanes have this many elements, and that they become `rest` of type `element`."""
    shape = shape_of(of)
    if len(shape) != 2 or shape[1] != size:
        raise VerifyException(f"{op.name}: needs {size} elements in each lane, got {of}")
    if op.results[0].type != (to := VectorType(element, [shape[0], *rest])):
        raise VerifyException(f"{op.name}: makes {to}, got {op.results[0].type}")


Int8 = Dialect(
    "int8",
    [QuantizeOp, DequantizeOp, RequantizeOp, RequantizeFixedOp, Dot4Op, MaddubsOp, Madd16Op],
    [QuantType],
)
