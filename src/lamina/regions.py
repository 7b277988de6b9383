"""From a network with regions to one model: each region by the passes of its device."""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, ModuleOp, StringAttr, UnitAttr
from xdsl.dialects.func import FuncOp
from xdsl.utils.exceptions import DiagnosticException

from lamina import steps
from lamina.backends.model import CompiledModel
from lamina.backends.registry import backend_of
from lamina.backends.split.entry import DEVICE, describe_split, device_of, regions_of
from lamina.backends.split.model import SplitModel
from lamina.compiler import machine_of
from lamina.context import LaminaContext
from lamina.errors import LaminaError
from lamina.options import Options
from lamina.passes import pipelines
from lamina.progress import Progress, progress_bar
from lamina.weights import WeightStore


def compile_divided(
    model: steps.Model,
    target: str,
    options: Options,
    shapes: steps.Shapes | None = None,
    weights: WeightStore | None = None,
    *,
    schedules: Mapping[str, str] | None = None,
    cache: bool = True,
    verify: bool = False,
) -> CompiledModel:
    """All steps in turn, for a list of targets."""
    with steps.no_garbage_collection(), progress_bar() as step:
        step("read", more=1)
        ctx, module = steps.read(model, shapes, weights)
        ctx.schedules = schedules or {}
        divide(ctx, module, target, options, step, verify=verify)
        return finish(ctx, module, target, options, step, cache=cache, verify=verify)


def divide(
    ctx: LaminaContext,
    module: ModuleOp,
    target: str,
    options: Options,
    step: Progress,
    *,
    verify: bool = False,
) -> None:
    """Give each op of a network a device, and make a function of each region; done once."""
    if regions_of(module):
        return
    if level := steps.last_pass(module):
        raise LaminaError(
            f"for the targets {target} a network on tensors is needed, found one after {level}"
        )
    steps.lower(ctx, module, pipelines.network(target, options), step, verify=verify)


def finish(
    ctx: LaminaContext,
    module: ModuleOp,
    target: str,
    options: Options,
    step: Progress,
    *,
    cache: bool = True,
    verify: bool = False,
) -> CompiledModel:
    """The model of a network that was divided, or that one device of the list computes all of."""
    if regions_of(module):
        return compile_regions(ctx, module, target, options, step, cache=cache, verify=verify)
    machine = machine_of(_only_device(module) or target.partition(",")[0])
    steps.lower(ctx, module, backend_of(machine.name).passes(machine, options), step, verify=verify)
    return steps.generate(ctx, module, machine, step, options, cache=cache)


def _only_device(module: ModuleOp) -> str:
    """The device that computes a network that needs no other."""
    functions = (op for op in module.ops if isinstance(op, FuncOp) and DEVICE in op.attributes)
    return next(map(device_of, functions), "")


def compile_regions(
    ctx: LaminaContext,
    module: ModuleOp,
    target: str,
    options: Options,
    step: Progress,
    *,
    cache: bool = True,
    verify: bool = False,
) -> SplitModel:
    """A model of a network on buffers and its regions on tensors; `target` is the user's list."""
    try:
        regions = regions_of(module)
        models = {
            name: _compiled(ctx, region, options, step, cache=cache, verify=verify)
            for name, region in regions.items()
        }
        manifests = {name: model.manifest for name, model in models.items()}
        manifest = describe_split(module, manifests, target, options.threads)
    except DiagnosticException as e:
        raise LaminaError(str(e)) from e
    return SplitModel(manifest, list(models.values()))


def _compiled(
    ctx: LaminaContext,
    region: FuncOp,
    options: Options,
    step: Progress,
    *,
    cache: bool,
    verify: bool,
) -> CompiledModel:
    """A region as a model of its own; what goes wrong is said with its name."""
    name, target = region.sym_name.data, device_of(region)
    own = ctx.clone()
    own.weights = ctx.weights.copy()  # a region forgets what it does not need
    module = as_network(region)
    try:
        machine = machine_of(target)
        own.schedules = ctx.schedules if machine.kind == "cpu" else {}  # which are all of a CPU
        passes = backend_of(target).passes(machine, options)
        steps.lower(own, module, passes, step, verify=verify)
        return steps.generate(own, module, machine, step, options, cache=cache)
    except LaminaError as e:
        raise LaminaError(f"@{name}: {e}") from e


def as_network(region: FuncOp) -> ModuleOp:
    """
    func private @region0_cpu(%x: T) -> U  ->  func @main(%x: T {lamina.input = "in0"}) -> U

    in a module of its own, with names by number: nobody but the entry sees them.
    """
    main = region.clone()
    main.sym_name, main.sym_visibility = StringAttr("main"), None
    inputs, outputs = region.function_type.inputs, region.function_type.outputs
    names = [DictionaryAttr({"lamina.input": StringAttr(f"in{k}")}) for k in range(len(inputs))]
    main.arg_attrs = ArrayAttr(names)
    main.attributes = {k: v for k, v in main.attributes.items() if k != DEVICE}
    main.attributes["lamina.entry"] = UnitAttr()
    named = [StringAttr(f"out{k}") for k in range(len(outputs))]
    main.attributes["lamina.outputs"] = ArrayAttr(named)
    return ModuleOp([main])
