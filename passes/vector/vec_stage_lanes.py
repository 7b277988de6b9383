"""Hand lanes over in local memory, where no lane sees those of another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func, memref
from xdsl.dialects.builtin import FixedBitwidthType, ModuleOp, StringAttr
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.traits import is_side_effect_free
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.expr import constant
from lamina.dialects.index import IndexAttr
from lamina.dialects.loop import ForOp
from lamina.dialects.vector import (
    BarrierOp,
    LoadSplatOp,
    SplatLaneOp,
    StoreOp,
    element_of,
    shape_of,
)
from lamina.passes._aliasing import may_write, reads
from lamina.passes.loop.loop_map_to_grid import GRID

LOCAL = StringAttr("local")
"""memory space of what the lanes of a step share, and nobody else"""
MOST_BYTES = 32 << 10
"""of local memory that OpenCL promises to a work-group"""

Places = dict[SSAValue, tuple[memref.AllocaOp, int]]
"""vector -> the buffer and the row of it where its lanes are handed over"""


def splats_of(block: Block) -> dict[SSAValue, list[SplatLaneOp]]:
    """The vectors of which `block` splats lanes, in the order of the first of these."""
    found: dict[SSAValue, list[SplatLaneOp]] = {}
    for op in block.ops:
        if isinstance(op, SplatLaneOp):
            found.setdefault(op.vec, []).append(op)
    return found


def drop_equal(block: Block) -> None:
    """vec.splat_lane (vec.splat_lane %v[3])[5]  ->  vec.splat_lane %v[3]"""
    for op in block.ops:
        if isinstance(op, SplatLaneOp) and isinstance(op.vec.owner, SplatLaneOp | LoadSplatOp):
            Rewriter.replace_op(op, [], [op.vec])


def made_of(vectors: Iterable[SSAValue], block: Block) -> set[Operation]:
    """The ops of `block` that these vectors are computed by."""
    found: set[Operation] = set()
    todo = [v.owner for v in vectors]
    while todo:
        op = todo.pop()
        if isinstance(op, Operation) and op.parent is block and op not in found:
            found.add(op)
            todo += [v.owner for v in op.operands]
    return found


def make_early(first: Operation, vectors: Sequence[SSAValue]) -> None:
    """
    Move what makes `vectors` before `first`, so that they are handed over at once: as far as it
    needs, and reads, nothing that the ops which it is moved over compute or write.
    """
    assert first.parent is not None
    makers = made_of(vectors, first.parent)
    over: list[Operation] = []
    op: Operation | None = first
    while op is not None:
        after = op.next_op
        movable = op in makers and not isinstance(op, SplatLaneOp)
        if movable and not any(_hinders(o, op) for o in over):
            op.detach()
            Rewriter.insert_op(op, InsertPoint.before(first))
        else:
            over.append(op)
        op = after


def _hinders(before: Operation, op: Operation) -> bool:
    """Whether `op` must stay behind `before`."""
    if before in {v.owner for v in op.operands}:
        return True
    return may_write(before, op.operands[0]) if reads(op) else not is_side_effect_free(op)


def rows_for(vectors: Iterable[SSAValue], home: Block) -> Places:
    """Rows for these vectors, in a buffer for each type at the beginning of `home`."""
    by_type: dict[Attribute, list[SSAValue]] = {}
    for v in vectors:
        by_type.setdefault(v.type, []).append(v)
    found: Places = {}
    for type, rows in by_type.items():
        shape = [len(rows), *shape_of(type)]
        buffer = memref.AllocaOp.get(element_of(type), None, shape, memory_space=LOCAL)
        buffer.memref.name_hint = "rows"
        Rewriter.insert_op(buffer, InsertPoint.at_start(home))
        found |= {v: (buffer, row) for row, v in enumerate(rows)}
    return found


def place(row: int, lane: int, type: Attribute) -> IndexAttr:
    """Where a lane of a row is in its buffer."""
    return IndexAttr(tuple(constant(n) for n in (row, lane, *(0 for _ in shape_of(type)[1:]))))


def hand_over(vectors: Sequence[SSAValue], places: Places, at: SplatLaneOp, first: bool) -> None:
    """
    Let all lanes store these vectors before `at`, and wait until all have; `first`: also before, as
    another step of a loop may have to read there still.
    """
    new: list[Operation] = [BarrierOp()] if first else []
    for v in vectors:
        buffer, row = places[v]
        new.append(StoreOp(v, buffer.memref, place(row, 0, v.type), []))
    Rewriter.insert_op([*new, BarrierOp()], InsertPoint.before(at))


def stage(block: Block, home: Block) -> None:
    """Replace the splats of lanes in `block`; what is handed over lies in buffers of `home`."""
    drop_equal(block)
    splats = splats_of(block)
    if not splats:
        return
    make_early(next(iter(splats.values()))[0], list(splats))
    places, waiting = rows_for(splats, home), dict.fromkeys(splats)
    local, made = set(block.ops), set[Operation]()
    for op in list(block.ops):
        if isinstance(op, SplatLaneOp) and op.vec in waiting:
            inside = [v for v in waiting if v.owner in made or v.owner not in local]
            hand_over(inside, places, op, len(waiting) == len(places))
            waiting = {v: None for v in waiting if v not in inside}
        if isinstance(op, SplatLaneOp):
            buffer, row = places[op.vec]
            index = place(row, op.lane.data, op.vec.type)
            Rewriter.replace_op(op, LoadSplatOp(buffer.memref, index, [], op.res.type))
        else:
            made.add(op)


def local_bytes(home: Block) -> int:
    """Of all buffers of `home` that lanes share."""
    types = [o.memref.type for o in home.ops if isinstance(o, memref.AllocaOp)]
    sizes = [(t.element_type, prod(t.get_shape())) for t in types if t.memory_space == LOCAL]
    return sum(n * element.size for element, n in sizes if isinstance(element, FixedBitwidthType))


@dataclass(frozen=True)
class VecStageLanesPass(ModulePass):
    """
    Hand lanes over in local memory, where no lane sees those of another: for work-items that are no
    subgroup. What is handed over at once lies in rows of one buffer; between writing and reading,
    all lanes wait for each other.

    %s = vec.splat_lane %v[3] : vector<16xf32>
    ->
    %rows = memref.alloca() : memref<1x16xf32, "local">
    vec.barrier
    vec.store %v, %rows[0, 0] : vector<16xf32>, memref<1x16xf32, "local">
    vec.barrier
    %s = vec.load_splat %rows[0, 3] : memref<1x16xf32, "local"> -> vector<16xf32>
    """

    name = "vec-stage-lanes"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for f in [o for o in op.ops if isinstance(o, func.FuncOp) and not o.is_declaration]:
            nests = [o for o in f.body.block.ops if isinstance(o, ForOp) and GRID in o.attributes]
            for home in [nest.body.block for nest in nests] or [f.body.block]:
                for block in [b for o in home.walk() for r in o.regions for b in r.blocks]:
                    stage(block, home)
                stage(home, home)
                if (needed := local_bytes(home)) > MOST_BYTES:
                    raise PassFailedException(
                        f"{self.name}: @{f.sym_name.data}: rows take {needed} bytes of local "
                        f"memory, of which {MOST_BYTES} are sure to be there; choose a smaller tile"
                    )
