"""Give every op of a network to one of several devices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.graph import PLACED
from lamina.passes.graph._device_offers import Devices, Offer
from lamina.passes.graph._device_problem import place
from lamina.passes.graph._device_rules import BadRule, Rule, chosen, parse_rule
from lamina.passes.graph._devices import (
    from_constants,
    is_host,
    label,
    last_of,
    names_of,
    needed_by,
    networks,
    set_device,
)


@dataclass(frozen=True)
class Decision:
    """Where an op runs, and why there."""

    op: Operation
    device: str
    why: str
    offer: Offer
    """who might have run it, too"""


@dataclass(frozen=True)
class PlaceOnDevicesPass(ModulePass):
    """
    Give every op of a network to the device on which the network is fastest, of those in a list.

    graph.softmax %x ..  ->  graph.softmax %x .. {device = "cpu", placed = "faster than .."}

    A device has to claim the op; a rule may name it; else the seconds decide that back ends predict
    for ops, and that it takes to hand values from one device to another. Inputs and results are the
    host's. Ops that read only constants get no device: each has its own. `placed` says why.
    """

    name = "place-on-devices"
    numerics: ClassVar[str] = "exact"

    targets: str
    """the devices that may be used, of equally fast ones the first: `opencl:intel-gen9,cpu`"""
    rules: tuple[str, ...] = ()
    """`graph.softmax:cpu`: ops of a kind, or by their names in the model; the last one counts"""
    threads: int = 1
    """of the host, by which its seconds are divided"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for decision in self.decide(op):
            set_device(decision.op, decision.device)
            decision.op.attributes[PLACED] = StringAttr(decision.why)

    def decide(self, module: ModuleOp) -> list[Decision]:
        """What becomes of each op; nothing changes."""
        devices = self.devices()
        names = list(devices.of)
        placed = {f: _placed_ops(f) for f in networks(module)}
        try:
            rules = [parse_rule(text, names) for text in self.rules]
            ruled = chosen(rules, [o for ops in placed.values() for o in ops])
        except BadRule as e:
            raise PassFailedException(f"{self.name}: {e}") from e
        return [d for f, ops in placed.items() for d in self.place(f, ops, devices, ruled)]

    def devices(self) -> Devices:
        """The devices that may be used."""
        names = names_of(self.targets)
        if not names:
            raise PassFailedException(f"{self.name}: needs a target, got '{self.targets}'")
        return Devices(names, self.threads, self.name)

    def place(
        self,
        f: func.FuncOp,
        ops: Mapping[Operation, Sequence[Operation]],
        devices: Devices,
        ruled: Mapping[Operation, Rule],
    ) -> Iterator[Decision]:
        """Place the ops of one network; each is given with the ops from constants it needs."""
        offers = {op: devices.offer(needed) for op, needed in ops.items()}
        costs = {op: self.allowed(op, offers[op], ruled.get(op), devices) for op in ops}
        for op, device in place(f, list(devices.of), costs, devices.edges()).items():
            rule = ruled.get(op)
            why = f"rule '{rule.text}'" if rule else offers[op].why(device)
            yield Decision(op, device, why, offers[op])

    def allowed(
        self, op: Operation, offer: Offer, rule: Rule | None, devices: Devices
    ) -> Mapping[str, float]:
        """How long the devices take that may run `op`: with a rule, the one that it names."""
        if not offer.seconds:
            every = "; ".join(f"{device}: {why}" for device, why in offer.refused.items())
            remedy = "" if any(map(is_host, devices.of)) else "; add cpu to the targets"
            raise PassFailedException(f"{self.name}: {label(op)} runs nowhere: {every}{remedy}")
        if rule is None:
            return offer.seconds
        if reason := offer.refused.get(rule.device):
            raise PassFailedException(
                f"{self.name}: {label(op)} cannot run on {rule.device}, as rule '{rule.text}' "
                f"says: {reason}; it runs on {' or '.join(offer.seconds)}"
            )
        return {rule.device: offer.seconds[rule.device]}


def _placed_ops(f: func.FuncOp) -> dict[Operation, list[Operation]]:
    """The ops that are given to a device, with those from constants that each needs."""
    constant, last = from_constants(f), last_of(f)
    ops = (op for op in f.body.block.ops if op not in constant and op is not last)
    return {op: needed_by(op, constant) for op in ops}
