"""Say of each nest of a kernel over which dimensions of a grid its steps are spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import arith, func
from xdsl.dialects.builtin import DenseArrayBase, ModuleOp, StringAttr, i64
from xdsl.ir import Block, Operation
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.traits import is_side_effect_free
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.loop import ForOp, YieldOp
from lamina.passes.loop._dependence import conflict
from lamina.passes.loop._nests import body_ops
from lamina.passes.loop.loop_merge_nests import merge, only_loop

GRID = "lamina.grid"
"""Attribute of a nest: for each of its indices the dimension of the grid that it comes from."""
DIMENSIONS = 3


def is_free(op: Operation) -> bool:
    """Whether `op` may be computed again wherever its result is needed."""
    return isinstance(op, func.ReturnOp) or is_side_effect_free(op)


def is_independent(loop: ForOp) -> bool:
    """Whether the steps of `loop` may run in any order, and all at once."""
    if loop.inits:
        return False
    return all(conflict(loop, k) is None for k in range(len(loop.extents)))


def merged(loop: ForOp) -> ForOp:
    """One nest of all loops from `loop` on that hold only each other and are independent."""
    while len(inside := body_ops(loop.body.block)) == 1:
        inner = inside[0]
        if not isinstance(inner, ForOp) or not is_independent(inner):
            break
        inner.mapping = StringAttr("parallel")
        found = only_loop(loop)
        assert found is inner
        loop = merge(loop, inner)
    return loop


def map_to_grid(loop: ForOp) -> None:
    """
    loop.for %i < 4, %j < 3 parallel {..}
    ->
    loop.for %i < 4, %j < 3 parallel attributes {lamina.grid = array<i64: 1, 0>} {..}
    """
    count = len(loop.extents)
    dimensions = [min(count - 1 - k, DIMENSIONS - 1) for k in range(count)]
    loop.attributes[GRID] = DenseArrayBase.from_list(i64, dimensions)
    for inner in loop.body.walk():
        if isinstance(inner, ForOp):
            inner.mapping = StringAttr("")


def alone(ops: Sequence[Operation]) -> ForOp:
    """f()  ->  loop.for %group < 1 parallel { f() }"""
    nest = ForOp([1], mapping="parallel", hints=["group"])
    Rewriter.insert_op(nest, InsertPoint.before(ops[0]))
    for op in ops:
        op.detach()
        nest.body.block.add_op(op)
    nest.body.block.add_op(YieldOp())
    return nest


def constants_first(block: Block) -> None:
    """Move the constants of `block` to its beginning, so that whatever is behind can use them."""
    for op in reversed([op for op in block.ops if isinstance(op, arith.ConstantOp)]):
        op.detach()
        Rewriter.insert_op(op, InsertPoint.at_start(block))


def launches(block: Block) -> list[list[Operation]]:
    """What is launched at once: each loop that is independent, and what else stands together."""
    found: list[list[Operation]] = []
    between: list[Operation] | None = None  # what may be computed again, behind what may not
    for op in block.ops:
        if is_free(op):
            if between is not None:
                between.append(op)
        elif isinstance(op, ForOp) and is_independent(op):
            op.mapping = StringAttr("parallel")
            found.append([op])
            between = None
        elif between is not None:
            found[-1] += [*between, op]
            between = []
        else:
            found.append([op])
            between = []
    return found


def parallel(ops: Sequence[Operation]) -> ForOp | None:
    """The one loop that `ops` are, if it is independent."""
    first = ops[0]
    return first if isinstance(first, ForOp) and first.mapping.data == "parallel" else None


def require_apart(ops: Sequence[Operation], f: func.FuncOp, by: str) -> None:
    """Fail if what `ops` compute is used outside of them: launches share buffers only."""
    inside = set(ops)
    for op in ops:
        for use in (use for r in op.results for use in r.uses):
            user = use.operation
            while user not in inside and (parent := user.parent_op()) is not None:
                user = parent
            if user not in inside:
                raise PassFailedException(
                    f"{by}: @{f.sym_name.data}: {op.name} and {use.operation.name}, which uses its "
                    "result, would be launched apart; keep it in a buffer"
                )


class LoopMapToGridPass(ModulePass):
    """
    Say of each nest of a kernel over which dimensions of a grid its steps are spread, the first
    dimension varying fastest. Each such nest is launched by itself, after the one before it.

    Outer loops whose steps touch no element that another one writes become one nest, whether they
    were parallel or not; loops inside of it are serial. Three indices have dimensions of their own,
    all before them share the last one. What stands in no such loop is a nest of one step.

    loop.for %i < 4 parallel { loop.for %j < 3 {..} }
    ->
    loop.for %i < 4, %j < 3 parallel attributes {lamina.grid = array<i64: 1, 0>} {..}
    """

    name = "loop-map-to-grid"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for f in op.ops:
            if not isinstance(f, func.FuncOp) or f.is_declaration:
                continue
            if any(isinstance(inner, func.CallOp) for inner in f.walk()):
                continue  # the network, which launches kernels
            constants_first(f.body.block)
            for ops in launches(f.body.block):
                require_apart(ops, f, self.name)
                map_to_grid(merged(nest) if (nest := parallel(ops)) else alone(ops))
