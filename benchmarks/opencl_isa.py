"""
What Intel's offline compiler makes of whole networks: a line for each, device and storage.

Of the kernels that sum up products, the share of their hot block's cycles that are multiply-adds:
the least and the median of convolutions, of those with windows of 3 x 3, and of windows over each
channel alone. `lamina inspect-opencl` shows the kernels themselves.

    python -m benchmarks.opencl_isa [resnet50 MODEL.onnx ...] [--device bxt,dg2] [--storage f32,f16]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median

from xdsl.dialects.func import FuncOp

from benchmarks.models import MODELS, build
from lamina import steps
from lamina.backends.opencl.ocloc import Chip, chip
from lamina.dialects.te import ComputeOp
from lamina.errors import LaminaError
from lamina.options import Options
from lamina.progress import progress_bar
from lamina.tools._inspection import Inspected, inspect
from lamina.tools._report import table

NETWORKS = [
    *("resnet18", "resnet50", "resnet152", "vgg16", "mobilenet_v1", "mobilenet_v2"),
    *("squeezenet1_1", "densenet121", "inception_v3"),
]
HEADER = [
    "network",
    "device",
    "stored",
    "kernels",
    "fail",
    "spill",
    "convolutions",
    "3x3",
    "one",
    "blocks",
    "others",
    "a64",
]
Reductions = dict[str, dict[str, int]]


def reductions(model: steps.Model, target: str, storage: str) -> Reductions:
    """Functions that sum up products, and the axes and extents of the first such sum in each."""
    _, module = steps.lowered(model, target, "te", Options(1, storage=storage))
    found: Reductions = {}
    for f in (op for op in module.ops if isinstance(op, FuncOp)):
        for op in f.walk():
            if isinstance(op, ComputeOp) and len(op.inputs) > 1:
                extents = {a.name: a.extent for a in op.axes.data if a.reduce}
                if extents:
                    found.setdefault(f.sym_name.data, extents)
    return found


def row(name: str, device: Chip, storage: str) -> list[str]:
    """One line of the table."""
    model = build(name) if name in MODELS else name
    kernels = list(inspect(model, device, {}, storage))
    sums = reductions(model, device.target, storage)
    products = [
        (k, sums[f])
        for k in kernels
        if (f := k.kernel.partition("_nest")[0]) in sums and k.multiply_adds
    ]
    convolutions = [
        (k, axes) for k, axes in products if "ic" in axes and not k.kernel.startswith("dense")
    ]
    return [
        Path(name).stem,
        device.name,
        storage,
        str(len(kernels)),
        str(sum(bool(k.error) for k in kernels)),
        str(sum(bool(k.spill) for k in kernels)),
        _shares(k for k, _ in convolutions),
        _shares(k for k, axes in convolutions if (axes.get("kh"), axes.get("kw")) == (3, 3)),
        _shares(k for k, axes in products if "ic" not in axes and "kh" in axes),
        str(sum(k.block_reads for k, _ in products)),
        str(sum(k.other_reads for k, _ in products)),
        str(sum(k.stateless for k, _ in products)),
    ]


def _shares(kernels: Iterable[Inspected]) -> str:
    """The least and the median."""
    found = [k.share for k in kernels]
    return f"{min(found):.0%} {median(found):.0%}" if found else "-"


def rows(
    names: Sequence[str], devices: Sequence[Chip], storages: Sequence[str]
) -> Iterator[list[str]]:
    """The lines of the table, networks first."""
    cases = [(n, d, s) for n in names for d in devices for s in storages]
    with progress_bar() as step:
        step("networks", len(cases))
        for name, device, storage in cases:
            yield row(name, device, storage)
            step(name)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    p = argparse.ArgumentParser(prog="python -m benchmarks.opencl_isa", description=__doc__)
    p.formatter_class = argparse.RawDescriptionHelpFormatter
    p.add_argument("models", nargs="*", default=NETWORKS, help="names of networks, or files")
    p.add_argument("--device", default="bxt")
    p.add_argument("--storage", default="f32,f16")
    args = p.parse_args(argv)
    try:
        devices = [chip(name) for name in args.device.split(",")]
        found = list(rows(args.models, devices, args.storage.split(",")))
    except LaminaError as e:
        print(f"opencl_isa: {e}", file=sys.stderr)
        return 1
    print(table([HEADER, *found]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
