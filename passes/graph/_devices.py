"""The devices of a network, by their targets, and which of its ops are whose."""

from __future__ import annotations

from collections.abc import Container, Sequence

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Operation

from lamina.dialects.graph import DEVICE, SOURCE, ConstantOp
from lamina.passes.graph.outline_kernels import is_network

HOST = "cpu"
"""the first part of the targets whose memory is the host's"""


def names_of(targets: str) -> tuple[str, ...]:
    """The targets of a list: `opencl:intel-gen9,cpu`."""
    return tuple(dict.fromkeys(name for t in targets.split(",") if (name := t.strip())))


def is_host(device: str) -> bool:
    """Whether what a device reads and writes is always in the host's hands."""
    return device.partition(":")[0] == HOST


def host_of(devices: Sequence[str]) -> str:
    """Where inputs and outputs of a network on these devices are: the first CPU, or just `cpu`."""
    return next(filter(is_host, devices), HOST)


def device_of(op: Operation) -> str | None:
    """The device that an op was given to, if it was."""
    device = op.attributes.get(DEVICE)
    return device.data if isinstance(device, StringAttr) else None


def set_device(op: Operation, device: str) -> None:
    """Give an op to a device."""
    op.attributes[DEVICE] = StringAttr(device)


def networks(module: ModuleOp) -> list[func.FuncOp]:
    """The functions of a module that are networks."""
    return [f for f in module.ops if isinstance(f, func.FuncOp) and is_network(f)]


def last_of(f: func.FuncOp) -> func.ReturnOp:
    """What a network returns with."""
    last = f.body.block.last_op
    assert isinstance(last, func.ReturnOp), last
    return last


def from_constants(f: func.FuncOp) -> set[Operation]:
    """The ops of a network that read nothing but constants: each device has its own."""
    found = set[Operation]()
    for op in f.body.block.ops:
        made = (isinstance(x.owner, Operation) and x.owner in found for x in op.operands)
        if isinstance(op, ConstantOp) or (op.operands and all(made)):
            found.add(op)
    return found - {last_of(f)}


def needed_by(op: Operation, constant: Container[Operation]) -> list[Operation]:
    """`op`, and those of the ops from constants that make its operands."""
    found, todo = dict.fromkeys([op]), [op]
    while todo:
        for x in todo.pop().operands:
            if isinstance(x.owner, Operation) and x.owner in constant and x.owner not in found:
                found[x.owner] = None
                todo.append(x.owner)
    return list(found)


def label(op: Operation) -> str:
    """An op in the words of the user's model: `'prob' (graph.softmax)`, or what there is."""
    source = op.attributes.get(SOURCE)
    return f"'{source.data}' ({op.name})" if isinstance(source, StringAttr) else op.name
