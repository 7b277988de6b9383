"""Parts of a network that run on one device in one go, in an order in which they can run."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.ir import Operation, SSAValue

from lamina.dialects.graph import DeviceCopyOp
from lamina.passes.graph._devices import device_of, label, last_of


class Disagreement(ValueError):
    """Ops that hand on a value without a copy are on two devices; the message is one line."""


@dataclass(frozen=True)
class Part:
    """Ops of one device that run in one go, in their order."""

    device: str
    ops: tuple[Operation, ...]


def read_by(op: Operation, skipped: Container[object]) -> list[SSAValue]:
    """What `op` reads, before it was copied to its device; but for what `skipped` makes."""
    return [x for x in map(original, op.operands) if x.owner not in skipped]


def original(value: SSAValue) -> SSAValue:
    """The value of which `value` is a copy for another device."""
    while isinstance(value.owner, DeviceCopyOp):
        value = value.owner.x
    return value


# -- the device of each op


def devices_of(f: func.FuncOp, constant: Container[object]) -> dict[Operation, str]:
    """
    The device of each op of a network, but for those from constants. Ops that rewrites made have
    none: it is that of their neighbours, because values change devices in copies only.
    """
    group = dict[Operation, list[Operation]]()
    for op in f.body.block.ops:
        if op in constant or op is last_of(f) or isinstance(op, DeviceCopyOp):
            continue
        joined = [op]
        beside = [x.owner for x in op.operands if isinstance(x.owner, Operation)]
        for other in {id(group[o]): group[o] for o in beside if o in group}.values():
            joined = other + joined
        group |= dict.fromkeys(joined, joined)
    found = dict[Operation, str]()
    for ops in {id(g): g for g in group.values()}.values():
        found |= dict.fromkeys(ops, _common(ops))
    return found


def _common(ops: Sequence[Operation]) -> str:
    """The one device that these neighbours are on."""
    known = dict[str, str]()
    for op in ops:
        if device := device_of(op):
            known.setdefault(device, label(op))
        for value in (*op.operands, *op.results):
            for copy in (value.owner, *(use.operation for use in value.uses)):
                if isinstance(copy, DeviceCopyOp) and value in (copy.x, copy.y):
                    end = copy.to if value is copy.y else copy.source
                    known.setdefault(end.data, label(op))
    if len(known) == 1:
        return next(iter(known))
    if not known:
        raise Disagreement(f"{label(ops[0])} has no device; run place-on-devices first")
    (one, first), (other, second), *_ = known.items()
    raise Disagreement(
        f"{first} is on {one}, {second} on {other}, and no copy is between them; run "
        "place-on-devices, then insert-device-copies"
    )


# -- what runs in one go


def parts(devices: Mapping[Operation, str], constant: Container[object]) -> list[Part]:
    """
    All ops, in as few parts as were found: each part is all of a device that can run then. A first
    one that leads to fewer is preferred.
    """
    needs = {
        op: {x.owner for x in read_by(op, constant) if isinstance(x.owner, Operation)}
        for op in devices
    }
    starts = dict.fromkeys(devices.values())
    return min((_from(start, devices, needs) for start in starts), key=len)


def _from(
    device: str, devices: Mapping[Operation, str], needs: Mapping[Operation, set[Operation]]
) -> list[Part]:
    left, found = dict.fromkeys(devices), list[Part]()
    ready = _ready(device, left, devices, needs)
    while left:
        if ready:
            found.append(Part(device, tuple(ready)))
            for op in ready:
                del left[op]
        choices = {d: _ready(d, left, devices, needs) for d in dict.fromkeys(devices.values())}
        device, ready = max(choices.items(), key=lambda choice: len(choice[1]))
    return found


def _ready(
    device: str,
    left: Iterable[Operation],
    devices: Mapping[Operation, str],
    needs: Mapping[Operation, set[Operation]],
) -> list[Operation]:
    """What one device can run without waiting for others; `left` is in an order that runs."""
    waiting = {op for op in left if devices[op] != device}
    found = list[Operation]()
    for op in left:
        if devices[op] == device:
            if needs[op] & waiting:
                waiting.add(op)
            else:
                found.append(op)
    return found
