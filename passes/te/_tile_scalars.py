"""The scalar body or epilogue of a te op, carried out on all lanes."""

from __future__ import annotations

from collections.abc import Sequence

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
            operands = [values[v] for v in op.operands]
            if (known := self._fold(builder, op, operands)) is not None:
                values[op.results[0]] = known
                continue
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

    def _fold(
        self, builder: Builder, op: Operation, operands: Sequence[SSAValue]
    ) -> SSAValue | None:
        """
        fma(a, t, c) for an entry t of a table: t = 0 leaves c, 1 and -1 need no product.

        A table's zero says that a term is not there, so it does not turn an infinite `a` into NaN.
        """
        if not isinstance(op, math.FmaOp):
            return None
        a, b, c = operands
        tables = self.constants.tables
        if b not in tables:
            a, b = b, a
        match tables.get(b):
            case 0:
                return c
            case 1:
                return builder.insert(arith.AddfOp(a, c)).result
            case -1:
                return builder.insert(arith.SubfOp(c, a)).result
            case _:
                return None
