"""Say of each nest of a kernel over which dimensions of a grid its steps are spread."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
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
from lamina.passes.loop._lanes import collide, crossing
from lamina.passes.loop._nests import body_ops
from lamina.passes.loop.loop_merge_nests import merge, only_loop

GRID = "lamina.grid"
"""Attribute of a nest: for each of its indices the dimension of the grid that it comes from."""
LANES = "lamina.lanes"
"""Attribute of a nest: who the lanes of its vectors are; without it, a subgroup."""
WHO = ("subgroup", "work_items")
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


def map_to_grid(loop: ForOp, lanes: str) -> None:
    """
    loop.for %i < 4, %j < 3 parallel {..}
    ->
    loop.for %i < 4, %j < 3 parallel attributes {lamina.grid = array<i64: 1, 0>} {..}
    """
    count = len(loop.extents)
    dimensions = [min(count - 1 - k, DIMENSIONS - 1) for k in range(count)]
    loop.attributes[GRID] = DenseArrayBase.from_list(i64, dimensions)
    if lanes != WHO[0]:
        loop.attributes[LANES] = StringAttr(lanes)
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
    together: list[Operation] = []
    for op in block.ops:
        if isinstance(op, ForOp) and is_independent(op):
            op.mapping = StringAttr("parallel")
            found += groups(together)
            found.append([op])
            together = []
        elif together or not is_free(op):
            together.append(op)
    return [*found, *groups(together)]


def groups(ops: Sequence[Operation]) -> list[list[Operation]]:
    """
    Cut `ops` where one accesses what another lane may have written, or still have to read: only
    between launches is it sure that all lanes are done.
    """
    found: list[list[Operation]] = []
    for piece in pieces(ops):
        if found and not collide(found[-1], piece):
            found[-1] += piece
        else:
            found.append(piece)
    return found


def pieces(ops: Sequence[Operation]) -> Iterator[list[Operation]]:
    """The shortest runs of `ops` that use nothing that another run computes."""
    place = {op: k for k, op in enumerate(ops)}
    piece: list[Operation] = []
    last = 0
    for k, op in enumerate(ops):
        piece.append(op)
        users = (outermost(use.operation, place) for r in op.results for use in r.uses)
        last = max([last, *(place[user] for user in users if user is not None)])
        if last <= k and not is_free(op):
            yield piece
            piece = []


def outermost(op: Operation, among: Container[Operation]) -> Operation | None:
    """`op`, or the op around it that is one of `among`."""
    while op not in among:
        if (parent := op.parent_op()) is None:
            return None
        op = parent
    return op


def parallel(ops: Sequence[Operation]) -> ForOp | None:
    """The one loop that `ops` are, if it is independent."""
    first = ops[0]
    return first if isinstance(first, ForOp) and first.mapping.data == "parallel" else None


def require_apart(ops: Sequence[Operation], f: func.FuncOp, by: str) -> None:
    """Fail if what `ops` compute is used outside of them: launches share buffers only."""
    inside = set(ops)
    for op in ops:
        for use in (use for r in op.results for use in r.uses):
            if outermost(use.operation, inside) is None:
                raise PassFailedException(
                    f"{by}: @{f.sym_name.data}: {op.name} and {use.operation.name}, which uses its "
                    "result, would be launched apart; keep it in a buffer"
                )


@dataclass(frozen=True)
class LoopMapToGridPass(ModulePass):
    """
    Say of each nest of a kernel over which dimensions of a grid its steps are spread, the first
    dimension varying fastest. Each such nest is launched by itself, after the one before it.

    Outer loops whose steps touch no element that another one writes become one nest, whether they
    were parallel or not; loops inside of it are serial. Three indices have dimensions of their own,
    all before them share the last one. What stands in no such loop is a nest of one step, or
    several nests, where one accesses what another wrote.

    loop.for %i < 4 parallel { loop.for %j < 3 {..} }
    ->
    loop.for %i < 4, %j < 3 parallel attributes {lamina.grid = array<i64: 1, 0>} {..}
    """

    name = "loop-map-to-grid"
    numerics: ClassVar[str] = "exact"

    lanes: str = WHO[0]
    """
    what a vector is: `subgroup`, or `work_items` of a work-group, which the nests then say with
    `lamina.lanes`
    """

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.lanes not in WHO:
            raise PassFailedException(
                f"{self.name}: lanes are {' or '.join(WHO)}, got {self.lanes}"
            )
        for f in op.ops:
            if not isinstance(f, func.FuncOp) or f.is_declaration:
                continue
            if any(isinstance(inner, func.CallOp) for inner in f.walk()):
                continue  # the network, which launches kernels
            constants_first(f.body.block)
            for ops in launches(f.body.block):
                require_apart(ops, f, self.name)
                nest = merged(found) if (found := parallel(ops)) else alone(ops)
                map_to_grid(nest, self.lanes)
                if (load := crossing(nest)) is not None:
                    raise PassFailedException(
                        f"{self.name}: @{f.sym_name.data}: {load.name} reads a {load.memref} where "
                        "another lane of the launch may write; let another nest read it"
                    )
