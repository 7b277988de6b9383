"""Reading off the entry of a divided network what it runs where, and which buffers change hands."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

from xdsl.dialects import func, memref
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Operation, SSAValue
from xdsl.utils.exceptions import DiagnosticException

from lamina.backends.cpu.entry import arguments_of, dtype_of, memref_of
from lamina.backends.cpu.manifest import Argument, Manifest, Step
from lamina.dialects.graph import MapOp, RunOp, UnmapOp

DEVICE = "lamina.device"
"""Attribute of a function: it, a region of a network or all of one, runs on this target."""


def regions_of(module: ModuleOp) -> dict[str, func.FuncOp]:
    """The regions of a divided network by name, in the order of the module; none: not divided."""
    functions = [f for f in module.ops if isinstance(f, func.FuncOp) and f.sym_visibility]
    return {f.sym_name.data: f for f in functions if DEVICE in f.attributes}


def device_of(region: func.FuncOp) -> str:
    """The target that a region runs on."""
    device = region.attributes[DEVICE]
    if isinstance(device, StringAttr):
        return device.data
    raise DiagnosticException(f"@{region.sym_name.data}: {DEVICE} needs a target, got {device}")


def describe_split(
    module: ModuleOp, regions: Mapping[str, Manifest], target: str, threads: int
) -> Manifest:
    """
    The manifest of a network on buffers whose regions, by name, have these manifests: edges, which
    are its memref.alloc, are arguments behind those of the entry.
    """
    (entry,) = [f for f in module.ops if isinstance(f, func.FuncOp) and DEVICE not in f.attributes]
    reader = _Reader(entry, list(regions))
    for op in entry.body.block.ops:
        reader.read(op)
    return Manifest(
        entry=entry.sym_name.data,
        target=target,
        cpu="",
        triple="",
        features=(),
        arguments=tuple(reader.arguments),
        calls=(),
        lamina=version("lamina"),
        threads=threads,
        regions=tuple(regions.values()),
        steps=tuple(reader.steps),
    )


class _Reader:
    """The arguments and steps of an entry while it is read."""

    def __init__(self, entry: func.FuncOp, regions: list[str]) -> None:
        self.arguments = arguments_of(entry)
        self.steps = list[Step]()
        self._places: dict[SSAValue, int] = {a: k for k, a in enumerate(entry.args)}
        self._regions = regions

    def read(self, op: Operation) -> None:
        """Note what an op of the entry does."""
        match op:
            case memref.AllocOp():
                type = memref_of(op.memref)
                self._places[op.memref] = len(self.arguments)
                name, dtype = op.memref.name_hint or "", dtype_of(type.element_type)
                self.arguments.append(Argument("edge", name, type.get_shape(), dtype))
            case MapOp() | UnmapOp():
                kind = "map" if isinstance(op, MapOp) else "unmap"
                self._step(kind, op.buffer, device=op.device.data)
            case memref.CopyOp():
                self._step("copy", op.source, op.destination)
            case RunOp():
                region = self._regions.index(op.region.string_value())
                self._step("run", *op.buffers, region=region)
            case func.ReturnOp():
                pass
            case _:
                raise DiagnosticException(
                    f"the entry of a divided network runs regions and hands over buffers, got "
                    f"{op.name}"
                )

    def _step(self, kind: str, *buffers: SSAValue, device: str = "", region: int = -1) -> None:
        places = tuple(self._places[b] for b in buffers)
        self.steps.append(Step(kind, places, device, region))
