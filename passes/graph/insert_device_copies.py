"""Copy what one device makes and another reads."""

from __future__ import annotations

from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.graph import DeviceCopyOp
from lamina.passes.graph._devices import (
    device_of,
    from_constants,
    host_of,
    label,
    last_of,
    networks,
)


class InsertDeviceCopiesPass(ModulePass):
    """
    Put a `graph.device_copy` between what makes a tensor and what reads it on another device.

    %y = graph.softmax %x {device = "cpu"}  ->
    %c = graph.device_copy %x {source = "opencl:intel-gen9", to = "cpu"}; graph.softmax %c ..

    There is one for each tensor and device that reads it. Inputs and results of a network are the
    host's, which the first CPU stands for; constants are on every device. A network on one device
    stays as it is.
    """

    name = "insert-device-copies"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for f in networks(op):
            devices = self.devices(f)
            if len(set(devices.values())) < 2:
                continue
            host = host_of([*devices.values()])
            devices[last_of(f)] = host
            for value in [*f.body.block.args, *(y for o in devices for y in o.results)]:
                self.copy(value, devices, host)

    def devices(self, f: func.FuncOp) -> dict[Operation, str]:
        """The device of each op that has to have one."""
        constant, last = from_constants(f), last_of(f)
        ops = [op for op in f.body.block.ops if op not in constant and op is not last]
        found = {op: device for op in ops if (device := device_of(op))}
        if found and (missing := [op for op in ops if op not in found]):
            raise PassFailedException(
                f"{self.name}: {label(missing[0])} has no device, others have; run "
                "place-on-devices, which gives one to every op"
            )
        return found

    def copy(self, value: SSAValue, devices: dict[Operation, str], host: str) -> None:
        """Let those read copies of `value` that are not where it is made."""
        owner = value.owner
        source = host if isinstance(owner, Block) else devices[owner]
        copies = dict[str, DeviceCopyOp]()
        for use in list(value.uses):
            to = devices[use.operation]
            if to == source:
                continue
            if to not in copies:
                copies[to] = DeviceCopyOp(value, source, to)
                copies[to].y.name_hint = value.name_hint
            use.operation.operands[use.index] = copies[to].y
        point = (
            InsertPoint.at_start(owner) if isinstance(owner, Block) else InsertPoint.after(owner)
        )
        for copy in copies.values():
            Rewriter.insert_op(copy, point)
