"""`lamina compile`: an artifact, or the text of one level."""

from __future__ import annotations

from argparse import Namespace

import lamina
from lamina.errors import LaminaError
from lamina.tools import _files
from lamina.tools._models import compiler_options


def run(args: Namespace) -> None:
    """Compile a model and save it, or print it."""
    _files.require_readable(args.model)
    if args.output:
        _files.require_different(args.output, args.model)
        _files.require_writable(args.output)
    if args.emit:
        from lamina.tools._emit import emit  # all passes, which a cached model does without

        emit(args)
    elif not args.output:
        raise LaminaError("compile needs -o FILE for the artifact, or --emit LEVEL to print one")
    else:
        _files.require_replaceable(args.output)
        lamina.compile(args.model, **compiler_options(args)).save(args.output)
