"""Passes with one mistake each, of the kinds that are easy to make: --validate must name them."""

from typing import ClassVar, TypeVar

from xdsl.context import Context
from xdsl.dialects import arith, func, math, test
from xdsl.dialects.builtin import DenseArrayBase, IntegerAttr, ModuleOp, i64
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from lamina.context import weights_of
from lamina.dialects import graph, int8, loop, te, vector
from lamina.dialects.expr import Expr
from lamina.dialects.graph.constants import constant, known
from lamina.dialects.index import IndexAttr
from lamina.passes.int8.int8_lower_dot4 import Int8LowerDot4Pass
from lamina.passes.te.te_to_loops import TeToLoopsPass

Found = TypeVar("Found", bound=Operation)


def first(op: ModuleOp, kind: type[Found]) -> Found:
    return next(o for o in op.walk() if isinstance(o, kind))


class GraphHaloPass(ModulePass):
    """The padding is one row too much above and one too little below."""

    name = "fault-graph-halo"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        conv = first(op, graph.Conv2dOp)
        top, left, bottom, right = conv.pads.get_values()
        conv.pads = DenseArrayBase.from_list(i64, [top + 1, left, bottom - 1, right])


class TeHaloPass(ModulePass):
    """The output's halo is forgotten: every row is written one too early."""

    name = "fault-te-halo"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        compute = first(op, te.ComputeOp)
        *others, out = compute.accesses.data
        shifted = [e + -e.const for e in out.index]
        compute.accesses = type(compute.accesses)([*others, te.AccessAttr.of(shifted)])


class DropTailPass(ModulePass):
    """The steps that a bound cuts off the loop are forgotten."""

    name = "fault-drop-tail"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        TeToLoopsPass().apply(ctx, op)
        for nest in [o for o in op.walk() if isinstance(o, loop.ForOp)]:
            if isinstance(tail := nest.next_op, te.ComputeOp):
                Rewriter.erase_op(tail)


class SwapIndicesPass(ModulePass):
    """Two dimensions of a load are mixed up."""

    name = "fault-swap-indices"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        load = next(
            o
            for o in op.walk()
            if isinstance(o, vector.LoadSplatOp) and sum(bool(e.terms) for e in o.index.data) > 1
        )
        dims: list[Expr] = list(load.index.data)
        a, b = [k for k, e in enumerate(dims) if e.terms][:2]
        dims[a], dims[b] = dims[b], dims[a]
        load.index = IndexAttr(tuple(dims))


class WrongRoundingPass(ModulePass):
    """Halves are rounded up, not to even."""

    name = "fault-rounding"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for even in [o for o in op.walk() if isinstance(o, math.RoundEvenOp)]:
            Rewriter.replace_op(even, math.RoundOp(even.operand))


class FalseProofPass(ModulePass):
    """Products are added up where they saturate, as if one side were small."""

    name = "fault-proof"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for sums in [o for o in op.walk() if isinstance(o, int8.Dot4Op)]:
            sums.attributes[int8.ABS_B] = IntegerAttr(64, i64)
        Int8LowerDot4Pass("cpu:haswell", remarks=False).apply(ctx, op)


class WildStorePass(ModulePass):
    """A store goes far beyond its buffer."""

    name = "fault-wild-store"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        store = next(o for o in op.walk() if isinstance(o, vector.StoreOp) and o.indices)
        store.index = IndexAttr((store.index.data[0] * 1000000007, *store.index.data[1:]))


class ReorderPass(ModulePass):
    """a + b + c in another order: right within a tolerance, which it declares."""

    name = "honest-reorder"
    numerics: ClassVar[str] = "tolerance 1e-5"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        outer = [o for o in op.walk() if isinstance(o, arith.AddfOp)][-1]
        inner = outer.lhs.owner
        assert isinstance(inner, arith.AddfOp)
        other = arith.AddfOp(inner.rhs, outer.rhs)
        Rewriter.replace_op(outer, [other, arith.AddfOp(inner.lhs, other)])


class DishonestReorderPass(ReorderPass):
    """The same, said to be exact."""

    name = "dishonest-reorder"
    numerics: ClassVar[str] = "exact"


class MoveBytesPass(ModulePass):
    """What is stored in 8 bits is one step larger each time."""

    name = "one-step"
    numerics: ClassVar[str] = "within a step"
    by: ClassVar[int] = 1

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        store = weights_of(ctx)
        for q in [o for o in op.walk() if isinstance(o, graph.QuantizeOp)]:
            zero = known(q.zero, store)
            assert zero is not None
            moved = constant(zero + zero.dtype.type(self.by), store)
            Rewriter.insert_op(moved, InsertPoint.before(q))
            q.operands[2] = moved.result


class MoveBytesTwicePass(MoveBytesPass):
    """By two steps, which it does not declare."""

    name = "two-steps"
    by: ClassVar[int] = 2


class StoreAgainPass(ModulePass):
    """One tensor more is stored in 8 bits, which changes nothing."""

    name = "store-again"
    numerics: ClassVar[str] = "within a step"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        q = first(op, graph.QuantizeOp)
        again = graph.DequantizeOp(q.y, q.scale, q.zero)
        last = graph.QuantizeOp(again.y, q.scale, q.zero)
        q.y.replace_all_uses_with(last.y)
        Rewriter.insert_op([again, last], InsertPoint.after(q))
        again.operands[0] = q.y


class ForgetPass(ModulePass):
    """A function that nobody calls disappears."""

    name = "forget"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        Rewriter.erase_op(first(op, func.FuncOp))


class UseTooEarlyPass(ModulePass):
    """A constant is moved behind its use."""

    name = "fault-order"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        constant = first(op, arith.ConstantOp)
        block = constant.parent_block()
        assert block
        assert block.last_op
        constant.detach()
        block.insert_op_before(constant, block.last_op)


class InlineCallsPass(ModulePass):
    """Put every function that is called in the place of its calls."""

    name = "inline-calls"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        functions = {f.sym_name.data: f for f in op.ops if isinstance(f, func.FuncOp)}
        for call in [o for o in op.walk() if isinstance(o, func.CallOp)]:
            callee = functions[call.callee.string_value()]
            inside = callee.body.clone().block
            assert inside.last_op
            Rewriter.erase_op(inside.last_op)
            Rewriter.inline_block(inside, InsertPoint.before(call), call.operands)
            Rewriter.erase_op(call)
            Rewriter.erase_op(callee)


class UnknownOpPass(ModulePass):
    """The last sum becomes an op that no interpreter knows."""

    name = "unknown-op"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        last = [o for o in op.walk() if isinstance(o, arith.AddfOp)][-1]
        Rewriter.replace_op(last, test.TestOp(last.operands, [last.result.type]))
