"""
Compile a model, or load what was compiled before.

This module is all that a cached model needs; reading models, passes and code generation are in
`lamina.steps`, which is imported when there is something to do: xDSL and the passes take longer to
import than a cached model to load.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lamina.backends.cpu.compiler import identity
from lamina.backends.cpu.cores import default_threads
from lamina.backends.cpu.objects import records_file
from lamina.backends.machine import Machine, UnknownTarget, describe
from lamina.backends.model import CompiledModel
from lamina.backends.registry import backend_of
from lamina.errors import LaminaError
from lamina.model_cache import ModelCache, files_of, model_key
from lamina.options import Options

if TYPE_CHECKING:
    import onnx
    from xdsl.dialects.builtin import ModuleOp

    from lamina.weights import WeightStore


def compile(
    model: str | os.PathLike[str] | onnx.ModelProto | ModuleOp,
    *,
    target: str = "cpu",
    threads: int | None = None,
    numerics: str = "fast",
    layouts: str = "exact",
    requantize: str = "float",
    place: Sequence[str] = (),
    storage: str = "f32",
    shapes: Mapping[str, Sequence[int]] | None = None,
    weights: WeightStore | None = None,
    cache: bool = True,
    records: bool = True,
    verify: bool = False,
) -> CompiledModel:
    """
    Make a network executable.

    `target` is a machine, such as `cpu`, `cpu:haswell` or `opencl:intel-gen9`, or a list of those
    that may be used, such as `opencl:intel-gen9,cpu`: then each operation is computed where it
    takes least time, and what one device cannot compute on another one of the list. `place` has
    rules for that, `graph.softmax:cpu` or `layer1*:opencl`, a kind of operations or a pattern of
    names in the model, and the target or its first part; the last one that fits an operation holds.

    `model` is an `.onnx` or `.mlir` file, an ONNX model in memory, or a module whose weights are in
    `weights`; both stay as they are. `shapes` sets the shapes of inputs that the model leaves open.
    With `numerics` "strict", sums are formed of the products that the model says, even where others
    are fewer: outputs are then within 1e-5 of their largest value, with "fast" within 1e-4. Each
    call of the model runs on `threads` threads, by default one for each core that affinity and
    control groups leave to this process; on an OpenCL device the driver divides the work. `layouts`
    is one of `options.LAYOUTS`: `exact` is best, the others are there to be compared with it. With
    `requantize` "fixed", integers of a quantized network are scaled by multipliers and shifts,
    "float" is what ONNX says. With `storage` "f16", floats lie in memory in 16 bits between
    kernels, which compute in 32: half of the traffic, 11 bits of each number and none beyond 65504;
    inputs and outputs stay what they are. With `cache`, a file that was compiled before is not
    compiled again. With `records`, kernels that `lamina tune` measured get the schedules that were
    fastest. With `verify`, the module is verified after every pass: a developer of passes wants
    that, a user the time it takes.
    """
    machines = machines_of(target)
    threads = threads_on(machines, threads)
    options = Options(threads, numerics, layouts, requantize, place=tuple(place), storage=storage)
    if cache:
        machines = [known(machine) for machine in machines]
    schedules = dict[str, str]()
    if records:
        for machine in machines:
            schedules |= recorded(machine)
    key = None
    if cache and isinstance(model, str | os.PathLike):
        tuned = [text for entry in sorted(schedules.items()) for text in entry]
        key = _key(Path(model), machines, shapes or {}, str(options), *tuned)
        if found := ModelCache().get(key):
            return found
    from lamina import regions, steps

    divided = len(machines) > 1 or options.place
    compiled = (regions.compile_divided if divided else steps.compile_model)(
        model,
        ",".join(machine.name for machine in machines),
        options,
        shapes,
        weights,
        schedules=schedules,
        cache=cache,
        verify=verify,
    )
    if key:
        ModelCache().put(key, compiled)
    return compiled


def machine_of(target: str) -> Machine:
    """The machine that a target names."""
    if "," in target:
        raise LaminaError(f"one target is needed here, found the list '{target}'")
    try:
        return describe(target)
    except UnknownTarget as e:
        raise LaminaError(str(e)) from e


def machines_of(target: str) -> list[Machine]:
    """
    The machines of a list of targets. Where it has a CPU, and a device of it is not there, the
    device is left out, and a remark on stderr says why.
    """
    machines = [machine_of(name) for name in target.split(",")]
    names = [machine.name for machine in machines]
    if len(set(names)) < len(names):
        raise LaminaError(f"a list of targets names each once, found '{target}'")
    cpus = [name for name in names if backend_of(name).name == "cpu"]
    if len(cpus) > 1:
        raise LaminaError(f"a list of targets has one CPU, found {' and '.join(cpus)}")
    return [m for m in machines if not _left_out(m)] if cpus and len(machines) > 1 else machines


def threads_on(machines: Sequence[Machine], threads: int | None) -> int:
    """How many threads run a model that is made for these machines, if so many are asked for."""
    if any(machine.kind == "cpu" for machine in machines):
        return default_threads() if threads is None else threads
    if threads not in (None, 1):
        target = ",".join(machine.name for machine in machines)
        raise LaminaError(f"threads={threads} are those of a CPU, found target {target}")
    return 1


def _left_out(machine: Machine) -> bool:
    """Whether a device is not there."""
    if not (reason := backend_of(machine.name).absent(machine)):
        return False
    print(f"lamina: remark: {machine.name} is left out: {reason}", file=sys.stderr)
    return True


def known(machine: Machine) -> Machine:
    """The machine with its rates; those of this one are measured now, if they never were."""
    if machine.measured or machine.name != "cpu":
        return machine
    from lamina.backends.cpu.measure import measured  # needs the compiler, and that only once

    return measured(machine)


def recorded(machine: Machine) -> dict[str, str]:
    """The text of each op that was tuned for this machine -> its schedule."""
    if not records_file().exists():
        return {}
    from lamina.backends.cpu.records import Records  # SQLite, which few need

    return Records(machine).schedules()


def _key(
    path: Path, machines: Sequence[Machine], shapes: Mapping[str, Sequence[int]], *more: str
) -> str:
    try:
        files = files_of(path)
        sizes = [f"{name}={list(size)}" for name, size in sorted(shapes.items())]
        made_for = [text for m in machines for text in (m.name, identity(m), str(m.rates))]
        return model_key(files, *made_for, *sizes, *more)
    except OSError as e:
        raise LaminaError(f"cannot read '{path}': {e.strerror}") from e
