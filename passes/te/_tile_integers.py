"""Integers that a register tile reads to know where to read on: as an index, or one a lane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xdsl.builder import Builder
from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, i32, i64
from xdsl.ir import Operation, SSAValue

from lamina.dialects import vector as vec
from lamina.dialects.expr import Div, Expr
from lamina.dialects.te import Axis, ComputeOp
from lamina.passes.te._integers import part_with, sources
from lamina.passes.te._tile_constants import Constants
from lamina.passes.te._tile_legality import I32_RANGE, memory_strides


class Integers:
    """The names of one op's integers, and arithmetic on their values."""

    def __init__(self, op: ComputeOp, vector: Axis | None, constants: Constants) -> None:
        self.constants, self.binders, self.ranges = constants, op.binders, op.ranges
        self.vector = vector.name if vector else ""
        decided = sources(op)
        reduced = {a.name for a in op.axes.data if a.reduce}
        self.in_lanes = {n for n, by in decided.items() if self.vector in by}
        """names with a value of their own in every lane"""
        self.steady = [n for n, by in decided.items() if not by & reduced]
        """names that the whole reduction has one value of"""

    def without_lanes(self, index: Sequence[Expr]) -> tuple[Expr, ...]:
        """The part of an index that all lanes have in common."""
        return tuple(e - part_with(e, self.in_lanes) for e in index)

    def offset(self, index: Sequence[Expr], ref: SSAValue) -> Expr:
        """By how many elements a lane is behind that, by the integers of its own."""
        total = Expr()
        for e, stride in zip(index, memory_strides(ref) or (), strict=True):
            total = total + part_with(e, self.in_lanes) * stride
        return total

    def as_index(self, builder: Builder, value: SSAValue, name: str) -> SSAValue:
        """An integer that was read as an index, extended as unsigned: then nobody takes it for
        a negative one."""
        if self.ranges[name] <= I32_RANGE:
            if value.type == i64:
                value = builder.insert(arith.TruncIOp(value, i32)).result
            value = builder.insert(arith.ExtUIOp(value, i64)).result
        index = builder.insert(arith.IndexCastOp(value, IndexType())).result
        index.name_hint = name
        return index

    def as_lanes(self, builder: Builder, value: SSAValue, width: int) -> SSAValue:
        """A vector of integers that were read as one of i32."""
        lanes = self.constants.lanes(i32, width)
        if value.type == lanes:
            return value
        return builder.insert(vec.ConvertOp(value, lanes)).res

    def evaluate(
        self, builder: Builder, e: Expr, env: Mapping[str, SSAValue], width: int
    ) -> SSAValue:
        """An expression over names in `env`, in every lane."""

        def apply(op: type[Operation], x: SSAValue, number: int) -> SSAValue:
            other = self.constants.splat(number, i32, width)
            return builder.insert(op.create(operands=[x, other], result_types=[x.type])).results[0]

        total: SSAValue | None = None
        for atom, c in e.terms:
            if isinstance(atom, Div):
                value = self._quotient(builder, atom, env, width)
            else:
                value = env[atom]
            value = apply(arith.MuliOp, value, c) if c != 1 else value
            total = value if total is None else builder.insert(arith.AddiOp(total, value)).result
        assert total is not None, "an expression over lanes has names"
        return apply(arith.AddiOp, total, e.const) if e.const else total

    def _quotient(
        self, builder: Builder, d: Div, env: Mapping[str, SSAValue], width: int
    ) -> SSAValue:
        """Unsigned division, of what is moved up by whole multiples if it may be negative."""
        limits = d.of.bounds(self.ranges)
        assert limits is not None, "every integer that is read has an extent"
        moved = max(0, -(limits[0] // d.by))
        x = self.evaluate(builder, d.of + moved * d.by, env, width)
        by = self.constants.splat(d.by, i32, width)
        if d.kind == "mod":
            return builder.insert(arith.RemUIOp(x, by)).result
        x = builder.insert(arith.DivUIOp(x, by)).result
        if not moved:
            return x
        return builder.insert(arith.SubiOp(x, self.constants.splat(moved, i32, width))).result
