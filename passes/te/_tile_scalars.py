"""The scalar body or epilogue of a te op, carried out on all lanes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xdsl.builder import Builder
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import FloatAttr, IntegerAttr
from xdsl.ir import Block, Operation, SSAValue

from lamina.dialects import vector as vec
from lamina.dialects.te import YieldOp
from lamina.passes.te._tile_constants import Constants

# arith's casts take no vectors in xDSL; the value says whether the integer is unsigned
CASTS: dict[type[Operation], bool] = {
    arith.ExtSIOp: False,
    arith.ExtUIOp: True,
    arith.TruncIOp: False,
    arith.SIToFPOp: False,
    arith.UIToFPOp: True,
    arith.FPToSIOp: False,
    arith.FPToUIOp: True,
    arith.ExtFOp: False,
    arith.TruncFOp: False,
}


def _choice(
    op: arith.CmpfOp | arith.CmpiOp | arith.SelectOp, operands: Sequence[SSAValue]
) -> Operation:
    """What compares or selects lanes: arith's ops take no vectors in xDSL either."""
    if isinstance(op, arith.SelectOp):
        return vec.SelectOp(*operands)
    floats = isinstance(op, arith.CmpfOp)
    known = vec.FLOAT_PREDICATES if floats else vec.INTEGER_PREDICATES
    return vec.CompareOp(known[op.predicate.value.data], *operands)


class ScalarRegion:
    """A block of scalar ops that can be copied for the lanes of a point, any number of times."""

    def __init__(self, block: Block, constants: Constants) -> None:
        self.block, self.constants = block, constants
        self.ops = list(block.ops)
        self.terms: dict[SSAValue, arith.MulfOp] = {
            op.result: op
            for op in self.ops
            if isinstance(op, arith.MulfOp)
            and isinstance(op.result.get_user_of_unique_use(), arith.AddfOp)
        }
        """products that are only added to something, as fma would"""

    def inline(self, builder: Builder, args: Sequence[SSAValue | None], width: int) -> SSAValue:
        """Copy the block onto these arguments (None: not used) and return what it yields."""
        values: dict[SSAValue, SSAValue] = {
            p: a for p, a in zip(self.block.args, args, strict=True) if a is not None
        }
        for op in self.ops:
            if isinstance(op, YieldOp):
                return values[op.value]
            if isinstance(op, arith.ConstantOp):
                values[op.result] = self._constant(op, width)
                continue
            if op.results[0] in self.terms and self._factor(values, op.operands) in (0, 1, -1):
                continue  # no product: where it is added
            if (known := self._fold(builder, op, values)) is not None:
                values[op.results[0]] = known
                continue
            operands = [values[v] for v in op.operands]
            new = builder.insert(self._copy(op, operands, width))
            values.update(zip(op.results, new.results, strict=True))
        raise AssertionError("a te block ends in te.yield")

    def _constant(self, op: arith.ConstantOp, width: int) -> SSAValue:
        value = op.value
        assert isinstance(value, FloatAttr | IntegerAttr), f"a body holds scalars, got {value}"
        return self.constants.splat(value.value.data, op.result.type, width)

    def _copy(self, op: Operation, operands: Sequence[SSAValue], width: int) -> Operation:
        types = [self.constants.lanes(r.type, width) for r in op.results]
        if self.constants.vector:
            if (unsigned := CASTS.get(type(op))) is not None:
                return vec.ConvertOp(operands[0], types[0], unsigned=unsigned)
            if isinstance(op, arith.CmpfOp | arith.CmpiOp | arith.SelectOp):
                return _choice(op, operands)
        return type(op).create(
            operands=operands,
            properties=op.properties,
            attributes=op.attributes,
            result_types=types,
        )

    def _factor(
        self, values: Mapping[SSAValue, SSAValue], operands: Sequence[SSAValue]
    ) -> float | None:
        """The entry of a table that one of two factors is, if it is one."""
        tables = self.constants.tables
        return next((tables[values[v]] for v in operands if values[v] in tables), None)

    def _fold(
        self, builder: Builder, op: Operation, values: Mapping[SSAValue, SSAValue]
    ) -> SSAValue | None:
        """a * t + c, in one op or two, for an entry t of a table, if it needs no product"""
        if isinstance(op, math.FmaOp):
            return self._add(builder, op.operands[:2], values[op.operands[2]], values)
        if isinstance(op, arith.AddfOp):
            for product, c in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
                if product not in self.terms:
                    continue
                if product not in values:
                    factors = self.terms[product].operands
                    return self._add(builder, factors, values[c], values)
                if self.constants.is_zero(values[c]):
                    return values[product]
        return None

    def _add(
        self,
        builder: Builder,
        factors: Sequence[SSAValue],
        c: SSAValue,
        values: Mapping[SSAValue, SSAValue],
    ) -> SSAValue | None:
        """
        a * t + c for an entry t of a table: t = 0 leaves c, 1 and -1 need no product, and a sum of
        nothing yet and `a` is `a` (if that is -0, so is the sum).

        A table's zero says that a term is not there, so it does not turn an infinite `a` into NaN.
        """
        a, b = (values[v] for v in factors)
        if b not in self.constants.tables:
            a, b = b, a
        match self.constants.tables.get(b):
            case 0:
                return c
            case 1:
                return a if self.constants.is_zero(c) else builder.insert(arith.AddfOp(a, c)).result
            case -1:
                return builder.insert(arith.SubfOp(c, a)).result
            case _:
                return None
