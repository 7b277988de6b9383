"""Give tensor expressions the schedules that were measured to be fastest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, UnitAttr
from xdsl.dialects.func import FuncOp
from xdsl.parser import Parser
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import ParseError, PassFailedException

from lamina.backends.machine import Machine
from lamina.context import LaminaContext
from lamina.dialects.te import ComputeOp, ScheduleAttr
from lamina.passes._machine import machine_of
from lamina.passes.te._cost import candidates
from lamina.passes.te._directives import computes
from lamina.passes.te._workload import standalone, workload
from lamina.passes.te.te_schedule import schedule

LOOKED_AT = 24
"""candidates among which a recorded schedule is looked for, to share it out among threads"""
NOT_SLOWER = 1.05
"""than the best one: what is fastest on one thread may give uneven shares to several"""


def schedules_in(module: ModuleOp) -> dict[str, str]:
    """The text of each scheduled op by itself -> its schedule."""
    found: dict[str, str] = {}
    for op in computes(module):
        if op.schedule is not None and (text := workload(op)) is not None:
            found[text] = str(op.schedule)
    return found


@dataclass(frozen=True)
class TeApplyRecordsPass(ModulePass):
    """
    Give every op without a schedule the one that is recorded for it.

    axes(oc: 64, ow: 56, reduce ic: 64) ...
    ->  the same with schedule [split oc 32 oco oci, ..., unroll owi ocm, vector ocv]

    Records are what `lamina tune` measured for the target, or the scheduled ops of a file; an op is
    known by its text, names of values apart. A record that does not fit any more is ignored. With
    several threads a recorded schedule is shared out, if that is not slower than another one.
    A function with such an op is marked `lamina.tuned`.
    """

    name = "te-apply-records"
    numerics: ClassVar[str] = "exact"

    file: str = ""
    """a module whose ops have schedules; without it, what the compiler found for this machine"""
    target: str = "cpu"
    """the machine to share out for"""
    threads: int = 1
    """among which one loop of each op that takes long is shared out"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        records = self._read(ctx) if self.file else _known(ctx)
        if not records:
            return
        machine = machine_of(self.target, by=self.name)
        for te in computes(op):
            if te.schedule is not None or any(a.mark for a in te.axes.data):
                continue
            text = workload(te)
            if text is None or (recorded := records.get(text)) is None:
                continue
            found = ScheduleAttr.from_text(recorded.strip("[]"))
            if self.threads > 1:
                te.schedule = _shared_out(te, found, machine, self.threads)
            elif _fits(te, found):
                te.schedule = found
            parent = te.parent_op()
            if te.schedule is not None and isinstance(parent, FuncOp):
                parent.attributes["lamina.tuned"] = UnitAttr()

    def _read(self, ctx: Context) -> Mapping[str, str]:
        """The records of the file."""
        try:
            text = Path(self.file).read_text()
            return schedules_in(Parser(ctx, text, self.file).parse_module())
        except OSError as e:
            raise PassFailedException(
                f"{self.name}: cannot read '{self.file}': {e.strerror}"
            ) from e
        except ParseError as e:
            raise PassFailedException(f"{self.name}: '{self.file}' is no module: {e.msg}") from e


def _known(ctx: Context) -> Mapping[str, str]:
    return ctx.schedules if isinstance(ctx, LaminaContext) else {}


def _fits(op: ComputeOp, found: ScheduleAttr) -> bool:
    """Whether the directives can be carried out on the op; tried on one that is like it."""
    module = standalone(op)
    assert module is not None, op
    (copy,) = computes(module)
    copy.schedule = found
    try:
        schedule(copy)
    except PassFailedException:
        return False
    return True


def _shared_out(
    op: ComputeOp, found: ScheduleAttr, machine: Machine, threads: int
) -> ScheduleAttr | None:
    """The recorded tile, in the loops that are best for several threads."""
    best = candidates(op, machine, LOOKED_AT, threads=threads)
    for c in best:
        same = c.alone is not None and _tile(c.alone) == _tile(found)
        if same and c.seconds <= NOT_SLOWER * best[0].seconds:
            return c.schedule
    return None


def _tile(found: ScheduleAttr) -> frozenset[tuple[str, ...]]:
    """What is unrolled or a vector, and the sizes of it."""
    marks = [d for d in found.data if d[0] in ("unroll", "vector")]
    inside = {name for d in marks for name in d[1:]}
    splits = [(d[1], d[2]) for d in found.data if d[0] == "split" and d[4] in inside]
    return frozenset([*marks, *splits])
