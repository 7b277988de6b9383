"""Give every tensor expression without a schedule one, from a cost model."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from math import prod
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import FloatAttr, ModuleOp, f64
from xdsl.ir import BlockArgument, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from lamina.backends.machine import Machine
from lamina.dialects.loop import ForOp
from lamina.dialects.te import ComputeOp, ScheduleAttr
from lamina.passes._aliasing import may_alias, root_of
from lamina.passes._machine import machine_of
from lamina.passes.te._cost import candidates
from lamina.passes.te._directives import computes
from lamina.passes.te._homes import Home, homes


def choose(op: ComputeOp, machine: Machine, threads: int = 1) -> ScheduleAttr | None:
    """The schedule that should be fastest; None if the op is best left as it is."""
    return next((c.schedule for c in candidates(op, machine, threads=threads)), None)


def _inside_parallel(op: Operation) -> bool:
    """Whether a loop around `op` is shared out already."""
    parent = op.parent_op()
    while parent is not None:
        if isinstance(parent, ForOp) and parent.mapping.data == "parallel":
            return True
        parent = parent.parent_op()
    return False


@dataclass(frozen=True)
class TeChooseSchedulesPass(ModulePass):
    """
    Give every op without a schedule the one that should be fastest on the target.

    axes(oc: 64, ow: 56, reduce ic: 64) ...
    ->  the same with schedule [split oc 32 oco oci, ..., unroll owi ocm, vector ocv]

    Axes are cut where floordiv and mod in the accesses cut them; the vector axis is the one that
    makes accesses contiguous; register tiles and loop orders are ranked by a formula for their
    time, which knows where the operands lie when a kernel is called. Ops that have a schedule or a
    mark already are left alone. What a kernel should take is noted on it: `lamina.seconds`.

    Where 4 steps of a reduction are neighbouring bytes in both inputs, unsigned in one and signed
    in the other, a step is a dot product of them: `split ic 4 icm icg, dot4 icg`.

    With several threads the length of the longest share counts, and the outermost loop is a run of
    steps for each: `split oh 28 oht ohi, .., order oht .., parallel oht`.

    On graphics processors a subgroup is the vector, all loops around its tile are parallel, and the
    part of a reduction is unrolled that has the lanes of one row: `order oh owo oco ico kh kw ici
    owi ocv, parallel oh owo oco, unroll kw ici owi, vector ocv`.
    """

    name = "te-choose-schedules"
    numerics: ClassVar[str] = "exact"

    target: str = "cpu"
    """the machine to choose for: `cpu`, `cpu:haswell`, `opencl:portable`, ..."""
    threads: int = 1
    """among which one loop of each op that takes long is shared out"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.threads < 1:
            raise PassFailedException(f"{self.name}: needs at least 1 thread, got {self.threads}")
        machine = machine_of(self.target, by=self.name)
        where = homes(op, machine)
        for f in op.walk():
            if isinstance(f, func.FuncOp) and (ops := computes(f)):
                total = self._kernel(ops, where.get(f.sym_name.data, ()), machine)
                f.attributes["lamina.seconds"] = FloatAttr(total, f64)

    def _kernel(
        self, ops: Sequence[ComputeOp], arguments: Sequence[Home], machine: Machine
    ) -> float:
        """Schedules for all of a kernel's ops; the seconds that it should take."""
        touched = set[SSAValue]()
        total = machine.seconds(machine.rates.call_cycles)
        for op in ops:
            total += self._op(op, homes_of(op, arguments, touched), machine)
            touched.update(root_of(v) for v in op.operands_in_order)
        return total

    def _op(self, op: ComputeOp, where: Sequence[Home], machine: Machine) -> float:
        """
        A schedule for an op that has none; the seconds of all its runs, in the loops around it.

        An op that others scheduled counts as if it were as fast as the schedule best here.
        """
        given = op.schedule is not None or any(a.mark for a in op.axes.data)
        threads = 1 if _inside_parallel(op) else self.threads
        found = candidates(op, machine, homes=where, threads=threads)
        if not found:
            return 0.0
        if not given:
            op.schedule = found[0].schedule
        return _runs(op, self.threads) * found[0].seconds


def _runs(op: ComputeOp, threads: int) -> int:
    """How often the loops around an op run it, one after the other."""
    runs, parent = 1, op.parent_op()
    while parent is not None:
        if isinstance(parent, ForOp):
            steps = prod(map(int, parent.extents.get_values()))
            runs *= -(-steps // threads) if parent.mapping.data == "parallel" else steps
        parent = parent.parent_op()
    return runs


def homes_of(
    op: ComputeOp, arguments: Sequence[Home], touched: Set[SSAValue] = frozenset()
) -> list[Home]:
    """
    Where the operands of an op lie before, by where the arguments of its kernel do.

    What an op of the kernel `touched` before is near, and so is what the kernel allocates.
    """

    def home(v: SSAValue) -> Home:
        if v in touched or not isinstance(v, BlockArgument):
            return "l2"
        return arguments[v.index] if v.index < len(arguments) else "l3"

    *reads, written = roots = [root_of(v) for v in op.operands_in_order]
    found: list[Home] = [home(v) for v in roots]
    if any(may_alias(v, written) for v in reads):  # in place: what is read is there
        found[-1] = "l2"
    return found
