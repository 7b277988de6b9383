"""
Tiles of subgroups ranked without a device, by what Intel's offline compiler makes of them.

For each sum of products of a model that is different from the others, the tiles that the formula of
`te-choose-schedules` likes best, of each kind some, are compiled. A tile takes the cycles of its
code, blocks inside of loops as often as these run, for each subgroup that a unit of the device
gets; one that spills registers is out. The smaller tile at the end of an axis counts as often as
the full one beside it, which makes such tiles look worse than they are.

    python -m benchmarks.opencl_tiles build/models/resnet50.onnx [--device bxt] [--tiles 12]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, prod

from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp

from lamina import steps
from lamina.backends.machine import Machine, describe
from lamina.backends.opencl.isa import Assembly
from lamina.backends.opencl.ocloc import Chip, assemblies, chip
from lamina.backends.opencl.printer import Kernel, print_module
from lamina.context import LaminaContext, new_context
from lamina.dialects.loop import ForOp
from lamina.dialects.te import ComputeOp, ScheduleAttr
from lamina.errors import LaminaError
from lamina.frontends.onnx import import_model
from lamina.options import Options
from lamina.passes import pipelines
from lamina.passes.loop.loop_map_to_grid import GRID
from lamina.passes.te._cost import candidates, varied
from lamina.passes.te._subgroup_cost import HIDING, PIPES
from lamina.passes.te.te_choose_schedules import TeChooseSchedulesPass
from lamina.progress import progress_bar
from lamina.tools import _report
from lamina.tools._inspection import program

MOST = 400
"""tiles from which kinds are taken"""


@dataclass(frozen=True)
class Tile:
    """A schedule for an op, and what it takes by its code."""

    rank: int
    """by the formula"""
    schedule: ScheduleAttr
    seconds: float
    """infinite if it spills"""
    share: float
    """of the hot block's cycles, those of products"""


def products(model: str, target: str) -> Iterator[tuple[LaminaContext, FuncOp, ComputeOp]]:
    """The ops of a model that sum up products, in functions that hold nothing else."""
    ctx = new_context()
    module = import_model(model, ctx.weights)
    with progress_bar() as step:
        passes = pipelines.default(target, Options(1))
        steps.lower(ctx, module, passes[: _chooses(passes)], step)
    for f in [op for op in module.ops if isinstance(op, FuncOp)]:
        for k, op in enumerate(op for op in f.walk() if isinstance(op, ComputeOp)):
            if len(op.inputs) > 1 and any(a.reduce for a in op.axes.data):
                alone = f.clone()
                computes = [o for o in alone.walk() if isinstance(o, ComputeOp)]
                for other in [*computes[:k], *computes[k + 1 :]]:
                    other.detach()
                    other.erase()
                yield ctx, alone, computes[k]


def _chooses(passes: Sequence[object]) -> int:
    return next(k for k, p in enumerate(passes) if isinstance(p, TeChooseSchedulesPass))


def tiles(
    ctx: LaminaContext, f: FuncOp, op: ComputeOp, device: Chip, machine: Machine, most: int
) -> list[Tile]:
    """Tiles of the only op of `f`, in the order of the formula, which chooses the first."""
    ranked = [c.schedule for c in candidates(op, machine, most=MOST)]
    kinds = [c.schedule for c in varied(candidates(op, machine, most=MOST), most)]
    found = [(k, s) for k, s in enumerate(ranked, start=1) if s is not None and s in kinds]
    module = ModuleOp([])
    for rank, op.schedule in found:
        copy = f.clone()
        copy.sym_name = StringAttr(f"tile{rank}")
        module.body.block.add_op(copy)
    passes = pipelines.default(machine.name, Options(1))
    with progress_bar() as step:
        steps.lower(ctx, module, passes[_chooses(passes) + 1 :], step)
    kernels = print_module(module, machine)
    made = assemblies(program([k for group in kernels.values() for k in group]), device.name)
    functions = [f for f in module.ops if isinstance(f, FuncOp)]
    return [
        Tile(rank, schedule, *_seconds(made[kernel.name], kernel, function, device, machine))
        for (rank, schedule), function in zip(found, functions, strict=True)
        for kernel in kernels[function.sym_name.data]
    ]


def _seconds(
    made: Assembly, kernel: Kernel, function: FuncOp, device: Chip, machine: Machine
) -> tuple[float, float]:
    """By the code of a kernel; and the share of products in its hot block."""
    loops = _loops(function)
    cycles = sum(prod(loops[: b.depth]) * b.cycles(device.pipe) for b in made.blocks)
    turns = max(HIDING, -(-prod(kernel.grid) // machine.units))
    seconds = inf if made.spill else machine.seconds(turns * cycles / PIPES)
    return seconds, made.hot.share(device.pipe)


def _loops(function: FuncOp) -> list[int]:
    """How many steps the loops of a kernel have, from the outermost one; a tail has the same."""
    inside = (o for o in function.walk() if isinstance(o, ForOp) and GRID not in o.attributes)
    loop = next(inside, None)
    extents: list[int] = []
    while loop is not None:
        extents += loop.extents.get_values()
        loop = next((o for o in loop.body.walk() if isinstance(o, ForOp)), None)
    return extents


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tiles of each op, and how far from the best of them the chosen ones are."""
    p = argparse.ArgumentParser(prog="python -m benchmarks.opencl_tiles", description=__doc__)
    p.add_argument("model")
    p.add_argument("--device", default="bxt")
    p.add_argument("--tiles", type=int, default=12, help="of each op (default: 12)")
    args = p.parse_args(argv)
    try:
        ratios = list(_compare(args.model, chip(args.device), args.tiles))
    except LaminaError as e:
        print(f"opencl_tiles: {e}", file=sys.stderr)
        return 1
    if ratios:
        average, worst = sum(ratios) / len(ratios), max(ratios)
        print(f"chosen tiles take {average:.3f} of the best ones' time, at worst {worst:.3f}")
    return 0


def _compare(model: str, device: Chip, most: int) -> Iterator[float]:
    machine = describe(device.target)
    for ctx, f, op in products(model, device.target):
        found = tiles(ctx, f, op, device, machine, most)
        best = min(t.seconds for t in found)
        axes = ", ".join(f"{a.name}: {a.extent}" for a in op.axes.data)
        print(f"{f.sym_name.data}({axes})")
        rows = [["tile", "formula", "us by code", "products"]]
        for t in found:
            time = "spills" if t.seconds == inf else f"{1e6 * t.seconds:.1f}"
            rows.append([_text(t), f"#{t.rank}", time, f"{t.share:.0%}"])
        print(_report.table(rows), flush=True)
        yield found[0].seconds / best


def _text(tile: Tile) -> str:
    """The splits and unrolled axes of a schedule: `ow 14, kw ici owi`."""
    sizes = [f"{d[1]} {d[2]}" for d in tile.schedule.data if d[0] == "split"]
    unrolled = [" ".join(d[1:]) for d in tile.schedule.data if d[0] == "unroll"]
    return ", ".join([*sizes, *unrolled])


if __name__ == "__main__":
    sys.exit(main())
