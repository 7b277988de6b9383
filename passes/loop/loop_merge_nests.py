"""Make one nest of loops that stand perfectly inside each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from lamina.dialects.loop import ForOp
from lamina.passes.loop._nests import body_ops, hints_of, loops, move_body, yielded


def only_loop(outer: ForOp) -> ForOp | None:
    """The nest in `outer` that is all of its body, has its mapping and carries what it carries."""
    body = body_ops(outer.body.block)
    if len(body) != 1 or not isinstance(inner := body[0], ForOp) or inner.mapping != outer.mapping:
        return None
    passed_on = list(inner.inits) == list(outer.carried)
    handed_back = yielded(outer.body.block) == list(inner.res)
    return inner if passed_on and handed_back else None


def merge(outer: ForOp, inner: ForOp) -> ForOp:
    """loop.for %i < 4 { loop.for %j < 3 {..} }  ->  loop.for %i < 4, %j < 3 {..}"""
    indices = [*outer.indices, *inner.indices]
    new = ForOp(
        [*outer.extents.get_values(), *inner.extents.get_values()],
        outer.inits,
        outer.mapping.data,
        hints=hints_of([*indices, *inner.carried]),
    )
    move_body(inner, new, dict(zip([*indices, *inner.carried], new.body.block.args, strict=True)))
    Rewriter.replace_op(outer, new)
    return new


@dataclass(frozen=True)
class LoopMergeNestsPass(ModulePass):
    """
    Make one nest of loops that stand perfectly inside each other, with the same mapping.

    loop.for %i < 4 parallel { loop.for %j < 3 parallel {..} }
    ->
    loop.for %i < 4, %j < 3 parallel {..}
    """

    name = "loop-merge-nests"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for loop in reversed(loops(op)):  # inner ones first, so that each is looked at once
            if inner := only_loop(loop):
                merge(loop, inner)
