"""
How fast each form of `int8.dot4` is: register tiles, with operands in the first cache.

A tile goes the way of every kernel from `te` on; its weights are of 7 bits, so that each form is
exact, and its result is compared with NumPy. For each form and each width of vectors several tiles
are measured, in turns: of a tile the shortest of many runs counts, of a form its best tile. A
product and its addition are two operations; `f32` is the peak of fused multiply-adds.

    python -m benchmarks.dot4 [--target cpu cpu:haswell] [--rounds 30]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.context import Context

from benchmarks.kernels import copied, parse
from lamina.backends.cpu.build import native
from lamina.backends.cpu.peak import fma_peak
from lamina.backends.dot4 import ORDER, lanes
from lamina.backends.machine import Machine, UnknownTarget, describe
from lamina.errors import LaminaError
from lamina.passes.int8.int8_lower_dot4 import Int8LowerDot4Pass
from lamina.passes.te.te_schedule import TeSchedulePass
from lamina.passes.te.te_to_loops import TeToLoopsPass
from lamina.passes.te.te_to_vec import TeToVecPass
from lamina.tools import _report

TILES = ((1, 8), (1, 12), (2, 4), (2, 5), (2, 8), (2, 10), (2, 12), (3, 4), (3, 8), (4, 5))
"""vectors of outputs, and how many rows of them"""
TERMS, CALLS = 512, 500
"""products in a sum, and calls in a run"""
WIDTHS = {"zmm": 16, "ymm": 8, "xmm": 4}


@dataclass(frozen=True)
class Tile:
    """One form on vectors of one width, compiled."""

    form: str
    width: str
    operations: int
    run: Callable[[], None]


def text(rows: int, outputs: int, width: int) -> str:
    """@tile sums up products, @f calls it again and again."""
    x, w = f"memref<{rows}x{TERMS}xi8>", f"memref<{TERMS // 4}x{outputs}x4xi8>"
    y = f"memref<{rows}x{outputs}xi32>"
    return f"""
    func.func @f(%x: {x}, %w: {w}, %y: {y}) {{
      loop.for %again < {CALLS} {{
        func.call @tile(%x, %w, %y) : ({x}, {w}, {y}) -> ()
      }}
      func.return
    }}
    func.func @tile(%x: {x}, %w: {w}, %y: {y}) {{
      te.compute
        axes(i: {rows}, o: {outputs}, reduce k: {TERMS})
        ins(%x[i, k], %w[k floordiv 4, o, k mod 4]) out(%y[i, o])
        init 0 : i32
        schedule [split k 4 kb kg, dot4 kg, split o {width} ob ov, order kb i ob ov,
                  unroll i, unroll ob, vector ov]
        attributes {{lamina.abs_b = 64 : i64}}
        : {x}, {w}, {y} (%a: i8, %b: i8, %acc: i32) {{
          %u = arith.extui %a : i8 to i32
          %s = arith.extsi %b : i8 to i32
          %p = arith.muli %u, %s : i32
          %r = arith.addi %acc, %p : i32
          te.yield %r : i32
        }}
      func.return
    }}"""


def build(machine: Machine, form: str, width: str, vectors: int, rows: int) -> Tile:
    """Compile, and compare with NumPy."""
    count = WIDTHS[width]
    module = parse(text(rows, vectors * count, count))
    lower = Int8LowerDot4Pass(machine.name, form, remarks=False)
    for p in (TeSchedulePass(), TeToLoopsPass(), TeToVecPass(), lower):
        p.apply(Context(), module)
    rng = np.random.default_rng(0)
    x = copied(rng.integers(0, 256, (rows, TERMS)).astype(np.uint8))
    w = copied(rng.integers(-64, 65, (TERMS // 4, vectors * count, 4)).astype(np.int8))
    y = copied(np.zeros((rows, vectors * count), np.int32))
    function = native(module, machine)["f"]
    function(x, w, y)
    wanted = np.einsum("ikg,kog->io", x.reshape(rows, -1, 4).astype(np.int32), w.astype(np.int32))
    if not np.array_equal(y, wanted):
        raise LaminaError(f"{form} on {width} is wrong for {machine.name}")
    operations = 2 * y.size * TERMS * CALLS
    return Tile(form, width, operations, lambda: function(x, w, y))


def tiles(machine: Machine) -> list[Tile]:
    """Every form that the machine has, on every width; two names of one instruction are one."""
    forms = [form for form in ORDER if lanes(machine, form)]
    if "vnni" in forms:
        forms.remove("avxvnni")
    return [
        build(machine, form, width, vectors, rows)
        for form in forms
        for width, count in WIDTHS.items()
        if count <= lanes(machine, form)
        for vectors, rows in TILES
        if vectors * rows < machine.registers
    ]


def measured(machine: Machine, rounds: int) -> dict[tuple[str, str], float]:
    """form, width -> GOP/s of the best tile"""
    found = tiles(machine)
    best = [float("inf")] * len(found)
    for _ in range(rounds):
        for k, tile in enumerate(found):
            start = time.thread_time_ns()
            tile.run()
            best[k] = min(best[k], time.thread_time_ns() - start)
    rates: dict[tuple[str, str], float] = {}
    for tile, nanoseconds in zip(found, best, strict=True):
        key = tile.form, tile.width
        rates[key] = max(rates.get(key, 0.0), tile.operations / nanoseconds)
    return rates


def report(machine: Machine, rounds: int) -> str:
    """A table: a row for each form, a column for each width."""
    rates = measured(machine, rounds)
    widths = [w for w, count in WIDTHS.items() if 4 * count <= machine.vector_bytes]
    floats = [f"{fma_peak(machine, 4 * WIDTHS[w]):.0f}" for w in widths]
    rows = [[f"GOP/s on {machine.name}", *widths], ["f32", *floats]]
    for form in dict.fromkeys(form for form, _ in rates):
        numbers = (rates.get((form, w)) for w in widths)
        rows.append([form, *("" if n is None else f"{n:.0f}" for n in numbers)])
    return _report.table(rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table for each target."""
    parser = argparse.ArgumentParser("python -m benchmarks.dot4", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--target", nargs="+", default=["cpu", "cpu:skylake-avx512", "cpu:haswell"])
    parser.add_argument("--rounds", type=int, default=30)
    args = parser.parse_args(argv)
    for target in args.target:
        try:
            print(report(describe(target), args.rounds))
        except (LaminaError, UnknownTarget) as e:
            print(e, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
