"""Change the order of the indices of a nest."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.loop import ForOp
from lamina.passes.loop._dependence import conflict
from lamina.passes.loop._nests import hints_of, known, loops, move_body, names_of


def obstacle(loop: ForOp, order: list[int]) -> str | None:
    """
    Why the indices of `loop` may not stand in this order; None if they may.

    If two iterations depend on each other, their indices differ only where there is a conflict; the
    first of these decides which iteration comes first. So indices with a conflict keep their order.
    Leading indices that stay where they are do not matter: what is inside is run for each of them.
    """
    swapped = [(a, b) for a, b in combinations(order, 2) if a > b]
    if not swapped:
        return None
    if loop.inits:
        return f"it carries {len(loop.inits)} values through its iterations in order"
    fixed = next(k for k, old in enumerate(order) if k != old)
    for a, b in swapped:
        if (reason := conflict(loop, a, fixed)) and conflict(loop, b, fixed):
            return reason
    return None


def permute(loop: ForOp, order: list[int]) -> None:
    """loop.for %i < 4, %j < 3  ->  loop.for %j < 3, %i < 4"""
    extents, indices = loop.extents.get_values(), loop.indices
    new = ForOp(
        [extents[k] for k in order],
        loop.inits,
        loop.mapping.data,
        hints=hints_of([*(indices[k] for k in order), *loop.carried]),
    )
    old = [*(indices[k] for k in order), *loop.carried]
    move_body(loop, new, dict(zip(old, new.body.block.args, strict=True)))
    Rewriter.replace_op(loop, new)


@dataclass(frozen=True)
class LoopInterchangePass(ModulePass):
    """
    Change the order of the indices of a nest. `loop-merge-nests` makes one nest of loops in loops.

    A nest that is not parallel is only changed if its memory accesses show that the order does not
    matter; a nest that carries values is not.

    loop.for %i < 4, %j < 3 {..}  ->  loop.for %j < 3, %i < 4 {..}
    """

    name = "loop-interchange"
    numerics: ClassVar[str] = "exact"

    order: tuple[str, ...]
    """the indices of one nest, outermost first"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        order = list(self.order)
        if len(set(order)) < len(order):
            raise PassFailedException(
                f"{self.name}: order ({', '.join(order)}) names an index twice"
            )
        nests = [loop for loop in loops(op) if sorted(names_of(loop)) == sorted(order)]
        if not nests:
            raise PassFailedException(
                f"{self.name}: no nest has exactly the indices ({', '.join(order)}); {known(op)}"
            )
        for loop in nests:
            positions = [names_of(loop).index(name) for name in order]
            if reason := obstacle(loop, positions):
                raise PassFailedException(
                    f"{self.name}: ({', '.join(names_of(loop))}) cannot become "
                    f"({', '.join(order)}): {reason}"
                )
            permute(loop, positions)
