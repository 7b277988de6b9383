"""`lamina compile --emit`: a model as the text of one level."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import DiagnosticException

from lamina import regions, steps
from lamina.backends.opencl.printer import HEADER, functions_of, print_function
from lamina.compiler import machine_of, machines_of, recorded
from lamina.context import LaminaContext
from lamina.errors import LaminaError
from lamina.passes import pipelines
from lamina.progress import progress_bar
from lamina.tools import _files
from lamina.tools._models import options_of
from lamina.tools._reproducer import save_weights


def emit(args: Namespace) -> None:
    """Print the module, or write it, and its weights beside it."""
    if "," in args.target or args.place:
        _write(args, *_divided(args))
        return
    level = args.emit if args.emit in pipelines.LEVELS else "vector"
    opencl = args.emit == "opencl" and args.target == "cpu"
    target = "opencl:intel-gen9" if opencl else args.target
    schedules = {} if args.no_records else recorded(machine_of(target))
    shapes = dict(args.shape)
    options = options_of(args, 1 if args.emit == "opencl" else None)
    ctx, module = steps.lowered(args.model, target, level, options, shapes, schedules)
    if args.emit == "opencl":
        text = opencl_of(module, target)
    else:
        text = steps.text_of(ctx, module, args.emit, target)
    _write(args, ctx, text)


def _divided(args: Namespace) -> tuple[LaminaContext, str]:
    """A network on several devices, whose regions are functions."""
    if args.emit != "graph":
        raise LaminaError(
            f"--emit {args.emit} needs one target, found {args.target}; --emit graph prints the "
            "regions, each a network for one"
        )
    target = ",".join(machine.name for machine in machines_of(args.target))
    options = options_of(args)
    with steps.no_garbage_collection(), progress_bar() as step:
        step("read", more=1)
        ctx, module = steps.read(args.model, dict(args.shape))
        regions.divide(ctx, module, target, options, step)
    return ctx, steps.text_of(ctx, module, args.emit, target)


def _write(args: Namespace, ctx: LaminaContext, text: str) -> None:
    if not args.output:
        sys.stdout.write(text)
        return
    with _files.whole(args.output) as path:
        path.write_text(text, encoding="utf-8")
    if args.emit in pipelines.LEVELS:
        save_weights(ctx.weights, text, Path(args.output))


def opencl_of(module: ModuleOp, target: str) -> str:
    """
    The kernels of a module. Those that cannot be printed are named, with the reason, in the text
    and on stderr; fails if there is no other. Calling kernels is the host's part.
    """
    kernels: list[str] = []
    remarks: list[str] = []
    try:
        machine = machine_of(target)
        for function in functions_of(module):
            if "lamina.entry" in function.attributes:
                continue
            try:
                kernels += [k.source for k in print_function(function, machine)]
            except DiagnosticException as e:
                remarks.append(f"not printed: {e}")
    except DiagnosticException as e:
        raise LaminaError(str(e)) from e
    if remarks and not kernels:
        raise LaminaError(remarks[0].removeprefix("not printed: "))
    for remark in remarks:
        print(f"lamina: remark: {remark}", file=sys.stderr)
    refused = "".join(f"// {remark}\n" for remark in remarks)
    return "\n".join([HEADER, *([refused] if refused else []), *kernels])
