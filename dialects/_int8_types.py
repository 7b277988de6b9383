"""What 8 bits mean, and types made of other types: what the ops of the int8 dialect are about."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from math import isfinite
from typing import cast

from typing_extensions import TypeVar
from xdsl.dialects.builtin import (
    AnyFloat,
    Float32Type,
    FloatAttr,
    IntAttr,
    IntegerType,
    StringAttr,
    TensorType,
    VectorType,
    f32,
    i8,
)
from xdsl.ir import Attribute, ParametrizedAttribute, TypeAttribute
from xdsl.irdl import (
    AttrConstraint,
    InferenceContext,
    IntConstraint,
    VerificationContext,
    irdl_attr_definition,
    param_def,
)
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

Scalar = IntegerType | AnyFloat
RANGES = {"u8": (0, 255), "s8": (-128, 127)}
"""the smallest and the largest number in each storage"""


@irdl_attr_definition
class QuantType(ParametrizedAttribute, TypeAttribute):
    """
    8 bits q that mean the real number (q - zero_point) * scale; q is unsigned (u8) or signed (s8).

    !int8.quant<u8, 5.000000e-01, 128>
    """

    name = "int8.quant"

    storage: StringAttr = param_def(converter=StringAttr.get)
    scale: FloatAttr[Float32Type] = param_def(converter=lambda x: FloatAttr(float(x), f32))
    zero_point: IntAttr = param_def(converter=IntAttr.get)

    @property
    def range(self) -> tuple[int, int]:
        """The smallest and the largest q."""
        return RANGES[self.storage.data]

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> list[Attribute]:
        with parser.in_angle_brackets():
            pos, storage = parser.pos, parser.parse_identifier()
            if storage not in RANGES:
                parser.raise_error(f"expected u8 or s8, got '{storage}'", pos)
            parser.parse_punctuation(",")
            scale = parser.parse_float()
            parser.parse_punctuation(",")
            zero_point = parser.parse_integer()
        return [StringAttr(storage), FloatAttr(scale, f32), IntAttr(zero_point)]

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(f"{self.storage.data}, ")
            printer.print_float(self.scale.value.data, f32)
            printer.print_string(f", {self.zero_point.data}")

    def verify(self) -> None:
        if self.storage.data not in RANGES:
            raise VerifyException(f"storage must be u8 or s8, got {self.storage.data}")
        scale, (low, high) = self.scale.value.data, self.range
        if not (isfinite(scale) and scale > 0):
            raise VerifyException(f"scale must be positive and finite, got {scale}")
        if not low <= self.zero_point.data <= high:
            raise VerifyException(
                f"the zero point of {self.storage.data} must be in {low}..{high}, "
                f"got {self.zero_point.data}"
            )


def shape_of(type: Attribute) -> tuple[int, ...]:
    """The dimensions of a vector or tensor; a scalar has none."""
    return cast(VectorType, type).get_shape() if isinstance(type, VectorType | TensorType) else ()


def with_element(type: Attribute, element: Attribute) -> Attribute:
    """A scalar, vector or tensor like `type`, of other elements."""
    match type:
        case VectorType():
            return VectorType(element, type.shape, type.scalable_dims)
        case TensorType():
            return TensorType(element, type.shape, type.encoding)
        case _:
            return element


def groups_of(type: Attribute) -> Attribute:
    """Four i8 for every element of `type`; one group by itself is a vector."""
    match type:
        case VectorType() | TensorType():
            return type.__class__(i8, [*type.get_shape(), 4])
        case _:
            return VectorType(i8, [4])


@dataclass(frozen=True)
class LikeConstraint(AttrConstraint[Attribute]):
    """`like`, a scalar, vector or tensor of `base`, with its elements replaced by `element`."""

    like: AttrConstraint[Attribute]
    base: Attribute
    element: Attribute

    def verify(self, attr: Attribute, constraint_context: VerificationContext) -> None:
        if attr != with_element(attr, self.element):
            raise VerifyException(f"expected elements of {self.element}, got {attr}")
        self.like.verify(with_element(attr, self.base), constraint_context)

    def can_infer(self, var_constraint_names: AbstractSet[str]) -> bool:
        return self.like.can_infer(var_constraint_names)

    def infer(self, context: InferenceContext) -> Attribute:
        return with_element(self.like.infer(context), self.element)

    def mapping_type_vars(
        self, type_var_mapping: Mapping[TypeVar, AttrConstraint | IntConstraint]
    ) -> LikeConstraint:
        like = self.like.mapping_type_vars(type_var_mapping)
        return LikeConstraint(like, self.base, self.element)
