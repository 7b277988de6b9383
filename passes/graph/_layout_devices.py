"""On which machine each op of a network runs, and what layouts cost there."""

from __future__ import annotations

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Operation, SSAValue

from lamina.backends.machine import Machine
from lamina.dialects.graph import DEVICE, DeviceCopyOp
from lamina.dialects.layout import Layout
from lamina.passes._machine import machine_of
from lamina.passes.graph._layout_cost import LayoutCosts
from lamina.passes.graph._layout_cost_cpu import CpuCosts
from lamina.passes.graph._layout_cost_subgroups import SubgroupCosts


def costs_on(machine: Machine, tiles: bool = False) -> LayoutCosts:
    """What things cost on `machine`; with `tiles`, if convolutions may be computed by tiles."""
    return CpuCosts(machine, tiles) if machine.kind == "cpu" else SubgroupCosts(machine)


def device_at(value: SSAValue) -> StringAttr | None:
    """
    Where a value is made; an argument is where it is read first. None: the network is on one
    device.
    """
    owners = [value.owner] if isinstance(value.owner, Operation) else []
    for op in (*owners, *(use.operation for use in value.uses)):
        if device := _device_of(op):
            return device
    return None


def _device_of(op: Operation) -> StringAttr | None:
    """Where the result of `op` is; a copy is for the device that reads it."""
    device = op.to if isinstance(op, DeviceCopyOp) else op.attributes.get(DEVICE)
    return device if isinstance(device, StringAttr) else None


class Devices:
    """
    The costs of all machines that a network runs on: that which an op names in its attribute
    `device`, or `target` where it names none. PassFailedException where there is no such machine.
    """

    def __init__(self, target: str, tiles: bool = False, by: str = "select-layouts") -> None:
        self.target, self.tiles, self.by = target, tiles, by
        self.known: dict[str, LayoutCosts] = {}

    def of(self, op: Operation) -> LayoutCosts:
        """The costs of the machine that computes `op`."""
        return self._named(_device_of(op))

    def layouts(self, op: Operation, *, of_bytes: bool) -> tuple[Layout, ...]:
        """How the result of `op` may be stored; a copy as both of its devices store tensors."""
        costs = [self.of(op)]
        if isinstance(op, DeviceCopyOp):
            costs.append(self._named(op.source))
        found, *others = (c.of_bytes if of_bytes else c.layouts for c in costs)
        return tuple(y for y in found if all(y in other for other in others))

    def at(self, value: SSAValue) -> LayoutCosts:
        """The costs of the machine where `value` is."""
        return self._named(device_at(value))

    def _named(self, device: StringAttr | None) -> LayoutCosts:
        target = self.target if device is None else device.data
        if target not in self.known:
            self.known[target] = costs_on(machine_of(target, by=self.by), self.tiles)
        return self.known[target]
