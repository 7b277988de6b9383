"""
What `int8.dot4` is made of in each form, and how it is cut for vectors as wide as a form takes.

Operands are taken apart where they are defined, once for all sums that they are in.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from types import MappingProxyType
from typing import cast

from xdsl.builder import Builder
from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    IntegerAttr,
    IntegerType,
    VectorType,
    i16,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from lamina.dialects.int8 import Dot4Op, Madd16Op, MaddubsOp, shape_of
from lamina.dialects.vector import BitcastOp, ShuffleOp

WIDTHS = (4, 8, 16)
"""i32 lanes of the registers there are: xmm, ymm, zmm"""


class Operands:
    """
    Constants at the start of a block, and what becomes of operands, right after each; what becomes
    of those that are defined outside of the block follows the constants.
    """

    def __init__(self, block: Block) -> None:
        self.block = block
        self.last: arith.ConstantOp | None = None
        self.made: dict[Hashable, SSAValue] = {}
        self.ends: dict[SSAValue | Block, Operation] = {}
        """the last of what was made of an operand, or of the arguments of a block"""

    def number(self, n: int, type: Attribute) -> SSAValue:
        """n in every element of `type`."""
        if (n, type) not in self.made:
            if isinstance(type, VectorType):
                vector = cast(VectorType[IntegerType], type)
                op = arith.ConstantOp(DenseIntOrFPElementsAttr.from_list(vector, [n]))
            else:
                op = arith.ConstantOp(IntegerAttr(n, cast(IntegerType, type)))
            self.made[n, type] = Builder(self._top()).insert(op).result
            self.last = op
        return self.made[n, type]

    def once(self, x: SSAValue, what: str, make: Callable[[Builder], SSAValue]) -> SSAValue:
        """What `make` writes after the definition of `x`, if it has not done so yet."""
        if (found := self.made.get((x, what))) is None:
            owner = x.owner
            key = owner if isinstance(owner, Block) else x
            found = self.made[x, what] = make(Builder(self._behind(key)))
            self.ends[key] = cast(Operation, found.owner)
        return found

    def cast(self, x: SSAValue, type: Attribute) -> SSAValue:
        """The bits of groups, as another type."""
        return self.once(x, str(type), lambda at: at.insert(BitcastOp(x, type)).res)

    def picked(self, x: SSAValue, lanes: Sequence[int]) -> SSAValue:
        """These lanes of `x`."""
        return self.once(x, str(lanes), lambda at: at.insert(ShuffleOp(x, x, lanes)).res)

    def masked(self, x: SSAValue, n: int) -> SSAValue:
        """x & n"""
        mask = self.number(n, x.type)
        return self.once(x, f"& {n}", lambda at: at.insert(arith.AndIOp(x, mask)).result)

    def shifted(
        self, op: type[arith.ShLIOp | arith.ShRSIOp | arith.ShRUIOp], x: SSAValue, n: int
    ) -> SSAValue:
        """x, shifted by n bits."""
        if n == 0:
            return x
        count = self.number(n, x.type)
        return self.once(x, f"{op.name} {n}", lambda at: at.insert(op(x, count)).result)

    def _behind(self, key: SSAValue | Block) -> InsertPoint:
        owner = key if isinstance(key, Block) else key.owner
        if (last := self.ends.get(key)) is not None:
            return InsertPoint.after(last)
        if owner is self.block or not self.block.is_ancestor(owner):
            return self._top()
        return InsertPoint.at_start(owner) if isinstance(owner, Block) else InsertPoint.after(owner)

    def _top(self) -> InsertPoint:
        return InsertPoint.after(self.last) if self.last else InsertPoint.at_start(self.block)


Write = Callable[[Operands, Builder, SSAValue, SSAValue, SSAValue], SSAValue]
"""writes the sum of the groups `a` and `b`, and of `acc`"""


def _instruction(w: Operands, at: Builder, acc: SSAValue, a: SSAValue, b: SSAValue) -> SSAValue:
    return at.insert(Dot4Op(acc, a, b)).res


def maddubs(w: Operands, at: Builder, acc: SSAValue, a: SSAValue, b: SSAValue) -> SSAValue:
    """Pairs of products, which must fit 16 bits; then pairs of them."""
    ones = w.number(1, _pairs(a))
    sums = at.insert(Madd16Op(at.insert(MaddubsOp(a, b)).res, ones)).res
    return at.insert(arith.AddiOp(acc, sums)).result


def madd16(w: Operands, at: Builder, acc: SSAValue, a: SSAValue, b: SSAValue) -> SSAValue:
    """Bytes 0 and 2 of each group as 16-bit integers, then bytes 1 and 3: nothing saturates."""
    x, y = w.cast(a, _pairs(a)), w.cast(b, _pairs(b))
    top = w.shifted(arith.ShLIOp, y, 8)
    even = at.insert(Madd16Op(w.masked(x, 255), w.shifted(arith.ShRSIOp, top, 8))).res
    odd = at.insert(Madd16Op(w.shifted(arith.ShRUIOp, x, 8), w.shifted(arith.ShRSIOp, y, 8))).res
    return at.insert(arith.AddiOp(acc, at.insert(arith.AddiOp(even, odd)).result)).result


def _pairs(groups: SSAValue) -> Attribute:
    return VectorType(i16, [shape_of(groups.type)[0], 2])


def generic(w: Operands, at: Builder, acc: SSAValue, a: SSAValue, b: SSAValue) -> SSAValue:
    """
    A group of 4 bytes is one i32: unsigned bytes are shifted down and masked, signed ones shifted
    up and down again. 255 * -128 * 4 fits an i32.
    """
    x, y = w.cast(a, acc.type), w.cast(b, acc.type)
    for k in range(4):
        byte = w.masked(w.shifted(arith.ShRUIOp, x, 8 * k), 255)
        signed = w.shifted(arith.ShRSIOp, w.shifted(arith.ShLIOp, y, 24 - 8 * k), 24)
        acc = at.insert(arith.AddiOp(acc, at.insert(arith.MuliOp(byte, signed)).result)).result
    return acc


FORMS = MappingProxyType[str, Write](
    {
        "vnni": _instruction,
        "avxvnni": _instruction,
        "maddubs": maddubs,
        "madd16": madd16,
        "generic": generic,
    }
)
"""form -> what writes it, on vectors that it takes"""


def cut(w: Operands, at: Builder, op: Dot4Op, write: Write, width: int) -> SSAValue:
    """
    `op` on vectors that registers of at most `width` lanes hold: several, if it has more lanes; one
    with lanes that nobody looks at, if it has fewer than a register.
    """
    count = shape_of(op.acc.type)[0]
    if count in WIDTHS and count <= width:
        return write(w, at, op.acc, op.a, op.b)
    size = next((n for n in WIDTHS if count <= n <= width), width)
    parts: list[SSAValue] = []
    for first in range(0, count, size):
        lanes = [min(k, count - 1) for k in range(first, first + size)]
        acc = at.insert(ShuffleOp(op.acc, op.acc, lanes)).res
        parts.append(write(w, at, acc, w.picked(op.a, lanes), w.picked(op.b, lanes)))
    while len(parts) > 1:  # an odd one out is put together with itself
        pairs = zip(parts[::2], [*parts[1::2], parts[-1]], strict=False)
        size *= 2
        parts = [at.insert(ShuffleOp(x, y, range(size))).res for x, y in pairs]
    if size == count:
        return parts[0]
    return at.insert(ShuffleOp(parts[0], parts[0], range(count))).res


def whole(w: Operands, op: Dot4Op, width: int) -> list[Dot4Op]:
    """What becomes of `op` so that each dot4 is on a register of at most `width` lanes."""
    count = shape_of(op.acc.type)[0]
    if count in WIDTHS and count <= width:
        return [op]
    made: list[Dot4Op] = []

    def write(w: Operands, at: Builder, acc: SSAValue, a: SSAValue, b: SSAValue) -> SSAValue:
        made.append(at.insert(Dot4Op(acc, a, b)))
        return made[-1].res

    result = cut(w, Builder(InsertPoint.before(op)), op, write, width)
    result.name_hint = op.res.name_hint
    Rewriter.replace_op(op, [], [result])
    return made
