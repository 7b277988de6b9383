"""`lamina inspect-opencl`: what Intel's compiler makes of a model's kernels, without a device."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import asdict

from lamina.backends.opencl.ocloc import chip, ocloc
from lamina.errors import LaminaError
from lamina.tools import _files
from lamina.tools._inspection import Inspected, inspect
from lamina.tools._report import table


def run(args: Namespace) -> None:
    """Print a table, write the same as JSON if told to; fails if a kernel does not build."""
    _files.require_readable(args.model)
    chips = [chip(name) for name in args.device]
    ocloc()
    if args.json:
        _files.require_writable(args.json)
    shapes = dict(args.shape)
    rows = [row for c in chips for row in inspect(args.model, c, shapes, args.storage)]
    print(table([_HEAD, *(_row(r) for r in rows)], left=3))
    if args.json:
        text = json.dumps([asdict(r) for r in rows], indent=1)
        with _files.whole(args.json) as path:
            path.write_text(text, encoding="utf-8")
    if failed := [r for r in rows if r.error]:
        first = failed[0]
        raise LaminaError(f"{len(failed)} kernels do not build, {first.kernel}: {first.error}")


_HEAD = ["device", "kernel", "layer", "spill B", "lanes", "code", "hot", "mads", "share", "cycles"]
_HEAD += ["block reads", "others", "a64"]


def _row(r: Inspected) -> list[str]:
    if r.error:
        return [r.device, r.kernel, r.layer, "does not build", *[""] * 9]
    share = f"{r.share:.0%}" if r.multiply_adds else ""
    numbers = (r.spill, r.lanes, r.instructions, r.hot, r.multiply_adds)
    reads = (r.cycles, r.block_reads, r.other_reads, r.stateless)
    texts = [*map(str, numbers), share, *map(str, reads)]
    return [r.device, r.kernel, r.layer, *texts]
