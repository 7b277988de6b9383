"""Put the axes of a tensor expression in another order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.te import AxesAttr, ComputeOp
from lamina.passes.te._directives import find_axis, on_every_op


def order(op: ComputeOp, *names: str) -> None:
    """
    axes(i: 4, j: 8, reduce k: 3)  ->  axes(j: 8, reduce k: 3, i: 4)

    Any order is the same formula, because reductions may be reassociated.
    """
    axes = tuple(find_axis(op, name) for name in names)
    if repeated := [n for n, count in Counter(names).items() if count > 1]:
        raise PassFailedException(
            f"'{repeated[0]}' is named twice, need each axis of {op.axes} once"
        )
    if missing := [a.name for a in op.axes.data if a.name not in names]:
        raise PassFailedException(f"'{missing[0]}' is missing, need each axis of {op.axes} once")
    op.axes = AxesAttr(axes)


@dataclass(frozen=True)
class TeOrderPass(ModulePass):
    """
    Reorder the axes of every op that has them; all axes must be named, outermost first.

    te-order{axes=j,k,i}: axes(i: 4, j: 8, reduce k: 3)  ->  axes(j: 8, reduce k: 3, i: 4)
    """

    name = "te-order"
    numerics: ClassVar[str] = "tolerance 1e-5"  # reduce axes may change places

    axes: tuple[str, ...]
    """every axis, outermost first"""
    function: str | None = None
    """only in this function"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        on_every_op(op, self.name, self.axes, self.function, order, *self.axes)
