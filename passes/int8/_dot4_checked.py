"""
Sums of products that saturate in 16 bits where they cannot, and exact ones where they could.

One look at the signed side of a step of a reduction decides for all rows of a register tile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from xdsl.builder import Builder
from xdsl.dialects import arith, math, scf
from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.traits import is_side_effect_free

from lamina.dialects.int8 import PAIR, Dot4Op, MaddubsOp
from lamina.dialects.vector import AnyOp, CompareOp
from lamina.passes._aliasing import reads
from lamina.passes.int8._dot4_forms import Operands, Write, madd16, maddubs

SELDOM = "lamina.seldom"
"""on an scf.if: its first branch is taken seldom, so registers are for the other one"""


def steps(block: Block, ops: Set[Operation]) -> Iterator[list[Dot4Op]]:
    """
    Those of `ops` that are in `block`, in steps of a reduction: all on vectors as wide, and nothing
    up to the last one needs the result of another one.
    """
    step: list[Dot4Op] = []
    for op in list(block.ops):
        mine = op if isinstance(op, Dot4Op) and op in ops else None
        if step and (_uses(op, step) or (mine and mine.res.type != step[0].res.type)):
            yield step
            step = []
        if mine is not None:
            step.append(mine)
    if step:
        yield step


def _uses(op: Operation, step: Sequence[Dot4Op]) -> bool:
    results = {each.res for each in step}
    return any(v in results for inner in op.walk() for v in inner.operands)


def check(w: Operands, step: Sequence[Dot4Op]) -> None:
    """
    int8.dot4 .., int8.dot4 ..  ->  scf.if (some |b[0] + b[1]| > 128) { exact } else { maddubs }

    What nothing else reads moves into both branches: a value that is computed before and used in
    both would take up a register.
    """
    last = step[-1]
    at = Builder(InsertPoint.before(last))
    large = at.insert(AnyOp(_large(w, at, step))).res
    moved, bodies = _only_for(step), [Block(), Block()]
    for body, write in zip(bodies, (madd16, maddubs), strict=True):
        _write(body, moved, write)
    types = [op.res.type for op in step]
    choice = at.insert(scf.IfOp(large, types, Region(bodies[0]), Region(bodies[1])))
    choice.attributes[SELDOM] = UnitAttr()
    for op, res in zip(step, choice.output, strict=True):
        res.name_hint = op.res.name_hint
        op.res.replace_all_uses_with(res)
    for op in reversed(moved):
        Rewriter.erase_op(op)


def _large(w: Operands, at: Builder, step: Sequence[Dot4Op]) -> SSAValue:
    """
    Which sums of two products may not fit 16 bits: neighbours of one sign add up to more than 128.
    Those of two signs never do, and their products are no further from 0 than one of them alone.
    """
    first, *others = [_sizes(w, b) for b in dict.fromkeys(op.b for op in step)]
    for other in others:
        first = at.insert(arith.MaxSIOp(first, other)).result
    return at.insert(CompareOp("sgt", first, w.number(PAIR, first.type))).res


def _sizes(w: Operands, b: SSAValue) -> SSAValue:
    """|b[0] + b[1]| and |b[2] + b[3]|: products with ones never saturate"""
    ones = w.number(1, b.type)
    sums = w.once(b, "sums", lambda at: at.insert(MaddubsOp(ones, b)).res)
    return w.once(sums, "sizes", lambda at: at.insert(math.AbsIOp(sums)).result)


def _only_for(step: Sequence[Dot4Op]) -> list[Operation]:
    """The step and what is computed or read before it, in its block, for nothing else; in order."""
    found, readers, written = list[Operation](), set[Operation](step), False
    op: Operation | None = step[-1]
    while op is not None:
        pure = is_side_effect_free(op)
        uses = [use.operation in readers for r in op.results for use in r.uses]
        may = uses and all(uses) and not op.regions and (pure or (reads(op) and not written))
        if op in readers or may:
            found.append(op)
            readers.add(op)
        written |= not pure and not reads(op)
        op = op.prev_op
    return found[::-1]


def _write(body: Block, ops: Sequence[Operation], write: Write) -> None:
    """Copies of `ops` in a branch, the dot4s in one form; it hands on their sums."""
    w, at = Operands(body), Builder(InsertPoint.at_end(body))
    copies, sums = dict[SSAValue, SSAValue](), list[SSAValue]()
    for op in ops:
        if isinstance(op, Dot4Op):
            acc, a, b = (copies.get(v, v) for v in op.operands)
            sums.append(write(w, at, acc, a, b))
        else:
            at.insert(op.clone(copies))
    at.insert(scf.YieldOp(*sums))
