"""Say how axes of a tensor expression are carried out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import ClassVar, Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.te import MARKS, AxesAttr, Axis, ComputeOp
from lamina.passes.te._directives import find_axis, on_every_op

MOST_COPIES = 4096
"""More copies of a body than this are surely a mistake: they would take minutes to compile."""


def mark(op: ComputeOp, how: str, *names: str) -> None:
    """axes(i: 4)  ->  axes(i: 4 unroll)"""
    for name in names:
        a = find_axis(op, name)
        if fault := _fault(op, a, how):
            raise PassFailedException(f"cannot make '{a}' {how}: {fault}")
        marked = replace(a, mark=how)
        op.axes = AxesAttr(tuple(marked if x is a else x for x in op.axes.data))


def _fault(op: ComputeOp, a: Axis, how: str) -> str | None:
    """Why the axis cannot be carried out like this."""
    if how not in MARKS:
        return f"expected one of {', '.join(MARKS)}"
    if a.mark and a.mark != how:
        return f"it is {a.mark} already"
    if how == "parallel" and a.reduce:
        return "its steps all change the same accumulator; split it and make one part spatial"
    if how == "vector":
        if a.reduce:
            return "lanes do not add up; vectorize a spatial axis, or sum partial results first"
        if others := [x for x in op.axes.data if x.mark == "vector" and x.name != a.name]:
            return f"'{others[0]}' is the vector axis"
    if how == "unroll":
        copies = prod(x.extent for x in op.axes.data if x.mark == "unroll" and x.name != a.name)
        if copies * a.extent > MOST_COPIES:
            return f"{copies * a.extent} copies of the body, more than {MOST_COPIES}; split it"
    return None


@dataclass(frozen=True)
class TeMarkPass(ModulePass):
    """
    Mark axes of every op that has them as parallel, unroll or vector; the default is a serial loop.

    te-mark{axis=ow how=unroll}: axes(oh: 56, ow: 4)  ->  axes(oh: 56, ow: 4 unroll)
    """

    name = "te-mark"
    numerics: ClassVar[str] = "exact"

    axis: tuple[str, ...]
    """the axes to mark"""
    how: Literal["parallel", "unroll", "vector"]
    """all steps at once, one copy of the body a step, or one lane a step"""
    function: str | None = None
    """only in this function"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        words = (self.how, *self.axis)
        on_every_op(op, self.name, self.axis, self.function, mark, *words)
