"""`lamina compile --emit`: a model as the text of one level."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from lamina import steps
from lamina.passes import pipelines
from lamina.tools import _files
from lamina.tools._reproducer import save_weights


def emit(args: Namespace) -> None:
    """Print the module, or write it, and its weights beside it."""
    level = args.emit if args.emit in pipelines.LEVELS else "vector"
    opencl = args.emit == "opencl" and args.target == "cpu"
    target = "opencl:intel-gen9" if opencl else args.target
    ctx, module = steps.lowered(args.model, target, level, dict(args.shape))
    if args.emit == "opencl":  # calling the kernels is the host's part
        for op in [op for op in module.ops if "lamina.entry" in op.attributes]:
            op.detach()
            op.erase()
    text = steps.text_of(ctx, module, args.emit, target)
    if not args.output:
        sys.stdout.write(text)
        return
    with _files.whole(args.output) as path:
        path.write_text(text, encoding="utf-8")
    if args.emit in pipelines.LEVELS:
        save_weights(ctx.weights, text, Path(args.output))
