"""Models as the commands get them: compiled already, or to be compiled with the options given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lamina
from lamina.backends.cpu.cores import default_threads
from lamina.errors import LaminaError
from lamina.options import Options
from lamina.tools._files import require_readable


def compiler_options(args: Any) -> dict[str, Any]:
    """The options of `lamina.compile` among the arguments of a command."""
    return {
        "target": args.target,
        "threads": args.threads,
        "numerics": args.numerics,
        "layouts": args.layouts,
        "requantize": args.requantize,
        "place": args.place,
        "storage": args.storage,
        "shapes": dict(args.shape),
        "cache": not args.no_cache,
        "records": not args.no_records,
    }


def options_of(args: Any, threads: int | None = None) -> Options:
    """The options of the passes among the arguments of a command."""
    count: int = threads or args.threads or default_threads()
    return Options(
        count,
        args.numerics,
        args.layouts,
        args.requantize,
        place=tuple(args.place),
        storage=args.storage,
    )


def open_model(path: str, options: dict[str, Any]) -> lamina.CompiledModel:
    """Load an artifact, compile anything else."""
    require_readable(path)
    if Path(path).suffix != ".lam":
        return lamina.compile(path, **options)
    usual = {"target": "cpu", "shapes": {}, "place": []}
    usual |= {"numerics": "fast", "layouts": "exact", "requantize": "float", "storage": "f32"}
    if any(options[name] != value for name, value in usual.items()):
        given = "--target, --place, --numerics, --layouts, --requantize, --storage and --shape"
        raise LaminaError(f"{path}: is compiled already, {given} come too late")
    return lamina.load(path, threads=options["threads"])
