"""Carry out the schedules of tensor expressions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from lamina.dialects.te import ComputeOp, ScheduleAttr
from lamina.passes.te._directives import carry_out, computes
from lamina.passes.te.te_dot4 import dot4
from lamina.passes.te.te_mark import mark
from lamina.passes.te.te_order import order
from lamina.passes.te.te_simplify import simplify
from lamina.passes.te.te_split import split


def _split(op: ComputeOp, axis: str, by: str, outer: str, inner: str) -> None:
    split(op, axis, int(by), outer, inner)


def _parallel(op: ComputeOp, *axes: str) -> None:
    mark(op, "parallel", *axes)


def _unroll(op: ComputeOp, *axes: str) -> None:
    mark(op, "unroll", *axes)


def _vector(op: ComputeOp, *axes: str) -> None:
    mark(op, "vector", *axes)


DIRECTIVES: Mapping[str, Callable[..., None]] = MappingProxyType(
    {
        "split": _split,
        "order": order,
        "parallel": _parallel,
        "unroll": _unroll,
        "vector": _vector,
        "dot4": dot4,
    }
)
"""What each verb of a schedule does to an op."""


def schedule(op: ComputeOp, steps: int | None = None) -> None:
    """Carry out the first `steps` directives of the op, or all; those not reached stay on it."""
    while op.schedule is not None and op.schedule.data and steps != 0:
        directive, *rest = op.schedule.data
        verb, *words = directive
        text = f"te-schedule: '{' '.join(directive)}'"
        carry_out(text, op, DIRECTIVES[verb], *words)
        op.schedule = ScheduleAttr(tuple(rest)) if rest else None
        steps = None if steps is None else steps - 1
    simplify(op)


@dataclass(frozen=True)
class TeSchedulePass(ModulePass):
    """
    Carry out the directives of every op, first to last, and simplify what comes out.

    axes(j: 10) ins(%x[j]) schedule [split j 4 jo ji, vector ji]
    ->  axes(jo: 3, ji: 4 vector) where ji + jo * 4 < 10 ins(%x[ji + jo * 4])
    """

    name = "te-schedule"
    numerics: ClassVar[str] = "tolerance 1e-5"  # reduce axes may change places

    steps: int | None = None
    """carry out at most this many directives of each op, to look at the IR in between"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for te in computes(op):
            schedule(te, self.steps)
