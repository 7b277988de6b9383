"""`lamina compile`: an artifact, or the text of one level."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

import lamina
from lamina import steps
from lamina.errors import LaminaError
from lamina.passes import pipelines
from lamina.tools import _files
from lamina.tools._models import compiler_options
from lamina.tools._reproducer import save_weights


def run(args: Namespace) -> None:
    """Compile a model and save it, or print it."""
    _files.require_readable(args.model)
    if args.output:
        _files.require_writable(args.output)
    if args.emit:
        _emit(args)
    elif not args.output:
        raise LaminaError("compile needs -o FILE for the artifact, or --emit LEVEL to print one")
    else:
        lamina.compile(args.model, **compiler_options(args)).save(args.output)


def _emit(args: Namespace) -> None:
    """Print the module, or write it, and its weights beside it."""
    level = args.emit if args.emit in pipelines.LEVELS else "vector"
    ctx, module = steps.lowered(args.model, args.target, level, dict(args.shape))
    text = steps.text_of(ctx, module, args.emit, args.target)
    if not args.output:
        sys.stdout.write(text)
        return
    with _files.whole(args.output) as path:
        path.write_text(text, encoding="utf-8")
    if args.emit in pipelines.LEVELS:
        save_weights(ctx.weights, text, Path(args.output))
