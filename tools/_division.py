"""What `lamina compile --report` finds out of a network that is divided among devices."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Block, Operation, SSAValue

from lamina import regions, steps
from lamina.backends.model import CompiledModel
from lamina.compiler import known, machines_of, recorded, threads_on
from lamina.dialects.graph import SOURCE, DeviceCopyOp
from lamina.errors import LaminaError
from lamina.passes import pipelines
from lamina.passes.graph._device_offers import Devices
from lamina.passes.graph._device_problem import Edges, bytes_of
from lamina.passes.graph._devices import is_host, networks
from lamina.passes.graph.insert_device_copies import InsertDeviceCopiesPass
from lamina.passes.graph.place_on_devices import Decision, PlaceOnDevicesPass
from lamina.progress import progress_bar
from lamina.tools._arrays import random_inputs
from lamina.tools._models import options_of

ROUNDS = 10
"""in which every kernel is timed"""


@dataclass(frozen=True)
class Placed:
    """An op and its device."""

    kind: str
    source: str
    """its name in the user's model"""
    device: str
    why: str
    seconds: dict[str, float]
    """device -> what its back end says that it takes"""
    refused: dict[str, str]
    """device -> why it cannot run there"""


@dataclass(frozen=True)
class Edge:
    """A tensor that one device makes and another reads."""

    tensor: str
    """what makes it, in the words of the user's model"""
    source: str
    to: str
    bytes: int
    seconds: float
    """that its way should take"""
    way: str
    """how it gets there"""


@dataclass(frozen=True)
class Part:
    """A region of the network: what a device runs in one go."""

    device: str
    kernels: int
    measured: float | None


@dataclass(frozen=True)
class Division:
    """A network divided among devices, with all that is to be said of that."""

    name: str
    devices: tuple[str, ...]
    threads: int
    ops: tuple[Placed, ...]
    edges: tuple[Edge, ...]
    parts: tuple[Part, ...]
    unmeasured: str
    """why there are no measured times; empty if there are"""
    model: CompiledModel


def division_of(args: Namespace) -> Division:
    """Compile the model that a command was given for its list of targets, and look at it."""
    machines = [known(machine) for machine in machines_of(args.target)]
    names = tuple(machine.name for machine in machines)
    target, options = ",".join(names), options_of(args, threads_on(machines, args.threads))
    with steps.no_garbage_collection(), progress_bar() as step:
        step("read", more=1)
        ctx, module = steps.read(args.model, dict(args.shape))
        ctx.schedules = {}
        for machine in machines if not args.no_records else ():
            ctx.schedules = {**ctx.schedules, **recorded(machine)}
        if regions.regions_of(module) or steps.last_pass(module):
            raise LaminaError(
                f"--report needs a network that nobody divided or lowered, found '{args.model}'"
            )
        passes = pipelines.network(target, options)
        copied = 1 + next(n for n, p in enumerate(passes) if isinstance(p, InsertDeviceCopiesPass))
        place = next(p for p in passes if isinstance(p, PlaceOnDevicesPass))
        steps.lower(ctx, module, passes[: passes.index(place) + 1], step)
        ops = tuple(map(_placed, place.decide(module)))
        steps.lower(ctx, module, passes[passes.index(place) + 1 : copied], step)
        edges = tuple(_edges(module, place.devices()))
        steps.lower(ctx, module, passes[copied:], step)
        model = regions.finish(ctx, module, target, options, step)
    parts, why = _parts(model)
    return Division(args.model, names, options.threads, ops, edges, parts, why, model)


def _placed(d: Decision) -> Placed:
    seconds, refused = d.offer.seconds, d.offer.refused
    return Placed(d.op.name, _source(d.op), d.device, d.why, dict(seconds), dict(refused))


def _source(op: Operation) -> str:
    source = op.attributes.get(SOURCE)
    return source.data if isinstance(source, StringAttr) else ""


def _edges(module: ModuleOp, devices: Devices) -> Iterator[Edge]:
    """The copies of a module, where they are ops of its networks still."""
    costs = devices.edges()
    copies = (op for f in networks(module) for op in f.body.block.ops)
    for op in copies:
        if not isinstance(op, DeviceCopyOp):
            continue
        source, to, size = op.source.data, op.to.data, bytes_of(op.x)
        seconds = costs.seconds(size, source, to)
        yield Edge(_name(op.x), source, to, size, seconds, _way(op, costs))


def _name(value: SSAValue) -> str:
    """A tensor in the words of the user's model, as far as there are such."""
    owner = value.owner
    if isinstance(owner, Block):
        return f"input {value.name_hint or ''}".strip()
    return _source(owner) or owner.name


def _way(op: DeviceCopyOp, costs: Edges) -> str:
    """How a tensor gets to its reader, and why so."""
    beside = [d for d in (op.source.data, op.to.data) if not is_host(d)]
    if own := [d for d in beside if not costs.shared(d)]:
        return f"copied: the host does not share the memory of {' and '.join(own)}"
    if len(beside) > 1:
        return "copied by the host: two devices share no buffer"
    if isinstance(op.x.owner, Block):
        return "copied: the caller's array is not the device's"
    if any(isinstance(use.operation, func.ReturnOp) for use in op.y.uses):
        return "copied: the caller's array is not the device's"
    return "handed over: the buffer is shared, nothing is copied"


def _parts(model: CompiledModel) -> tuple[tuple[Part, ...], str]:
    """What runs where; and why it was not timed, or nothing."""
    manifests = model.manifest.regions or (model.manifest,)
    try:
        timings = model.profile(random_inputs(model.inputs, 0), ROUNDS)
    except LaminaError as e:
        return tuple(Part(m.target, len(m.calls), None) for m in manifests), str(e)
    seconds, parts = [t.seconds for t in timings], list[Part]()
    for m in manifests:
        count = len(m.calls)
        parts.append(Part(m.target, count, sum(seconds[:count])))
        del seconds[:count]
    return tuple(parts), ""
