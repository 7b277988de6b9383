"""
The rates of this machine, measured by small kernels in well under a second, and kept on disk.

The clock is that of a chain of additions, each of which takes a cycle on any CPU; the units that
multiply and add are whole ones, so their number is the nearest that explains the peak. Everything
is the best of several short runs: what was slower was somebody else's work.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import accumulate

import numpy as np

from lamina.backends.cpu.peak import best_seconds, fma_peak, read_bandwidth
from lamina.backends.machine import Machine
from lamina.backends.rates import Rates, rates_file, write_rates

CHAIN = 32
STEPS = 20_000
CALLS = 2_000
UNITS = (0.5, 1, 2, 3, 4)
"""vectors multiplied and added in a cycle"""


def measured(machine: Machine, again: bool = False) -> Machine:
    """
    The machine with rates that were measured here, now if they never were; `again`: now anyway.

    Named targets stay as their table says, and so does this machine where nothing can be kept: to
    measure it each time would cost more than it gains.
    """
    if machine.name != "cpu" or (machine.measured and not again):
        return machine
    path = rates_file(machine.llvm_cpu, machine.features)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()  # an empty file counts as none
    except OSError:
        return machine
    if sys.stderr.isatty():
        print("lamina: measuring this CPU, once", file=sys.stderr)
    rates = measure(machine)
    write_rates(path, rates)
    return replace(machine, rates=rates, measured=True)


def measure(machine: Machine) -> Rates:
    """The rates of this machine, from nothing."""
    lanes = machine.vector_bytes // 4
    clock = max(clock_ghz(machine) for _ in range(3))
    peak = fma_peak(machine)
    work = lanes * (2 if machine.fma else 1)  # without fma, a sum and a product take a unit each
    units = min(UNITS, key=lambda n: abs(n * work - peak / clock))
    ghz = peak / (units * work)
    sizes = machine.l1 // 2, machine.l2 // 2, _within_l3(machine)
    near = [read_bandwidth(machine, size, 16 << 20) / ghz for size in sizes]
    far = read_bandwidth(machine, min(max(64 << 20, 3 * machine.l3), 512 << 20)) / ghz
    l1, l2, l3, dram = accumulate([*near, far], min)
    return Rates(ghz, units * work, l1, l2, l3, dram, call_ns(machine) * ghz)


def _within_l3(machine: Machine) -> int:
    """More than the second cache holds, and not all of what may be shared with others."""
    return max(2 * machine.l2, machine.l3 // 4)


def clock_ghz(machine: Machine) -> float:
    """How many cycles there are in a nanosecond."""
    chain = "\n".join(
        f"%b{k} = arith.addi %a{k}, %s : i32 %a{k + 1} = arith.xori %b{k}, %s : i32"
        for k in range(CHAIN)
    )
    text = f"""
func.func @f(%p: memref<1xi32>, %y: memref<1xi32>) {{
  %s = vec.load %p[0] : memref<1xi32> -> i32
  %r = loop.for %i < {STEPS} iter(%a0 = %s) : i32 {{
    {chain}
    loop.yield %a{CHAIN} : i32
  }}
  vec.store %r, %y[0] : i32, memref<1xi32>
  func.return
}}"""
    seconds = best_seconds(text, machine, np.ones(1, np.int32))
    return 2 * CHAIN * STEPS / seconds / 1e9


def call_ns(machine: Machine) -> float:
    """Nanoseconds of calling a kernel that does nearly nothing."""
    buffer = "memref<1xf32>"
    text = f"""
func.func @f(%p: {buffer}, %y: {buffer}) {{
  loop.for %i < {CALLS} {{
    func.call @kernel(%p, %y) : ({buffer}, {buffer}) -> ()
  }}
  func.return
}}
func.func @kernel(%p: {buffer}, %y: {buffer}) {{
  %a = vec.load %p[0] : {buffer} -> f32
  vec.store %a, %y[0] : f32, {buffer}
  func.return
}}"""
    return best_seconds(text, machine, np.zeros(1, np.float32)) / CALLS * 1e9
