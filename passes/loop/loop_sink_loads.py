"""Move every load to its first use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from lamina.dialects.vector import MemoryOp
from lamina.passes._aliasing import may_write, reads


def place_for(load: MemoryOp) -> Operation | None:
    """The op in the load's block that uses it first, or may write what it reads before that."""
    block = load.parent
    assert block is not None
    users = {block.find_ancestor_op_in_block(use.operation) for r in load.results for use in r.uses}
    op = load.next_op
    while op is not None and users:
        if op in users or may_write(op, load.ref):
            return op
        op = op.next_op
    return None


@dataclass(frozen=True)
class LoopSinkLoadsPass(ModulePass):
    """
    Move every load to just before its first use, or to the first op that may write what it reads.

    Values then live shortly: with all loads first, a register tile spills.

    %a = vec.load .. %b = vec.load .. f(%a) g(%b)  ->  %a = vec.load .. f(%a) %b = vec.load .. g(%b)
    """

    name = "loop-sink-loads"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for load in [o for o in op.walk() if isinstance(o, MemoryOp) and reads(o)]:
            place = place_for(load)
            if place is not None and place is not load.next_op:
                load.detach()
                assert place.parent is not None
                place.parent.insert_op_before(load, place)
