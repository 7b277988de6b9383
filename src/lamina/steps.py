"""The steps from a model to objects, each a function, so that `lamina compile --emit` can stop."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass
from xdsl.targets.mlir import MLIRTarget
from xdsl.utils.exceptions import DiagnosticException
from xdsl.utils.target import Target

from lamina.backends.machine import Machine
from lamina.backends.model import CompiledModel
from lamina.backends.registry import backend_of
from lamina.compiler import known, machine_of
from lamina.context import LaminaContext, new_context
from lamina.dialects.te import ComputeOp
from lamina.errors import LaminaError
from lamina.frontends.onnx import import_model
from lamina.ir_file import read_ir
from lamina.options import Options
from lamina.passes import pipelines
from lamina.passes.check.verify_dominance import VerifyDominancePass
from lamina.passes.pipelines import DEFAULT
from lamina.progress import Progress, progress_bar
from lamina.universe import targets
from lamina.weights import WeightStore

if TYPE_CHECKING:
    import onnx

    Model = str | os.PathLike[str] | onnx.ModelProto | ModuleOp

Shapes = Mapping[str, Sequence[int]]


def compile_model(
    model: Model,
    target: str,
    options: Options,
    shapes: Shapes | None = None,
    weights: WeightStore | None = None,
    *,
    schedules: Mapping[str, str] | None = None,
    cache: bool = True,
    verify: bool = False,
) -> CompiledModel:
    """All steps in turn; `schedules` are recorded ones."""
    with no_garbage_collection(), progress_bar() as step:
        step("read", more=1)
        ctx, module = read(model, shapes, weights)
        ctx.schedules = schedules or {}
        lower(ctx, module, remaining(module, target, options), step, verify=verify)
        return generate(ctx, module, machine_of(target), step, options, cache=cache)


def lowered(
    model: Model,
    target: str,
    level: str,
    options: Options = DEFAULT,
    shapes: Shapes | None = None,
    schedules: Mapping[str, str] | None = None,
) -> tuple[LaminaContext, ModuleOp]:
    """A model on one of the levels of `pipelines.LEVELS`, or where it is, if that is lower."""
    known(machine_of(target))
    with no_garbage_collection(), progress_bar() as step:
        step("read", more=1)
        ctx, module = read(model, shapes)
        ctx.schedules = schedules or {}
        lower(ctx, module, until(remaining(module, target, options), level), step)
    return ctx, module


def read(
    model: Model, shapes: Shapes | None = None, weights: WeightStore | None = None
) -> tuple[LaminaContext, ModuleOp]:
    """The module that a model is, and a context with its weights."""
    ctx = new_context(None if weights is None else weights.copy())
    if isinstance(model, ModuleOp):
        return ctx, model.clone()
    if isinstance(model, str | os.PathLike):
        model = Path(model)
        if model.suffix == ".lam":
            raise LaminaError(f"{model}: is compiled already; lamina.load reads it")
        if model.suffix == ".mlir":
            if shapes:
                raise LaminaError(f"{model}: shapes are part of the IR, none can be set")
            return ctx, read_ir(model, ctx)
    return ctx, import_model(model, ctx.weights, shapes)


def lower(
    ctx: LaminaContext,
    module: ModuleOp,
    passes: Sequence[ModulePass],
    step: Progress,
    *,
    verify: bool = False,
) -> None:
    """Run passes; what one of them cannot do is an error that names it."""
    step("passes", more=len(passes))
    for p in passes:
        step(p.name)
        try:
            p.apply(ctx, module)
            if verify:
                module.verify()
                VerifyDominancePass().apply(ctx, module)
        except DiagnosticException as e:
            raise LaminaError(_named(p.name, e)) from e


def _named(step: str, error: Exception) -> str:
    """The message, which says where it comes from, if it does not do so itself."""
    return f"{step}: {str(error).removeprefix(f'{step}: ')}"


def generate(
    ctx: LaminaContext,
    module: ModuleOp,
    machine: Machine,
    step: Progress,
    options: Options = DEFAULT,
    *,
    cache: bool = True,
) -> CompiledModel:
    """What the target runs, for a module that has gone through all passes."""
    step("code", more=len(_functions(module)))
    try:
        return backend_of(machine.name).compile(
            ctx, module, machine, options, cache=cache, begin=step
        )
    except DiagnosticException as e:
        raise LaminaError(str(e)) from e


def _functions(module: ModuleOp) -> list[FuncOp]:
    return [op for op in module.ops if isinstance(op, FuncOp)]


def until(passes: Sequence[ModulePass], level: str) -> Sequence[ModulePass]:
    """Those of the passes that a module still has to go through to be on `level`."""
    names = [p.name for p in passes]
    last = pipelines.LEVELS[level]
    return passes[: names.index(last) + 1] if last in names else ()


def remaining(module: ModuleOp, target: str, options: Options = DEFAULT) -> Sequence[ModulePass]:
    """The part of the default pipeline that a module on any level has not gone through."""
    passes = pipelines.default(target, options)
    done = last_pass(module)
    names = [p.name for p in passes]
    return passes[names.index(done) + 1 :] if done else passes


def last_pass(module: ModuleOp) -> str | None:
    """The pass of the default pipeline after which modules look like this one."""
    ops = {op.name for op in module.walk()}
    levels = {name.partition(".")[0] for name in ops}
    if "graph" in levels or _on_tensors(module):
        return "outline-kernels" if "func.call" in ops else None
    if "te" not in levels:
        return "te-to-vec"
    computes = (op for op in module.walk() if isinstance(op, ComputeOp))
    scheduled = any(axis.mark for op in computes for axis in op.axes.data)
    if scheduled:
        return "te-schedule"
    planned = any("lamina.arena" in a.data for f in _functions(module) for a in f.arg_attrs or ())
    return "plan-memory" if planned else "lower-graph-to-te"


def _on_tensors(module: ModuleOp) -> bool:
    types = (f.function_type for f in _functions(module))
    return any(isinstance(x, TensorType) for t in types for x in (*t.inputs, *t.outputs))


def text_of(ctx: LaminaContext, module: ModuleOp, level: str, target: str) -> str:
    """A module as the text of a level, or what a back end prints for it: llvm, asm, opencl."""
    text = StringIO()
    try:
        _printer(level, target).emit(ctx, module, text)
    except DiagnosticException as e:
        raise LaminaError(_named(level, e)) from e
    return text.getvalue()


def _printer(level: str, target: str) -> Target:
    if level in pipelines.LEVELS:
        return MLIRTarget()
    cls = targets()[f"lamina-{level}"]()
    options = {"target": target} if "target" in (f.name for f in fields(cls)) else {}
    return cls(**options)


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """IR is made of cycles that live long: searching them for garbage takes up to half the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
