"""Compute groups of 4 bytes by dot products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp, VectorType, i8, i32
from xdsl.ir import Block, SSAValue
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.expr import Expr, constant
from lamina.dialects.int8 import ABS_B, MOST_B, PAIR_B, Dot4Op
from lamina.dialects.te import AxesAttr, ComputeOp, YieldOp
from lamina.passes.te._directives import find_axis, on_every_op


def dot4(op: ComputeOp, name: str) -> None:
    """acc + zext(a) * sext(b) over `name: 4`  ->  int8.dot4 acc, a, b on groups of 4 bytes"""
    a = find_axis(op, name)
    if not a.reduce or a.extent != 4 or a.mark:
        raise PassFailedException(f"need a plain reduce axis of extent 4, got '{a}'")
    if op.binders:
        raise PassFailedException(
            f"need inputs at known places, but '{min(op.binders)}' is an integer that is read"
        )
    if (unsigned := unsigned_side(op)) is None:
        names = ", ".join(o.name for o in op.body.block.ops)
        raise PassFailedException(
            f"need a body acc + zext(a) * sext(b) of bytes in i32, got {names}"
        )
    ranges = op.ranges
    op.rewrite(lambda e: e.simplify(ranges))
    for k in range(2):
        _check_neighbours(op, k, name)
    if bad := [e for e, n in op.bounds.data if not _keeps_groups(e, n, name)]:
        raise PassFailedException(f"'{bad[0]}' bounds '{name}': pad that dimension in the layout")
    op.axes = AxesAttr(tuple(x for x in op.axes.data if x is not a))
    op.substitute({name: constant(0)})
    _use_groups(op, unsigned)


def unsigned_side(op: ComputeOp) -> int | None:
    """
    Which input is zero extended, if the body is acc + zext(a) * sext(b) in any order.

    None for other bodies: of two signed or two unsigned bytes no instruction adds up four products,
    so each is extended to 32 bits and multiplied there, exact but several times slower.
    """
    *inputs, acc = op.body.block.args
    end = op.body.block.last_op
    add = end.operands[0].owner if isinstance(end, YieldOp) else None
    if not isinstance(add, arith.AddiOp) or acc not in add.operands or op.init.type != i32:
        return None
    mul = (add.rhs if add.lhs is acc else add.lhs).owner
    if not isinstance(mul, arith.MuliOp) or len(inputs) != 2 or len(op.body.block.ops) != 5:
        return None
    found = {_extended(v) for v in mul.operands}
    for k in range(2):
        if found == {(arith.ExtUIOp, inputs[k]), (arith.ExtSIOp, inputs[1 - k])}:
            return k
    return None


def _extended(value: SSAValue) -> tuple[type, SSAValue] | None:
    """What `value` is the extension of, and which extension it is."""
    owner = value.owner
    if isinstance(owner, arith.ExtUIOp | arith.ExtSIOp) and owner.input.type == i8:
        return type(owner), owner.input
    return None


def _check_neighbours(op: ComputeOp, k: int, name: str) -> None:
    """The 4 bytes must lie side by side and inside the buffer."""
    access = op.accesses.data[k]
    steps = [e.coefficient(name) for e in access.index]
    if steps != [0] * (len(steps) - 1) + [1]:
        raise PassFailedException(
            f"'{name}' must walk over neighbours in both inputs, got {access} with steps"
            f" {', '.join('unknown' if s is None else str(s) for s in steps)}"
        )
    if access.pad is not None:
        raise PassFailedException(f"{access} may read padding: give the buffer a halo")


def _keeps_groups(e: Expr, n: int, name: str) -> bool:
    """Whether `e < n` holds for all steps of `name` or for none: all else comes in steps of 4."""
    if name not in e.names():
        return True
    others = [c for atom, c in e.terms if atom != name]
    return e.coefficient(name) == 1 and all(k % 4 == 0 for k in (*others, e.const, n))


def _use_groups(op: ComputeOp, unsigned: int) -> None:
    group = VectorType(i8, [4])
    new, old = Block(arg_types=[group, group, i32]), op.body.block
    for arg, was in zip(new.args, old.args, strict=True):
        arg.name_hint = was.name_hint
    dot = Dot4Op(new.args[2], new.args[unsigned], new.args[1 - unsigned])
    for name in (ABS_B, PAIR_B, MOST_B):
        if (known := op.attributes.pop(name, None)) is not None:
            dot.attributes[name] = known
    new.add_ops([dot, YieldOp(dot.res)])
    op.body.detach_block(old)
    old.erase()
    op.body.add_block(new)


@dataclass(frozen=True)
class TeDot4Pass(ModulePass):
    """
    Turn a reduce axis over 4 neighbouring bytes into one dot product, in every op that has it.

    te-dot4{axis=kg}: axes(o: 16, reduce k: 8, reduce kg: 4) ins(%x[k * 4 + kg], %w[k, o, kg])
    ->  axes(o: 16, reduce k: 8) ins(%x[k * 4], %w[k, o, 0]) with int8.dot4 in the body

    What is known of the signed bytes (`lamina.abs_b` and its like, on the op) moves to the dot4.
    """

    name = "te-dot4"
    numerics: ClassVar[str] = "exact"

    axis: str
    """the reduce axis of extent 4"""
    function: str | None = None
    """only in this function"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        on_every_op(op, self.name, [self.axis], self.function, dot4, self.axis)
