"""The operations of the `te` dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, TypedDict, Unpack, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    MemRefType,
    StringAttr,
    VectorType,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    lazy_traits_def,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import (
    EffectInstance,
    HasParent,
    IsolatedFromAbove,
    IsTerminator,
    MemoryEffect,
    MemoryEffectKind,
    Pure,
)
from xdsl.utils.exceptions import VerifyException

from lamina.dialects.expr import Expr
from lamina.dialects.te._check import (
    check_accesses,
    check_axes,
    check_binders,
    check_names,
    check_regions,
)
from lamina.dialects.te._domain import count_points
from lamina.dialects.te._syntax import parse_compute, print_compute
from lamina.dialects.te.attributes import (
    AccessAttr,
    AxesAttr,
    Axis,
    Bound,
    BoundsAttr,
    ScheduleAttr,
)

_WORK = (
    {"math.fma": 2, "int8.dot4": 8, "arith.constant": 0, "te.yield": 0, "vec.convert": 0}
    | {
        f"arith.{cast}": 0
        for cast in (
            "extui",
            "extsi",
            "trunci",
            "extf",
            "truncf",
            "sitofp",
            "uitofp",
            "fptosi",
            "fptoui",
        )
    }
    | {"arith.bitcast": 0, "arith.index_cast": 0}
)
"""Arithmetic operations per scalar op, where it is not one."""


def memref_type(value: SSAValue) -> MemRefType[Attribute]:
    """The type of `value`, which its op's definition already requires to be a memref."""
    type = value.type
    assert isinstance(type, MemRefType), value
    return cast(MemRefType[Attribute], type)


def identity(type: Attribute) -> Region:
    """The epilogue that stores the accumulator as it is."""
    block = Block(arg_types=[type])
    block.args[0].name_hint = "v"
    block.add_op(YieldOp(block.args[0]))
    return Region(block)


@irdl_op_definition
class YieldOp(IRDLOperation):
    """
    The value of a body or epilogue.

    te.yield %s : f32
    """

    name = "te.yield"

    value = operand_def()

    traits = lazy_traits_def(lambda: (IsTerminator(), Pure(), HasParent(ComputeOp)))
    assembly_format = "$value attr-dict `:` type($value)"

    def __init__(self, value: SSAValue):
        super().__init__(operands=[value])


@irdl_op_definition
class ConstantOp(IRDLOperation):
    """
    A small read-only table, which unrolled code folds into its arithmetic: a product with a zero of
    it is no term of a sum, even if the other factor is infinite or NaN.

    %t = te.constant dense<[1.0, -1.0]> : tensor<2xf32> -> memref<2xf32>
    """

    name = "te.constant"

    value = prop_def(DenseIntOrFPElementsAttr)
    res = result_def(MemRefType)

    traits = traits_def(Pure())
    assembly_format = "$value attr-dict `->` type($res)"

    def __init__(self, value: DenseIntOrFPElementsAttr, type: MemRefType[Attribute] | None = None):
        shape, element = value.get_shape(), value.get_element_type()
        res = MemRefType(element, shape) if type is None else type
        super().__init__(properties={"value": value}, result_types=[res])

    def verify_(self) -> None:
        type = memref_type(self.res)
        same = type.element_type == self.value.get_element_type()
        if not same or type.get_shape() != self.value.get_shape():
            raise VerifyException(f"a table of {self.value.type} cannot be a {type}")


class _ComputeEffects(MemoryEffect):
    """Reads the inputs and extras, writes the output: never merged, never deleted."""

    @classmethod
    def get_effects(cls, op: Operation) -> AbstractSet[EffectInstance]:
        assert isinstance(op, ComputeOp)
        read = {EffectInstance(MemoryEffectKind.READ, v) for v in (*op.inputs, *op.extras)}
        return read | {EffectInstance(MemoryEffectKind.WRITE, op.out)}


class _Arguments(TypedDict, total=False):
    """The constructor arguments of ComputeOp."""

    axes: Sequence[Axis]
    accesses: Sequence[AccessAttr]
    init: FloatAttr | IntegerAttr
    inputs: Sequence[SSAValue]
    extras: Sequence[SSAValue]
    out: SSAValue
    body: Region
    epilogue: Region | None
    outer: Sequence[str]
    indices: Sequence[SSAValue]
    schedule: ScheduleAttr | None
    bounds: Sequence[Bound]


@irdl_op_definition
class ComputeOp(IRDLOperation):
    """
    For every point of the spatial axes: acc = init; for every point of the reduce axes:
    acc = body(inputs, acc); out = epilogue(acc, extras).

    Names in an access that are no axes are indices of loops outside, bound by `at`, or integers
    that an earlier input reads: `%rows[oh] as ih: 56` promises 0 <= ih < 56 for the accesses of the
    inputs after it. Points outside a `where` bound are not computed. Without an epilogue the
    accumulator itself is stored. The op reads an element of `inputs` as a scalar, or as a vector of
    neighbours (groups of 4 bytes). Elements of f16 may be read as f32, which is exact, and be what
    an f32 is rounded to when it is stored: to the nearest, ties to even.

    te.compute at(b = %i)
      axes(oc: 64, ow: 56 unroll, reduce ic: 64) where ow + b * 64 < 100
      ins(%x[ic floordiv 16, ow + b * 64 - 1, ic mod 16] pad 0.0, %w[ic, oc])
      extras(%bias[oc])
      out(%y[oc, ow + b * 64])
      init 0.0 : f32
      schedule [vector oc]
      : memref<4x100x16xf32>, memref<64x64xf32>, memref<64xf32>, memref<64x100xf32>
      (%a: f32, %b: f32, %acc: f32) {
        %s = math.fma %a, %b, %acc : f32
        te.yield %s : f32
      } epilogue (%v: f32, %c: f32) {
        %r = arith.addf %v, %c : f32
        te.yield %r : f32
      }
    """

    name = "te.compute"

    indices = var_operand_def(IndexType)
    inputs = var_operand_def(MemRefType)
    extras = var_operand_def(MemRefType)
    out = operand_def(MemRefType)
    axes = prop_def(AxesAttr)
    bounds = prop_def(BoundsAttr)
    outer: ArrayAttr[StringAttr] = prop_def(ArrayAttr[StringAttr])
    """the names of `indices`"""
    accesses: ArrayAttr[AccessAttr] = prop_def(ArrayAttr[AccessAttr])
    """of the inputs, the extras and the output, in this order"""
    init = prop_def(FloatAttr | IntegerAttr)
    schedule = opt_prop_def(ScheduleAttr)
    body = region_def("single_block")
    epilogue = region_def("single_block")

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(IsolatedFromAbove(), _ComputeEffects())

    def __init__(
        self,
        axes: Sequence[Axis],
        accesses: Sequence[AccessAttr],
        init: FloatAttr | IntegerAttr,
        inputs: Sequence[SSAValue],
        extras: Sequence[SSAValue],
        out: SSAValue,
        body: Region,
        epilogue: Region | None = None,
        outer: Sequence[str] = (),
        indices: Sequence[SSAValue] = (),
        schedule: ScheduleAttr | None = None,
        bounds: Sequence[Bound] = (),
    ):
        super().__init__(
            operands=[indices, inputs, extras, out],
            properties={
                "axes": AxesAttr(tuple(axes)),
                "accesses": ArrayAttr(accesses),
                "init": init,
                "bounds": BoundsAttr(tuple(bounds)),
                "outer": ArrayAttr([StringAttr(n) for n in outer]),
                "schedule": schedule,
            },
            regions=[body, identity(init.type) if epilogue is None else epilogue],
        )

    @property
    def extents(self) -> dict[str, int]:
        """Extent of every axis."""
        return {a.name: a.extent for a in self.axes.data}

    @property
    def ranges(self) -> dict[str, int]:
        """Extent of every name in an access that has one: of the axes, and of integers read."""
        return self.extents | dict(a.binds for a in self.accesses.data if a.binds)

    @property
    def binders(self) -> dict[str, int]:
        """The names of integers that are read, and the number of the input that each is from."""
        return {a.binds[0]: k for k, a in enumerate(self.accesses.data) if a.binds}

    def axis(self, name: str) -> Axis:
        """The axis of this name; KeyError if there is none."""
        for a in self.axes.data:
            if a.name == name:
                return a
        raise KeyError(name)

    @property
    def operands_in_order(self) -> tuple[SSAValue, ...]:
        """The buffers in the order of `accesses`: inputs, extras, output."""
        return tuple(self.operands[len(self.outer.data) :])

    def shape(self, k: int) -> tuple[int, ...]:
        """The shape of the buffer of access `k`."""
        return memref_type(self.operands_in_order[k]).get_shape()

    def element_type(self, k: int) -> Attribute:
        """The element type of the buffer of access `k`."""
        return memref_type(self.operands_in_order[k]).element_type

    def group_size(self, k: int) -> int:
        """How many neighbours access `k` reads at once: 1, or 4 for vector<4xi8>."""
        n, accesses = len(self.inputs), len(self.accesses.data)
        if k == accesses - 1:
            return 1
        block, i = (self.body.block, k) if k < n else (self.epilogue.block, k - n + 1)
        type = block.arg_types[i] if i < len(block.args) else None
        return (
            cast(VectorType[Attribute], type).get_shape()[0] if isinstance(type, VectorType) else 1
        )

    @property
    def has_identity_epilogue(self) -> bool:
        """Whether the accumulator is stored as it is."""
        block = self.epilogue.block
        end = block.first_op
        return (
            isinstance(end, YieldOp)
            and len(block.args) == 1
            and end.value is block.args[0]
            and not end.attributes
        )

    def points(self) -> int:
        """How many points the axes and bounds have; bounds on outer loops are taken as held."""
        return count_points(self.extents, self.bounds.data)

    def work(self) -> int:
        """
        Scalar arithmetic operations of the whole op: the body at every point, the epilogue at every
        spatial point. An fma counts as 2, a dot4 as 8; constants and conversions are free.
        """
        spatial = {a.name: a.extent for a in self.axes.data if not a.reduce}
        bounds = [(e, n) for e, n in self.bounds.data if e.names() <= spatial.keys()]
        body = sum(_WORK.get(o.name, 1) for o in self.body.block.ops)
        epilogue = sum(_WORK.get(o.name, 1) for o in self.epilogue.block.ops)
        return body * self.points() + epilogue * count_points(spatial, bounds)

    def rewrite(self, f: Callable[[Expr], Expr]) -> None:
        """Replace every index expression `e` by `f(e)`."""
        self.accesses = ArrayAttr([a.map(f) for a in self.accesses.data])
        if self.bounds.data:
            self.bounds = BoundsAttr(tuple((f(e), n) for e, n in self.bounds.data))

    def substitute(self, env: Mapping[str, Expr]) -> None:
        """Replace names in every index expression, all at once."""
        self.rewrite(lambda e: e.substitute(env))

    def replaced(self, **new: Unpack[_Arguments]) -> ComputeOp:
        """A copy that differs in these constructor arguments; discardable attributes stay."""
        args: dict[str, Any] = {
            "axes": self.axes.data,
            "accesses": self.accesses.data,
            "init": self.init,
            "inputs": self.inputs,
            "extras": self.extras,
            "out": self.out,
            "outer": [n.data for n in self.outer.data],
            "indices": self.indices,
            "schedule": self.schedule,
            "bounds": self.bounds.data,
        }
        for region in ("body", "epilogue"):
            if region not in new:
                args[region] = getattr(self, region).clone()
        args.update(new)
        op = ComputeOp(**args)
        op.attributes = dict(self.attributes)
        return op

    def verify_(self) -> None:
        if len(self.outer.data) != len(self.indices):
            raise VerifyException(f"{len(self.outer.data)} names for {len(self.indices)} indices")
        if len(self.accesses.data) != len(self.operands_in_order):
            raise VerifyException(
                f"{len(self.accesses.data)} accesses for {len(self.operands_in_order)} buffers"
            )
        check_axes(self.axes.data, [*(n.data for n in self.outer.data), *self.binders])
        check_binders(self)
        check_names(self)
        check_accesses(self)
        check_regions(self)

    def print(self, printer: Printer) -> None:
        """Print what follows the name of the op."""
        print_compute(self, printer)

    @classmethod
    def parse(cls, parser: Parser) -> ComputeOp:
        """Parse what follows the name of the op."""
        return parse_compute(cls, parser)
