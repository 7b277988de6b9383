"""What this core can do at best: the measures that kernels are held against.

The kernels here go the way of all others, from `vec` to machine code; they only have nothing to
wait for. The best of several short runs counts: anything slower was somebody else's work.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from xdsl.context import Context
from xdsl.dialects.arith import Arith
from xdsl.dialects.builtin import Builtin, ModuleOp
from xdsl.dialects.func import Func
from xdsl.dialects.math import Math
from xdsl.parser import Parser

from lamina.backends.cpu.artifact import aligned
from lamina.backends.cpu.build import native
from lamina.backends.machine import Machine
from lamina.dialects.loop import Loop
from lamina.dialects.vector import Vec

RUNS = 12
STREAMS = 8
"""vectors that are read in one step of a loop"""
STEPS = 200_000  # 0.6 ms: a call by itself takes a few us

Step = Callable[[int], str]
"""the lines that make %n7 of the carried value %a7, for a number such as 7"""


def fma_peak(machine: Machine, vector_bytes: int | None = None) -> float:
    """GFLOP/s of fp32 fused multiply-adds (or multiplies and adds) on vectors of this width."""
    lanes = (vector_bytes or machine.vector_bytes) // 4
    vector = f"vector<{lanes}xf32>"

    def step(k: int) -> str:  # acc * 0.5 + 0.5 is an ordinary number for ever
        if machine.fma:
            return f"%n{k} = math.fma %a{k}, %x, %x : {vector}"
        product = f"%m{k} = arith.mulf %a{k}, %x : {vector}"
        return f"{product} %n{k} = arith.addf %m{k}, %x : {vector}"

    load = f"%x = arith.constant dense<0.5> : {vector}"
    count = _accumulators(machine)
    text = _kernel("memref<1xf32>", load, lanes, f"%i < {STEPS}", count, step)
    return STEPS * count * 2 * lanes / best_seconds(text, machine, np.zeros(1, np.float32)) / 1e9


def read_bandwidth(machine: Machine, size: int, total: int = 128 << 20) -> float:
    """
    GB/s of reading about `size` bytes in order, `total` at least, from the cache they fit in or
    from memory.
    """
    again = max(1, total // size)
    data = zeros_to_read(machine, size)
    return again * data.nbytes / best_seconds(_reader(machine, data, again), machine, data) / 1e9


def zeros_to_read(machine: Machine, size: int) -> np.ndarray:
    """About `size` bytes, in whole steps of the loop that reads them."""
    row = STREAMS * machine.vector_bytes
    data = aligned(max(1, size // row) * row).view(np.float32)
    data[:] = 0
    return data


def reading(machine: Machine, data: np.ndarray) -> Callable[[], None]:
    """Reads all of `data` once, in order."""
    kernel = native(_parsed(_reader(machine, data, 1)), machine)["f"]
    result = np.zeros(4096, np.uint8)  # more than any vector
    return lambda: kernel(data, result)


def _reader(machine: Machine, data: np.ndarray, again: int) -> str:
    """A kernel that sums up `data`, `again` and again."""
    lanes = machine.vector_bytes // 4
    rows = data.nbytes // (STREAMS * machine.vector_bytes)
    vector, buffer = f"vector<{lanes}xf32>", f"memref<{rows}x{STREAMS * lanes}xf32>"

    def step(k: int) -> str:
        load = f"%l{k} = vec.load %p[%i, {k * lanes}] : {buffer} -> {vector}"
        return f"{load} %n{k} = arith.addf %a{k}, %l{k} : {vector}"

    return _kernel(buffer, "", lanes, f"%again < {again}, %i < {rows}", STREAMS, step)


def _accumulators(machine: Machine) -> int:
    """Enough to hide the latency of an fma, few enough for the registers."""
    return 24 if machine.registers >= 32 else 12


def _kernel(buffer: str, load: str, lanes: int, steps: str, count: int, step: Step) -> str:
    """A loop that carries %a0, %a1, ...; it stores their sum, so that none is for nothing."""
    vector = f"vector<{lanes}xf32>"
    each = range(count)
    total = "\n".join(f"  %s{k + 1} = arith.addf %s{k}, %r{k} : {vector}" for k in each)
    return f"""
func.func @f(%p: {buffer}, %y: memref<{lanes}xf32>) {{
  {load}
  %s0 = arith.constant dense<0.0> : {vector}
  {_list("%r{}", count)} = loop.for {steps} iter({_list("%a{} = %s0", count)}) : {vector} {{
    {" ".join(map(step, each))}
    loop.yield {_list("%n{}", count)} : {", ".join([vector] * count)}
  }}
{total}
  vec.store %s{count}, %y[0] : {vector}, memref<{lanes}xf32>
  func.return
}}"""


def _list(pattern: str, count: int) -> str:
    return ", ".join(map(pattern.format, range(count)))


def best_seconds(text: str, machine: Machine, data: np.ndarray, runs: int = RUNS) -> float:
    """Seconds of the fastest run of @f on `data` and a buffer for its result."""
    kernel = native(_parsed(text), machine)["f"]
    result = np.zeros(4096, np.uint8)  # more than any vector
    best = float("inf")
    for _ in range(runs):
        start = time.perf_counter()
        kernel(data, result)
        best = min(best, time.perf_counter() - start)
    return best


def _parsed(text: str) -> ModuleOp:
    ctx = Context()
    for dialect in (Builtin, Func, Arith, Math, Loop, Vec):
        ctx.load_dialect(dialect)
    return Parser(ctx, text).parse_module()
