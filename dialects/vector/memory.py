"""The ops of vec that read and write buffers."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import cast

from xdsl.dialects.builtin import IndexType, IntAttr, MemRefType, VectorType, i32, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from lamina.dialects.elements import loaded_as
from lamina.dialects.expr import Expr
from lamina.dialects.index import IndexAttr, IndexedBy
from lamina.dialects.vector.types import Number, element_of, shape_of


class MemoryOp(IRDLOperation):
    """
    An op on the elements of `ref` from `ref[index]` on, in the order of memory.

    The index is an expression over the operands `indices`, which it names by position. Lanes are of
    the type of the elements; those of a buffer of f16 may also be f32, for arithmetic that is more
    exact than what is stored: see `elements.loaded_as`.
    """

    ref = operand_def(MemRefType)
    indices = var_operand_def(IndexType)
    index = prop_def(IndexAttr)

    custom_directives = (IndexedBy, Number)

    @property
    def memref(self) -> MemRefType:
        """The type of the buffer."""
        return cast(MemRefType, self.ref.type)

    @property
    def strides(self) -> Sequence[int]:
        """The buffer's strides in elements; only ops that verify have them."""
        return cast(Sequence[int], self.memref.get_strides())

    @property
    def offset(self) -> Expr:
        """The index in elements from the start of the buffer."""
        total = Expr()
        for e, s in zip(self.index.data, self.strides, strict=True):
            total = total + e * s
        return total

    def verify_index(self) -> None:
        """Check that the index has an expression a dimension, over operands that are there."""
        ref, dims = self.memref, self.index.data
        if len(dims) != ref.get_num_dims():
            raise VerifyException(
                f"{self.name}: {ref} needs {ref.get_num_dims()} indices, got {len(dims)}"
            )
        strides = ref.get_strides()
        if min(ref.get_shape(), default=1) < 0 or strides is None or None in strides:
            raise VerifyException(f"{self.name}: needs a buffer with known strides, got {ref}")
        for e in dims:
            if bad := {name for name in e.names() if not int(name) < len(self.indices)}:
                raise VerifyException(
                    f"{self.name}: index names operand d{min(bad)}, but there are "
                    f"{len(self.indices)} index operands"
                )

    def verify_at(self, type: Attribute, consecutive: int) -> None:
        """Check the index, and that `consecutive` elements of a value of `type` can be there."""
        self.verify_index()
        self.verify_elements(type, consecutive)
        ref, dims = self.memref, self.index.data
        for d, (e, n) in enumerate(zip(dims, ref.get_shape(), strict=True)):
            if not e.terms and not 0 <= e.const < n:
                raise VerifyException(
                    f"{self.name}: index {e.const} of dimension {d} is outside {ref}"
                )

    def verify_elements(self, type: Attribute, consecutive: int) -> None:
        """Check that the buffer holds what a value of `type` has, that many side by side."""
        ref, strides = self.memref, self.memref.get_strides()
        if element_of(type) not in loaded_as(ref.element_type):
            raise VerifyException(f"{self.name}: {ref} holds no elements of {type}")
        if consecutive > 1 and strides and strides[-1] != 1:
            raise VerifyException(
                f"{self.name}: {consecutive} consecutive elements need a last stride of 1, "
                f"got {ref}"
            )

    def verify_end(self, elements: int) -> None:
        """Check that the last of `elements` is inside the buffer, where the index is a number."""
        if any(e.terms for e in self.index.data):
            return
        start, sizes = self.offset.const, zip(self.memref.get_shape(), self.strides, strict=True)
        if start + elements > 1 + sum((n - 1) * s for n, s in sizes):
            raise VerifyException(
                f"{self.name}: elements {start} to {start + elements - 1} are not all "
                f"inside {self.memref}"
            )


class LoadLikeOp(MemoryOp):
    """A memory op that reads `res`."""

    res = result_def()

    # not Pure: a fused kernel reads what it wrote before
    traits = traits_def(MemoryReadEffect())
    assembly_format = (
        "$ref custom<IndexedBy>($indices, $index) attr-dict `:` type($ref) `->` type($res)"
    )

    def __init__(
        self, ref: SSAValue, index: IndexAttr, indices: Sequence[SSAValue], type: Attribute
    ) -> None:
        super().__init__(operands=[ref, indices], properties={"index": index}, result_types=[type])


@irdl_op_definition
class LoadOp(LoadLikeOp):
    """
    Load consecutive elements, as many as the result has.

    %r = vec.load %w[%k, 16] : memref<8x32xf32> -> vector<16xf32>
    """

    name = "vec.load"

    def verify_(self) -> None:
        n = prod(shape_of(self.res.type))
        self.verify_at(self.res.type, n)
        self.verify_end(n)


@irdl_op_definition
class LoadRunOp(MemoryOp):
    """
    Load vectors that lie one behind the other: result k begins k vectors behind the index.

    %a, %b = vec.load_run %w[%k, 0] : memref<8x32xf32> -> vector<16xf32>, vector<16xf32>
    """

    name = "vec.load_run"

    res = var_result_def(VectorType)

    traits = traits_def(MemoryReadEffect())
    assembly_format = (
        "$ref custom<IndexedBy>($indices, $index) attr-dict `:` type($ref) `->` type($res)"
    )

    def __init__(
        self,
        ref: SSAValue,
        index: IndexAttr,
        indices: Sequence[SSAValue],
        types: Sequence[Attribute],
    ) -> None:
        super().__init__(operands=[ref, indices], properties={"index": index}, result_types=[types])

    def verify_(self) -> None:
        types = [r.type for r in self.res]
        if not types or any(t != types[0] for t in types):
            raise VerifyException(
                f"vec.load_run: needs one or more vectors of one type, got {len(types)} of "
                f"{len(set(types))} types"
            )
        n = len(types) * prod(shape_of(types[0]))
        self.verify_at(types[0], n)
        self.verify_end(n)


@irdl_op_definition
class LoadSplatOp(LoadLikeOp):
    """
    Load one element, or one group of consecutive ones, and copy it to every lane.

    %r = vec.load_splat %x[%k * 4] : memref<32xi8> -> vector<16x4xi8>
    """

    name = "vec.load_splat"

    def verify_(self) -> None:
        if not (shape := shape_of(self.res.type)):
            raise VerifyException(f"vec.load_splat: needs a vector result, got {self.res.type}")
        self.verify_at(self.res.type, prod(shape[1:]))
        self.verify_end(prod(shape[1:]))


@irdl_op_definition
class LoadStridedOp(MemoryOp):
    """
    Load lane k from `stride * k` elements behind the index: one element, or a group of consecutive
    ones. The stride counts elements of memory, whatever the buffer's shape.

    %r = vec.load_strided %x[%i, 0] stride 9 : memref<64x9xf32> -> vector<16xf32>
    """

    name = "vec.load_strided"

    stride = prop_def(IntAttr)
    res = result_def(VectorType)

    traits = traits_def(MemoryReadEffect())
    assembly_format = (
        "$ref custom<IndexedBy>($indices, $index) `stride` custom<Number>($stride) attr-dict"
        " `:` type($ref) `->` type($res)"
    )

    def __init__(
        self,
        ref: SSAValue,
        index: IndexAttr,
        indices: Sequence[SSAValue],
        type: Attribute,
        stride: int,
    ) -> None:
        super().__init__(
            operands=[ref, indices],
            properties={"index": index, "stride": IntAttr(stride)},
            result_types=[type],
        )

    def verify_(self) -> None:
        _verify_strided(self, self.res.type, self.stride.data)


@irdl_op_definition
class GatherOp(MemoryOp):
    """
    Load lane k from `lanes[k]` elements behind the index: one element, or a group of consecutive
    ones. Elements are counted in the order of memory, whatever the buffer's shape, and from an
    index that may lie outside of it; what is read must be inside.

    %r = vec.gather %x[%c, 0] at %lanes : memref<8x64xf32>, vector<16xi32> -> vector<16xf32>
    """

    name = "vec.gather"

    lanes = operand_def(VectorType)
    ref = operand_def(MemRefType)
    indices = var_operand_def(IndexType)
    res = result_def(VectorType)

    traits = traits_def(MemoryReadEffect())
    assembly_format = (
        "$ref custom<IndexedBy>($indices, $index) `at` $lanes attr-dict"
        " `:` type($ref) `,` type($lanes) `->` type($res)"
    )

    def __init__(
        self,
        ref: SSAValue,
        index: IndexAttr,
        indices: Sequence[SSAValue],
        lanes: SSAValue,
        type: Attribute,
    ) -> None:
        super().__init__(
            operands=[lanes, ref, indices], properties={"index": index}, result_types=[type]
        )

    def verify_(self) -> None:
        self.verify_index()
        lanes, res = self.lanes.type, self.res.type
        if element_of(lanes) not in (i32, i64) or shape_of(lanes) != shape_of(res)[:1]:
            raise VerifyException(
                f"vec.gather: needs {shape_of(res)[0]} lanes of i32 or i64 for {res}, got {lanes}"
            )
        self.verify_elements(res, prod(shape_of(res)[1:]))


@irdl_op_definition
class StoreOp(MemoryOp):
    """
    Store consecutive elements, as many as the value has.

    vec.store %v, %y[%oh + 1, 0] : vector<16xf32>, memref<8x16xf32>
    """

    name = "vec.store"

    value = operand_def()
    ref = operand_def(MemRefType)
    indices = var_operand_def(IndexType)

    traits = traits_def(MemoryWriteEffect())
    assembly_format = (
        "$value `,` $ref custom<IndexedBy>($indices, $index) attr-dict"
        " `:` type($value) `,` type($ref)"
    )

    def __init__(
        self, value: SSAValue, ref: SSAValue, index: IndexAttr, indices: Sequence[SSAValue]
    ) -> None:
        super().__init__(operands=[value, ref, indices], properties={"index": index})

    def verify_(self) -> None:
        n = prod(shape_of(self.value.type))
        self.verify_at(self.value.type, n)
        self.verify_end(n)


@irdl_op_definition
class StoreStridedOp(MemoryOp):
    """
    Store lane k to `stride * k` elements behind the index, in the order of the lanes: the mirror of
    `vec.load_strided`.

    vec.store_strided %v, %y[%i, 0] stride 9 : vector<16xf32>, memref<64x9xf32>
    """

    name = "vec.store_strided"

    value = operand_def(VectorType)
    ref = operand_def(MemRefType)
    indices = var_operand_def(IndexType)
    stride = prop_def(IntAttr)

    traits = traits_def(MemoryWriteEffect())
    assembly_format = (
        "$value `,` $ref custom<IndexedBy>($indices, $index) `stride` custom<Number>($stride)"
        " attr-dict `:` type($value) `,` type($ref)"
    )

    def __init__(
        self,
        value: SSAValue,
        ref: SSAValue,
        index: IndexAttr,
        indices: Sequence[SSAValue],
        stride: int,
    ) -> None:
        super().__init__(
            operands=[value, ref, indices],
            properties={"index": index, "stride": IntAttr(stride)},
        )

    def verify_(self) -> None:
        _verify_strided(self, self.value.type, self.stride.data)


def _verify_strided(op: MemoryOp, type: Attribute, stride: int) -> None:
    lanes, *group = shape_of(type)
    if stride < 1:
        raise VerifyException(f"{op.name}: needs a stride of at least 1, got {stride}")
    op.verify_at(type, prod(group))
    op.verify_end((lanes - 1) * stride + prod(group))


@irdl_op_definition
class PrefetchOp(MemoryOp):
    """
    Ask for the cache line of an element that will be read soon; it may lie outside the buffer.

    vec.prefetch %x[%k + 1, 0] : memref<8x16xf32>
    """

    name = "vec.prefetch"

    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())  # keeps its place, is no dead code
    assembly_format = "$ref custom<IndexedBy>($indices, $index) attr-dict `:` type($ref)"

    def __init__(self, ref: SSAValue, index: IndexAttr, indices: Sequence[SSAValue]) -> None:
        super().__init__(operands=[ref, indices], properties={"index": index})

    def verify_(self) -> None:
        self.verify_index()
