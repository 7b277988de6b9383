"""`lamina machine`: what is known of a CPU, and how fast it was when it was measured."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator

from lamina.backends.cpu.measure import measured
from lamina.backends.dot4 import Fit, best, per_cycle
from lamina.backends.machine import KiB, Machine
from lamina.compiler import machine_of
from lamina.errors import LaminaError
from lamina.tools._report import table


def run(args: Namespace) -> None:
    """Print a table; measure first if this CPU never was, or if told to."""
    machine = machine_of(args.target)
    if args.again and machine.name != "cpu":
        raise LaminaError(f"--again measures this CPU, target 'cpu'; {args.target} is a table")
    machine = measured(machine, args.again)
    where = "measured here" if machine.measured else "from the tables of the vendor"
    print(f"{machine.name} {machine.llvm_cpu}: rates {where}")
    print(table(list(_rows(machine))))


def _rows(machine: Machine) -> Iterator[list[str]]:
    rates = machine.rates
    yield ["", "size", "a cycle", "a second"]
    yield ["clock", "", "", f"{rates.ghz:.2f} GHz"]
    vectors = f"{machine.registers} x {machine.vector_bytes} B"
    flops = rates.flops_per_cycle
    yield ["vectors", vectors, f"{flops:.0f} flops", f"{flops * rates.ghz:.0f} GFLOP/s"]
    kinds: tuple[tuple[str, Fit], ...] = (("int8", "some"), ("int8 of 7 bits", "all"))
    for name, fit in kinds:
        form, ops = best(machine, fit), 8 * per_cycle(machine, fit)
        yield [name, form, f"{ops:.0f} ops", f"{ops * rates.ghz:.0f} GOP/s"]
    for name, size, rate in (
        ("first cache", f"{machine.l1 // KiB} KB", rates.l1),
        ("second cache", f"{machine.l2 // KiB} KB", rates.l2),
        ("third cache", f"{machine.l3 // KiB} KB", rates.l3),
        ("memory", "", rates.dram),
    ):
        yield [name, size, f"{rate:.1f} B", f"{rate * rates.ghz:.0f} GB/s"]
    calls = rates.call_cycles
    yield ["call", "", f"{calls:.0f} cycles", f"{calls / rates.ghz:.1f} ns"]
