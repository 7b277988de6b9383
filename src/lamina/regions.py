"""From a network with regions to one model: each region by the passes of its device."""

from __future__ import annotations

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
from lamina.progress import Progress


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
